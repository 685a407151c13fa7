/* What the tests of the skeleton generator share: temporary folders, files, and small talk. */
#ifndef TEST_SKELETON_FIXTURE_H
#define TEST_SKELETON_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "skeleton/place.h"
#include "skeleton/skeleton.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The temporary folder of the running test; every test begins in an empty one. */
static char scratch[] = "/tmp/strata-skeleton-XXXXXX";

static inline int scratch_remove_one(const char *path, const struct stat *status, int type,
                                     struct FTW *where)
{
    (void)status;
    (void)where;
    if (type == FTW_DP)
        chmod(path, 0700);
    return remove(path);
}

static inline int scratch_leave(void **state)
{
    (void)state;
    return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int scratch_enter(void **state)
{
    (void)state;
    memcpy(scratch + strlen(scratch) - 6, "XXXXXX", 6);
    return mkdtemp(scratch) && chmod(scratch, 0755) == 0 ? 0 : -1;
}

/* "scratch/name"; good until the next but three calls. */
static inline const char *in_scratch(const char *name)
{
    static char paths[4][2048];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
    return path;
}

static inline void put(const char *name, const char *content)
{
    FILE *file = fopen(in_scratch(name), "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void put_folder(const char *name)
{
    assert_int_equal(mkdir(in_scratch(name), 0755), 0);
}

/* The whole of a file; the caller frees. */
static inline char *get_path(const char *path)
{
    struct text text = {0};

    assert_int_equal(place_read(AT_FDCWD, path, &text), 0);
    return text.bytes;
}

static inline void assert_content(const char *name, const char *expected)
{
    char *content = get_path(in_scratch(name));

    assert_string_equal(content, expected);
    free(content);
}

static inline int not_a_dot(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* The names in a folder, sorted, with a space behind each: dot files too. */
static inline const char *names_in(const char *name)
{
    static char names[1024];
    struct dirent **entries;
    int count = scandir(in_scratch(name), &entries, not_a_dot, alphasort);

    assert_true(count >= 0);
    names[0] = '\0';
    for (int i = 0; i < count; i++) {
        strcat(strcat(names, entries[i]->d_name), " ");
        free(entries[i]);
    }
    free(entries);
    return names;
}

/* The path of a file in fixtures/, found beside this source. */
static inline const char *fixture(const char *name)
{
    static char path[1024];
    const char *here = __FILE__;

    snprintf(path, sizeof(path), "%.*s/fixtures/%s", (int)(strrchr(here, '/') - here), here, name);
    return path;
}

#endif
