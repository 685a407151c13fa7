/* Processes of all sorts that graders ask for: each answers 0 (or a pid), or -errno. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Starts `count` threads that wait for ever. */
int probe_threads(int count);

/* Takes that much memory and touches every page, so that it is resident. */
int probe_take(size_t mebibytes);

/* Leaves only these capabilities in the effective and the permitted set: capset(2). */
int probe_capabilities(uint64_t mask);

/* Uses the CPU until it has cost this many clock ticks more: in the kernel when `in_kernel`, else
 * in the program itself. */
int probe_burn(int ticks, int in_kernel);

/* `count` processes that wait for ever and share new namespaces (CLONE_NEW* flags). The reply is
 * the first of them, as the caller numbers it; the others are its children. */
pid_t probe_group(int flags, int count);
