/* The payload that graders run as COMMAND: it holds still, and does small things when asked. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/probe.h"
#include "probe/refuse_filters.h"
#include "probe/signals.h"
#include "probe/start_with.h"
#include "probe/verbs.h"

/* A reply to nobody (the grader is gone, or fd 0 is no socket) ends the probe. */
static void say(const char *text)
{
    ssize_t sent;

    do
        sent = send(0, text, strlen(text), MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        _exit(120);
}

int main(int argc, char **argv)
{
    static char request[PROBE_TEXT], reply[PROBE_TEXT];

    if (argc > 2 && strcmp(argv[1], "--start-with") == 0)
        probe_start_with(argv + 2);
    if (argc > 2 && strcmp(argv[1], "--refuse-filters") == 0)
        probe_refuse_filters(argv + 2);
    /* verbs_powers.c: the second of two probes in one process goes on where the first was. */
    say(argc == 2 && strcmp(argv[1], "--again") == 0 ? "ok" : PROBE_HELLO);
    for (;;) {
        ssize_t got = recv(0, request, sizeof request - 1, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        request[got] = '\0';
        verb_run(request, reply, sizeof reply);
        say(reply);
        probe_after_reply();
    }
}
