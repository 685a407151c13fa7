/* Lab 12, step 1: texts that are sizes, by our own arithmetic, and texts that are none. */
#include "graders/12-memory.h"

#include <stdio.h>
#include <string.h>

#include "grade/mounts.h"

enum { SIZES_MAX = 64 };

/* What is asked, and what has to come of it. */
struct sizes {
    struct {
        const char *text, *wanted, *because;
    } list[SIZES_MAX];
    size_t count;
};

static void add(struct sizes *sizes, const char *text, const char *wanted, const char *because)
{
    if (sizes->count < SIZES_MAX) {
        sizes->list[sizes->count].text = text;
        sizes->list[sizes->count].wanted = wanted;
        sizes->list[sizes->count++].because = because;
    }
}

static void add_units(struct grade *g, struct sizes *sizes)
{
    static const char *const units[][4] = {{"k", "K", "Ki", "kB"},
                                           {"m", "M", "Mi", "MB"},
                                           {"g", "G", "Gi", "GB"},
                                           {"t", "T", "Ti", "TB"}};
    static const char *const plain[] = {"", "b", "B"};
    unsigned long long size = 1, decimal = 1;

    for (int i = 0; i < 3; i++) {
        int number = grade_between(g, 1, 1 << 30);
        add(sizes, say(g, "%d%s", number, plain[i]), say(g, "%d", number), "bytes");
    }
    for (int power = 0; power < 4; power++) {
        size *= 1024;
        decimal *= 1000;
        for (int form = 0; form < 4; form++) {
            unsigned long long number = (unsigned long long)grade_between(g, 2, 9999);
            add(sizes, say(g, "%llu%s", number, units[power][form]),
                say(g, "%llu", number * (form < 3 ? size : decimal)),
                form < 3 ? "unit-1024" : "unit-1000");
        }
    }
}

static void add_edges(struct grade *g, struct sizes *sizes)
{
    int number = grade_between(g, 10, 77);

    add(sizes, "0", "0", "bytes");
    add(sizes, say(g, "0%d", number), say(g, "%d", number), "octal");
    add(sizes, say(g, "00%dk", number), say(g, "%d", number * 1024), "octal");
    add(sizes, "max", "max", "no-limit");
    add(sizes, "-1", "max", "no-limit");
    add(sizes, "18446744073709551614", "18446744073709551614", "largest");
    add(sizes, "18014398509481983k", "18446744073709550592", "largest");
    add(sizes, "16777215t", "18446742974197923840", "largest");
    add(sizes, "18446744TB", "18446744000000000000", "largest");
}

static const char nonsense[] = "Invalid argument", too_much[] = "Numerical result out of range";

/* Nearly units: whoever compares without a look at large and small takes most of them. */
static void add_other_letters(struct grade *g, struct sizes *sizes)
{
    static const char *const nearly[] = {"KB", "kb", "ki", "mi", "gb", "tB", "MiB"};

    for (size_t i = 0; i < sizeof nearly / sizeof *nearly; i++)
        add(sizes, say(g, "%d%s", grade_between(g, 2, 999), nearly[i]), nonsense, "letters");
}

static void add_nonsense(struct grade *g, struct sizes *sizes)
{
    static const char letters[] = "acdefhjlnopqrsuvwxyz";
    int number = grade_between(g, 2, 999);

    add(sizes, "", nonsense, "no-number");
    add(sizes, "m", nonsense, "no-number");
    add(sizes, say(g, " %d", number), nonsense, "space");
    add(sizes, say(g, "\t%d", number), nonsense, "space");
    add(sizes, say(g, "%d ", number), nonsense, "space");
    add(sizes, say(g, "%d m", number), nonsense, "space");
    add(sizes, say(g, "+%d", number), nonsense, "sign");
    add(sizes, say(g, "-%d", number), nonsense, "sign");
    add(sizes, say(g, "-1%d", number), nonsense, "sign");
    add(sizes, say(g, "%d.5g", number), nonsense, "fraction");
    add(sizes, say(g, "0x%d", number), nonsense, "not-decimal");
    add(sizes, say(g, "%dmm", number), nonsense, "unit");
    add(sizes, say(g, "%d%c", number, letters[grade_random(g, sizeof letters - 1)]), nonsense,
        "unit");
    add(sizes, say(g, "%dGigabyte", number), nonsense, "unit");
    add(sizes, say(g, "max%d", number), nonsense, "unit");
    add(sizes, "MAX", nonsense, "letters");
    add_other_letters(g, sizes);
    add(sizes, "18446744073709551616", too_much, "overflow");
    add(sizes, say(g, "%d99999999999999999999k", number), too_much, "overflow");
    add(sizes, "18014398509481984k", too_much, "product");
    add(sizes, say(g, "%dt", 16777216 + number), too_much, "product");
    add(sizes, "18446745TB", too_much, "product");
}

