/* Lab 12, step 2: what becomes of an order that cannot be carried out, and what nobody ordered. */
#include "graders/12-memory.h"

#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "grade/mounts.h"

/* The two files of a version, and what stands there while nobody limits. Who reads before he writes
 * finds a number there. */
struct limit_files {
    const char *memory, *swap, *none;
};

static const struct limit_files files_of[] = {
    {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "9223372036854771712"},
    {"memory.max", "memory.swap.max", "max"},
};

/* The options of one run: 20 MiB for the group `folder`. */
struct order {
    const char *options[5];
};

static struct order order_for(const char *folder)
{
    return (struct order){{"-m", "20m", "--memory-update", folder, NULL}};
}

/* A folder of ours takes new files, a group does not. */
static void check_not_made(struct run *room, const char *folder, const char *file)
{
    struct grade *g = run_grade(room);

    expect(
        g, place_outside(room, say(g, "%s/%s", folder, file)).error != 0, .because = "made-a-file",
        .expected = say(g, "where the kernel has no %s, your program makes no file", file),
        .kernel = "it made one; in a group open(2) says Permission denied to that, and no longer "
                  "No such file",
        .see = "open(2), O_CREAT; fopen(3), \"w\": \"r+\" makes none");
}

/* 20 MiB, at the beginning of what stands there; the kernel's memparse() takes units as well. */
static bool is_20_mib(const char *text)
{
    static const char *const forms[] = {"20971520", "20480k", "20480K", "20m", "20M"};

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strncmp(text, forms[i], strlen(forms[i])) == 0)
            return true;
    return false;
}

static void check_missing(struct run *room, int version)
{
    const struct limit_files *f = &files_of[version - 1];
    struct grade *g = run_grade(room);
    const char *const only_swap[][2] = {{f->swap, f->none}, {NULL, NULL}};
    const char *const only_memory[][2] = {{f->memory, f->none}, {NULL, NULL}};
    const char *folder = memory_folder(room, version, only_swap), *said;
    struct order order = order_for(folder);

    memory_run(room, order.options, &said);
    check_not_made(room, folder, f->memory);
    memory_refused(room, order.options, "No such file or directory", "no-controller");

    folder = memory_folder(room, version, only_memory);
    order = order_for(folder);
    int status = memory_run(room, order.options, &said);
    check_not_made(room, folder, f->swap);
    const char *text = outside_do(room, "read %s/%s", folder, f->memory);
    expect(g, status == 0 && is_20_mib(text), .because = "no-swap-file",
           .expected = say(g, "version %d, a kernel without %s: -m 20m is done all the same",
                           version, f->swap),
           .kernel = say(g, "your program ended with %d, and the limit is %.19s: %.60s", status,
                         text, said),
           .see = "grep SWAP /boot/config-$(uname -r)");
}

/* Both files are there, and this one can be read only. */
static void check_read_only(struct run *room, int version, const char *file, const char *because)
{
    const struct limit_files *f = &files_of[version - 1];
    const char *const both[][2] = {{f->memory, f->none}, {f->swap, f->none}, {NULL, NULL}};
    const char *folder = memory_folder(room, version, both);
    struct order order = order_for(folder);

    outside_do(room, "mount-with %s/%s %s/%s %d", folder, file, folder, file, MS_BIND);
    outside_do(room, "mount-with none %s/%s %d", folder, file, MS_REMOUNT | MS_BIND | MS_RDONLY);
    memory_refused(room, order.options, "Read-only file system", because);
}

/* The file can be opened, and it is write(2) that fails: no page is left for it on its file system.
 * Who writes by way of stdio hears of that when he closes. (Version 2 only: nobody has a reason to
 * read the file before, which is empty.) */
static void check_write_fails(struct run *room)
{
    struct grade *g = run_grade(room);
    const char *folder = say(g, "/tmp/full-%s", grade_word(g, 6));
    struct order order = order_for(folder);

    outside_do(room, "mkdir %s", folder);
    outside_do(room, "mount-with tmpfs %s 0 size=%ld", folder, sysconf(_SC_PAGESIZE));
    outside_do(room, "write %s/memory.max max", folder);
    outside_do(room, "write %s/memory.swap.max", folder);
    memory_refused(room, order.options, "No space left on device", "swap-refused");
}

/* In version 1 the kernel itself would say so; in version 2 it takes any number for swap. */
static void check_below(struct run *room)
{
    const char *const both[][2] = {{"memory.max", "max"}, {"memory.swap.max", "max"}, {NULL, NULL}};
    const char *const options[] = {
        "-m", "20m", "--memory-swap", "19m", "--memory-update", memory_folder(room, 2, both), NULL};

    memory_refused(room, options, "Invalid argument", "swap-below");
}

void memory_check_refusals(struct run *room, int version)
{
    check_missing(room, version);
    check_read_only(room, version, files_of[version - 1].swap, "swap-refused");
    check_read_only(room, version, files_of[version - 1].memory, "memory-refused");
    if (version == 1)
        return;
    check_below(room);
    check_write_fails(room);
}

/* --- what nobody asked for ----------------------------------------------------------------------
 */

static const char *const rest_files[MEMORY_REST] = {
    "memory.high",          "memory.low",         "memory.min",
    "memory.oom.group",     "memory.swap.high",   "memory.zswap.max",
    "memory.swappiness",    "memory.oom_control", "memory.soft_limit_in_bytes",
    "memory.use_hierarchy",
};

struct memory_rest memory_rest(struct run *room, const struct cgroups *groups, const char *name)
{
    struct memory_rest rest;

    for (int i = 0; i < MEMORY_REST; i++)
        rest.values[i] = cgroups_read(room, groups, name, rest_files[i]);
    return rest;
}

void memory_check_rest(struct run *room, const struct cgroups *groups, const char *name,
                       const struct memory_rest *before)
{
    struct grade *g = run_grade(room);
    struct memory_rest now = memory_rest(room, groups, name);

    for (int i = 0; i < MEMORY_REST; i++) {
        const char *was = before->values[i], *is = now.values[i];
        if (was == NULL || is == NULL)
            continue;
        expect(g, strcmp(was, is) == 0, .because = "more-than-asked",
               .expected = say(g, "only memory and swap are limited: %s stays \"%.*s\"",
                               rest_files[i], (int)strcspn(was, "\n"), was),
               .kernel = say(g, "it is \"%.*s\"", (int)strcspn(is, "\n"), is),
               .see = say(g, "cat %s%s/%s, before and after", groups->folder, name, rest_files[i]));
    }
}
