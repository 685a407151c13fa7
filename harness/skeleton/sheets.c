/* Finds the solutions and makes their skeletons. */
#include "skeleton/sheets.h"

#include "skeleton/place.h"
#include "skeleton/skeleton.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum labs_outcome labs_tell(const struct labs *labs, enum labs_outcome outcome, const char *format,
                            ...)
{
    char sentence[2 * PATH_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    labs->say(outcome != LABS_FINE, sentence);
    return outcome;
}

static enum labs_outcome worse(enum labs_outcome a, enum labs_outcome b)
{
    return a > b ? a : b;
}

/* Labs are NN-name; anything else in the folder is not ours to read. */
static int is_lab(const struct dirent *entry)
{
    const char *name = entry->d_name;

    return isdigit((unsigned char)name[0]) && isdigit((unsigned char)name[1]) && name[2] == '-';
}

static int is_source(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 2 && strcmp(entry->d_name + length - 2, ".c") == 0;
}

/* "5" and "05" and "05-pivot-root" all name 05-pivot-root. */
static bool names_lab(const char *name, const char *lab)
{
    char *end;
    const long number = strtol(name, &end, 10);

    if (strcmp(name, lab) == 0)
        return true;
    return isdigit((unsigned char)*name) && *end == '\0' && number == strtol(lab, NULL, 10);
}

static bool is_chosen(const struct labs *labs, const char *lab)
{
    for (size_t i = 0; i < labs->name_count; i++) {
        if (names_lab(labs->names[i], lab))
            return true;
    }
    return labs->name_count == 0;
}

enum labs_outcome sheets_make_one(const struct labs *labs, const char *path, unsigned first_open,
                                  const struct record *known, const char *file, struct text *text)
{
    struct skeleton_error error = {0};
    struct text source = {0};
    char digest[DIGEST_HEX];
    enum labs_outcome outcome = LABS_FINE;
    int err = place_read(AT_FDCWD, path, &source);

    if (err < 0) {
        text_free(&source);
        return labs_tell(labs, LABS_TROUBLE, "%s: cannot be read: %s", path, strerror(-err));
    }
    digest_sha256(source.bytes, source.length, digest);
    if (known && record_knows(known, file, digest)) {
        *text = source;
        return LABS_FINE;
    }
    err = skeleton_make(source.bytes, source.length, first_open, text, &error);
    if (err == -EINVAL)
        outcome = labs_tell(labs, LABS_WRONG, "%s:%u: %s", path, error.line, error.what);
    else if (err < 0)
        outcome = labs_tell(labs, LABS_TROUBLE, "%s: %s", path, strerror(-err));
    text_free(&source);
    return outcome;
}

static enum labs_outcome add_sheet(const struct labs *labs, const struct record *known,
                                   struct sheets *sheets, const char *lab, const char *name)
{
    struct sheet *sheet = reallocarray(sheets->list, sheets->count + 1, sizeof(*sheet));
    char path[PATH_MAX];

    if (!sheet)
        return labs_tell(labs, LABS_TROUBLE, "%s/%s: %s", lab, name, strerror(ENOMEM));
    sheets->list = sheet;
    sheet += sheets->count++;
    *sheet = (struct sheet){0};
    if ((size_t)snprintf(sheet->lab, sizeof(sheet->lab), "%s", lab) >= sizeof(sheet->lab) ||
        (size_t)snprintf(sheet->file, sizeof(sheet->file), "%s/%s", lab, name) >=
            sizeof(sheet->file) ||
        (size_t)snprintf(path, sizeof(path), "%s/%s", labs->solutions, sheet->file) >= sizeof(path))
        return labs_tell(labs, LABS_WRONG, "%s/%s: the name is too long", lab, name);
    enum labs_outcome outcome =
        sheets_make_one(labs, path, labs->first_open, known, sheet->file, &sheet->text);

    if (outcome == LABS_FINE)
        digest_sha256(sheet->text.bytes, sheet->text.length, sheet->digest);
    return outcome;
}

static void free_entries(struct dirent **entries, int count)
{
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
}

static enum labs_outcome add_lab(const struct labs *labs, const struct record *known,
                                 struct sheets *sheets, const char *lab)
{
    enum labs_outcome outcome = LABS_FINE;
    struct dirent **entries = NULL;
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", labs->solutions, lab);
    const int count = scandir(path, &entries, is_source, alphasort);

    if (count < 0)
        return labs_tell(labs, LABS_TROUBLE, "%s: cannot be read: %s", path, strerror(errno));
    for (int i = 0; i < count; i++)
        outcome = worse(outcome, add_sheet(labs, known, sheets, lab, entries[i]->d_name));
    free_entries(entries, count);
    return outcome;
}

/* Every name asked for must be one that is there, or a typing slip would look like success. */
static enum labs_outcome check_names(const struct labs *labs, const struct sheets *sheets)
{
    enum labs_outcome outcome = LABS_FINE;

    for (size_t i = 0; i < labs->name_count; i++) {
        bool found = false;

        for (size_t k = 0; k < sheets->count; k++)
            found = found || names_lab(labs->names[i], sheets->list[k].lab);
        if (!found)
            outcome = labs_tell(labs, LABS_WRONG, "%s: there is no such lab in %s", labs->names[i],
                                labs->solutions);
    }
    if (outcome == LABS_FINE && sheets->count == 0)
        outcome = labs_tell(labs, LABS_WRONG, "%s: there is no NN-name/FILE.c in this folder",
                            labs->solutions);
    return outcome;
}

enum labs_outcome sheets_make(const struct labs *labs, const struct record *known,
                              struct sheets *sheets)
{
    struct dirent **entries = NULL;
    enum labs_outcome outcome = LABS_FINE;
    const int count = scandir(labs->solutions, &entries, is_lab, alphasort);

    if (count < 0)
        return labs_tell(labs, LABS_TROUBLE, "%s: cannot be read: %s", labs->solutions,
                         strerror(errno));
    for (int i = 0; i < count; i++) {
        if (is_chosen(labs, entries[i]->d_name))
            outcome = worse(outcome, add_lab(labs, known, sheets, entries[i]->d_name));
    }
    free_entries(entries, count);
    /* The pointers into the list are set once it has stopped moving. */
    for (size_t i = 0; i < sheets->count; i++)
        sheets->list[i].name = strchr(sheets->list[i].file, '/') + 1;
    return worse(outcome, check_names(labs, sheets));
}

void sheets_free(struct sheets *sheets)
{
    for (size_t i = 0; i < sheets->count; i++)
        text_free(&sheets->list[i].text);
    free(sheets->list);
    *sheets = (struct sheets){0};
}
