/* Lab 13, step 6: a limit for a block device. Only the files are looked at: a room has no device to
 * write to. */
#include "graders/13-cpu.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grade/mounts.h"
#include "kernel/own.h"

static const char *file_of(const struct cgroups *io, bool reads)
{
    if (io->version == 2)
        return "io.max";
    return reads ? "blkio.throttle.read_bps_device" : "blkio.throttle.write_bps_device";
}

/* Whether the kernel takes a limit for that device at all: some have no queue yet. */
static bool takes_a_limit(struct run *room, const struct cgroups *io, const char *device)
{
    struct grade *g = run_grade(room);
    const char *name = grade_word(g, 7), *said;
    const char *script = say(
        g,
        "cd %s && { [ ! -e cgroup.subtree_control ] || echo +io >cgroup.subtree_control; } && "
        "mkdir %s && echo '%s %s' >%s/%s",
        io->folder, name, device, io->version == 2 ? "rbps=4096" : "4096", name, file_of(io, true));
    const char *const arguments[] = {"sh", "-c", script, NULL};

    return outside_run(room,
                       &(struct run_options){.program = "/strata/busybox", .arguments = arguments},
                       &said) == 0;
}

/* "254:0": the number of each block device that this machine has; at most `size`. */
static size_t list_devices(struct grade *g, const char **devices, size_t size)
{
    DIR *list = opendir("/sys/block");
    size_t count = 0;

    for (struct dirent *entry; list != NULL && count < size && (entry = readdir(list)) != NULL;) {
        char device[32];
        autofclose FILE *file = fopen(say(g, "/sys/block/%s/dev", entry->d_name), "re");
        if (file != NULL && fscanf(file, "%31s", device) == 1)
            devices[count++] = say(g, "%s", device);
    }
    if (list != NULL)
        closedir(list);
    return count;
}

/* If there is one, one whose second number is not 0: that must count, too. */
static const char *find_device(struct run *room, const struct cgroups *io)
{
    struct grade *g = run_grade(room);
    const char *devices[64];
    size_t count = list_devices(g, devices, 64);

    for (int zeros = 0; zeros < 2; zeros++)
        for (size_t i = 0; i < count; i++)
            if ((strstr(devices[i], ":0") != NULL) == (zeros == 1) &&
                takes_a_limit(room, io, devices[i]))
                return devices[i];
    grade_skip(g, "this machine has no block device that takes a limit");
}

/* A limit in bytes as the file shows it: "max" for none. NULL when no line is about the device. */
static const char *limit_in(struct run *room, const struct cgroups *io, const char *name,
                            const char *device, bool reads)
{
    struct grade *g = run_grade(room);
    const char *line = cgroups_read(room, io, name, file_of(io, reads));
    size_t length = strlen(device);

    while (line != NULL && (strncmp(line, device, length) != 0 || line[length] != ' ')) {
        line = strchr(line, '\n');
        line += line != NULL;
    }
    if (line != NULL && io->version == 2)
        line = strstr(line, reads ? "rbps=" : "wbps=");
    if (line == NULL)
        return "max";
    line += io->version == 2 ? 5 : length + 1;
    return say(g, "%.*s", (int)strcspn(line, " \n"), line);
}

/* A limit that the group has before, of reading or of writing, as --cgroup-conf takes it. */
static const char *had_before(struct grade *g, const struct cgroups *io, const char *device,
                              bool reads)
{
    return say(g, "%s=%s %s65536", file_of(io, reads), device,
               io->version == 1 ? ""
               : reads          ? "rbps="
                                : "wbps=");
}

/* What was mistaken, if it can be told from the two numbers. */
static const char *mistaken(struct grade *g, const char *is, const char *wanted, const char *other,
                            bool reads)
{
    unsigned long long number = strtoull(is, NULL, 10), asked = strtoull(wanted, NULL, 10);

    if (other != NULL && strcmp(is, other) == 0)
        return say(g, ", the limit for %s", reads ? "writing" : "reading");
    if (number > 0 && number == (asked & UINT32_MAX))
        return ", what 32 bits hold of it";
    if (number > 0 && number == asked / 1024 * 1024)
        return ", whole KiB of it";
    return "";
}

/* What is not asked for is no limit, also where there was one. */
static void check_limits(struct run *room, const struct cgroups *io, const char *device,
                         const char *reads, const char *writes)
{
    struct grade *g = run_grade(room);
    const char *options[5] = {NULL};
    size_t count = 0;

    if (reads == NULL || writes == NULL) {
        options[count++] = "--cgroup-conf";
        options[count++] = had_before(g, io, device, reads == NULL);
    }
    if (reads != NULL) {
        options[count++] = "--device-read-bps";
        options[count++] = say(g, "%s:%s", device, reads);
    }
    if (writes != NULL) {
        options[count++] = "--device-write-bps";
        options[count++] = say(g, "%s:%s", device, writes);
    }
    struct start start = cpu_start(room, options, NULL);
    run_payload(start.run);
    for (int i = 0; i < 2; i++) {
        const char *asked = i == 0 ? reads : writes, *other = i == 0 ? writes : reads;
        const char *wanted = asked != NULL ? asked : "max";
        const char *is = limit_in(room, io, start.name, device, i == 0);
        expect(g, strcmp(is, wanted) == 0,
               .because = asked == NULL ? "limit-not-asked"
                          : i == 0      ? "read-limit"
                                        : "write-limit",
               .expected = say(g, "%s %s %s %s: %s at most %s bytes a second", options[0],
                               cpu_quoted(g, options[1]), options[2], options[3],
                               i == 0 ? "reading" : "writing", wanted),
               .kernel = say(g, "%s says %s%s", file_of(io, i == 0), is,
                             mistaken(g, is, wanted, other, i == 0)),
               .see = say(g, "cat %s/GROUP/%s", io->folder, file_of(io, i == 0)));
    }
}

void cpu_step_io(struct grade *g)
{
    struct run *room = outside_open(g, false);
    bool v2 = cgroups_of(g, room, "cpu").version == 2;
    struct cgroups io = cgroups_of(g, room, v2 ? "io" : "blkio");
    const char *device = find_device(room, &io);
    /* Neither fits in 32 bits, and both are odd: bytes, not pages or KiB. */
    const char *reads =
        say(g, "%llu", (1ULL << 32) + 2 * (unsigned)grade_between(g, 9999, 99999) + 1);
    const char *writes =
        say(g, "%llu", (3ULL << 32) + 2 * (unsigned)grade_between(g, 9999, 99999) + 1);

    check_limits(room, &io, device, reads, writes);
    check_limits(room, &io, device, reads, NULL);
    check_limits(room, &io, device, NULL, writes);
    cpu_refused(room,
                (const char *const[]){"--device-read-bps",
                                      say(g, "%d:0:1m", grade_between(g, 3000, 4000)), NULL},
                "No such device", "no-device", "a limit for a device that is not there");
    cpu_refused(room, (const char *const[]){"--device-write-bps", "/dev/null:1m", NULL},
                "Block device required", "no-block-device", "a limit for /dev/null");
}
