/*
 * Lab 02: a host name and queues of its own.
 *
 * The UTS namespace holds the host name and the NIS domain name; the IPC namespace holds System V
 * message queues, shared memory segments and semaphores, and POSIX message queues. All functions
 * but uts_namespaces are called in the new process, before COMMAND.
 *
 * 0 on success, -errno on failure: the kernel's own error, unchanged.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "given/todo.h"

/* Adds the CLONE_NEW* flags of the namespaces that this layer needs to *flags: the one for names
 * (step 1) and the one for queues (step 4). namespaces(7) */
int uts_namespaces(uint64_t *flags);

/* Gives the container the host name `name`. The kernel takes at most 64 bytes and refuses more:
 * that refusal is the caller's to see (step 3). sethostname(2), uts_namespaces(7) */
int uts_set_hostname(const char *name);

/* The same for the NIS domain name. setdomainname(2) */
int uts_set_domainname(const char *name);

/* Creates, with `key` and mode 0600, a System V message queue, a shared memory segment of one
 * page and a set of one semaphore. A key that is taken already is an error (-EEXIST).
 * msgget(2), shmget(2), semget(2), sysvipc(7), ipc_namespaces(7) */
int ipc_create_sysv(key_t key);

/* Creates the POSIX message queue `name` ("/orders") for up to `messages` messages of 64 bytes,
 * mode 0600. A name that is taken already is an error (-EEXIST). The queue outlives this call;
 * the descriptor does not. mq_open(3), mq_overview(7) */
int ipc_create_queue(const char *name, long messages);
