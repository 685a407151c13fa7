/* The digests that progress is kept by. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "grade/progress.h"
#include "kernel/own.h"

int progress_layer_digest(const char *path, char hex[DIGEST_HEX])
{
    hex[0] = '\0';
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return digest_sha256_fd(fd, hex);
}

/* Chains one file's digest to those before it. */
static void chain(const char *path, char hex[DIGEST_HEX])
{
    char both[2 * DIGEST_HEX] = "";
    char one[DIGEST_HEX];

    if (progress_layer_digest(path, one) < 0)
        one[0] = '\0';
    int length = snprintf(both, sizeof(both), "%s%s", hex, one);
    digest_sha256(both, (size_t)length, hex);
}

/* A root with a '*' in its name must not become a pattern. */
static void escape(char *pattern, size_t size, const char *root)
{
    size_t used = 0;

    for (; *root && used + 2 < size; root++) {
        if (strchr("*?[]\\", *root))
            pattern[used++] = '\\';
        pattern[used++] = *root;
    }
    pattern[used] = '\0';
}

/* The files of a pattern, in the order of their names; there may be none. */
static int chain_all(const char *pattern, char hex[DIGEST_HEX])
{
    glob_t files;
    int error = glob(pattern, 0, NULL, &files);

    if (error != 0)
        return error == GLOB_NOMATCH ? 0 : -EIO;
    for (size_t i = 0; i < files.gl_pathc; i++)
        chain(files.gl_pathv[i], hex);
    globfree(&files);
    return 0;
}

int progress_kit_digest(const char *root, const char *lab, char hex[DIGEST_HEX])
{
    char path[PATH_MAX];
    char escaped[PATH_MAX / 2];

    hex[0] = '\0';
    snprintf(path, sizeof(path), "%s/harness/graders/%s.c", root, lab);
    chain(path, hex);
    escape(escaped, sizeof(escaped), root);
    /* A grader may have parts beside it: NN-name-PART.c. */
    snprintf(path, sizeof(path), "%s/harness/graders/%s-*.c", escaped, lab);
    int error = chain_all(path, hex);
    snprintf(path, sizeof(path), "%s/labs/%s/*.h", escaped, lab);
    return error == 0 ? chain_all(path, hex) : error;
}
