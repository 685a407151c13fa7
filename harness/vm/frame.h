/*
 * What a guest says on the serial port that is for results alone.
 *
 *   @strata NONCE said LENGTH\n BYTES \n       one message
 *   @strata NONCE end COUNT DIGEST\n           the last line: how many there were, and the SHA-256
 *                                              of all that was sent before it
 *
 * The nonce is drawn by the host for this run. It reaches the guest in a file that only its init
 * reads and removes: nobody who runs later in there can know it, should a way to the port be found.
 * The reader is strict. From the first byte on everything has to be a frame; a byte too much, a
 * frame that is cut short, or no end mark, and nothing that was said counts.
 */
#pragma once

#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    FRAME_NONCE = 32,           /* hexadecimal digits                  */
    FRAME_HEADER_MAX = 160,     /* bytes of a line that begins a frame */
    FRAME_MAX = 1 << 20,        /* bytes of a message                  */
    FRAME_STREAM_MAX = 64 << 20 /* bytes of all together               */
};

struct frame_writer {
    int fd;
    char nonce[FRAME_NONCE + 1];
    struct sha256_ctx digest;
    unsigned count;
};

void frame_writer_init(struct frame_writer *writer, int fd, const char *nonce);

/* Sends one message. 0 or -errno. */
int frame_send(struct frame_writer *writer, const void *data, size_t length);

/* Sends the end mark. 0 or -errno. */
int frame_send_end(struct frame_writer *writer);

struct frame_reader {
    char nonce[FRAME_NONCE + 1];
    void (*take)(void *arg, const char *message, size_t length); /* NUL follows the message */
    void *arg;
    struct sha256_ctx digest;
    unsigned count; /* messages so far                                 */
    size_t total;   /* bytes so far                                    */
    bool ended;     /* the end mark came, and it was right             */
    bool broken;    /* something came that is no frame                 */
    char header[FRAME_HEADER_MAX];
    size_t header_length;
    char *message; /* NULL: a header is being read */
    size_t message_size, message_length;
};

/* `take` is called with each message as it comes; whether it may be believed is known only once
 * the stream has ended well. */
void frame_reader_init(struct frame_reader *reader, const char *nonce,
                       void (*take)(void *arg, const char *message, size_t length), void *arg);

/* Takes what the port gave. 0, -EBADMSG once the stream is broken (for good), -ENOMEM. */
int frame_feed(struct frame_reader *reader, const char *data, size_t length);

/* Gives back what is held of a message that was cut short. */
void frame_reader_free(struct frame_reader *reader);
