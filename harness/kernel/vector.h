/* Lists of strings that end in NUL: /proc/PID/cmdline and environ, byte for byte.
 * proc_pid_cmdline(5), proc_pid_environ(5). */
#ifndef KERNEL_VECTOR_H
#define KERNEL_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct kernel_vector {
    char **list; /* NULL after the last, as argv has it; empty strings are kept */
    size_t count;
    bool cut;   /* the last string came without its NUL: rewritten by its process, or cut short */
    char *text; /* what the list points into */
};

/* Splits the bytes. 0 or -ENOMEM (any bytes are good). *vector is written over. */
int kernel_vector_parse(const char *text, size_t len, struct kernel_vector *vector);

/* Arguments of a process; none for zombies and kernel threads. A process may overwrite its own.
 * 0, -ESRCH, -ENOMEM, or kernel_read_pid()'s errors. */
int kernel_cmdline_read(pid_t pid, struct kernel_vector *vector);

/* Environment as it stood at exec, unless the process wrote over that memory. The same errors, and
 * -EACCES when we may not look. */
int kernel_environ_read(pid_t pid, struct kernel_vector *vector);

void kernel_vector_free(struct kernel_vector *vector);

/* The value of NAME in an environment ("NAME=value", the first one, as getenv(3)), or NULL. */
const char *kernel_vector_get(const struct kernel_vector *vector, const char *name);

#endif
