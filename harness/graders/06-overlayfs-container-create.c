/* Lab 06, step 5: a container's folders are made. */
#include "graders/06-overlayfs-container.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static const char *const shell[] = {"true", NULL};

static void check_folder(struct grade *g, const struct folder *folder, const char *container,
                         const char *name, unsigned mode)
{
    const struct item *item = folder_find(folder, name);
    const char *path = say(g, "%s%s%s", container, name[0] != '\0' ? "/" : "", name);

    expect(g, item != NULL && S_ISDIR(item->mode), .because = "not-created",
           .expected = say(g, "a folder %s", path),
           .kernel = say(g, "there is %s", item_text(g, item)),
           .see = say(g, "ls -lR %s", container));
    expect(g, (item->mode & 07777) == mode,
           .because = strcmp(name, "upper") == 0 ? "upper-mode" : "wrong-mode",
           .expected = say(g, "%s has mode %04o", path, mode),
           .kernel = say(g, "it has %04o", item->mode & 07777),
           .see = "umask(2), chmod(2); overlay.h, overlay_create");
}

/* Made under an umask that takes everything from everybody, from a lower of an unusual mode. */
static void check_create(struct grade *g, struct run *room)
{
    static const unsigned modes[] = {0700, 01777, 0751, 02775};
    bool ids = run_ids(g) > SOMEBODY;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        const char *lower = layers_folder(g, room),
                   *container = say(g, "/tmp/%s", grade_word(g, 9));
        const char *script = say(g, "umask %s; exec /strata/lab06 --lower %s --create %s",
                                 i % 2 == 0 ? "077" : "0", lower, container);
        const char *const arguments[] = {"sh", "-c", script, NULL};
        unsigned owner = ids ? (unsigned)grade_between(g, 1, 60000) : 0;
        if (ids)
            outside_do(room, "chown %u %u %s", owner, owner + 1, lower);
        outside_do(room, "chmod %o %s", modes[i], lower);
        layers_ask(g, room,
                   &(struct run_options){.program = "/strata/busybox", .arguments = arguments},
                   "not-created");
        struct folder made = folder_of(room, container);
        check_folder(g, &made, container, "", 0755);
        check_folder(g, &made, container, "work", 0755);
        check_folder(g, &made, container, "merged", 0755);
        check_folder(g, &made, container, "upper", modes[i]);
        const struct item *upper = folder_find(&made, "upper");
        expect(g, !ids || (upper->uid == owner && upper->gid == owner + 1),
               .because = "wrong-owner",
               .expected = say(g, "%s/upper belongs to the lower's owner, %u:%u", container, owner,
                               owner + 1),
               .kernel = say(g, "it belongs to %u:%u", (unsigned)upper->uid, (unsigned)upper->gid),
               .see = "chown(2); overlay.h, overlay_create");
    }
}

/* Whoever has no capability may not give files away, and nobody to an id that is not mapped: no
 * failure. /usr is the host's. */
static void check_create_powerless(struct grade *g, struct run *room)
{
    for (int powerless = 0; powerless < 2; powerless++) {
        const char *container = say(g, "/tmp/%s", grade_word(g, 9));
        const char *const plain[] = {"--lower", "/usr", "--create", container, NULL};
        const char *const without[] = {"--start-with", "noroot",   "/strata/lab06", "--lower",
                                       "/usr",         "--create", container,       NULL};
        struct place lower = place_outside(room, "/usr");
        layers_ask(g, room,
                   &(struct run_options){.program = powerless ? "/strata/probe" : NULL,
                                         .arguments = powerless ? without : plain},
                   "owner-refused");
        struct folder made = folder_of(room, container);
        check_folder(g, &made, container, "upper", lower.mode & 07777);
    }
}

static void check_untouched(struct grade *g, struct run *room, const struct folder *before,
                            const char *there)
{
    struct folder after = folder_of(room, there);
    const char *difference = folder_difference(g, before, &after, NULL);

    expect(g, difference == NULL, .because = "taken-over",
           .expected = say(g, "a folder that is there already, %s, stays as it was", there),
           .kernel = say(g, "in it, %s", difference), .see = "mkdir(2), EEXIST");
}

/* Be it empty, a file, or a link that leads nowhere: what is there is somebody else's. */
static void check_taken(struct grade *g, struct run *room, const char *lower)
{
    const char *empty = layers_folder(g, room), *file = say(g, "/tmp/%s", grade_word(g, 9));
    const char *link = say(g, "/tmp/%s", grade_word(g, 9)), *nowhere = grade_word(g, 9);
    const char *const there[] = {empty, file, link};
    static const char *const what[] = {"an empty folder that is there already",
                                       "a file in the folder's place",
                                       "a link in the folder's place"};

    outside_do(room, "put %s mine", file);
    outside_do(room, "symlink %s /tmp/%s", link, nowhere);
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
        struct place before = place_outside(room, there[i]);
        const char *const arguments[] = {"--lower", lower, "--create", there[i], NULL};
        layers_refused(g, room, &(struct run_options){.arguments = arguments}, EEXIST, "taken-over",
                       what[i]);
        struct place after = place_outside(room, there[i]);
        expect(g, after.error == before.error && after.ino == before.ino, .because = "taken-over",
               .expected = say(g, "%s stays: %s", what[i], there[i]),
               .kernel = after.error != 0 ? "it is gone" : "another stands there",
               .see = "mkdir(2), EEXIST");
    }
}

