/* What harness, outer and room say to each other: one SOCK_SEQPACKET datagram a message. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum message_kind {
    MESSAGE_READY = 1, /* keeper, outer and room -> harness: it stands; fd: a pidfd            */
    MESSAGE_FAILED,    /* anyone -> harness: error and a sentence in text                      */
    MESSAGE_FILES,     /* harness -> outer: one file for /strata; fd: its content              */
    MESSAGE_ROOM,      /* harness -> outer: make a room; fd: the room's socket                 */
    MESSAGE_GROUPS,    /* harness -> room: its control groups stand; text: their hierarchies   */
    MESSAGE_SPAWN,     /* harness -> room: text holds a packed command; fds: its own           */
    MESSAGE_STARTED,   /* room -> harness: a: pid inside; fd: pidfd                            */
    MESSAGE_ENDED,     /* room -> harness: a: pid inside, b: si_code, c: si_status             */
};

enum { MESSAGE_TEXT = 60 * 1024, MESSAGE_FDS = 32 };

/* Of MESSAGE_FAILED, in `a`: whose fault it is. */
enum blame {
    BLAME_US,      /* the harness's                                        */
    BLAME_MACHINE, /* this machine does not allow it: the cure is outside  */
    BLAME_PROGRAM, /* what runs in the sandbox used more than its share    */
};

struct message {
    int32_t kind;
    int32_t error;
    int32_t a, b, c;
    uint32_t length; /* of text */
    int32_t fd_count;
    int fds[MESSAGE_FDS];
    _Alignas(8) char text[MESSAGE_TEXT];
};

/* Sends a message whose text is `length` bytes. Returns 0 or -errno; never raises SIGPIPE. */
int message_send(int socket, const struct message *message);

/* Receives one; the fds that come with it are close-on-exec and the receiver's to close.
 * Returns 1, 0 at end of file, or -errno. `flags` as for recvmsg(2). */
int message_receive(int socket, struct message *message, int flags);

/* Sends MESSAGE_FAILED with a sentence: our own fault, or whose it is. */
void message_fail(int socket, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void message_blame(int socket, enum blame blame, int error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Sends `kind` with one fd (or -1) and three numbers. */
int message_note(int socket, enum message_kind kind, int fd, int a, int b, int c);

void message_close_fds(struct message *message);
