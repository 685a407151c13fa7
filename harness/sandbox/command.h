/* A room_command on its way into the room. */
#pragma once

#include "sandbox/message.h"
#include "sandbox/sandbox.h"

/* What travels in a MESSAGE_SPAWN; the fds travel beside it, in the order of `numbers`. */
struct packed_command {
    uint64_t ignored;
    uint64_t blocked;
    int32_t argc;
    int32_t envc;
    int32_t fd_count;
    int32_t numbers[ROOM_FDS_MAX];
    int32_t terminal;
    int32_t has_cwd;
    uint32_t user;
    uint32_t group;
    char strings[]; /* argv, envp, cwd, each ended by NUL */
};

/* Returns 0, or -E2BIG. */
int command_pack(const struct room_command *command, struct message *message);

enum { COMMAND_ARGS_MAX = 1024 };

struct unpacked_command {
    const struct packed_command *packed;
    char *argv[COMMAND_ARGS_MAX + 1];
    char *envp[COMMAND_ARGS_MAX + 1];
    const char *cwd;
};

/* The pointers lead into `message`. Returns 0, or -EBADMSG. */
int command_unpack(struct message *message, struct unpacked_command *command);