static void check_create_refused(struct grade *g, struct run *room)
{
    const char *lower = layers_folder(g, room), *there = layers_folder(g, room);
    const char *full = layers_folder(g, room), *missing = say(g, "/tmp/%s", grade_word(g, 9));
    const char *fresh = say(g, "/tmp/%s", grade_word(g, 9));

    outside_do(room, "put %s/upper/mine text", there);
    struct folder before = folder_of(room, there);
    const char *const taken[] = {"--lower", lower, "--create", there, NULL};
    layers_refused(g, room, &(struct run_options){.arguments = taken}, EEXIST, "taken-over",
                   "a folder that is there already");
    check_untouched(g, room, &before, there);
    const char *const run_taken[] = {"--lower", lower, "--container", there, "--rm", NULL};
    layers_refused(g, room, &(struct run_options){.arguments = run_taken, .command = shell}, EEXIST,
                   "taken-over", "a container in a folder that is there already");
    check_untouched(g, room, &before, there);

    check_taken(g, room, lower);
    const char *const no_way[] = {"--lower", lower, "--create", say(g, "%s/box", missing), NULL};
    layers_refused(g, room, &(struct run_options){.arguments = no_way}, ENOENT, "other-error",
                   "a folder in one that is not there");

    const char *const no_lower[] = {"--lower", missing, "--create", fresh, NULL};
    layers_refused(g, room, &(struct run_options){.arguments = no_lower}, ENOENT, "half-made",
                   "a lower layer that is not there");
    expect(g, place_outside(room, fresh).error == ENOENT, .because = "half-made",
           .expected = say(g, "nothing stays behind: no %s", fresh),
           .kernel = say(g, "%s is there", fresh), .see = "overlay.h, overlay_create");

    /* Room for a few files only: the folder itself can be made, and then no more of the others. */
    outside_do(room, "mount-with tmpfs %s 0 nr_inodes=%d", full, grade_between(g, 3, 4));
    const char *const no_room[] = {"--lower", lower, "--create", say(g, "%s/box", full), NULL};
    layers_refused(g, room, &(struct run_options){.arguments = no_room}, ENOSPC, "half-made",
                   "a disk that is full after the first folders");
    struct folder left = folder_of(room, full);
    expect(g, left.count == 1, .because = "half-made",
           .expected =
               say(g, "nothing stays behind of what could not be finished: %s is empty", full),
           .kernel = say(g, "%s is there", left.count > 1 ? left.list[1].path : ""),
           .see = say(g, "mount -t tmpfs -o nr_inodes=3 x %s; lab06 --create %s/box", full, full));
}

/* What the umask has to do with it is nobody's business but ours: COMMAND keeps that of its caller.
 * And a layer may be named by a link, as by docker's short names. */
static void check_surroundings(struct grade *g, struct run *room)
{
    const char *container = say(g, "/tmp/%s", grade_word(g, 9)), *said;
    const char *lower = layers_folder(g, room), *link = say(g, "/tmp/%s", grade_word(g, 9));
    const char *script = say(g,
                             "umask 027; exec /strata/lab06 --lower " ROOTFS " --container %s"
                             " --rm sh -c umask",
                             container);
    const char *const arguments[] = {"sh", "-c", script, NULL};
    const char *const linked[] = {"--lower", link, "--create", container, NULL};

    int status = outside_run(
        room, &(struct run_options){.program = "/strata/busybox", .arguments = arguments}, &said);
    expect(g, status == 0 && strcmp(said, "0027\n") == 0, .because = "umask-changed",
           .expected = "COMMAND has the umask of its caller: 0027",
           .kernel = say(g, "exit status %d: %.80s", status, said),
           .see = "umask 027; lab06 --lower " ROOTFS " --container C --rm sh -c umask");

    /* Names that a shell would take apart. */
    const char *odd = say(g, "/tmp/%s'\"$(x) y:,\\;%s", grade_word(g, 4), grade_word(g, 4));
    const char *const create[] = {"--lower", lower, "--create", odd, NULL};
    const char *const remove[] = {"--remove", odd, NULL};
    layers_ask(g, room, &(struct run_options){.arguments = create}, "not-created");
    struct folder box = folder_of(room, odd);
    check_folder(g, &box, odd, "merged", 0755);
    layers_ask(g, room, &(struct run_options){.arguments = remove}, "not-removed");
    container_gone(g, room, odd, "not-removed", "whatever its name");

    outside_do(room, "chmod 751 %s", lower);
    outside_do(room, "symlink %s %s", link, lower);
    layers_ask(g, room, &(struct run_options){.arguments = linked}, "not-created");
    struct place upper = place_outside(room, say(g, "%s/upper", container));
    expect(g, (upper.mode & 07777) == 0751, .because = "upper-mode",
           .expected = "a lower that is named by a link: upper gets the mode of the folder, 0751",
           .kernel = say(g, "it has %04o", upper.mode & 07777), .see = "stat(2) and lstat(2)");
}

void container_created(struct grade *g, struct run *room)
{
    check_create(g, room);
    check_create_powerless(g, room);
    check_create_refused(g, room);
    check_surroundings(g, room);
}
