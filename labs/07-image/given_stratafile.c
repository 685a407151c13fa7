/* From the text of a Stratafile to a list of instructions. */
#include "07-image/given_stratafile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 256 * 1024, INSTRUCTIONS_MAX = 256 };

static const char blanks[] = " \t\r";

struct stratafile {
    size_t count;
    struct instruction list[INSTRUCTIONS_MAX];
    char *words[INSTRUCTIONS_MAX]; /* a copy of each `rest`, cut into words */
    char *texts[INSTRUCTIONS_MAX];
};

/* --- lines ------------------------------------------------------------------------------------ */

/* The whole file with a zero at its end, to be freed; -E2BIG for one that nobody wrote by hand. */
static int read_text(int folder, const char *name, char **text)
{
    size_t length = 0;
    ssize_t n = 1;
    struct stat st;
    /* O_NONBLOCK: a FIFO in its place would hold us for ever. */
    int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    *text = malloc(TEXT_MAX + 1);
    int result = *text == NULL ? -ENOMEM : 0;
    if (result == 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
        result = -EINVAL;
    while (result == 0 && n > 0 && length <= TEXT_MAX) {
        n = read(fd, *text + length, TEXT_MAX + 1 - length);
        if (n < 0 && errno != EINTR)
            result = -errno;
        length += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (result == 0 && length > TEXT_MAX)
        result = -E2BIG;
    if (result == 0 && memchr(*text, '\0', length) != NULL)
        result = -EINVAL;
    if (result == 0)
        (*text)[length] = '\0';
    return result;
}

/* Cuts the next line off *text; NULL at the end. */
static char *next_line(char **text, int *number)
{
    char *line = *text;

    if (line == NULL || *line == '\0')
        return NULL;
    *text += strcspn(line, "\n");
    if (**text == '\n')
        *(*text)++ = '\0';
    ++*number;
    size_t length = strlen(line);
    while (length > 0 && strchr(blanks, line[length - 1]) != NULL)
        line[--length] = '\0';
    return line + strspn(line, blanks);
}

/* The next instruction with its continuations, as one line; NULL at the end. *first is the number
 * of its first line. What is joined is written over what was read, which is never shorter. */
static char *next_instruction(char **text, int *number, int *first)
{
    char *line, *whole = NULL;
    size_t length = 0;
    bool open = false;

    while ((line = next_line(text, number)) != NULL) {
        size_t more = strlen(line);
        if (line[0] == '#' || (more == 0 && !open))
            continue;
        if (whole == NULL) {
            whole = line;
            *first = *number;
        }
        open = more > 0 && line[more - 1] == '\\';
        more -= open;
        memmove(whole + length, line, more);
        length += more;
        whole[length] = '\0';
        if (!open)
            break;
    }
    return whole;
}

/* --- instructions ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum build_verb verb;
} verbs[] = {{"FROM", BUILD_FROM}, {"COPY", BUILD_COPY},       {"RUN", BUILD_RUN},
             {"ENV", BUILD_ENV},   {"WORKDIR", BUILD_WORKDIR}, {"CMD", BUILD_CMD}};

/* Cuts `text` into at most `max` words; returns how many there are, max + 1 when there are more. */
static size_t cut_words(char *text, char *words[], size_t max)
{
    size_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(text, blanks, &rest); word != NULL;
         word = strtok_r(NULL, blanks, &rest)) {
        if (count == max)
            return max + 1;
        words[count++] = word;
    }
    return count;
}

static const char *check_from(struct instruction *it, char *rest)
{
    char *words[3];
    size_t count = cut_words(rest, words, 3);

    if (count != 1 && (count != 3 || strcasecmp(words[1], "AS") != 0))
        return "FROM takes an image, and perhaps AS and a name";
    it->source = words[0];
    it->stage = count == 3 ? words[2] : NULL;
    return NULL;
}

static const char *check_copy(struct instruction *it, char *rest)
{
    static const char option[] = "--from=";
    char *words[3];
    size_t count = cut_words(rest, words, 3), first = 0;

    if (count > 0 && strncmp(words[0], option, sizeof option - 1) == 0) {
        it->stage = words[0] + sizeof option - 1;
        first = 1;
    }
    if (count != first + 2 || words[first][0] == '-')
        return "COPY takes a source and a place";
    it->source = words[first];
    it->target = words[first + 1];
    return NULL;
}

/* What is wrong with the instruction, or NULL. `rest` is ours to cut. */
static const char *check(struct instruction *it, char *rest)
{
    switch (it->verb) {
    case BUILD_FROM:
        return check_from(it, rest);
    case BUILD_COPY:
        return check_copy(it, rest);
    case BUILD_ENV:
        return rest[0] == '=' || strcspn(rest, "= \t") != strcspn(rest, "=") ||
                       strchr(rest, '=') == NULL
                   ? "ENV takes NAME=VALUE"
                   : NULL;
    case BUILD_WORKDIR:
        return rest[0] == '\0' ? "WORKDIR takes a folder" : NULL;
    default:
        return rest[0] == '\0' ? "there is no command" : NULL;
    }
}

static int add(struct stratafile *file, char *line, const char **fault)
{
    struct instruction *it = &file->list[file->count];
    char *rest = line + strcspn(line, blanks);
    size_t length = (size_t)(rest - line), i = 0;

    rest += strspn(rest, blanks);
    while (i < sizeof verbs / sizeof *verbs &&
           (strlen(verbs[i].name) != length || strncasecmp(verbs[i].name, line, length) != 0))
        i++;
    if (i == sizeof verbs / sizeof *verbs) {
        *fault = "no such instruction; there are FROM, COPY, RUN, ENV, WORKDIR and CMD";
        return -EINVAL;
    }
    it->verb = verbs[i].verb;
    if (file->count == 0 && it->verb != BUILD_FROM) {
        *fault = "the first instruction is FROM";
        return -EINVAL;
    }
    /* One spelling: a blank more between the verb and the rest is no other instruction. */
    char *text = malloc(length + 1 + strlen(rest) + 1), *words = strdup(rest);
    file->texts[file->count] = text;
    file->words[file->count] = words;
    file->count++;
    if (text == NULL || words == NULL)
        return -ENOMEM;
    it->rest = stpcpy(stpcpy(text, verbs[i].name), rest[0] != '\0' ? " " : "");
    strcpy(text + (it->rest - text), rest);
    it->text = text;
    *fault = check(it, words);
    return *fault != NULL ? -EINVAL : 0;
}

int stratafile_read(int folder, const char *name, struct stratafile **file, int *line,
                    const char **fault)
{
    struct stratafile *new = calloc(1, sizeof *new);
    char *text = NULL, *one;
    int result = new == NULL ? -ENOMEM : read_text(folder, name, &text), number = 0;

    *fault = NULL;
    for (char *rest = text;
         result == 0 && (one = next_instruction(&rest, &number, line)) != NULL;) {
        if (new->count == INSTRUCTIONS_MAX) {
            *fault = "more instructions than a person writes";
            result = -EINVAL;
            break;
        }
        new->list[new->count].line = *line;
        result = add(new, one, fault);
    }
    if (result == 0 && new->count == 0) {
        *line = 1;
        *fault = "there is no instruction in it";
        result = -EINVAL;
    }
    free(text);
    if (result < 0) {
        stratafile_free(new);
        new = NULL;
    }
    *file = new;
    return result;
}

size_t stratafile_count(const struct stratafile *file)
{
    return file->count;
}

const struct instruction *stratafile_at(const struct stratafile *file, size_t index)
{
    return &file->list[index];
}

void stratafile_free(struct stratafile *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->count; i++) {
        free(file->texts[i]);
        free(file->words[i]);
    }
    free(file);
}
