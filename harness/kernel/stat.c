/* /proc/PID/stat, field by field: fs/proc/array.c, do_task_stat(). */
#include "kernel/stat.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/text.h"

#include <limits.h>
#include <string.h>

/* The number of field rss; what comes later was added over the years and may be missing. */
#define LAST_NEEDED 24

enum kind { INT, U32, U64, I64 };

static const struct field {
    int number; /* as proc_pid_stat(5) counts them, from 1 */
    enum kind kind;
    size_t offset;
} fields[] = {
    {4, INT, offsetof(struct kernel_stat, ppid)},
    {5, INT, offsetof(struct kernel_stat, pgrp)},
    {6, INT, offsetof(struct kernel_stat, session)},
    {7, INT, offsetof(struct kernel_stat, tty_nr)},
    {8, INT, offsetof(struct kernel_stat, tpgid)},
    {9, U32, offsetof(struct kernel_stat, flags)},
    {10, U64, offsetof(struct kernel_stat, minflt)},
    {11, U64, offsetof(struct kernel_stat, cminflt)},
    {12, U64, offsetof(struct kernel_stat, majflt)},
    {13, U64, offsetof(struct kernel_stat, cmajflt)},
    {14, U64, offsetof(struct kernel_stat, utime)},
    {15, U64, offsetof(struct kernel_stat, stime)},
    {16, I64, offsetof(struct kernel_stat, cutime)},
    {17, I64, offsetof(struct kernel_stat, cstime)},
    {18, INT, offsetof(struct kernel_stat, priority)},
    {19, INT, offsetof(struct kernel_stat, nice)},
    {20, INT, offsetof(struct kernel_stat, num_threads)},
    {22, U64, offsetof(struct kernel_stat, starttime)},
    {23, U64, offsetof(struct kernel_stat, vsize)},
    {24, I64, offsetof(struct kernel_stat, rss)},
    {38, INT, offsetof(struct kernel_stat, exit_signal)},
    {39, INT, offsetof(struct kernel_stat, processor)},
    {40, INT, offsetof(struct kernel_stat, rt_priority)},
    {41, INT, offsetof(struct kernel_stat, policy)},
};

/* Parses one field into the member that `field` names, or only checks it when that is NULL. */
static int parse_field(struct kernel_text text, const struct field *field, struct kernel_stat *stat)
{
    char *member = (char *)stat + (field ? field->offset : 0);
    bool is_signed = field ? field->kind == INT || field->kind == I64 : *text.at == '-';
    bool narrow = field && (field->kind == INT || field->kind == U32);
    uint64_t magnitude = 0;
    int64_t number = 0;
    int error;

    if (is_signed)
        error = kernel_text_signed(&text, narrow ? INT_MIN : INT64_MIN,
                                   narrow ? INT_MAX : INT64_MAX, &number);
    else
        error = kernel_text_unsigned(&text, 10, narrow ? UINT32_MAX : UINT64_MAX, &magnitude);
    if (error || text.at != text.end)
        return -EBADMSG;
    if (!field)
        return 0;
    if (field->kind == INT)
        memcpy(member, &(int){(int)number}, sizeof(int));
    else if (field->kind == U32)
        memcpy(member, &(uint32_t){(uint32_t)magnitude}, sizeof(uint32_t));
    else if (field->kind == U64)
        memcpy(member, &magnitude, sizeof(magnitude));
    else
        memcpy(member, &number, sizeof(number));
    return 0;
}

/* Fields 4 and up: numbers with one blank between them. */
static int parse_numbers(struct kernel_text rest, struct kernel_stat *stat)
{
    const struct field *next = fields;
    const struct field *last = fields + sizeof(fields) / sizeof(fields[0]);
    struct kernel_text word;
    int number = 4;

    for (; kernel_text_cut(&rest, ' ', &word); number++) {
        const struct field *field = next < last && next->number == number ? next++ : NULL;

        if (word.at == word.end || parse_field(word, field, stat) < 0)
            return -EBADMSG;
    }
    return number > LAST_NEEDED ? 0 : -EBADMSG;
}

int kernel_stat_parse(const char *text, size_t len, struct kernel_stat *stat)
{
    struct kernel_text all = kernel_text(text, len);
    const char *name_end = len ? memrchr(text, ')', len) : NULL;
    int64_t pid;

    memset(stat, 0, sizeof(*stat));
    stat->exit_signal = stat->processor = stat->rt_priority = stat->policy = -1;
    if (!name_end || memchr(text, '\0', len))
        return -EBADMSG;
    if (text[len - 1] == '\n')
        all.end--;
    if (kernel_text_signed(&all, 0, INT_MAX, &pid) < 0 || !kernel_text_skip(&all, " ("))
        return -EBADMSG;
    stat->pid = (pid_t)pid;
    if (name_end < all.at ||
        kernel_text_copy((struct kernel_text){all.at, name_end}, stat->comm, sizeof(stat->comm)))
        return -EBADMSG;
    all.at = name_end;
    if (!kernel_text_skip(&all, ") ") || all.end - all.at < 2 || all.at[1] != ' ')
        return -EBADMSG;
    stat->state = all.at[0];
    all.at += 2;
    return parse_numbers(all, stat);
}

int kernel_stat_read(pid_t pid, struct kernel_stat *stat)
{
    autofree char *text = NULL;
    size_t len;
    int error = kernel_read_pid(pid, "stat", &text, &len);

    return error ? error : kernel_stat_parse(text, len, stat);
}
