/* Lab 12, step 4: what a group uses, by kind, compared with our own reading while it holds still.
 */
#include "graders/12-memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"

static const uint64_t mib = 1 << 20;

enum { FIELDS = 5 };
static const char *const fields[FIELDS] = {"current", "peak", "anon", "file", "shmem"};

struct reading {
    uint64_t fields[FIELDS];
};

static struct reading read_group(struct run *room, const struct cgroups *groups, const char *name)
{
    static const char *const keys[2][3] = {{"total_rss", "total_cache", "total_shmem"},
                                           {"anon", "file", "shmem"}};
    struct reading r;

    r.fields[0] = memory_read(room, groups, name, "memory.current", 0);
    r.fields[1] = memory_read(room, groups, name, "memory.peak", 0);
    const char *stat = cgroups_read(room, groups, name, "memory.stat");
    for (int i = 0; i < 3; i++)
        r.fields[2 + i] = memory_word(stat, keys[groups->version - 1][i]);
    return r;
}

/* --- a group that uses what we know -------------------------------------------------------------
 */

/* A group and how much of each kind has been taken in it: at least that, and hardly more. */
struct scene {
    struct run *room;
    struct cgroups groups;
    const char *name;
    uint64_t anon, file, shmem;
};

static bool within(uint64_t is, uint64_t taken)
{
    return is + mib / 2 >= taken && is <= taken + 3 * mib;
}

/* The kernel adds up its counters now and then, every two seconds at least. */
static bool settled(void *arg)
{
    const struct scene *s = arg;
    struct reading r = read_group(s->room, &s->groups, s->name);

    return within(r.fields[2], s->anon) && within(r.fields[3], s->file) &&
           within(r.fields[4], s->shmem);
}

/* Between our reading before and ours after. `which`: PID, or the group's folder. */
static void check_scene(struct scene *s, const char *which, const char *what)
{
    struct grade *g = run_grade(s->room);

    if (!run_until(s->room, settled, s)) {
        struct reading r = read_group(s->room, &s->groups, s->name);
        grade_error(g, 0, "%s: %llu of %llu anon, %llu of %llu file, %llu of %llu shmem", s->name,
                    (unsigned long long)r.fields[2], (unsigned long long)s->anon,
                    (unsigned long long)r.fields[3], (unsigned long long)s->file,
                    (unsigned long long)r.fields[4], (unsigned long long)s->shmem);
    }
    struct reading before = read_group(s->room, &s->groups, s->name);
    const char *said = memory_answer(s->room, "--memory-usage", which);
    struct reading after = read_group(s->room, &s->groups, s->name);
    for (int i = 0; i < FIELDS; i++) {
        uint64_t a = before.fields[i], b = after.fields[i], is = memory_word(said, fields[i]);
        uint64_t low = a < b ? a : b, high = a < b ? b : a;
        expect(g, low <= is && is <= high, .because = fields[i],
               .expected = say(g, "%s: %s is %llu", what, fields[i], (unsigned long long)b),
               .kernel = say(g, "your program says %s",
                             is == memory_max ? "nothing of it" : memory_text(g, is)),
               .see = say(g, "cat memory.current memory.stat, in %s%s", s->groups.folder, s->name));
    }
}

static void move(struct scene *s, struct run *who)
{
    outside_do(s->room, "write %s%s/cgroup.procs %d", s->groups.folder, s->name,
               run_program_inside(who));
}

/* Another program of ours in the same room: it takes the memory. */
static struct run *taker(struct run *room)
{
    struct run *run = run_start(run_grade(room),
                                &(struct run_options){.program = "/strata/probe", .beside = room});
    run_payload(run);
    return run;
}

/* Heap, of which some has been given back: the peak is not what there is. */
static void check_anon(struct run *room)
{
    struct grade *g = run_grade(room);
    struct scene s = {.room = room, .groups = cgroups_of(g, room, "memory")};
    uint64_t first = memory_mib(g, 6, 9);
    struct run *who = taker(room);

    s.name = say(g, "/%s", grade_word(g, 6));
    memory_make(room, &s.groups, s.name);
    move(&s, who);
    s.anon = memory_mib(g, 2, 4);
    run_ask(who, "grab %llu", (unsigned long long)first);
    run_ask(who, "ungrab");
    run_ask(who, "grab %llu", (unsigned long long)s.anon);
    check_scene(&s, say(g, "%d", run_program_inside(who)),
                say(g, "a process took %llu MiB, gave them back, and took %llu",
                    (unsigned long long)(first / mib), (unsigned long long)(s.anon / mib)));
    run_tell(who, "exit 0");
}

/* Two kinds of files in memory: on a tmpfs, and on a ramfs, which is page cache and nothing else.
 */
