/*
 * shed: gives all its capabilities away, then executes a program. A program of its own, linked
 * statically, so that it runs in a root file system that has no library. Built apart from lab09.
 *
 *     shed COMMAND [ARGUMENT...]
 *
 * Permitted, effective and inheritable are empty after that, and nothing gives a process back what
 * is not permitted to it: nothing but exec. When uid 0 executes something, the kernel computes
 *     permitted = inheritable | bounding
 * anew (capabilities(7)), unless no_new_privs is set. So what COMMAND has tells which it was.
 *
 * Prints its own CapPrm before and after. Exit status: COMMAND's; 2 after an error (told on
 * stderr).
 */
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what)
{
    fprintf(stderr, "shed: ");
    perror(what);
    return 2;
}

static int print_permitted(const char *when, struct __user_cap_header_struct *header)
{
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, header, data) < 0)
        return -1;
    printf("%s %08x%08x\n", when, data[1].permitted, data[0].permitted);
    return 0;
}

int main(int argc, char **argv)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    static const struct __user_cap_data_struct none[2];

    if (argc < 2) {
        fprintf(stderr, "usage: shed COMMAND [ARGUMENT...]\n");
        return 2;
    }
    if (print_permitted("before", &header) < 0)
        return fail("capget");
    if (syscall(SYS_capset, &header, none) < 0)
        return fail("capset");
    print_permitted("after ", &header);
    fflush(stdout);
    execvp(argv[1], argv + 1);
    return fail(argv[1]);
}
