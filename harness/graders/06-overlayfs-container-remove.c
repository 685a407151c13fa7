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
    outside_do(room, "put %s/upper/-rf", at);
    outside_do(room, "mkdir %s/upper/* two 'words'", at);
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

/* What stands in the folder's place is not removed in its stead. */
static void check_no_folder(struct grade *g, struct run *room)
{
    const char *file = say(g, "/tmp/%s", grade_word(g, 9)), *said;
    const char *link = say(g, "/tmp/%s", grade_word(g, 9));
    const char *const paths[] = {file, link};

    outside_do(room, "put %s text", file);
    outside_do(room, "symlink %s nowhere", link);
    for (int i = 0; i < 2; i++) {
        const char *what = i == 0 ? "a file" : "a link that leads nowhere";
        int status = remove_status(room, paths[i], false, &said);
        expect(
            g, status == REFUSED && strstr(said, strerror(ENOTDIR)) != NULL, .because = "no-folder",
            .expected = say(g, "%s in the folder's place: status 125, %s", what, strerror(ENOTDIR)),
            .kernel = say(g, "exit status %d: %.80s", status, said),
            .see = "lstat(2); open(2), O_DIRECTORY and O_NOFOLLOW");
    }
    expect(g, place_outside(room, file).error == 0, .because = "no-folder",
           .expected = say(g, "the file %s in the folder's place stays", file),
           .kernel = "it is gone", .see = "open(2), O_DIRECTORY");
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

/* A file can be mounted on, too. */
static void check_remove_mounted_file(struct grade *g, struct run *room)
{
    const char *outside = layers_folder(g, room), *at = layers_folder(g, room), *said;

    outside_do(room, "put %s/file text", outside);
    outside_do(room, "put %s/upper/etc/resolv.conf text", at);
    outside_do(room, "mount %s/file %s/upper/etc/resolv.conf %d", outside, at, MS_BIND);
    struct folder before = folder_of(room, outside);
    int status = remove_status(room, at, false, &said);
    expect(g, status == REFUSED && strstr(said, strerror(EBUSY)) != NULL,
           .because = "mount-ignored",
           .expected = say(g, "with a file mounted below: status 125, %s", strerror(EBUSY)),
           .kernel = say(g, "exit status %d: %.80s", status, said),
           .see = "mount --bind A B/file; lab06 --remove B; echo $?");
    struct folder after = folder_of(room, outside);
    const char *difference = folder_difference(g, &before, &after, NULL);
    expect(g, difference == NULL, .because = "mount-entered",
           .expected = say(g, "%s, of which a file is mounted, is as it was", outside),
           .kernel = say(g, "in it, %s", difference), .see = "umount2(2); openat2(2)");
}

/* More folders side by side than a process may have files open, and a path that is longer than any
 * system call takes: containers make both. */
static void check_remove_big(struct grade *g, struct run *room)
{
    enum { FDS = 256, SIDE_BY_SIDE = 300, DEEP = 48 };
    const char *at = say(g, "/tmp/%s", grade_word(g, 9)), *said;
    const char *stood = outside_do(room, "readlink /proc/self/cwd");
    const char *fill = say(g, "mkdir -p %s/upper/wide && cd %s/upper/wide && mkdir $(seq %d)", at,
                           at, SIDE_BY_SIDE);
    const char *const wide[] = {"sh", "-c", fill, NULL};
    const char *removal = say(g, "ulimit -n %d; exec /strata/lab06 --remove %s", FDS, at);
    const char *const remove[] = {"sh", "-c", removal, NULL};

    if (outside_run(room, &(struct run_options){.program = "/strata/busybox", .arguments = wide},
                    &said) != 0)
        grade_error(g, 0, "cannot make many folders: %s", said);
    outside_do(room, "chdir %s/upper", at);
    for (int i = 0; i < DEEP; i++) {
        const char *name = grade_word(g, 100);
        outside_do(room, "mkdir %s", name);
        outside_do(room, "chdir %s", name);
    }
    outside_do(room, "chdir %s", stood);
    int status = outside_run(
        room, &(struct run_options){.program = "/strata/busybox", .arguments = remove}, &said);
    expect(
        g, status == 0, .because = "too-big",
        .expected = say(g, "a folder with %d folders side by side and %d in each other is removed",
                        SIDE_BY_SIDE, DEEP),
        .kernel = say(g, "exit status %d: %.80s", status, said),
        .see = say(g, "mkdir $(seq %d); ulimit -n %d; and names that make up more than 4096 bytes",
                   SIDE_BY_SIDE, FDS));
    expect(g, place_outside(room, at).error == ENOENT, .because = "too-big",
           .expected = say(g, "%s is gone, however much was in it", at), .kernel = "it is there",
           .see = say(g, "lab06 --remove %s; ls %s", at, at));
}

void container_removed(struct grade *g, struct run *room)
{
    check_remove(g, room);
    check_remove_big(g, room);
    check_remove_mounted_file(g, room);
    check_remove_mounts(g, room);
    check_no_folder(g, room);
}
