/* /proc/PID/status, line by line: fs/proc/array.c, proc_pid_status(). */
#include "kernel/status.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/text.h"

#include <limits.h>
#include <string.h>

/* Each reader takes one line's value, blanks skipped, and the member that it is for. */
typedef int reader(struct kernel_text value, void *member);

static int read_number(struct kernel_text value, void *member)
{
    int64_t number;

    if (kernel_text_signed(&value, 0, INT_MAX, &number) < 0 || value.at != value.end)
        return -EBADMSG;
    *(int *)member = (int)number;
    return 0;
}

static int read_octal(struct kernel_text value, void *member)
{
    uint64_t number;

    if (kernel_text_unsigned(&value, 8, 07777, &number) < 0 || value.at != value.end)
        return -EBADMSG;
    *(int *)member = (int)number;
    return 0;
}

static int read_mask(struct kernel_text value, void *member)
{
    if (kernel_text_unsigned(&value, 16, UINT64_MAX, member) < 0 || value.at != value.end)
        return -EBADMSG;
    return 0;
}

static int read_kb(struct kernel_text value, void *member)
{
    if (kernel_text_signed(&value, 0, INT64_MAX, member) < 0 || !kernel_text_is(value, " kB"))
        return -EBADMSG;
    return 0;
}

/* "R (running)": only the letter, for the words have changed over time. */
static int read_state(struct kernel_text value, void *member)
{
    if (value.at == value.end || (value.end - value.at > 1 && value.at[1] != ' '))
        return -EBADMSG;
    *(char *)member = *value.at;
    return 0;
}

/* The kernel writes a newline of the name as \n and a backslash as \\ here, so that no process can
 * forge a line of this file. */
static int read_name(struct kernel_text value, void *member)
{
    char *to = member;
    char *end = to + KERNEL_COMM_MAX - 1;

    for (; value.at < value.end && to < end; to++) {
        if (kernel_text_skip(&value, "\\n"))
            *to = '\n';
        else if (kernel_text_skip(&value, "\\\\"))
            *to = '\\';
        else
            *to = *value.at++;
    }
    *to = '\0';
    return value.at == value.end ? 0 : -EBADMSG;
}

static int read_ids(struct kernel_text value, void *member)
{
    uint32_t *ids = member;

    for (int i = 0; i < 4; i++) {
        uint64_t id;

        kernel_text_blank(&value);
        if (kernel_text_unsigned(&value, 10, UINT32_MAX, &id) < 0)
            return -EBADMSG;
        ids[i] = (uint32_t)id;
    }
    return value.at == value.end ? 0 : -EBADMSG;
}

static int read_levels(struct kernel_text value, void *member)
{
    struct kernel_pid_levels *levels = member;

    levels->count = 0;
    while (value.at < value.end) {
        int64_t pid;

        if (levels->count == KERNEL_PID_LEVELS || kernel_text_signed(&value, 0, INT_MAX, &pid) < 0)
            return -EBADMSG;
        levels->pid[levels->count++] = (pid_t)pid;
        kernel_text_blank(&value);
    }
    return levels->count ? 0 : -EBADMSG;
}

static int read_groups(struct kernel_text value, void *member)
{
    struct kernel_status *status = member;
    size_t capacity = 0;

    free(status->groups); /* a line that comes twice: the later one counts */
    status->groups = NULL;
    status->groups_count = 0;
    while (value.at < value.end) {
        uint64_t id;
        gid_t *grown = kernel_grow(status->groups, status->groups_count, &capacity, sizeof(gid_t));

        if (!grown)
            return -ENOMEM;
        status->groups = grown;
        if (kernel_text_unsigned(&value, 10, UINT32_MAX, &id) < 0)
            return -EBADMSG;
        grown[status->groups_count++] = (gid_t)id;
        kernel_text_blank(&value);
    }
    return 0;
}

static int read_string(struct kernel_text value, void *member)
{
    char **string = member;

    free(*string);
    *string = strndup(value.at, (size_t)(value.end - value.at));
    return *string ? 0 : -ENOMEM;
}

