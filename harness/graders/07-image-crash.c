/*
 * Lab 07, step 4: what is in the store at every instant.
 *
 * The program is halted before and after each of its system calls (grade/trace.h), and the store is
 * looked at: what a kill -9 would leave now must be whole blobs. And for a power failure: a name
 * may show only once the file behind it has been synced just as it is, and then its folder has to
 * be. What "synced" means is taken from the calls, all else from what lies there.
 */
#include "graders/07-image-watch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct watch *watch_open(struct run *room, const char *store)
{
    struct grade *g = run_grade(room);
    struct watch *watch = trace_shared(g, sizeof *watch);
    struct folder folder = folder_of(room, store);

    watch->store = store;
    watch->room = run_outside_pidfd(room);
    watch->dev = folder_find(&folder, "")->dev;
    for (size_t i = 0; i < folder.count; i++)
        if (strncmp(folder.list[i].path, "blobs/sha256/", 13) == 0)
            image_is_known(watch, folder.list[i].path + 13);
    watch->names_before = watch->names;
    return watch;
}

static struct run *put_watched(struct run *room, struct watch *watch, const struct blob *blob)
{
    const char *const arguments[] = {"--store", watch->store, "--put", IMAGE_BLOB, NULL};
    const struct room_fd fds[] = {{blob->fd, IMAGE_FD}};
    struct trace *trace;

    return trace_start_looking(
        run_grade(room),
        &(struct run_options){
            .arguments = arguments, .no_command = true, .beside = room, .fds = fds, .fd_count = 1},
        &(struct trace_look){image_look, watch}, &trace);
}

static void check_watch(struct grade *g, const struct watch *watch)
{
    expect(g, !watch->broken, .because = say(g, "%s", watch->because),
           .expected = "at every instant whole and fsynced blobs alone have a name in blobs/sha256",
           .kernel = say(g, "%s", watch->fault),
           .see = "strace -f -e trace=file,desc lab07 --store S --put FILE");
}

/* Returns whether the file was synced by a call. */
static bool check_instants(struct run *room, const char *store)
{
    struct grade *g = run_grade(room);
    struct watch *watch = watch_open(room, store);
    struct blob blob = image_content(g, 70000, 140000);
    struct run *run = put_watched(room, watch, &blob);
    int status = run_exit_status(run);

    check_watch(g, watch);
    expect(g, status == 0, .because = "refused",
           .expected = "a file that is put into the store: exit status 0",
           .kernel = say(g, "status %d: its words are below", status),
           .see = "lab07 --store S --put FILE; echo $?");
    expect(g, watch->folder_synced, .because = "folder-not-synced",
           .expected = "after the new name, its folder blobs/sha256 is fsynced",
           .kernel = "no fsync(2) of the folder came after the name",
           .see = "fsync(2): it does not ensure that the entry in the directory is on disk");
    expect(g, watch->left_open[0] == '\0', .because = "left-open",
           .expected = "image_put closes every file and folder of the store that it opens",
           .kernel = say(g, "when it has returned, %s", watch->left_open),
           .see = "strace -f -e trace=desc lab07 --store S --put FILE");
    return watch->by_call;
}

/* What is not finished lies in tmp/, where the next program finds it and throws it away. */
static void check_leftovers(struct run *room, const char *store, const struct folder *before)
{
    struct grade *g = run_grade(room);
    struct folder after = folder_of(room, store);

    for (size_t i = 0; i < after.count; i++)
        expect(g,
               folder_find(before, after.list[i].path) != NULL ||
                   strncmp(after.list[i].path, "tmp/", 4) == 0,
               .because = "not-in-tmp", .expected = "what a kill -9 leaves is in tmp/",
               .kernel = say(g, "outside of tmp/ lies %.60s, %s", after.list[i].path,
                             item_text(g, &after.list[i])),
               .see = "image.h: the folders of a store");
}

