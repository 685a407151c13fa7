/* From a request to the verb that it names. */
#include "probe/verbs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void put(struct answer *answer, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int wrote =
        vsnprintf(answer->text + answer->length, answer->size - answer->length, format, args);
    va_end(args);
    if (wrote > 0)
        answer->length += (size_t)wrote < answer->size - answer->length
                              ? (size_t)wrote
                              : answer->size - answer->length - 1;
}

void put_result(struct answer *answer, bool good)
{
    if (good)
        put(answer, "ok");
    else
        put(answer, "error %d", errno);
}

static const struct verb *find(const struct verb *verb, const char *name)
{
    while (verb->name != NULL && strcmp(verb->name, name) != 0)
        verb++;
    return verb->name != NULL ? verb : NULL;
}

void verb_run(char *request, char *reply, size_t size)
{
    struct answer answer = {reply, size, 0};
    char *arguments = request;
    const char *name = strsep(&arguments, " ");
    char none[1] = "";

    reply[0] = '\0';
    const struct verb *verb = find(verbs_of_processes, name);
    if (verb == NULL)
        verb = find(verbs_of_files, name);
    if (verb == NULL)
        verb = find(verbs_of_filters, name);
    if (verb == NULL)
        verb = find(verbs_of_groups, name);
    if (verb == NULL)
        verb = find(verbs_of_ids, name);
    if (verb == NULL)
        verb = find(verbs_of_layers, name);
    if (verb == NULL)
        verb = find(verbs_of_memory, name);
    if (verb == NULL)
        verb = find(verbs_of_powers, name);
    if (verb == NULL)
        verb = find(verbs_of_syscalls, name);
    if (verb != NULL) {
        verb->run(arguments != NULL ? arguments : none, &answer);
    } else {
        errno = ENOSYS;
        put_result(&answer, false);
    }
}
