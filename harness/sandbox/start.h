/* Starting a command in a room; called by the room's PID 1. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "sandbox/message.h"

/* Starts the command that a MESSAGE_SPAWN holds and tells the harness: MESSAGE_STARTED once it is
 * executed, MESSAGE_FAILED otherwise. `note` is told its pid first, and may refuse it. */
void command_start(int socket, struct message *message, bool (*note)(pid_t pid));