/* A kill -9, and then the same file once more. */
static void check_killed(struct run *room, const char *store, bool named)
{
    struct grade *g = run_grade(room);
    struct watch *watch = watch_open(room, store);
    struct blob blob = image_content(g, 70000, 140000);
    const char *when = named ? "when the name was there" : "in the middle of the file";

    struct folder before = folder_of(room, store);
    watch->then = KILL;
    watch->wait_for_name = named;
    int status = run_exit_status(put_watched(room, watch, &blob));
    check_watch(g, watch);
    expect(g, watch->partial && status == 128 + SIGKILL, .because = "never-written",
           .expected = say(g, "a file of the store that can be seen growing (kill -9 %s)", when),
           .kernel = say(g, "none was seen; the program ended with status %d", status),
           .see = "strace -f lab07 --store S --put FILE");
    if (!named)
        check_leftovers(room, store, &before);
    image_stored(room, store, &blob, NULL, say(g, "a file, after a kill -9 %s", when));
}

static bool is_partial(void *arg)
{
    const struct watch *watch = arg;

    return watch->partial;
}

/* While one program is held in the middle of its file, another puts one, too. */
static void check_beside(struct run *room, const char *store, bool same)
{
    struct grade *g = run_grade(room);
    struct watch *watch = watch_open(room, store);
    struct blob blob = image_content(g, 70000, 140000), other = image_content(g, 5000, 90000);
    const char *what = same ? "the same file, put by two programs at a time"
                            : "a file, put while another program puts another one";

    watch->then = HOLD;
    struct run *run = put_watched(room, watch, &blob);
    if (!run_until(run, is_partial, watch) || run_ended(run))
        fail(g, .because = "never-written",
             .expected = "a file of the store that can be seen growing", .kernel = "none was seen",
             .see = "strace -f lab07 --store S --put FILE");
    image_stored(room, store, same ? &blob : &other, NULL, what);
    watch->go = true;
    int status = run_exit_status(run);
    expect(g, status == 0, .because = "in-each-others-way",
           .expected = say(g, "%s: both end with status 0", what),
           .kernel = say(g, "the first ended with %d: its words are below", status),
           .see = "open(2), O_EXCL: whose file in tmp/ is it?");
    struct folder folder = folder_of(room, store);
    const struct blob *blobs[] = {&blob, same ? &blob : &other};
    for (size_t i = 0; i < 2; i++) {
        const struct item *item = folder_find(&folder, image_blob_path(g, blobs[i]->digest));
        expect(g, item != NULL && strcmp(item->text, blobs[i]->digest) == 0,
               .because = "in-each-others-way", .expected = say(g, "%s: both are whole", what),
               .kernel =
                   say(g, "of the %s there is %s", i == 0 ? "first" : "second", item_text(g, item)),
               .see = "open(2), O_EXCL: whose file in tmp/ is it?");
    }
    check_watch(g, watch);
}

/* Somebody writes to the file while it is copied: then it is another, or refused; but no blob that
 * is not what it is called. */
static void check_changing(struct run *room, const char *store)
{
    struct grade *g = run_grade(room);
    struct watch *watch = watch_open(room, store);
    struct blob blob = image_content(g, 70000, 140000);

    watch->then = HOLD;
    struct run *run = put_watched(room, watch, &blob);
    if (!run_until(run, is_partial, watch))
        grade_error(g, 0, "a file of the store was seen growing, and is not any more");
    const char *other = craft_noise(g, 500);
    if (pwrite(blob.fd, other, 500, 0) != 500 ||
        pwrite(blob.fd, other, 500, (off_t)blob.size - 500) != 500)
        grade_error(g, -errno, "cannot change a file");
    watch->go = true;
    run_exit_status(run);
    struct folder folder = folder_of(room, say(g, "%s/blobs/sha256", store));
    for (size_t i = 0; i < folder.count; i++)
        expect(g,
               S_ISDIR(folder.list[i].mode) ||
                   strcmp(folder.list[i].text + strlen("sha256:"), folder.list[i].path) == 0,
               .because = "source-trusted",
               .expected = "a file that changes while it is copied: what is stored is what it is "
                           "called",
               .kernel = say(g, "%.16s… is %s", folder.list[i].path, item_text(g, &folder.list[i])),
               .see = "of which file is the digest taken, and which one gets the name?");
}

bool image_check_crashes(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *store = image_store(room, "16m");
    struct blob first = image_content(g, 100, 9000);

    image_stored(room, store, &first, NULL, "a first file");
    bool by_call = check_instants(room, store);
    check_beside(room, store, false);
    check_beside(room, store, true);
    image_check_blobs(room, store, 5, "after programs at the same time");
    check_changing(room, store);
    check_killed(room, store, false);
    check_killed(room, image_store(room, "16m"), true);
    return by_call;
}
