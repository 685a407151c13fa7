/* Generate, check, reset, step: the rules about whose file may be written when. */
#include "skeleton/labs.h"

#include "skeleton/place.h"
#include "skeleton/sheets.h"
#include "skeleton/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Splits a path into folder ("." if it has none) and name; folder has room for PATH_MAX bytes. */
static const char *split(const char *path, char *folder)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        strcpy(folder, ".");
    else
        snprintf(folder, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    return slash ? slash + 1 : path;
}

/* An absent record is an empty one. state: for place_write, if not NULL. */
static enum labs_outcome read_record(const struct labs *labs, struct record *record,
                                     struct place_state *state)
{
    struct text text = {0};
    unsigned bad_line = 0;
    int err = place_read(AT_FDCWD, labs->digests, &text);
    enum labs_outcome outcome = LABS_FINE;

    *state = (struct place_state){.exists = err != -ENOENT};
    if (err == 0) {
        digest_sha256(text.bytes, text.length, state->digest);
        err = record_parse(text.bytes, text.length, record, &bad_line);
    }
    if (err == -EINVAL && bad_line > 0)
        outcome = labs_tell(labs, LABS_WRONG,
                            "%s:%u: not \"SHA256  NN-name/FILE.c\"; mend the line or remove it",
                            labs->digests, bad_line);
    else if (err < 0 && err != -ENOENT)
        outcome =
            labs_tell(labs, LABS_TROUBLE, "%s: cannot be read: %s", labs->digests, strerror(-err));
    text_free(&text);
    return outcome;
}

static enum labs_outcome write_record(const struct labs *labs, const struct record *record,
                                      const struct place_state *state, int folder, const char *name)
{
    struct text text = {0};
    int err;

    record_print(record, &text);
    err = text.failed ? -ENOMEM : place_write(folder, name, state, text.bytes, text.length);
    text_free(&text);
    if (err < 0)
        return labs_tell(labs, LABS_TROUBLE,
                         "%s: cannot be written: %s; no skeleton has been written either",
                         labs->digests, strerror(-err));
    return LABS_FINE;
}

/* Reads the record, adds what the sheets are now, writes it if that changed anything. */
static enum labs_outcome update_record(const struct labs *labs, const struct sheets *sheets,
                                       struct record *record)
{
    struct place_state state;
    char path[PATH_MAX];
    const char *name = split(labs->digests, path);
    int folder = place_open(path), changed = 0;
    enum labs_outcome outcome;

    if (folder < 0)
        return labs_tell(labs, LABS_TROUBLE, "%s: the record of skeletons has no folder: %s",
                         labs->digests, strerror(-folder));
    outcome = read_record(labs, record, &state);
    for (size_t i = 0; i < sheets->count && outcome == LABS_FINE; i++) {
        int err = record_add(record, sheets->list[i].file, sheets->list[i].digest);

        if (err < 0)
            outcome = labs_tell(labs, LABS_TROUBLE, "%s: %s", labs->digests, strerror(-err));
        changed |= err;
    }
    if (outcome == LABS_FINE && changed)
        outcome = write_record(labs, record, &state, folder, name);
    close(folder);
    return outcome;
}

static enum labs_outcome tell_kept(const struct labs *labs, const struct sheet *sheet)
{
    return labs_tell(labs, LABS_FINE,
                     "kept   %s/%s: you have edited it (make reset%.2s starts afresh and keeps a "
                     "backup)",
                     labs->labs, sheet->file, sheet->lab);
}

static enum labs_outcome tell_failed(const struct labs *labs, const struct sheet *sheet, int err)
{
    return labs_tell(labs, LABS_TROUBLE, "%s/%s: cannot be written: %s; nothing there has changed",
                     labs->labs, sheet->file, strerror(-err));
}

/* Opens labs/NN-name. Returns the descriptor, or -1 after saying what is wrong. */
static int open_lab(const struct labs *labs, const struct sheet *sheet)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", labs->labs, sheet->lab);
    int folder = place_open(path);

    if (folder == -ENOENT)
        labs_tell(labs, LABS_TROUBLE,
                  "%s: there is no such folder; it comes with the kit, with its header and main.c",
                  path);
    else if (folder < 0)
        labs_tell(labs, LABS_TROUBLE, "%s: cannot be opened: %s", path, strerror(-folder));
    return folder < 0 ? -1 : folder;
}

