/* Strings that end in NUL, as fs/proc/base.c copies them from a process's memory. */
#include "kernel/vector.h"
#include "kernel/file.h"
#include "kernel/own.h"

/* The end of the string at `at`: its NUL, or the end of all. */
static char *string_end(char *at, char *end)
{
    char *nul = memchr(at, '\0', (size_t)(end - at));

    return nul ? nul : end;
}

int kernel_vector_parse(const char *text, size_t len, struct kernel_vector *vector)
{
    autofree char *copy = malloc(len + 1);
    autofree char **list = NULL;
    size_t count = 0;

    *vector = (struct kernel_vector){0};
    if (!copy)
        return -ENOMEM;
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    for (size_t i = 0; i < len; i++)
        count += copy[i] == '\0' || i + 1 == len;
    list = calloc(count + 1, sizeof(*list));
    if (!list)
        return -ENOMEM;
    count = 0;
    for (char *at = copy; at < copy + len; at = string_end(at, copy + len) + 1)
        list[count++] = at;
    *vector = (struct kernel_vector){
        .list = list, .count = count, .cut = len && copy[len - 1] != '\0', .text = copy};
    copy = NULL;
    list = NULL;
    return 0;
}

static int read_vector(pid_t pid, const char *name, struct kernel_vector *vector)
{
    autofree char *text = NULL;
    size_t len;
    int error = kernel_read_pid(pid, name, &text, &len);

    *vector = (struct kernel_vector){0};
    return error ? error : kernel_vector_parse(text, len, vector);
}

int kernel_cmdline_read(pid_t pid, struct kernel_vector *vector)
{
    return read_vector(pid, "cmdline", vector);
}

int kernel_environ_read(pid_t pid, struct kernel_vector *vector)
{
    return read_vector(pid, "environ", vector);
}

void kernel_vector_free(struct kernel_vector *vector)
{
    free(vector->list);
    free(vector->text);
    *vector = (struct kernel_vector){0};
}

const char *kernel_vector_get(const struct kernel_vector *vector, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < vector->count; i++)
        if (strncmp(vector->list[i], name, len) == 0 && vector->list[i][len] == '=')
            return vector->list[i] + len + 1;
    return NULL;
}
