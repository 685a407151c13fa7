#include "vm/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *to_hex(const struct sha256_ctx *digest, char hex[2 * SHA256_DIGEST_SIZE + 1])
{
    struct sha256_ctx copy = *digest; /* nettle's digest function starts the context afresh */
    uint8_t bytes[SHA256_DIGEST_SIZE];

    sha256_digest(&copy, sizeof bytes, bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return hex;
}

/* --- the guest's side --------------------------------------------------------------------------
 */

void frame_writer_init(struct frame_writer *writer, int fd, const char *nonce)
{
    *writer = (struct frame_writer){.fd = fd};
    snprintf(writer->nonce, sizeof writer->nonce, "%s", nonce);
    sha256_init(&writer->digest);
}

static int send_all(struct frame_writer *writer, const char *data, size_t length)
{
    sha256_update(&writer->digest, length, (const uint8_t *)data);
    while (length > 0) {
        ssize_t sent = write(writer->fd, data, length);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -errno;
        data += sent;
        length -= (size_t)sent;
    }
    return 0;
}

int frame_send(struct frame_writer *writer, const void *data, size_t length)
{
    char header[FRAME_HEADER_MAX];

    if (length > FRAME_MAX)
        return -EMSGSIZE;
    int wrote = snprintf(header, sizeof header, "@strata %s said %zu\n", writer->nonce, length);
    int result = send_all(writer, header, (size_t)wrote);
    if (result == 0)
        result = send_all(writer, data, length);
    if (result == 0)
        result = send_all(writer, "\n", 1);
    writer->count++;
    return result;
}

int frame_send_end(struct frame_writer *writer)
{
    char line[FRAME_HEADER_MAX], hex[2 * SHA256_DIGEST_SIZE + 1];
    int wrote = snprintf(line, sizeof line, "@strata %s end %u %s\n", writer->nonce, writer->count,
                         to_hex(&writer->digest, hex));

    return send_all(writer, line, (size_t)wrote);
}

/* --- the host's side ---------------------------------------------------------------------------
 */

void frame_reader_init(struct frame_reader *reader, const char *nonce,
                       void (*take)(void *arg, const char *message, size_t length), void *arg)
{
    *reader = (struct frame_reader){.take = take, .arg = arg};
    snprintf(reader->nonce, sizeof reader->nonce, "%s", nonce);
    sha256_init(&reader->digest);
}

/* Numbers are compared as text: there is one way to write them, and no other is ours. */
static int read_header(struct frame_reader *reader)
{
    char expected[FRAME_HEADER_MAX], hex[2 * SHA256_DIGEST_SIZE + 1];
    const char *line = reader->header;
    size_t length = 0;

    snprintf(expected, sizeof expected, "@strata %s end %u %s\n", reader->nonce, reader->count,
             to_hex(&reader->digest, hex));
    if (strcmp(line, expected) == 0) {
        reader->ended = true;
        return 0;
    }
    const char *last = strrchr(line, ' ');
    if (last == NULL || sscanf(last, " %7zu", &length) != 1 || length > FRAME_MAX)
        return -EBADMSG;
    snprintf(expected, sizeof expected, "@strata %s said %zu\n", reader->nonce, length);
    if (strcmp(line, expected) != 0)
        return -EBADMSG;
    reader->message_size = length + 1; /* with the line feed behind it */
    reader->message_length = 0;
    reader->message = malloc(reader->message_size + 1);
    if (reader->message == NULL)
        return -ENOMEM;
    sha256_update(&reader->digest, reader->header_length, (const uint8_t *)line);
    return 0;
}

static int feed_header(struct frame_reader *reader, char byte)
{
    if (reader->header_length + 1 >= sizeof reader->header || byte == '\0')
        return -EBADMSG;
    reader->header[reader->header_length++] = byte;
    if (byte != '\n')
        return 0;
    reader->header[reader->header_length] = '\0';
    int result = read_header(reader);
    reader->header_length = 0;
    return result;
}

static int message_whole(struct frame_reader *reader)
{
    char *message = reader->message;
    size_t length = reader->message_size - 1;

    reader->message = NULL;
    int result = message[length] == '\n' ? 0 : -EBADMSG;
    if (result == 0) {
        sha256_update(&reader->digest, reader->message_size, (const uint8_t *)message);
        message[length] = '\0';
        reader->count++;
        reader->take(reader->arg, message, length);
    }
    free(message);
    return result;
}

static size_t feed_message(struct frame_reader *reader, const char *data, size_t length)
{
    size_t wanted = reader->message_size - reader->message_length;
    size_t taken = length < wanted ? length : wanted;

    memcpy(reader->message + reader->message_length, data, taken);
    reader->message_length += taken;
    return taken;
}

int frame_feed(struct frame_reader *reader, const char *data, size_t length)
{
    int result = 0;

    reader->total += length;
    if (reader->total > FRAME_STREAM_MAX || (reader->ended && length > 0))
        result = -EBADMSG; /* nothing comes after the end */
    while (result == 0 && length > 0 && !reader->broken) {
        size_t taken = 1;
        if (reader->ended)
            result = -EBADMSG;
        else if (reader->message == NULL)
            result = feed_header(reader, *data);
        else if ((taken = feed_message(reader, data, length)) > 0 &&
                 reader->message_length == reader->message_size)
            result = message_whole(reader);
        data += taken;
        length -= taken;
    }
    if (result < 0)
        reader->broken = true;
    if (reader->broken)
        reader->ended = false;
    return reader->broken ? (result < 0 ? result : -EBADMSG) : 0;
}

void frame_reader_free(struct frame_reader *reader)
{
    free(reader->message);
    reader->message = NULL;
}
