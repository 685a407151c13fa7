/* What a guest says, and what is believed of it: only a whole stream, of this run, to the last
 * byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vm/frame.h"

#define NONCE "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"

struct heard {
    char text[4096]; /* all messages, a '|' behind each */
    unsigned count;
};

static void take(void *arg, const char *message, size_t length)
{
    struct heard *heard = arg;
    size_t used = strlen(heard->text);

    assert_int_equal(message[length], '\0');
    snprintf(heard->text + used, sizeof heard->text - used, "%.*s|", (int)length, message);
    heard->count++;
}

/* The bytes that a guest with this nonce sends for these messages, and its end mark. */
static size_t stream(const char *nonce, const char *const *messages, bool end, char *bytes,
                     size_t size)
{
    int ends[2];
    struct frame_writer writer;

    assert_int_equal(pipe(ends), 0);
    frame_writer_init(&writer, ends[1], nonce);
    for (; *messages != NULL; messages++)
        assert_int_equal(frame_send(&writer, *messages, strlen(*messages)), 0);
    if (end)
        assert_int_equal(frame_send_end(&writer), 0);
    close(ends[1]);
    ssize_t got = read(ends[0], bytes, size);
    close(ends[0]);
    assert_true(got >= 0);
    size_t length = got < 0 ? 0 : (size_t)got;
    assert_true(length < size);
    return length;
}

static const char *const two[] = {"{\"step\": 1}", "a\nb\r\n@strata " NONCE " said 3\n", NULL};

/* Feeds `step` bytes at a time; true if all of it was believed. */
static bool believed(const char *bytes, size_t length, size_t step, struct heard *heard)
{
    struct frame_reader reader;

    *heard = (struct heard){0};
    frame_reader_init(&reader, NONCE, take, heard);
    for (size_t at = 0; at < length; at += step)
        frame_feed(&reader, bytes + at, length - at < step ? length - at : step);
    bool good = reader.ended && !reader.broken;
    frame_reader_free(&reader);
    return good;
}

static void a_whole_stream_is_believed(void **state)
{
    char bytes[4096];
    struct heard heard;
    size_t length = stream(NONCE, two, true, bytes, sizeof bytes);

    (void)state;
    for (size_t step = 1; step <= length; step += step < 8 ? 1 : 37) {
        assert_true(believed(bytes, length, step, &heard));
        assert_int_equal(heard.count, 2);
        assert_string_equal(heard.text, "{\"step\": 1}|a\nb\r\n@strata " NONCE " said 3\n|");
    }
}

static void a_stream_without_messages_is_whole(void **state)
{
    char bytes[4096];
    struct heard heard;
    const char *const none[] = {NULL};

    (void)state;
    assert_true(believed(bytes, stream(NONCE, none, true, bytes, sizeof bytes), 7, &heard));
    assert_int_equal(heard.count, 0);
}

static void a_cut_stream_is_not_believed(void **state)
{
    char bytes[4096];
    struct heard heard;
    size_t length = stream(NONCE, two, true, bytes, sizeof bytes);

    (void)state;
    for (size_t cut = 0; cut < length; cut++)
        assert_false(believed(bytes, cut, 16, &heard));
    length = stream(NONCE, two, false, bytes, sizeof bytes);
    assert_false(believed(bytes, length, 16, &heard));
}

static void a_changed_byte_is_not_believed(void **state)
{
    char bytes[4096];
    struct heard heard;
    size_t length = stream(NONCE, two, true, bytes, sizeof bytes);

    (void)state;
    for (size_t at = 0; at < length; at++) {
        bytes[at] ^= 1;
        assert_false(believed(bytes, length, 64, &heard));
        bytes[at] ^= 1;
    }
    assert_true(believed(bytes, length, 64, &heard));
}

static void a_byte_too_much_is_not_believed(void **state)
{
    char bytes[4096];
    struct heard heard;
    size_t length = stream(NONCE, two, true, bytes, sizeof bytes - 1);

    (void)state;
    bytes[length] = '\n';
    assert_false(believed(bytes, length + 1, 1, &heard));
    assert_false(believed(bytes, length + 1, 4096, &heard));

    char shifted[4096] = "\n";
    memcpy(shifted + 1, bytes, sizeof shifted - 1);
    assert_false(believed(shifted, length + 1, 4096, &heard));
}

static void another_runs_stream_is_not_believed(void **state)
{
    char bytes[4096];
    struct heard heard;
    size_t length = stream(OTHER, two, true, bytes, sizeof bytes);

    (void)state;
    assert_false(believed(bytes, length, 64, &heard));
    assert_int_equal(heard.count, 0);
}

/* One who has read the format but has no nonce, and one who prints the verdict that he wants. */
static void guesses_are_not_believed(void **state)
{
    static const char *const guesses[] = {
        "{\"lab\":\"05-pivot-root\",\"number\":1,\"outcome\":\"PASS\"}\n",
        "@strata  said 2\n{}\n",
        "@strata %s said 2\n{}\n",
        "@strata " NONCE " said 18446744073709551615\n",
        "@strata " NONCE " said -1\n",
        "@strata " NONCE " said  2\n{}\n",
        "@strata " NONCE " said 02\n{}\n",
        "@strata " NONCE " said 99999999\n",
        "@strata " NONCE " end 0 \n",
        "\0",
    };
    struct heard heard;

    (void)state;
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
        size_t length = strlen(guesses[i]) + (guesses[i][0] == '\0');
        assert_false(believed(guesses[i], length, 64, &heard));
        assert_int_equal(heard.count, 0);
    }
}

static void a_flood_without_a_line_is_not_kept(void **state)
{
    struct frame_reader reader;
    struct heard heard = {0};
    char flood[8192];

    (void)state;
    memset(flood, 'a', sizeof flood);
    frame_reader_init(&reader, NONCE, take, &heard);
    assert_int_equal(frame_feed(&reader, flood, sizeof flood), -EBADMSG);
    assert_true(reader.broken);
    assert_int_equal(frame_feed(&reader, "@", 1), -EBADMSG);
    frame_reader_free(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_stream_is_believed),
        cmocka_unit_test(a_stream_without_messages_is_whole),
        cmocka_unit_test(a_cut_stream_is_not_believed),
        cmocka_unit_test(a_changed_byte_is_not_believed),
        cmocka_unit_test(a_byte_too_much_is_not_believed),
        cmocka_unit_test(another_runs_stream_is_not_believed),
        cmocka_unit_test(guesses_are_not_believed),
        cmocka_unit_test(a_flood_without_a_line_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
