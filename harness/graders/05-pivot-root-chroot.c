/* Lab 05, step 1: "/" is the new root, and no working directory stays outside. */
#include "graders/05-pivot-root.h"

#include <sys/mount.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

void root_stepchroot(struct grade *g)
{
    struct run *room = root_room(g);
    const char *elsewhere = say(g, "/tmp/%s", grade_word(g, 8));

    outside_do(room, "mkdir %s", elsewhere);
    outside_do(room, "mount " ROOTFS " %s %d", elsewhere, MS_BIND);
    const char *const paths[] = {ROOTFS, elsewhere};
    for (size_t i = 0; i < 2; i++) {
        const char *const arguments[] = {"--rootfs", paths[i], "--chroot", "--unmasked", NULL};
        struct run *run = root_beside(g, room, arguments);
        struct place root = root_check(g, run, paths[i]);
        root_check_cwd(g, run, &root);
    }
}
