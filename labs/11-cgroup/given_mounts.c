#include "11-cgroup/given_mounts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "\040" becomes " ", in place: the kernel writes space, tab, line feed and backslash so. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; to++) {
        unsigned code;
        if (sscanf(from, "\\%3o", &code) == 1) {
            *to = (char)code;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* 36 35 98:0 /root /target rw,noatime shared:1 - type source super: any number of words may stand
 * where "shared:1" does, so the dash is looked for. */
static bool parse(char *line, struct mount_line *mount)
{
    char *fields[6], *word, *rest = line;
    int count = 0;

    while (count < 6 && (word = strsep(&rest, " \n")) != NULL)
        fields[count++] = word;
    while (rest != NULL && (word = strsep(&rest, " \n")) != NULL && strcmp(word, "-") != 0)
        ;
    const char *type = strsep(&rest, " \n"), *source = strsep(&rest, " \n");
    const char *super = strsep(&rest, " \n");
    if (count < 6 || source == NULL || super == NULL)
        return false;
    unescape(fields[3]);
    unescape(fields[4]);
    *mount = (struct mount_line){fields[3], fields[4], type, super};
    return true;
}

int mounts_each(int (*see)(void *arg, const struct mount_line *mount), void *arg)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    struct mount_line mount;
    char *line = NULL;
    size_t size = 0;
    int result = 0;

    if (file == NULL)
        return -errno;
    while (result == 0 && getline(&line, &size, file) > 0)
        if (parse(line, &mount))
            result = see(arg, &mount);
    free(line);
    fclose(file);
    return result;
}
