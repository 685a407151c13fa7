/* /proc/PID/cgroup: kernel/cgroup/cgroup.c, proc_cgroup_show(). */
#include "kernel/cgroup.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/text.h"

#include <limits.h>

static int parse_line(struct kernel_text line, struct kernel_cgroup *cgroup)
{
    struct kernel_text controllers;
    uint64_t hierarchy;

    if (kernel_text_unsigned(&line, 10, INT_MAX, &hierarchy) < 0 || !kernel_text_skip(&line, ":") ||
        !kernel_text_cut(&line, ':', &controllers) || controllers.end == line.end ||
        line.at == line.end || *line.at != '/')
        return -EBADMSG;
    if (hierarchy == 0 && controllers.at != controllers.end)
        return -EBADMSG;
    /* Into the text that the list owns: separators become the ends of strings. */
    *(char *)controllers.end = '\0';
    *(char *)line.end = '\0';
    *cgroup = (struct kernel_cgroup){(int)hierarchy, controllers.at, line.at};
    return 0;
}

static int parse(struct kernel_text text, struct kernel_cgroups *cgroups)
{
    struct kernel_text line;

    while (kernel_text_cut(&text, '\n', &line)) {
        struct kernel_cgroup *grown =
            kernel_grow(cgroups->list, cgroups->count, &cgroups->capacity, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        cgroups->list = grown;
        if (parse_line(line, &grown[cgroups->count]) < 0)
            return -EBADMSG;
        cgroups->count++;
    }
    return 0;
}

int kernel_cgroups_parse(const char *text, size_t len, struct kernel_cgroups *cgroups)
{
    int error;

    *cgroups = (struct kernel_cgroups){0};
    if (len && memchr(text, '\0', len))
        return -EBADMSG;
    cgroups->text = malloc(len + 1);
    if (!cgroups->text)
        return -ENOMEM;
    if (len)
        memcpy(cgroups->text, text, len);
    cgroups->text[len] = '\0';
    error = parse(kernel_text(cgroups->text, len), cgroups);
    if (error)
        kernel_cgroups_free(cgroups);
    return error;
}

int kernel_cgroups_read(pid_t pid, struct kernel_cgroups *cgroups)
{
    autofree char *text = NULL;
    size_t len;
    int error = kernel_read_pid(pid, "cgroup", &text, &len);

    *cgroups = (struct kernel_cgroups){0};
    return error ? error : kernel_cgroups_parse(text, len, cgroups);
}

void kernel_cgroups_free(struct kernel_cgroups *cgroups)
{
    free(cgroups->list);
    free(cgroups->text);
    *cgroups = (struct kernel_cgroups){0};
}

const struct kernel_cgroup *kernel_cgroups_find(const struct kernel_cgroups *cgroups,
                                                const char *controller)
{
    for (size_t i = 0; i < cgroups->count; i++) {
        const char *all = cgroups->list[i].controllers;
        struct kernel_text rest = kernel_text(all, strlen(all)), word;

        while (kernel_text_cut(&rest, ',', &word))
            if (kernel_text_is(word, controller))
                return &cgroups->list[i];
    }
    return NULL;
}

const struct kernel_cgroup *kernel_cgroups_v2(const struct kernel_cgroups *cgroups)
{
    for (size_t i = 0; i < cgroups->count; i++)
        if (cgroups->list[i].hierarchy == 0)
            return &cgroups->list[i];
    return NULL;
}
