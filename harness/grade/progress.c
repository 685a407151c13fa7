#include "grade/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "grade/atomic.h"
#include "kernel/own.h"

static bool is_digest(const char *text)
{
    return strlen(text) == DIGEST_HEX - 1 && strspn(text, "0123456789abcdef") == DIGEST_HEX - 1;
}

/* Reads one line into *entry; false if it is none of ours. */
static bool parse_line(char *line, struct progress_entry *entry)
{
    char *rest = line;
    const char *key = strsep(&rest, "\t");
    const char *layer = strsep(&rest, "\t");
    const char *kit = strsep(&rest, "\t");
    const char *day = strsep(&rest, "\t");
    const char *slash = strchr(key, '/');

    if (!day || rest || !slash || slash == key || !slash[1] || strpbrk(key, " \r"))
        return false;
    if (strlen(key) >= sizeof(entry->key) || strlen(day) >= sizeof(entry->day) ||
        !is_digest(layer) || !is_digest(kit))
        return false;
    strcpy(entry->key, key);
    strcpy(entry->layer, layer);
    strcpy(entry->kit, kit);
    strcpy(entry->day, day);
    return true;
}

static struct progress_entry *find(const struct progress *progress, const char *key)
{
    for (size_t i = 0; i < progress->count; i++)
        if (strcmp(progress->entries[i].key, key) == 0)
            return &progress->entries[i];
    return NULL;
}

/* Sets the entry of its key: in place if there is one, else at the end. */
static int put(struct progress *progress, const struct progress_entry *entry)
{
    struct progress_entry *old = find(progress, entry->key);

    if (old) {
        *old = *entry;
        return 0;
    }
    struct progress_entry *more =
        reallocarray(progress->entries, progress->count + 1, sizeof(*more));
    if (!more)
        return -ENOMEM;
    progress->entries = more;
    more[progress->count++] = *entry;
    return 0;
}

static int load_at(int folder, struct progress *progress)
{
    int fd = openat(folder, "passed", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    autofclose FILE *file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return -ENOMEM;
    }
    autofree char *line = NULL;
    size_t size = 0;
    errno = 0;
    for (ssize_t length; (length = getline(&line, &size, file)) >= 0;) {
        struct progress_entry entry;
        if (length > 0 && line[length - 1] == '\n')
            line[--length] = '\0';
        if (length == 0 || line[0] == '#')
            continue;
        if (strlen(line) != (size_t)length || !parse_line(line, &entry))
            progress->garbage++;
        else if (put(progress, &entry) < 0)
            return -ENOMEM;
    }
    return ferror(file) ? (errno ? -errno : -EIO) : 0;
}

int progress_load(const char *root, struct progress *progress)
{
    char path[PATH_MAX];

    *progress = (struct progress){0};
    snprintf(path, sizeof(path), "%s/.progress", root);
    autoclose int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT ? 0 : -errno;
    int error = load_at(folder, progress);
    if (error < 0)
        progress_free(progress);
    return error;
}

void progress_free(struct progress *progress)
{
    free(progress->entries);
    *progress = (struct progress){0};
}

static void make_key(char key[128], const char *lab, const char *slug)
{
    snprintf(key, 128, "%s/%s", lab, slug);
}

const struct progress_entry *progress_find(const struct progress *progress, const char *lab,
                                           const char *slug)
{
    char key[128];

    make_key(key, lab, slug);
    return find(progress, key);
}

enum standing progress_standing(const struct progress *progress, const struct lab *lab,
                                const char *layer)
{
    size_t core = 0;
    size_t passed = 0;
    size_t same = 0;

    for (size_t i = 0; i < lab->count; i++) {
        const struct progress_entry *entry = progress_find(progress, lab->name, lab->steps[i].slug);
        if (lab->steps[i].more)
            continue;
        core++;
        passed += entry != NULL;
        same += entry && strcmp(entry->layer, layer) == 0;
    }
    if (passed == 0)
        return STANDING_NONE;
    if (passed < core)
        return STANDING_SOME;
    return same == core ? STANDING_PASSED : STANDING_CHANGED;
}

const char *standing_name(enum standing standing)
{
    static const char *const names[] = {"none", "some", "changed", "passed"};

    return names[standing];
}

void progress_compare(const struct progress *progress, struct grade *g)
{
    for (size_t i = 0; i < g->lab->count; i++) {
        struct result *result = &g->results[i];
        result->passed_before =
            result->selected && result->outcome == OUTCOME_FAIL &&
            progress_find(progress, g->lab->name, g->lab->steps[i].slug) != NULL;
    }
}

static int store_at(int folder, const struct progress *progress)
{
    autofree char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < progress->count; i++) {
        const struct progress_entry *entry = &progress->entries[i];
        fprintf(out, "%s\t%s\t%s\t%s\n", entry->key, entry->layer, entry->kit, entry->day);
    }
    if (fclose(out) != 0)
        return -ENOMEM;
    return atomic_write(folder, "passed", text, length);
}

static int merge(struct progress *progress, const struct grade *g)
{
    struct progress_entry entry;
    time_t now = time(NULL);
    struct tm day;
    int error = 0;

    strftime(entry.day, sizeof(entry.day), "%F", gmtime_r(&now, &day));
    snprintf(entry.layer, sizeof(entry.layer), "%s", g->layer_digest);
    snprintf(entry.kit, sizeof(entry.kit), "%s", g->kit_digest);
    for (size_t i = 0; i < g->lab->count && error == 0; i++) {
        const struct result *result = &g->results[i];
        make_key(entry.key, g->lab->name, g->lab->steps[i].slug);
        struct progress_entry *old = find(progress, entry.key);
        if (result->selected && result->outcome == OUTCOME_PASS && !result->undo_error) {
            error = put(progress, &entry);
        } else if (result->selected && result->outcome == OUTCOME_FAIL && old &&
                   strcmp(old->layer, entry.layer) == 0) {
            progress->count--;
            memmove(old, old + 1,
                    (size_t)(progress->entries + progress->count - old) * sizeof(*old));
        }
    }
    return error;
}

int progress_record(const struct grade *g, size_t *garbage)
{
    char path[PATH_MAX];
    struct progress progress = {0};

    if (!is_digest(g->layer_digest) || !is_digest(g->kit_digest))
        return -EINVAL;
    snprintf(path, sizeof(path), "%s/.progress", g->options->root);
    autoclose int folder = atomic_folder(path);
    if (folder < 0)
        return folder;
    /* The lock is the folder itself: a file of its own would be one more thing to lose. */
    while (flock(folder, LOCK_EX) < 0)
        if (errno != EINTR)
            return -errno;
    int error = load_at(folder, &progress);
    if (error == 0)
        error = merge(&progress, g);
    if (error == 0)
        error = store_at(folder, &progress);
    if (garbage)
        *garbage = progress.garbage;
    progress_free(&progress);
    return error;
}
