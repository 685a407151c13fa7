/* Lab 06, step 5: a container's folders are removed. */
#include "graders/06-overlayfs-container.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Asks for the removal: as the room's root, or as the same user without any capability, whom the
 * mode of a folder keeps out. */
static int remove_status(struct run *room, const char *path, bool powerless, const char **said)
{
    const char *const plain[] = {"--remove", path, NULL};
    const char *const without[] = {"--start-with", "noroot", "/strata/lab06",
                                   "--remove",     path,     NULL};

    return outside_run(room,
                       &(struct run_options){.program = powerless ? "/strata/probe" : NULL,
                                             .arguments = powerless ? without : plain},
                       said);
}

/* A folder with all that a container may leave. */
static const char *make_remains(struct grade *g, struct run *room, const char *outside)
{
    const char *at = say(g, "/tmp/%s", grade_word(g, 9));

    outside_do(room, "put %s/upper/a/b/c/d/file text", at);
    outside_do(room, "put %s/upper/locked/file text", at);
    outside_do(room, "put %s/upper/locked/in/file text", at);
    outside_do(room, "put %s/upper/readonly/file text", at);
    outside_do(room, "put %s/upper/.hidden/...", at);
    outside_do(room, "folders %s/work/work", at);
    outside_do(room, "folders %s/merged", at);
    outside_do(room, "fifo %s/upper/fifo", at);
    outside_do(room, "whiteout %s/upper/gone", at);
    outside_do(room, "symlink %s/upper/folder-link %s", at, outside);
    outside_do(room, "symlink %s/upper/file-link %s/file", at, outside);
    outside_do(room, "symlink %s/upper/dead-link /tmp/not-there", at);
    outside_do(room, "link %s/file %s/upper/hard-link", outside, at);
    for (int i = 0; i < 40; i++)
        outside_do(room, "put %s/upper/many/%s-%d x", at, grade_word(g, 30), i);
    return at;
}

static void lock_remains(struct run *room, const char *at)
{
    outside_do(room, "chmod 0 %s/upper/locked/in", at);
    outside_do(room, "chmod 0 %s/upper/locked", at);
    outside_do(room, "chmod 555 %s/upper/readonly", at);
    outside_do(room, "chmod 0 %s/work/work", at);
}

void container_gone(struct grade *g, struct run *room, const char *path, const char *because,
                    const char *why)
{
    struct folder left = folder_of(room, path);

    expect(g, left.error == ENOENT, .because = because,
           .expected = say(g, "%s is gone, %s", path, why),
           .kernel = say(g, "it is there%s%s", left.count > 1 ? ", with " : "",
                         left.count > 1 ? left.list[left.count - 1].path : ""),
           .see = say(g, "lab06 --remove %s; find %s -ls", path, path));
}

static void forget_links(struct item *item)
{
    item->links = 0;
    item->changed = 0;
}

static void check_remove(struct grade *g, struct run *room)
{
    const char *outside = layers_folder(g, room), *said;

    outside_do(room, "put %s/file text", outside);
    outside_do(room, "put %s/in/file text", outside);
    outside_do(room, "chmod 640 %s/file", outside);
    outside_do(room, "chmod 751 %s/in", outside);
    outside_do(room, "chmod 755 %s", outside);
    for (int powerless = 0; powerless < 2; powerless++) {
        const char *folder = make_remains(g, room, outside);
        struct folder before = folder_of(room, outside);
        lock_remains(room, folder);
        int status = remove_status(room, folder, powerless, &said);
        expect(g, status == 0, .because = powerless ? "mode-in-the-way" : "not-removed",
               .expected = say(g, "--remove %s %s: status 0", folder,
                               powerless ? "by its owner, without any capability" : "by root"),
               .kernel = say(g, "exit status %d: %.80s", status, said),
               .see = "chmod 0 FOLDER/work/work; lab06 --remove FOLDER");
        container_gone(g, room, folder, "not-removed", "with all that was in it");
        struct folder after = folder_of(room, outside);
        for (size_t i = 0; i < before.count; i++) /* one hard link less is as it must be */
            forget_links(&before.list[i]);
        for (size_t i = 0; i < after.count; i++)
            forget_links(&after.list[i]);
        const char *difference = folder_difference(g, &before, &after, NULL);
        expect(g, difference == NULL, .because = "outside-touched",
               .expected = say(g, "%s, to which links led, is as it was", outside),
               .kernel = say(g, "in it, %s", difference),
               .see = "unlinkat(2): what does it remove of a symbolic link?");
    }
    const char *missing = say(g, "/tmp/%s", grade_word(g, 9));
    int status = remove_status(room, missing, false, &said);
    expect(g, status == 0, .because = "missing-is-an-error",
           .expected = "a folder that is not there is removed enough: status 0",
           .kernel = say(g, "exit status %d: %.80s", status, said),
           .see = "lab06 --remove /not-there; echo $?");
}

/* A mount of the very same file system, so that its device number gives nothing away. */
static void check_remove_mounts(struct grade *g, struct run *room)
{
    const char *outside = layers_folder(g, room), *at = layers_folder(g, room), *said;
    const char *link = say(g, "/tmp/%s", grade_word(g, 9));

    outside_do(room, "put %s/in/file text", outside);
    outside_do(room, "chmod 751 %s", outside);
    outside_do(room, "folders %s/upper/data", at);
    outside_do(room, "mount %s %s/upper/data %d", outside, at, MS_BIND);
    struct folder before = folder_of(room, outside);
    int status = remove_status(room, at, false, &said);
    struct folder after = folder_of(room, outside);
    const char *difference = folder_difference(g, &before, &after, NULL);
    expect(g, difference == NULL, .because = "mount-entered",
           .expected = say(g, "%s, mounted below the folder, is as it was", outside),
           .kernel = say(g, "in it, %s", difference),
           .see = "openat2(2), RESOLVE_NO_XDEV; mount --bind, and --remove around it");
    expect(g, status == REFUSED && strstr(said, strerror(EBUSY)) != NULL,
           .because = "mount-ignored",
           .expected = say(g, "with a mount below: status 125, %s", strerror(EBUSY)),
           .kernel = say(g, "exit status %d: %.80s", status, said),
           .see = "mount --bind A B/c; lab06 --remove B; echo $?");

    outside_do(room, "symlink %s %s", link, outside);
    status = remove_status(room, link, false, &said);
    after = folder_of(room, outside);
    difference = folder_difference(g, &before, &after, NULL);
    expect(g, difference == NULL, .because = "link-followed",
           .expected = "where a link stands for the folder, what it leads to is as it was",
           .kernel = say(g, "in it, %s", difference), .see = "open(2), O_NOFOLLOW");
    expect(g, status == REFUSED && strstr(said, strerror(ENOTDIR)) != NULL,
           .because = "link-followed",
           .expected = say(g, "a link in the folder's place: status 125, %s", strerror(ENOTDIR)),
           .kernel = say(g, "exit status %d: %.80s", status, said), .see = "open(2), O_NOFOLLOW");
}

void container_removed(struct grade *g, struct run *room)
{
    check_remove(g, room);
    check_remove_mounts(g, room);
}