static const struct {
    const char *key;
    reader *read;
    size_t offset;
} lines[] = {
    {"Name:\t", read_name, offsetof(struct kernel_status, name)},
    {"Umask:", read_octal, offsetof(struct kernel_status, umask)},
    {"State:", read_state, offsetof(struct kernel_status, state)},
    {"Tgid:", read_number, offsetof(struct kernel_status, tgid)},
    {"Ngid:", read_number, offsetof(struct kernel_status, ngid)},
    {"Pid:", read_number, offsetof(struct kernel_status, pid)},
    {"PPid:", read_number, offsetof(struct kernel_status, ppid)},
    {"TracerPid:", read_number, offsetof(struct kernel_status, tracer_pid)},
    {"Uid:", read_ids, offsetof(struct kernel_status, uid)},
    {"Gid:", read_ids, offsetof(struct kernel_status, gid)},
    {"Groups:", read_groups, 0},
    {"NStgid:", read_levels, offsetof(struct kernel_status, nstgid)},
    {"NSpid:", read_levels, offsetof(struct kernel_status, nspid)},
    {"NSpgid:", read_levels, offsetof(struct kernel_status, nspgid)},
    {"NSsid:", read_levels, offsetof(struct kernel_status, nssid)},
    {"VmRSS:", read_kb, offsetof(struct kernel_status, vm_rss_kb)},
    {"RssAnon:", read_kb, offsetof(struct kernel_status, rss_anon_kb)},
    {"RssFile:", read_kb, offsetof(struct kernel_status, rss_file_kb)},
    {"RssShmem:", read_kb, offsetof(struct kernel_status, rss_shmem_kb)},
    {"Threads:", read_number, offsetof(struct kernel_status, threads)},
    {"SigPnd:", read_mask, offsetof(struct kernel_status, sigpnd)},
    {"ShdPnd:", read_mask, offsetof(struct kernel_status, shdpnd)},
    {"SigBlk:", read_mask, offsetof(struct kernel_status, sigblk)},
    {"SigIgn:", read_mask, offsetof(struct kernel_status, sigign)},
    {"SigCgt:", read_mask, offsetof(struct kernel_status, sigcgt)},
    {"CapInh:", read_mask, offsetof(struct kernel_status, cap_inh)},
    {"CapPrm:", read_mask, offsetof(struct kernel_status, cap_prm)},
    {"CapEff:", read_mask, offsetof(struct kernel_status, cap_eff)},
    {"CapBnd:", read_mask, offsetof(struct kernel_status, cap_bnd)},
    {"CapAmb:", read_mask, offsetof(struct kernel_status, cap_amb)},
    {"NoNewPrivs:", read_number, offsetof(struct kernel_status, no_new_privs)},
    {"Seccomp:", read_number, offsetof(struct kernel_status, seccomp)},
    {"Seccomp_filters:", read_number, offsetof(struct kernel_status, seccomp_filters)},
    {"Cpus_allowed_list:", read_string, offsetof(struct kernel_status, cpus_allowed_list)},
};

enum { LINES = sizeof(lines) / sizeof(lines[0]) };

/* Which line is it, by its place in the table? Cuts the key off; LINES for an unknown one. */
static size_t find_line(struct kernel_text *line)
{
    size_t i = 0;

    while (i < LINES && !kernel_text_skip(line, lines[i].key))
        i++;
    /* A name may begin or end with blanks. The other values are padded. */
    if (i < LINES && lines[i].read != read_name) {
        kernel_text_blank(line);
        while (line->end > line->at && line->end[-1] == ' ')
            line->end--;
    }
    return i;
}

static void set_absent(struct kernel_status *status)
{
    *status = (struct kernel_status){
        .umask = -1,
        .tgid = -1,
        .ngid = -1,
        .pid = -1,
        .ppid = -1,
        .tracer_pid = -1,
        .threads = -1,
        .no_new_privs = -1,
        .seccomp = -1,
        .seccomp_filters = -1,
        .vm_rss_kb = -1,
        .rss_anon_kb = -1,
        .rss_file_kb = -1,
        .rss_shmem_kb = -1,
    };
    memset(status->uid, 0xff, sizeof(status->uid));
    memset(status->gid, 0xff, sizeof(status->gid));
}

static int parse(struct kernel_text text, struct kernel_status *status)
{
    bool seen[LINES + 1] = {false};
    struct kernel_text line;
    size_t caps = 0;

    while (kernel_text_cut(&text, '\n', &line)) {
        size_t i = find_line(&line);
        int error = i < LINES ? lines[i].read(line, (char *)status + lines[i].offset) : 0;

        if (error)
            return error;
        seen[i] = true;
    }
    for (size_t i = 0; i < LINES; i++) {
        bool needed = lines[i].offset == offsetof(struct kernel_status, pid) ||
                      lines[i].read == read_name || lines[i].read == read_state;

        if (needed && !seen[i])
            return -EBADMSG;
        caps += seen[i] && strncmp(lines[i].key, "Cap", 3) == 0;
    }
    status->has_caps = caps == 5;
    return 0;
}

int kernel_status_parse(const char *text, size_t len, struct kernel_status *status)
{
    int error;

    set_absent(status);
    if (len == 0 || memchr(text, '\0', len))
        return -EBADMSG;
    error = parse(kernel_text(text, len), status);
    if (error)
        kernel_status_free(status);
    return error;
}

int kernel_status_read(pid_t pid, struct kernel_status *status)
{
    autofree char *text = NULL;
    size_t len;
    int error = kernel_read_pid(pid, "status", &text, &len);

    set_absent(status);
    return error ? error : kernel_status_parse(text, len, status);
}

void kernel_status_free(struct kernel_status *status)
{
    free(status->groups);
    free(status->cpus_allowed_list);
    status->groups = NULL;
    status->groups_count = 0;
    status->cpus_allowed_list = NULL;
}