static void check_files(struct run *room)
{
    struct grade *g = run_grade(room);
    struct scene s = {.room = room, .groups = cgroups_of(g, room, "memory")};
    uint64_t cache = memory_mib(g, 2, 4);
    const char *folder = say(g, "/tmp/%s", grade_word(g, 6));
    struct run *who = taker(room);

    s.name = say(g, "/%s", grade_word(g, 6));
    memory_make(room, &s.groups, s.name);
    outside_do(room, "mkdir %s", folder);
    outside_do(room, "mount ramfs %s 0", folder);
    move(&s, who);
    s.shmem = memory_mib(g, 5, 7);
    s.file = s.shmem + cache;
    run_ask(who, "fill /tmp/%s %llu", grade_word(g, 7), (unsigned long long)s.shmem);
    run_ask(who, "fill %s/%s %llu", folder, grade_word(g, 7), (unsigned long long)cache);
    check_scene(&s, say(g, "%d", run_program_inside(who)),
                say(g, "a process wrote %llu MiB to a tmpfs and %llu to another file system",
                    (unsigned long long)(s.shmem / mib), (unsigned long long)(cache / mib)));
    run_tell(who, "exit 0");
}

/* What groups below use is the group's own as well. */
static void check_below(struct run *room)
{
    struct grade *g = run_grade(room);
    struct scene s = {.room = room, .groups = cgroups_of(g, room, "memory")};
    const char *top = say(g, "/%s", grade_word(g, 6)), *names[2];
    struct run *who[2];

    s.name = top;
    memory_make(room, &s.groups, top);
    for (int i = 0; i < 2; i++) {
        uint64_t anon = memory_mib(g, 2, 4);
        uint64_t shmem = memory_mib(g, 2, 3);
        s.name = names[i] = say(g, "%s/%s", top, grade_word(g, 4 + (size_t)i));
        memory_make(room, &s.groups, names[i]);
        who[i] = taker(room);
        move(&s, who[i]);
        run_ask(who[i], "grab %llu", (unsigned long long)anon);
        run_ask(who[i], "fill /tmp/%s %llu", grade_word(g, 7), (unsigned long long)shmem);
        s.anon += anon;
        s.shmem += shmem;
    }
    s.name = top;
    s.file = s.shmem;
    check_scene(&s, say(g, "%s%s", s.groups.folder, top), "a group with two groups below it");
    run_tell(who[0], "exit 0");
    run_tell(who[1], "exit 0");
}

/* --- numbers of our choice ----------------------------------------------------------------------
 */

/* Lines that begin alike, every one with another number, and none that fits into 32 bits. */
static void check_format(struct run *room)
{
    struct grade *g = run_grade(room);
    unsigned long long n[5], base = (6ULL << 30) + grade_random(g, 1U << 28);
    const char *stat2 =
        say(g,
            "anon %llu\nfile %llu\nkernel %llu\nfile_mapped %llu\nshmem %llu\nfile_dirty "
            "%llu\nanon_thp "
            "%llu\nfile_thp %llu\nshmem_thp %llu\ninactive_anon %llu\nactive_file %llu\n",
            n[2] = base + 11, n[3] = base + 12, base + 1, base + 2, n[4] = base + 13, base + 3,
            base + 4, base + 5, base + 6, base + 7, base + 8);
    const char *stat1 =
        say(g,
            "cache %llu\nrss %llu\nrss_huge %llu\nshmem %llu\nmapped_file %llu\ntotal_cache %llu\n"
            "total_rss %llu\ntotal_rss_huge %llu\ntotal_shmem %llu\ntotal_mapped_file %llu\n",
            base + 21, base + 22, base + 23, base + 24, base + 25, n[3], n[2], base + 26, n[4],
            base + 27);
    n[0] = base + 14;
    n[1] = base + 15;
    const char *current = say(g, "%llu\n", n[0]), *peak = say(g, "%llu\n", n[1]);
    const char *const v2[][2] = {
        {"memory.current", current}, {"memory.peak", peak}, {"memory.stat", stat2}, {NULL, NULL}};
    const char *const old_v2[][2] = {
        {"memory.current", current}, {"memory.stat", stat2}, {NULL, NULL}};
    const char *const v1[][2] = {{"memory.usage_in_bytes", current},
                                 {"memory.max_usage_in_bytes", peak},
                                 {"memory.stat", stat1},
                                 {NULL, NULL}};
    const struct {
        const char *folder, *what;
        bool peak;
    } cases[] = {
        {memory_folder(room, 2, v2), "files of version 2", true},
        {memory_folder(room, 2, old_v2), "files of version 2 before Linux 5.19", false},
        {memory_folder(room, 1, v1), "files of version 1", true},
    };

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *said = memory_answer(room, "--memory-usage", cases[k].folder);
        for (int i = 0; i < FIELDS; i++) {
            uint64_t wanted = i == 1 && !cases[k].peak ? 0 : n[i];
            uint64_t is = memory_word(said, fields[i]);
            expect(g, is == wanted, .because = say(g, "%s-line", fields[i]),
                   .expected = say(g, "%s: %s is %llu", cases[k].what, fields[i],
                                   (unsigned long long)wanted),
                   .kernel = say(g, "your program says %s", memory_text(g, is)),
                   .see = "cat memory.stat of a group: many lines begin alike");
        }
    }
}

void memory_step_usage(struct grade *g)
{
    static const char *const nothing[][2] = {{NULL, NULL}};
    struct run *room = outside_open(g, false);

    check_anon(room);
    check_files(room);
    check_below(room);
    check_format(room);
    memory_refused(room,
                   (const char *const[]){"--memory-usage", memory_folder(room, 2, nothing), NULL},
                   "No such file or directory", "no-controller");
}
