/* Lab 06, step 2: changes go to the upper folder, whole files, and to no lower one. */
#include "graders/06-overlayfs.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Files of the lower layers (0 on 1), and what COMMAND does with them. The upper must have those
 * that were changed, with the text that is given, and nothing else. */
struct scene {
    const char *lowers[2], *upper, *work, *target;
    const char *old, *more;
    struct folder before[2];
};

static void make_scene(struct grade *g, struct run *room, struct scene *scene)
{
    scene->old = grade_word(g, 9);
    scene->more = grade_word(g, 9);
    for (int i = 0; i < 2; i++)
        scene->lowers[i] = layers_folder(g, room);
    scene->upper = layers_folder(g, room);
    scene->work = layers_folder(g, room);
    scene->target = layers_folder(g, room);
    for (int i = 0; i < 2; i++) {
        outside_do(room, "put %s/folder/appended-%d %s", scene->lowers[i], i, scene->old);
        outside_do(room, "put %s/replaced-%d %s", scene->lowers[i], i, scene->old);
        outside_do(room, "put %s/mode-%d %s", scene->lowers[i], i, scene->old);
        outside_do(room, "put %s/renamed-%d %s", scene->lowers[i], i, scene->old);
        outside_do(room, "put %s/folder/untouched-%d %s", scene->lowers[i], i, scene->old);
        outside_do(room, "put %s/other/untouched-%d %s", scene->lowers[i], i, scene->old);
        scene->before[i] = folder_of(room, scene->lowers[i]);
    }
}

static struct run *start(struct grade *g, struct run *room, const struct scene *scene)
{
    const char *const arguments[] = {"--lower", scene->lowers[0], "--lower", scene->lowers[1],
                                     "--upper", scene->upper,     "--work",  scene->work,
                                     "--merge", scene->target,    NULL};
    struct run *run = layers_start(g, room, arguments);

    layers_mounted(g, run, scene->target);
    return run;
}

static void change(struct grade *g, struct run *run, const struct scene *scene)
{
    const char *at = scene->target;

    layers_do(run, "not-writable", say(g, "write %s/new %s", at, scene->more));
    for (int i = 0; i < 2; i++) {
        layers_do(run, "not-writable",
                  say(g, "append %s/folder/appended-%d %s", at, i, scene->more));
        layers_do(run, "not-writable", say(g, "write %s/replaced-%d %s", at, i, scene->more));
        layers_do(run, "not-writable", say(g, "chmod 700 %s/mode-%d", at, i));
        layers_do(run, "not-writable",
                  say(g, "rename %s/renamed-%d %s/folder/renamed-%d", at, i, at, i));
    }
}

/* The mount shows all changes. */
static void check_merged(struct grade *g, struct run *run, const struct scene *scene,
                         const char *because, const char *when)
{
    const char *both = say(g, "%s%s", scene->old, scene->more), *none = strerror(ENOENT);
    const struct {
        const char *path, *text;
    } wanted[] = {{"new", scene->more},
                  {"folder/appended-0", both},
                  {"folder/appended-1", both},
                  {"replaced-0", scene->more},
                  {"replaced-1", scene->more},
                  {"folder/renamed-0", scene->old},
                  {"folder/renamed-1", scene->old},
                  {"renamed-0", none},
                  {"renamed-1", none},
                  {"folder/untouched-1", scene->old},
                  {"other/untouched-0", scene->old}};

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *path = say(g, "%s/%s", scene->target, wanted[i].path);
        const char *text = layers_inside(run, path);
        expect(g, strcmp(text, wanted[i].text) == 0, .because = because,
               .expected = say(g, "%s, %s is \"%s\"", when, path, wanted[i].text),
               .kernel = say(g, "it is \"%.80s\"", text),
               .see =
                   "lab06 --lower ... --upper U --work W --merge T sh -c 'echo x >>T/a; cat T/a'");
    }
}

