/* One solution with its first steps solved, to a file or to standard output. */
#include "skeleton/place.h"
#include "skeleton/sheets.h"
#include "skeleton/skeleton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether a digest is that of one of the solution's own texts, any number of steps solved. */
static bool is_own_product(const char *solution, const char *digest)
{
    struct text source = {0};
    bool own = false;

    if (place_read(AT_FDCWD, solution, &source) == 0) {
        const unsigned last = skeleton_highest_step(source.bytes, source.length) + 1;

        for (unsigned step = 1; step <= last && !own; step++) {
            struct skeleton_error ignored;
            struct text text = {0};
            char found[DIGEST_HEX] = "";

            if (skeleton_make(source.bytes, source.length, step, &text, &ignored) == 0)
                digest_sha256(text.bytes, text.length, found);
            own = strcmp(found, digest) == 0;
            text_free(&text);
        }
    }
    text_free(&source);
    return own;
}

static int write_out(const struct text *text)
{
    size_t done = 0;

    while (done < text->length) {
        ssize_t n = write(STDOUT_FILENO, text->bytes + done, text->length - done);

        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int write_over(const char *solution, int folder, const char *name, const struct text *text,
                      char backup[NAME_MAX + 1])
{
    struct place_state state;
    int err = place_look(folder, name, &state);

    if (err == 0 && state.exists && !is_own_product(solution, state.digest))
        err = place_backup(folder, name, backup, &state);
    if (err == 0)
        err = place_write(folder, name, &state, text->bytes, text->length);
    return err;
}

enum labs_outcome labs_step(const struct labs *labs, const char *solution, const char *out)
{
    struct text text = {0};
    char path[PATH_MAX] = ".", backup[NAME_MAX + 1] = "";
    enum labs_outcome outcome = sheets_make_one(labs, solution, labs->first_open, NULL, "", &text);
    const char *slash = out ? strrchr(out, '/') : NULL;
    int err = 0;

    if (outcome == LABS_FINE && !out)
        err = write_out(&text);
    if (slash)
        snprintf(path, sizeof(path), "%.*s", slash == out ? 1 : (int)(slash - out), out);
    if (outcome == LABS_FINE && out) {
        int folder = place_open(path);

        err = folder < 0 ? folder
                         : write_over(solution, folder, slash ? slash + 1 : out, &text, backup);
        if (folder >= 0)
            close(folder);
    }
    if (err < 0)
        outcome = labs_tell(labs, LABS_TROUBLE, "%s: cannot be written: %s",
                            out ? out : "standard output", strerror(-err));
    else if (*backup)
        labs_tell(labs, LABS_FINE, "%s: what was there is kept in %s/%s", out, path, backup);
    text_free(&text);
    return outcome;
}
