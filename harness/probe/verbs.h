/* What the probe can do when asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A reply in the making. */
struct answer {
    char *text;
    size_t size;
    size_t length;
};

struct verb {
    const char *name;
    void (*run)(char *arguments, struct answer *answer); /* arguments: what follows the verb */
};

/* Each ends with .name == NULL. */
extern const struct verb verbs_of_files[];
extern const struct verb verbs_of_filters[];
extern const struct verb verbs_of_groups[];
extern const struct verb verbs_of_ids[];
extern const struct verb verbs_of_layers[];
extern const struct verb verbs_of_memory[];
extern const struct verb verbs_of_processes[];
extern const struct verb verbs_of_powers[];
extern const struct verb verbs_of_syscalls[];

/* Does what `request` asks and writes the reply. A few verbs never return. */
void verb_run(char *request, char *reply, size_t size);

void put(struct answer *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "ok", or "error 13" from errno. */
void put_result(struct answer *answer, bool good);