/* The upper has each changed file, and whole; but no file that nobody changed. */
static void check_upper(struct grade *g, struct run *room, const struct scene *scene)
{
    const char *both = say(g, "%s%s", scene->old, scene->more);
    const struct {
        const char *path, *text;
    } wanted[] = {{"new", scene->more},
                  {"folder/appended-0", both},
                  {"folder/appended-1", both},
                  {"replaced-0", scene->more},
                  {"replaced-1", scene->more},
                  {"folder/renamed-0", scene->old},
                  {"folder/renamed-1", scene->old},
                  {"mode-0", scene->old},
                  {"mode-1", scene->old}};
    struct folder upper = folder_of(room, scene->upper);
    const char *see = say(g, "find %s -ls, after a change in the mount", scene->upper);

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *text = layers_outside(room, say(g, "%s/%s", scene->upper, wanted[i].path));
        expect(g, strcmp(text, wanted[i].text) == 0, .because = "upper-lacks",
               .expected =
                   say(g, "the upper folder has %s, whole: \"%s\"", wanted[i].path, wanted[i].text),
               .kernel = say(g, "%s/%s: %.80s", scene->upper, wanted[i].path, text), .see = see);
    }
    const struct item *mode = folder_find(&upper, "mode-1");
    expect(g, mode != NULL && (mode->mode & 07777) == 0700, .because = "upper-lacks",
           .expected = "the upper folder has mode-1 with its new mode, 0700",
           .kernel = say(g, "it has %s", item_text(g, mode)), .see = see);
    for (size_t i = 0; i < upper.count; i++)
        expect(g, strstr(upper.list[i].path, "untouched") == NULL, .because = "upper-more",
               .expected = "the upper folder has no file that nobody changed",
               .kernel = say(g, "it has %s", upper.list[i].path), .see = see);
}

static void check_errors(struct grade *g, struct run *room, const struct scene *scene)
{
    static const char *const command[] = {"true", NULL};
    const char *elsewhere = layers_folder(g, room), *missing = say(g, "/tmp/%s", grade_word(g, 9));

    outside_do(room, "mount tmpfs %s 0", elsewhere);
    outside_do(room, "mkdir %s/work", elsewhere);
    const struct {
        const char *upper, *work;
        int error;
        const char *what;
    } tries[] = {
        {scene->upper, say(g, "%s/work", elsewhere), EINVAL,
         "upper and work on two file systems are an error"},
        {missing, scene->work, ENOENT, "an upper folder that is not there is an error"},
        {scene->upper, missing, ENOENT, "a work folder that is not there is an error"},
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        /* Two lowers, which could be mounted without the upper. */
        const char *const arguments[] = {"--lower", scene->lowers[0], "--lower", scene->lowers[1],
                                         "--upper", tries[i].upper,   "--work",  tries[i].work,
                                         "--merge", scene->target,    NULL};
        layers_refused(g, room, &(struct run_options){.arguments = arguments, .command = command},
                       tries[i].error, "error-ignored", tries[i].what);
    }
    const char *const no_work[] = {"--lower",        scene->lowers[0], "--lower",
                                   scene->lowers[1], "--upper",        scene->upper,
                                   "--merge",        scene->target,    NULL};
    layers_refused(g, room, &(struct run_options){.arguments = no_work, .command = command}, EINVAL,
                   "no-work", "an upper without a work folder is an error");
}

void layers_stepcopy_up(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct scene scene;

    make_scene(g, room, &scene);
    struct run *run = start(g, room, &scene);
    change(g, run, &scene);
    check_merged(g, run, &scene, "change-lost", "after the changes");
    for (int i = 0; i < 2; i++)
        layers_kept(g, room, &scene.before[i], scene.lowers[i]);
    check_upper(g, room, &scene);
    layers_end(run);

    /* The same folders, mounted once more: nothing is lost. */
    run = start(g, room, &scene);
    check_merged(g, run, &scene, "forgotten", "mounted once more");
    layers_end(run);

    /* One lower and an upper are enough. */
    const char *const one[] = {"--lower", scene.lowers[1], "--upper", layers_folder(g, room),
                               "--work",  scene.work,      "--merge", scene.target,
                               NULL};
    run = layers_start(g, room, one);
    layers_mounted(g, run, scene.target);
    layers_do(run, "not-writable", say(g, "append %s/replaced-1 x", scene.target));
    layers_end(run);
    layers_kept(g, room, &scene.before[1], scene.lowers[1]);
    check_errors(g, room, &scene);
}