/* What somebody forgot who fails there. */
static const char *remark(const char *because)
{
    static const char *const remarks[][2] = {
        {"unit-1024", "each letter is 1024 times the one before"},
        {"unit-1000", "kB, MB, GB and TB count by 1000"},
        {"octal", "a zero in front means nothing"},
        {"no-limit", "these two words mean no limit"},
        {"largest", "it fits into 64 bits"},
        {"no-number", "there is no digit"},
        {"space", "a space is no part of a size"},
        {"sign", "a sign is no part of a size"},
        {"fraction", "only whole numbers"},
        {"not-decimal", "only decimal numbers"},
        {"unit", "the whole rest has to be one unit"},
        {"letters", "with i or B, only Ki Mi Gi Ti and kB MB GB TB; and max is a small word"},
        {"overflow", "the number alone does not fit into 64 bits"},
        {"product", "the number fits, the product does not"},
    };

    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
        if (strcmp(remarks[i][0], because) == 0)
            return remarks[i][1];
    return "a number of bytes";
}

/* What a wanted line means. */
static const char *meaning(struct grade *g, const char *wanted)
{
    if (wanted[0] >= '0' && wanted[0] <= '9')
        return say(g, "%s bytes", wanted);
    return strcmp(wanted, "max") == 0 ? "no limit" : say(g, "refused: %s", wanted);
}

void memory_step_sizes(struct grade *g)
{
    struct run *room = outside_open(g, false);
    struct sizes sizes = {.count = 0};
    const char *value = "", *said;

    add_units(g, &sizes);
    add_edges(g, &sizes);
    add_nonsense(g, &sizes);
    for (size_t i = 0; i < sizes.count; i++)
        value = say(g, "%s%s%s", value, i > 0 ? "," : "", sizes.list[i].text);
    int status = memory_run(room, (const char *const[]){"--memory-parse", value, NULL}, &said);
    expect(g, status == 0, .because = "no-answer",
           .expected = "lab12 --memory-parse with many sizes answers for each and ends with 0",
           .kernel = say(g, "it ended with %d: %.100s", status, said),
           .see = "lab12 --memory-parse 1k,2Mi,3x, in make shell12");
    for (size_t i = 0; i < sizes.count; i++) {
        const char *text = sizes.list[i].text;
        const char *answer = say(g, "%.*s", (int)strcspn(said, "\n"), said);
        said += strlen(answer) + (said[strlen(answer)] == '\n');
        expect(g, strcmp(answer, sizes.list[i].wanted) == 0, .because = sizes.list[i].because,
               .expected = say(g, "\"%s\" is %s: %s", text, meaning(g, sizes.list[i].wanted),
                               remark(sizes.list[i].because)),
               .kernel = say(g, "your program says %.80s", answer),
               .see = say(g, "lab12 --memory-parse '%s', in make shell12", text));
    }
    /* One alone, nonsense: the program ends with 125. */
    value = say(g, "%dk%c", grade_between(g, 2, 999), 'a' + (char)grade_random(g, 26));
    memory_refused(room, (const char *const[]){"--memory-parse", value, NULL}, nonsense, "unit");
}
