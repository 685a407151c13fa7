/*
 * hog MIB [reserve]: takes memory, one MiB after the other, and says how many it has. With
 * "reserve" it asks for them and never touches them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const size_t mib = 1 << 20;
    int count = argc > 1 ? atoi(argv[1]) : 0;
    int touch = argc > 2 && strcmp(argv[2], "reserve") == 0 ? 0 : 1;

    for (int i = 1; i <= count; i++) {
        char *at = mmap(NULL, mib, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        char line[32];
        if (at == MAP_FAILED)
            return 1;
        if (touch)
            memset(at, i, mib);
        /* At once: what is in a buffer dies with us. */
        if (write(STDOUT_FILENO, line, (size_t)snprintf(line, sizeof line, "%d MiB\n", i)) < 0)
            return 1;
    }
    return 0;
}
