/*
 * move OLD NEW: rename(2), and nothing else.
 *
 * mv(1) is kinder: where rename(2) answers EXDEV, it copies, and deletes what it has copied. That
 * hides what lab 06 wants to show.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: move OLD NEW\n");
        return 2;
    }
    if (rename(argv[1], argv[2]) < 0) {
        printf("rename: %s\n", strerror(errno));
        return 1;
    }
    puts("renamed");
    return 0;
}
