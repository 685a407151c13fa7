/*
 * Lab 12: memory.
 *
 * Limits and readings are compared with what the kernel says of the same group, in whichever
 * version this machine has. What only the other version has is shown as a folder of files in its
 * format.
 */
#include "graders/12-memory.h"

#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"

int memory_run(struct run *room, const char *const *options, const char **said)
{
    return outside_run(room, &(struct run_options){.arguments = options, .no_command = true}, said);
}

const char *memory_answer(struct run *room, const char *option, const char *value)
{
    struct grade *g = run_grade(room);
    const char *line =
        say(g, "lab12 %s%s%s", option, value != NULL ? " " : "", value != NULL ? value : "");
    const char *said;
    int status = memory_run(room, (const char *const[]){option, value, NULL}, &said);

    expect(g, status == 0, .because = "no-answer",
           .expected = say(g, "%s answers and ends with 0", line),
           .kernel = say(g, "it ended with %d: %.100s", status, said),
           .see = say(g, "%s, in make shell12", line));
    size_t length = strlen(said);
    return say(g, "%.*s", (int)(length - (length > 0 && said[length - 1] == '\n')), said);
}

void memory_refused(struct run *room, const char *const *options, const char *error,
                    const char *because)
{
    struct grade *g = run_grade(room);
    const char *said, *line = "lab12";
    int status = memory_run(room, options, &said);

    for (; *options != NULL; options++)
        line = say(g, (*options)[0] == '-' && (*options)[1] == '-' ? "%s %s" : "%s '%s'", line,
                   *options);
    expect(g, status == 125 && strstr(said, error) != NULL, .because = because,
           .expected = say(g, "%s is refused: %s", line, error),
           .kernel = say(g, "it ended with %d: %.100s", status, said),
           .see = say(g, "%s; echo $?, in make shell12", line));
}

uint64_t memory_mib(struct grade *g, int low, int high)
{
    return (uint64_t)grade_between(g, low, high) << 20;
}

uint64_t memory_word(const char *text, const char *key)
{
    size_t length = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ')
            return strtoull(line + length, NULL, 10);
    }
    return memory_max;
}

const char *memory_make(struct run *room, const struct cgroups *groups, const char *name)
{
    struct grade *g = run_grade(room);
    const char *folder = say(g, "%s%s", groups->folder, name);

    if (groups->version == 2)
        outside_do(room, "write %.*s/cgroup.subtree_control +memory",
                   (int)(strrchr(folder, '/') - folder), folder);
    outside_do(room, "mkdir %s", folder);
    return folder;
}

uint64_t memory_read(struct run *room, const struct cgroups *groups, const char *name,
                     const char *file, uint64_t none)
{
    static const char *const names[][2] = {{"memory.max", "memory.limit_in_bytes"},
                                           {"sum", "memory.memsw.limit_in_bytes"},
                                           {"memory.current", "memory.usage_in_bytes"},
                                           {"memory.peak", "memory.max_usage_in_bytes"}};

    for (size_t i = 0; groups->version == 1 && i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], file) == 0)
            file = names[i][1];
    const char *text = cgroups_read(room, groups, name, file);
    if (text == NULL)
        return none;
    uint64_t number = strtoull(text, NULL, 10);
    return text[0] < '0' || text[0] > '9' || number > (uint64_t)1 << 62 ? memory_max : number;
}

const char *memory_text(struct grade *g, uint64_t bytes)
{
    return bytes == memory_max ? "max" : say(g, "%llu", (unsigned long long)bytes);
}

const char *memory_folder(struct run *room, int version, const char *const (*files)[2])
{
    struct grade *g = run_grade(room);
    const char *folder = say(g, "/tmp/v%d-%s", version, grade_word(g, 6));

    outside_do(room, "mkdir %s", folder);
    if (version == 1)
        outside_do(room, "write %s/memory.usage_in_bytes 4096", folder);
    for (; (*files)[0] != NULL; files++)
        outside_do(room, "write %s/%s %s", folder, (*files)[0], (*files)[1]);
    return folder;
}

struct memory_start memory_start_whole(struct run *room, const char *const *options,
                                       const char *const *command)
{
    struct grade *g = run_grade(room);
    struct memory_start start = {.room = room, .groups = cgroups_of(g, room, "memory")};
    const char *arguments[24] = {"--cgroup-name", grade_word(g, 9)};
    size_t count = 2;

    start.name = say(g, "/%s", arguments[1]);
    for (; options != NULL && *options != NULL && count < 23; options++)
        arguments[count++] = *options;
    start.run = run_start(
        g, &(struct run_options){.arguments = arguments, .beside = room, .command = command});
    return start;
}

struct memory_start memory_start(struct run *room, const char *const *options,
                                 const char *const *command)
{
    const char *all[24] = {"--security-opt", "seccomp=unconfined"};

    for (size_t i = 2; options != NULL && *options != NULL && i < 23; i++)
        all[i] = *options++;
    return memory_start_whole(room, all, command);
}

static const struct step steps[] = {
    {.number = 1,
     .slug = "sizes",
     .title = "sizes parsed, nonsense refused",
     .points = 15,
     .needs = NEED_USERNS,
     .chapter = "sizes",
     .man = "strtoull(3)",
     .run = memory_step_sizes},
    {.number = 2,
     .slug = "limit",
     .title = "memory and swap limited",
     .points = 30,
     .needs = NEED_USERNS | NEED_CGROUP,
     .after = {1},
     .chapter = "limit",
     .man = "cgroup-v2.rst, memory.max, memory.swap.max; cgroup-v1/memory.rst, 2.4",
     .run = memory_step_limit},
    {.number = 3,
     .slug = "oom",
     .title = "an OOM kill told from any other 137",
     .points = 30,
     .needs = NEED_USERNS | NEED_CGROUP,
     .after = {2},
     .chapter = "oom",
     .man = "cgroup-v2.rst, memory.events; cgroup-v1/memory.rst, 10",
     .run = memory_step_oom},
    {.number = 4,
     .slug = "usage",
     .title = "usage, peak, anon, file and shmem",
     .points = 25,
     .needs = NEED_USERNS | NEED_CGROUP,
     .chapter = "usage",
     .man = "cgroup-v2.rst, memory.stat; cgroup-v1/memory.rst, 5.2",
     .run = memory_step_usage},
    {.number = 5,
     .slug = "pressure",
     .title = "pressure stall information",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS | NEED_PSI,
     .chapter = "pressure",
     .man = "psi.rst; cgroup-v2.rst, memory.pressure",
     .run = memory_step_pressure},
    {.number = 6,
     .slug = "available",
     .title = "what can really be had",
     .points = 10,
     .more = true,
     .needs = NEED_USERNS | NEED_CGROUP,
     .chapter = "available",
     .man = "cgroup-v2.rst, memory.max; proc_meminfo(5)",
     .run = memory_step_available},
};

LAB(.name = "12-memory", .title = "memory", .steps = steps, .count = sizeof steps / sizeof *steps,
    .cgroups = true);
