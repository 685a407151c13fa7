/* What a guest boots from, and the command that boots it. */
#pragma once

#include "vm/guest.h"

/* An initial root file system in memory: build/vm/system.cpio, the kit's programs, the files and
 * the job of `options`, with `nonce` as the job's first line. Returns its fd, or -errno. */
int image_make(const struct guest_options *options, const char *nonce);

/* The words of QEMU's command line. fds 1, 2 and 3 are the port for results, the console and the
 * image. Texts live as long as the process, or until the next call. */
enum { IMAGE_ARGV_MAX = 48 };
void image_command(const struct guest_options *options, const char *argv[IMAGE_ARGV_MAX]);

/* The same for a person: the console is the terminal (fds 0 and 1), with a shell on it and no port
 * for results. `rows` and `columns` are the terminal's. */
void image_shell_command(const struct guest_options *options, int rows, int columns,
                         const char *argv[IMAGE_ARGV_MAX]);

/* The name of QEMU's program for this processor: "qemu-system-x86_64"; NULL if guests are not known
 * for it. */
const char *image_program(void);
