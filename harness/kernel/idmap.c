/* Id maps: kernel/user_namespace.c, m_show(). */
#include "kernel/idmap.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/text.h"

static int parse_range(struct kernel_text line, struct kernel_idrange *range)
{
    uint64_t number[3];

    for (int i = 0; i < 3; i++) {
        kernel_text_blank(&line);
        if (kernel_text_unsigned(&line, 10, UINT32_MAX, &number[i]) < 0)
            return -EBADMSG;
        if (i < 2 && (line.at == line.end || *line.at != ' '))
            return -EBADMSG;
    }
    kernel_text_blank(&line);
    if (line.at != line.end || number[2] == 0)
        return -EBADMSG;
    *range = (struct kernel_idrange){(uint32_t)number[0], (uint32_t)number[1], (uint32_t)number[2]};
    /* (uint32_t)-1 is no id but "none": it stands as `outside` for ids that the reader's own
     * namespace does not map, and no range reaches it in any other way. */
    if (number[0] + number[2] - 1 > UINT32_MAX ||
        (number[1] != UINT32_MAX && number[1] + number[2] - 1 > UINT32_MAX))
        return -EBADMSG;
    return 0;
}

int kernel_idmap_parse(const char *text, size_t len, struct kernel_idmap *map)
{
    struct kernel_text rest = kernel_text(text, len), line;

    *map = (struct kernel_idmap){0};
    while (kernel_text_cut(&rest, '\n', &line)) {
        struct kernel_idrange *grown =
            kernel_grow(map->list, map->count, &map->capacity, sizeof(*grown));
        int error = -ENOMEM;

        if (grown) {
            map->list = grown;
            error = parse_range(line, &grown[map->count]);
        }
        if (error) {
            kernel_idmap_free(map);
            return error;
        }
        map->count++;
    }
    return 0;
}

int kernel_idmap_read(pid_t pid, const char *name, struct kernel_idmap *map)
{
    autofree char *text = NULL;
    size_t len;
    int error = kernel_read_pid(pid, name, &text, &len);

    *map = (struct kernel_idmap){0};
    return error ? error : kernel_idmap_parse(text, len, map);
}

void kernel_idmap_free(struct kernel_idmap *map)
{
    free(map->list);
    *map = (struct kernel_idmap){0};
}

int kernel_idmap_outside(const struct kernel_idmap *map, uint32_t inside, uint32_t *outside)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct kernel_idrange *range = &map->list[i];

        if (inside >= range->inside && inside - range->inside < range->count) {
            if (range->outside == UINT32_MAX)
                return -ENOENT;
            *outside = range->outside + (inside - range->inside);
            return 0;
        }
    }
    return -ENOENT;
}

int kernel_idmap_inside(const struct kernel_idmap *map, uint32_t outside, uint32_t *inside)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct kernel_idrange *range = &map->list[i];

        if (range->outside != UINT32_MAX && outside >= range->outside &&
            outside - range->outside < range->count) {
            *inside = range->inside + (outside - range->outside);
            return 0;
        }
    }
    return -ENOENT;
}

int kernel_setgroups_parse(const char *text, size_t len)
{
    struct kernel_text rest = kernel_text(text, len), line;

    if (!kernel_text_cut(&rest, '\n', &line) || rest.at != rest.end)
        return -EBADMSG;
    if (kernel_text_is(line, "allow"))
        return 1;
    return kernel_text_is(line, "deny") ? 0 : -EBADMSG;
}

int kernel_setgroups(pid_t pid)
{
    autofree char *text = NULL;
    size_t len;
    int error = kernel_read_pid(pid, "setgroups", &text, &len);

    return error ? error : kernel_setgroups_parse(text, len);
}
