/* Lab 06, step 5: a container on layers, and two of them that stand on one image. */
#include "graders/06-overlayfs-container.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct box {
    const char *folder, *word;
    struct run *run;
};

static void start_box(struct grade *g, struct run *room, const char *image, struct box *box)
{
    box->folder = say(g, "/tmp/%s", grade_word(g, 9));
    box->word = grade_word(g, 9);
    const char *const arguments[] = {"--lower",     image,       "--lower",    ROOTFS,
                                     "--container", box->folder, "--unmasked", NULL};
    box->run = layers_start(g, room, arguments);
}

static void expect_text(struct grade *g, struct run *run, const char *path, const char *wanted,
                        const char *because, const char *what)
{
    const char *text = layers_inside(run, path);

    expect(g, strcmp(text, wanted) == 0, .because = because, .expected = what,
           .kernel = say(g, "%s is \"%.80s\" there", path, text),
           .see = say(g, "lab06 --lower " ROOTFS " --container C sh, twice; cat %s", path));
}

static void check_root(struct grade *g, struct run *room, const char *image, const struct box *box)
{
    struct place root = place_inside(box->run, "/");
    struct place lower = place_outside(room, image);
    const char *text;

    layers_mounted(g, box->run, "/");
    expect(g, (root.mode & 07777) == (lower.mode & 07777), .because = "root-mode",
           .expected =
               say(g, "/ inside has the mode of the topmost lower layer: %04o", lower.mode & 07777),
           .kernel = say(g, "it has %04o", root.mode & 07777),
           .see = "lab06 --lower L --container C stat -c %a /");
    text = layers_outside(room, say(g, "%s/merged/etc/hosts", box->folder));
    expect(g, strcmp(text, strerror(ENOENT)) == 0, .because = "outside",
           .expected =
               say(g, "outside, %s/merged is empty: the mount is the container's", box->folder),
           .kernel = "the image's files show in it", .see = say(g, "ls %s/merged", box->folder));
}

static void check_two(struct grade *g, struct run *room)
{
    const char *image = layers_folder(g, room), *old = grade_word(g, 9), *none = strerror(ENOENT);
    struct box boxes[2];

    outside_do(room, "put %s/etc/%s %s", image, old, old);
    outside_do(room, "put %s/etc/shared %s", image, old);
    outside_do(room, "chmod 751 %s", image);
    struct folder before = folder_of(room, image), base = folder_of(room, ROOTFS);
    for (int i = 0; i < 2; i++) {
        start_box(g, room, image, &boxes[i]);
        check_root(g, room, image, &boxes[i]);
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            expect_text(g, boxes[j].run, i == 0 ? "/etc/shared" : say(g, "/etc/%s", old), old,
                        "image-lost", "both containers show the files of the image");

    layers_do(boxes[0].run, "not-writable", say(g, "write /etc/shared %s", boxes[0].word));
    layers_do(boxes[0].run, "not-writable", say(g, "write /%s x", boxes[0].word));
    layers_do(boxes[0].run, "not-writable", say(g, "remove /etc/%s", old));
    layers_do(boxes[0].run, "not-writable", "remove /etc/hosts");
    expect_text(g, boxes[0].run, "/etc/shared", boxes[0].word, "change-lost",
                "a container sees its own changes");
    expect_text(g, boxes[0].run, "/etc/hosts", none, "change-lost",
                "a file that a container deleted is gone in it");
    expect_text(g, boxes[1].run, "/etc/shared", old, "cross-talk",
                "a change of one container does not show in the other");
    expect_text(g, boxes[1].run, say(g, "/%s", boxes[0].word), none, "cross-talk",
                "a new file of one container does not show in the other");
    expect_text(g, boxes[1].run, say(g, "/etc/%s", old), old, "cross-talk",
                "a file that one container deleted is still in the other");
    layers_do(boxes[1].run, "not-writable", say(g, "append /etc/shared %s", boxes[1].word));
    expect_text(g, boxes[0].run, "/etc/shared", boxes[0].word, "cross-talk",
                "a change of the other container does not show in the first");
    expect_text(g, boxes[1].run, "/etc/shared", say(g, "%s%s", old, boxes[1].word), "change-lost",
                "the second container sees its own changes");

    layers_kept(g, room, &before, image);
    layers_kept(g, room, &base, ROOTFS);
    for (int i = 0; i < 2; i++)
        layers_end(boxes[i].run);
    /* Kept: the folder is there after the end, with what was changed. */
    const char *text = layers_outside(room, say(g, "%s/upper/etc/shared", boxes[0].folder));
    expect(g, strcmp(text, boxes[0].word) == 0, .because = "not-kept",
           .expected = say(g, "%s/upper keeps the change after the end", boxes[0].folder),
           .kernel = say(g, "etc/shared in it is \"%.60s\"", text),
           .see = say(g, "find %s/upper -ls", boxes[0].folder));
}

static void check_rm(struct grade *g, struct run *room)
{
    const char *folder = say(g, "/tmp/%s", grade_word(g, 9)), *said;
    int wanted = grade_between(g, 3, 90);
    const char *script =
        say(g, "mkdir -p /a/b && echo x >/a/b/c && rm -r /etc/hosts && exit %d", wanted);
    const char *const arguments[] = {"--lower", ROOTFS, "--container", folder, "--rm", NULL};
    const char *const command[] = {"sh", "-c", script, NULL};

    int status =
        outside_run(room, &(struct run_options){.arguments = arguments, .command = command}, &said);
    expect(g, status == wanted, .because = "no-container",
           .expected = say(g, "a container on layers that ends with status %d", wanted),
           .kernel = say(g, "exit status %d: %.80s", status, said),
           .see = "lab06 --lower " ROOTFS " --container C --rm sh -c 'exit 7'; echo $?");
    container_gone(g, room, folder, "not-removed", "for --rm was given");
}

void layers_stepcontainer(struct grade *g)
{
    struct run *room = outside_open(g, true);

    outside_do(room, "mkdir " ROOTFS "/strata");
    outside_do(room, "link " ROOTFS "/bin/probe " ROOTFS "/strata/probe");
    container_created(g, room);
    check_two(g, room);
    container_removed(g, room);
    check_rm(g, room);
}
