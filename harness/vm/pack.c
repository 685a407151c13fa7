/*
 * build/pack: makes what a guest boots from.
 *
 *   pack --tree OUT <TABLE    a cpio archive of what the table says, a line an entry:
 *                               dir MODE PATH · link PATH TARGET · node MODE PATH MAJOR MINOR
 *                               file MODE PATH SOURCE
 *   pack --kernel IMAGE OUT   the kernel proper out of a compressed image: QEMU starts it at its
 *                             PVH entry, which saves the guest the unpacking. Exit status 1, and
 *                             no OUT, if there is none in it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/own.h"
#include "vm/cpio.h"
#include "vm/vmlinux.h"

static int add_source(struct cpio *cpio, const char *path, mode_t mode, const char *source)
{
    autofclose FILE *file = fopen(source, "re");

    return file == NULL ? -errno : cpio_file(cpio, path, mode, fileno(file));
}

/* One line of the table. The last word may hold blanks. */
static int add_line(struct cpio *cpio, const char *line)
{
    char path[PATH_MAX], rest[PATH_MAX];
    unsigned mode, major, minor;

    if (sscanf(line, "dir %o %4095s", &mode, path) == 2)
        return cpio_add(cpio, path, S_IFDIR | mode, NULL, 0);
    if (sscanf(line, "link %4095s %4095[^\n]", path, rest) == 2)
        return cpio_add(cpio, path, S_IFLNK | 0777, rest, strlen(rest));
    if (sscanf(line, "node %o %4095s %u %u", &mode, path, &major, &minor) == 4)
        return cpio_node(cpio, path, S_IFCHR | mode, major, minor);
    if (sscanf(line, "file %o %4095s %4095[^\n]", &mode, path, rest) == 3)
        return add_source(cpio, path, mode, rest);
    return -EINVAL;
}

static int pack_tree(const char *out)
{
    autofree char *line = NULL;
    size_t size = 0;
    autofclose FILE *file = fopen(out, "we");
    struct cpio cpio = {.out = file};
    int result = file == NULL ? -errno : 0;

    while (result == 0 && getline(&line, &size, stdin) > 0) {
        result = add_line(&cpio, line);
        if (result < 0)
            fprintf(stderr, "pack: %s: %s", strerror(-result), line);
    }
    if (result == 0)
        result = cpio_end(&cpio);
    if (result < 0)
        fprintf(stderr, "pack: %s: %s\n", out, strerror(-result));
    return result < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--tree") == 0)
        return pack_tree(argv[2]);
    if (argc == 4 && strcmp(argv[1], "--kernel") == 0)
        return vmlinux_extract(argv[2], argv[3]) < 0 ? 1 : 0;
    fprintf(stderr, "usage: pack --tree OUT <TABLE, or pack --kernel IMAGE OUT\n");
    return 2;
}
