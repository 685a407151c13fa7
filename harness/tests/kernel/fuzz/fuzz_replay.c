/* Feeds every file of the directories named to a fuzz target, so that what a fuzzer once found is
 * tried again by any compiler. Exit status 0, or 1 when a directory is not to be read or is empty:
 * a replay of nothing proves nothing. Prints how many files it fed. */
#include "kernel/file.h"
#include "kernel/own.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each input in memory of exactly its size, so that AddressSanitizer sees the first byte beyond. */
static int feed(int dirfd, const char *name)
{
    autofree char *text = NULL;
    autofree uint8_t *exact = NULL;
    size_t len;
    int error = kernel_read_at(dirfd, name, &text, &len);

    if (error)
        return error;
    exact = malloc(len ? len : 1);
    if (!exact)
        return -ENOMEM;
    memcpy(exact, text, len);
    LLVMFuzzerTestOneInput(exact, len);
    return 0;
}

static int feed_all(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int fed = 0;

    while (dir && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && feed(dirfd(dir), entry->d_name) == 0)
            fed++;
    if (dir)
        closedir(dir);
    printf("%d inputs from %s\n", fed, path);
    return fed;
}

int main(int argc, char **argv)
{
    int status = argc < 2;

    for (int i = 1; i < argc; i++)
        status |= feed_all(argv[i]) == 0;
    return status;
}
