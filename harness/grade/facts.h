/* Facts that several graders ask the kernel for. Every one is read from outside of the payload. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "grade/run.h"
#include "grade/step.h"
#include "kernel/fd.h"

/* The payload is in a namespace of kind `kind` ("uts") other than the room's, and the lab program
 * itself has stayed in the room's: an unshare(2) in the parent would have moved both. */
void facts_own_namespace(struct run *run, const char *kind);

/* A file of /proc that shows what the reader's own namespaces hold (/proc/sys/kernel/hostname,
 * /proc/sysvipc/msg), read as a member of the namespaces (CLONE_NEW* flags) of a process. */
const char *facts_read_within(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                              const char *path);

/* "uts:[4026531838]" of a process, for verdicts. */
const char *facts_namespace(struct grade *g, pid_t pid, const char *kind);

/* The same for files that hold NUL bytes (environ, cmdline): *length bytes. */
const char *facts_bytes_within(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                               const char *path, size_t *length);

/* The open fds of a process; the list is freed with the step. (Where ids are subordinate ones,
 * only a member of the process's user namespace may look at them; this does.) */
struct kernel_fds *facts_fds(struct grade *g, pid_t pid, int pidfd);

/* The same without the line feed at the end. */
const char *facts_word_within(struct grade *g, pid_t pid, int pidfd, unsigned namespaces,
                              const char *path);

/* Closes an fd of ours when the step ends, on every way out. */
void facts_close_later(struct grade *g, int fd);
