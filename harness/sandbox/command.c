#include "sandbox/command.h"

#include <errno.h>
#include <string.h>

static int append(struct message *message, const char *string)
{
    size_t length = strlen(string) + 1;

    if (message->length + length > sizeof message->text)
        return -E2BIG;
    memcpy(message->text + message->length, string, length);
    message->length += (uint32_t)length;
    return 0;
}

int command_pack(const struct room_command *command, struct message *message)
{
    struct packed_command packed = {.ignored = command->ignored,
                                    .blocked = command->blocked,
                                    .fd_count = (int32_t)command->fd_count,
                                    .terminal = command->terminal,
                                    .has_cwd = command->cwd != NULL,
                                    .user = command->user,
                                    .group = command->group};

    if (command->fd_count > ROOM_FDS_MAX)
        return -E2BIG;
    message->kind = MESSAGE_SPAWN;
    message->fd_count = (int32_t)command->fd_count;
    for (size_t i = 0; i < command->fd_count; i++) {
        message->fds[i] = command->fds[i].from;
        packed.numbers[i] = command->fds[i].to;
    }
    message->length = sizeof packed;
    for (; command->argv[packed.argc] != NULL; packed.argc++)
        if (append(message, command->argv[packed.argc]) < 0)
            return -E2BIG;
    for (; command->envp[packed.envc] != NULL; packed.envc++)
        if (append(message, command->envp[packed.envc]) < 0)
            return -E2BIG;
    if (packed.argc > COMMAND_ARGS_MAX || packed.envc > COMMAND_ARGS_MAX)
        return -E2BIG;
    if (command->cwd != NULL && append(message, command->cwd) < 0)
        return -E2BIG;
    memcpy(message->text, &packed, sizeof packed);
    return 0;
}

/* The next string of the message, or NULL when there is none. */
static char *take(struct message *message, size_t *at)
{
    char *string = message->text + *at;
    size_t left = message->length - *at;
    size_t length = strnlen(string, left);

    if (length == left)
        return NULL;
    *at += length + 1;
    return string;
}

int command_unpack(struct message *message, struct unpacked_command *command)
{
    const struct packed_command *packed = (const struct packed_command *)message->text;
    size_t at = sizeof *packed;

    if (message->length < sizeof *packed || packed->fd_count != message->fd_count ||
        packed->fd_count > ROOM_FDS_MAX || packed->argc < 1 || packed->argc > COMMAND_ARGS_MAX ||
        packed->envc < 0 || packed->envc > COMMAND_ARGS_MAX)
        return -EBADMSG;
    *command = (struct unpacked_command){.packed = packed};
    for (int i = 0; i < packed->argc; i++)
        if ((command->argv[i] = take(message, &at)) == NULL)
            return -EBADMSG;
    for (int i = 0; i < packed->envc; i++)
        if ((command->envp[i] = take(message, &at)) == NULL)
            return -EBADMSG;
    if (packed->has_cwd && (command->cwd = take(message, &at)) == NULL)
        return -EBADMSG;
    return 0;
}
