/* Lab 07, step 5: what layers hold, and what is said of archives that are none or break off. */
#include "graders/07-image-waste.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char see_size[] = "lab07 --size LAYER.tar; tar -tvf LAYER.tar";

void image_check_number(struct grade *g, const struct answer *answer, uint64_t wanted,
                        const char *because, const char *what, const char *see)
{
    char *end;
    unsigned long long got = strtoull(answer->said, &end, 10);

    expect(g, answer->status == 0, .because = "refused",
           .expected = say(g, "%s: %llu bytes", what, (unsigned long long)wanted),
           .kernel = say(g, "status %d: %.90s", answer->status, answer->said), .see = see);
    expect(g, end != answer->said && strcmp(end, "\n") == 0 && got == wanted, .because = because,
           .expected = say(g, "%s: %llu bytes", what, (unsigned long long)wanted),
           .kernel = say(g, "it says %.60s", answer->said), .see = see);
}

static void check_sums(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);
    uint64_t sum = 0;

    for (enum craft_coding coding = CRAFT_PLAIN; coding <= CRAFT_ZSTD; coding++) {
        for (int i = grade_between(g, 3, 6); i > 0; i--) {
            size_t size = (size_t)grade_between(g, 1, 40000);
            craft_zeros(craft, say(g, "%s/file-%d-%d", grade_word(g, 3), coding, i), size);
            sum += size;
        }
        if (coding == CRAFT_GZIP) {
            craft_folder(craft, "folder/");
            craft_file(craft, "folder/empty", "");
            craft_zeros(craft, "folder/first", 1234);
            craft_hard_link(craft, "folder/second", "folder/first");
            craft_hard_link(craft, "third", "folder/first");
            craft_symlink(craft, "folder/link", "first");
            craft_add(craft, &(struct craft_entry){.type = CRAFT_FIFO, .path = "pipe"});
            craft_file(craft, ".wh.gone", "");
            sum += 1234;
        }
        struct blob blob = craft_blob(craft, coding);
        struct answer answer = image_ask(room, NULL, "--size", IMAGE_BLOB, &blob, 1);
        image_check_number(
            g, &answer, sum, coding == CRAFT_PLAIN ? "wrong-size" : "wrong-size-links",
            coding == CRAFT_PLAIN
                ? "the files of a plain layer"
                : "the files of a compressed layer with links, a FIFO and a whiteout",
            see_size);
    }
}

/* Its first file is whole; of the second one the half is missing, and all that came after it. */
static void check_cut(struct run *room)
{
    struct grade *g = run_grade(room);
    struct craft *craft = craft_new(g);

    craft_zeros(craft, "whole", (size_t)grade_between(g, 1, 9000));
    craft_add(craft, &(struct craft_entry){.type = CRAFT_FILE,
                                           .path = "cut",
                                           .size = 1000,
                                           .claimed = (uint64_t)grade_between(g, 50000, 900000)});
    struct blob blob = craft_blob(craft, CRAFT_GZIP);
    struct answer answer = image_ask(room, NULL, "--size", IMAGE_BLOB, &blob, 1);
    image_refuses(room, &answer, EBADMSG, "cut", "the size of an archive that breaks off",
                  "given_tar.h, tar_next");
    answer = image_ask(room, NULL, "--wasted", IMAGE_BLOB, &blob, 1);
    image_refuses(room, &answer, EBADMSG, "cut", "the waste in an archive that breaks off",
                  "given_tar.h, tar_each");
}

void image_check_sizes(struct run *room)
{
    struct grade *g = run_grade(room);

    check_sums(room);
    struct blob junk = craft_raw(g, craft_noise(g, 3000), 3000);
    struct answer answer = image_ask(room, NULL, "--size", IMAGE_BLOB, &junk, 1);
    image_refuses(room, &answer, EBADMSG, "no-archive", "the size of what is no archive",
                  "given_tar.h, tar_next");
    check_cut(room);
}
