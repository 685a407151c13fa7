/*
 * Lab 03: PID 1 and its duties.
 *
 * The first process of a PID namespace is its init: it inherits every orphan of the container, it
 * is deaf to signals that it has no handler for, and when it ends the kernel kills all others.
 *
 * 0 on success, -errno on failure. All functions but pid_namespaces are called in the new process.
 */
#pragma once

#include <stdint.h>

#include "01-process/process.h"
#include "given/todo.h"

/* Adds the CLONE_NEW* flags that this layer needs: the one that makes COMMAND PID 1 (step 1) and
 * the one that lets it have a /proc of its own (step 2). pid_namespaces(7) */
int pid_namespaces(uint64_t *flags);

/* Mounts a fresh proc at `target` (an existing folder), with nosuid, nodev and noexec, so that it
 * shows the processes of this PID namespace and no others. The mount must not appear outside:
 * take the mount tree private first (lab 04 tells the whole story). mount(2), proc(5) */
int pid_mount_proc(const char *target);

/* Is PID 1 for the rest of the container's life (--init). Starts `command` by process_start as
 * PID 2; closes every fd from 3 up, which also tells the parent that COMMAND runs (the pipe of
 * process_start ends); then, until COMMAND has ended:
 *   - reaps every orphan that the kernel hands to it, at once, so that no zombie stays (step 3);
 *   - forwards every signal that it is sent and that can be caught to COMMAND (step 4);
 * and ends with COMMAND's exit status (process_exit_status), whatever else still runs (step 5).
 * Returns only if COMMAND could not be started: the -errno of process_start. */
int pid_init(const struct process_spec *command);

/* More (step 6): makes pid_init start COMMAND one PID namespace further in (--nested), where it is
 * PID 1 again and where /proc shows only that inner namespace. Changes `command` so that the next
 * process_start does it. pid_namespaces(7), "NSpid" in proc(5) */
int pid_nest(struct process_spec *command);
