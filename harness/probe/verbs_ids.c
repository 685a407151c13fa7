/* Verbs about who owns a file, and copies of programs that run as their owner. */
#include "probe/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* chown UID GID PATH: numbers of our own user namespace. */
static void verb_chown(char *arguments, struct answer *answer)
{
    const char *uid = strsep(&arguments, " ");
    const char *gid = arguments != NULL ? strsep(&arguments, " ") : "";

    put_result(answer, arguments != NULL && chown(arguments, (uid_t)strtoul(uid, NULL, 10),
                                                  (gid_t)strtoul(gid, NULL, 10)) == 0);
}

/* copy MODE FROM TO: a new file TO with these permissions (octal, 4755 for one that runs as its
 * owner). */
static void verb_copy(char *arguments, struct answer *answer)
{
    const char *mode = strsep(&arguments, " ");
    const char *source = arguments != NULL ? strsep(&arguments, " ") : "";
    const char *target = arguments != NULL ? arguments : "";
    int from = open(source, O_RDONLY | O_CLOEXEC);
    int to = from < 0 ? -1 : open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t sent = to < 0 ? -1 : 1;

    while (sent > 0)
        sent = sendfile(to, from, NULL, 1 << 20);
    /* Only now: writing to a file takes the set-user-ID bit away. */
    put_result(answer, sent == 0 && fchmod(to, (mode_t)strtoul(mode, NULL, 8)) == 0);
    if (to >= 0)
        close(to);
    if (from >= 0)
        close(from);
}

const struct verb verbs_of_ids[] = {
    {"chown", verb_chown},
    {"copy", verb_copy},
    {0},
};
