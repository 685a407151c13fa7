/* /proc/PID/mountinfo: fs/proc_namespace.c, show_mountinfo(). */
#include "kernel/mountinfo.h"
#include "kernel/file.h"
#include "kernel/own.h"
#include "kernel/text.h"

#include <limits.h>
#include <string.h>

/* Cuts the next field off, which a single blank ends, and makes it a string of its own in the text
 * that we own. Fields may be empty: mount("", ...) gives an empty source. */
static char *next_field(struct kernel_text *line)
{
    struct kernel_text field;

    if (!kernel_text_cut(line, ' ', &field))
        return NULL;
    *(char *)field.end = '\0';
    return (char *)field.at;
}

static int parse_whole(const char *string, int min, int *number)
{
    struct kernel_text text = kernel_text(string, strlen(string));
    int64_t value;

    if (kernel_text_signed(&text, min, INT_MAX, &value) < 0 || text.at != text.end)
        return -EBADMSG;
    *number = (int)value;
    return 0;
}

static int parse_device(char *string, struct kernel_mount *mount)
{
    struct kernel_text text = kernel_text(string, strlen(string));
    uint64_t major, minor;

    if (kernel_text_unsigned(&text, 10, UINT_MAX, &major) < 0 || !kernel_text_skip(&text, ":") ||
        kernel_text_unsigned(&text, 10, UINT_MAX, &minor) < 0 || text.at != text.end)
        return -EBADMSG;
    mount->major = (unsigned)major;
    mount->minor = (unsigned)minor;
    return 0;
}

/* The tagged fields, up to the lone "-" that ends them; ones that we do not know pass by. */
static int parse_optional(struct kernel_text *line, struct kernel_mount *mount)
{
    const struct {
        const char *tag;
        int *group;
    } tags[] = {
        {"shared:", &mount->shared},
        {"master:", &mount->master},
        {"propagate_from:", &mount->propagate_from},
    };
    char *field;

    while ((field = next_field(line)) != NULL) {
        if (strcmp(field, "-") == 0)
            return 0;
        if (strcmp(field, "unbindable") == 0)
            mount->unbindable = true;
        for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
            size_t len = strlen(tags[i].tag);

            if (strncmp(field, tags[i].tag, len) == 0 &&
                parse_whole(field + len, 1, tags[i].group) < 0)
                return -EBADMSG;
        }
    }
    return -EBADMSG;
}

static int parse_line(struct kernel_text line, struct kernel_mount *mount)
{
    char *id = next_field(&line);
    char *parent = next_field(&line);
    char *device = next_field(&line);
    char *root = next_field(&line);
    char *target = next_field(&line);
    char *options = next_field(&line);
    char *fstype, *source;

    if (!options || parse_whole(id, 0, &mount->id) < 0 ||
        parse_whole(parent, 0, &mount->parent) < 0 || parse_device(device, mount) < 0 ||
        parse_optional(&line, mount) < 0)
        return -EBADMSG;
    fstype = next_field(&line);
    source = next_field(&line);
    if (!source || !*fstype || !*root || !*target || !*options || line.at == line.end)
        return -EBADMSG;
    if (kernel_text_unescape(root) || kernel_text_unescape(target) ||
        kernel_text_unescape(fstype) || kernel_text_unescape(source))
        return -EBADMSG;
    mount->root = root;
    mount->target = target;
    mount->options = options;
    mount->fstype = fstype;
    mount->source = source;
    /* The rest of the line: a file system of old may have printed a raw blank there. */
    *(char *)line.end = '\0';
    mount->super = line.at;
    return 0;
}

static int parse(struct kernel_text text, struct kernel_mounts *mounts)
{
    struct kernel_text line;

    while (kernel_text_cut(&text, '\n', &line)) {
        struct kernel_mount *grown =
            kernel_grow(mounts->list, mounts->count, &mounts->capacity, sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        mounts->list = grown;
        grown[mounts->count] = (struct kernel_mount){0};
        if (parse_line(line, &grown[mounts->count]) < 0)
            return -EBADMSG;
        mounts->count++;
    }
    return 0;
}

int kernel_mounts_parse(const char *text, size_t len, struct kernel_mounts *mounts)
{
    int error;

    *mounts = (struct kernel_mounts){0};
    if (len && memchr(text, '\0', len))
        return -EBADMSG;
    mounts->text = malloc(len + 1);
    if (!mounts->text)
        return -ENOMEM;
    if (len)
        memcpy(mounts->text, text, len);
    mounts->text[len] = '\0';
    error = parse(kernel_text(mounts->text, len), mounts);
    if (error)
        kernel_mounts_free(mounts);
    return error;
}

int kernel_mounts_read(pid_t pid, struct kernel_mounts *mounts)
{
    autofree char *text = NULL;
    size_t len;
    int error = kernel_read_pid(pid, "mountinfo", &text, &len);

    *mounts = (struct kernel_mounts){0};
    return error ? error : kernel_mounts_parse(text, len, mounts);
}

void kernel_mounts_free(struct kernel_mounts *mounts)
{
    free(mounts->list);
    free(mounts->text);
    *mounts = (struct kernel_mounts){0};
}