static enum labs_outcome generate_one(const struct labs *labs, const struct sheet *sheet,
                                      const struct record *record)
{
    struct place_state state;
    int folder = open_lab(labs, sheet);
    enum labs_outcome outcome = LABS_FINE;

    if (folder < 0)
        return LABS_TROUBLE;
    int err = place_look(folder, sheet->name, &state);

    if (err < 0)
        outcome = labs_tell(labs, LABS_TROUBLE, "%s/%s: cannot be read: %s", labs->labs,
                            sheet->file, strerror(-err));
    else if (state.exists && !record_knows(record, sheet->file, state.digest))
        outcome = tell_kept(labs, sheet);
    else if (!state.exists || strcmp(state.digest, sheet->digest) != 0) {
        err = place_write(folder, sheet->name, &state, sheet->text.bytes, sheet->text.length);
        if (err == -EBUSY)
            outcome = tell_kept(labs, sheet);
        else if (err < 0)
            outcome = tell_failed(labs, sheet, err);
        else if (!state.exists)
            labs_tell(labs, LABS_FINE, "wrote  %s/%s", labs->labs, sheet->file);
    }
    close(folder);
    return outcome;
}

enum labs_outcome labs_generate(const struct labs *labs)
{
    struct sheets sheets = {0};
    struct record record = {0};
    enum labs_outcome outcome = sheets_make(labs, NULL, &sheets);

    if (outcome == LABS_FINE)
        outcome = update_record(labs, &sheets, &record);
    const bool go_on = outcome == LABS_FINE;

    for (size_t i = 0; i < sheets.count && go_on; i++) {
        enum labs_outcome one = generate_one(labs, &sheets.list[i], &record);

        outcome = one > outcome ? one : outcome;
    }
    record_free(&record);
    sheets_free(&sheets);
    return outcome;
}

enum labs_outcome labs_check(const struct labs *labs)
{
    struct sheets sheets = {0};
    struct record record = {0};
    struct place_state state;
    enum labs_outcome outcome = sheets_make(labs, NULL, &sheets);
    enum labs_outcome read = read_record(labs, &record, &state);

    outcome = read > outcome ? read : outcome;
    for (size_t i = 0; i < sheets.count && outcome <= LABS_DRIFT; i++) {
        const char *latest = record_latest(&record, sheets.list[i].file);

        if (!latest)
            outcome =
                labs_tell(labs, LABS_DRIFT, "%s: its skeleton is not in %s; run make skeletons",
                          sheets.list[i].file, labs->digests);
        else if (strcmp(latest, sheets.list[i].digest) != 0)
            outcome = labs_tell(labs, LABS_DRIFT,
                                "%s: the solution gives another skeleton than %s says; run make "
                                "skeletons",
                                sheets.list[i].file, labs->digests);
    }
    record_free(&record);
    sheets_free(&sheets);
    return outcome;
}

static enum labs_outcome reset_one(const struct labs *labs, const struct sheet *sheet,
                                   const struct record *record)
{
    struct place_state state;
    char backup[NAME_MAX + 1] = "";
    int folder = open_lab(labs, sheet);
    int err;

    if (folder < 0)
        return LABS_TROUBLE;
    err = place_look(folder, sheet->name, &state);
    if (err == 0 && state.exists && strcmp(state.digest, sheet->digest) != 0 &&
        !record_knows(record, sheet->file, state.digest))
        err = place_backup(folder, sheet->name, backup, &state);
    if (err == 0 && (!state.exists || strcmp(state.digest, sheet->digest) != 0))
        err = place_write(folder, sheet->name, &state, sheet->text.bytes, sheet->text.length);
    close(folder);
    if (err == 0 && !*backup)
        return labs_tell(labs, LABS_FINE,
                         "reset  %s/%s: it is the skeleton; there was nothing of "
                         "yours to keep",
                         labs->labs, sheet->file);
    if (err == 0)
        return labs_tell(labs, LABS_FINE, "reset  %s/%s: what you had is kept in %s/%s/%s",
                         labs->labs, sheet->file, labs->labs, sheet->lab, backup);
    return tell_failed(labs, sheet, err);
}

enum labs_outcome labs_reset(const struct labs *labs)
{
    struct sheets sheets = {0};
    struct record record = {0};
    struct place_state state;
    enum labs_outcome outcome;

    if (labs->name_count == 0)
        return labs_tell(labs, LABS_WRONG, "reset needs the number of a lab");
    outcome = read_record(labs, &record, &state);
    if (outcome == LABS_FINE)
        outcome = sheets_make(labs, &record, &sheets);
    const bool go_on = outcome == LABS_FINE;

    for (size_t i = 0; i < sheets.count && go_on; i++) {
        enum labs_outcome one = reset_one(labs, &sheets.list[i], &record);

        outcome = one > outcome ? one : outcome;
    }
    record_free(&record);
    sheets_free(&sheets);
    return outcome;
}
