/* Verbs about processes, signals and what a process has: a system call or two each. */
#include "probe/verbs.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/process.h"
#include "probe/signals.h"

static volatile sig_atomic_t caught[NSIG];

static void on_signal(int number)
{
    caught[number]++;
}

/* who: pid, parent, user, group, host name, domain name, working directory. */
static void verb_who(char *arguments, struct answer *answer)
{
    struct utsname name;
    char cwd[4096];

    (void)arguments;
    uname(&name);
    put(answer, "ok pid %d parent %d uid %d gid %d host %s domain %s cwd %s", getpid(), getppid(),
        getuid(), getgid(), name.nodename, name.domainname,
        getcwd(cwd, sizeof cwd) != NULL ? cwd : "?");
}

/* exit STATUS: never returns. */
static void verb_exit(char *arguments, struct answer *answer)
{
    (void)answer;
    _exit(atoi(arguments));
}

/* die SIGNAL: ends by that signal, whatever its handling was. PID 1 cannot: it answers. */
static void verb_die(char *arguments, struct answer *answer)
{
    int number = atoi(arguments);
    sigset_t mask;

    signal(number, SIG_DFL);
    sigemptyset(&mask);
    sigaddset(&mask, number);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    kill(getpid(), number);
    put_result(answer, true);
}

/* catch SIGNAL: counts it from now on; caught SIGNAL: how often it came. */
static void verb_catch(char *arguments, struct answer *answer)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    put_result(answer, sigaction(atoi(arguments), &action, NULL) == 0);
}

static void verb_caught(char *arguments, struct answer *answer)
{
    int number = atoi(arguments);

    put(answer, "ok %d", number > 0 && number < NSIG ? (int)caught[number] : -1);
}

/* orphan [hold]: a grandchild whose parent has ended. It ends once it is an orphan, or with "hold"
 * stays. The reply names it as seen here. */
static void verb_orphan(char *arguments, struct answer *answer)
{
    int news[2], gone[2];
    bool hold = strcmp(arguments, "hold") == 0;
    pid_t orphan = -1;
    char byte;

    if (pipe(news) < 0 || pipe(gone) < 0) {
        put_result(answer, false);
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        close(gone[1]);
        orphan = fork();
        if (orphan == 0) {
            close(news[1]);
            /* End of file once we, the probe, have reaped the one between us. */
            while (read(gone[0], &byte, 1) < 0 && errno == EINTR)
                ;
            while (hold)
                pause();
            _exit(7);
        }
        _exit(write(news[1], &orphan, sizeof orphan) < 0);
    }
    close(news[1]);
    close(gone[0]);
    if (child < 0 || read(news[0], &orphan, sizeof orphan) != (ssize_t)sizeof orphan)
        put_result(answer, false);
    else
        put(answer, "ok %d", orphan);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    close(gone[1]);
    close(news[0]);
}

/* child: a child that stays until it is killed; the reply names it. */
static void verb_child(char *arguments, struct answer *answer)
{
    pid_t child = fork();

    (void)arguments;
    if (child == 0)
        for (;;)
            pause();
    if (child < 0)
        put_result(answer, false);
    else
        put(answer, "ok %d", child);
}

/* kill PID SIGNAL */
static void verb_kill(char *arguments, struct answer *answer)
{
    int pid = 0, number = 0;

    sscanf(arguments, "%d %d", &pid, &number);
    put_result(answer, kill(pid, number) == 0);
}

/* execute PATH: whether a file may be executed (exec is tried in a child): its exit status. */
static void verb_execute(char *arguments, struct answer *answer)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        execl(arguments, arguments, (char *)NULL);
        _exit(200 + (errno & 31));
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        put_result(answer, false);
    else
        put(answer, "ok %d", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* For what returns 0, a pid, or -errno: "ok", "ok PID", "error N". */
static void put_return(struct answer *answer, int result)
{
    errno = result < 0 ? -result : 0;
    put_result(answer, result >= 0);
    if (result > 0)
        put(answer, " %d", result);
}

/* threads COUNT, take MIB, capabilities HEX: process.h says what each does. */
static void verb_threads(char *arguments, struct answer *answer)
{
    put_return(answer, probe_threads(atoi(arguments)));
}

static void verb_take(char *arguments, struct answer *answer)
{
    put_return(answer, probe_take(strtoul(arguments, NULL, 10)));
}

static void verb_capabilities(char *arguments, struct answer *answer)
{
    put_return(answer, probe_capabilities(strtoull(arguments, NULL, 16)));
}

/* burn user TICKS, burn system TICKS */
static void verb_burn(char *arguments, struct answer *answer)
{
    const char *where = strsep(&arguments, " ");

    put_return(answer,
               probe_burn(arguments != NULL ? atoi(arguments) : 0, strcmp(where, "system") == 0));
}

/* group FLAGS COUNT: a family of processes in new namespaces; unshare FLAGS: ourselves. */
static void verb_group(char *arguments, struct answer *answer)
{
    int flags = 0, count = 0;

    sscanf(arguments, "%i %d", &flags, &count);
    put_return(answer, probe_group(flags, count));
}

static void verb_unshare(char *arguments, struct answer *answer)
{
    put_result(answer, unshare((int)strtol(arguments, NULL, 0)) == 0);
}

/* tally: counts every signal from now on; tallied: "NUMBER:COUNT …" of those that came. */
static void verb_tally(char *arguments, struct answer *answer)
{
    (void)arguments;
    probe_tally();
    put_result(answer, true);
}

static void verb_tallied(char *arguments, struct answer *answer)
{
    (void)arguments;
    put(answer, "ok");
    for (int number = 1; number < NSIG; number++)
        if (probe_tallied(number) > 0)
            put(answer, " %d:%d", number, probe_tallied(number));
}

/* orphans COUNT STATUS: so many that wait for "release", and then all end with STATUS. */
static void verb_orphans(char *arguments, struct answer *answer)
{
    int count = 0, status = 0;

    sscanf(arguments, "%d %d", &count, &status);
    put_return(answer, probe_orphans(count, status));
}

static void verb_release(char *arguments, struct answer *answer)
{
    (void)arguments;
    probe_release();
    put_result(answer, true);
}

const struct verb verbs_of_processes[] = {
    {"who", verb_who},         {"exit", verb_exit},
    {"die", verb_die},         {"catch", verb_catch},
    {"caught", verb_caught},   {"orphan", verb_orphan},
    {"child", verb_child},     {"kill", verb_kill},
    {"execute", verb_execute}, {"threads", verb_threads},
    {"take", verb_take},       {"capabilities", verb_capabilities},
    {"burn", verb_burn},       {"group", verb_group},
    {"unshare", verb_unshare}, {"tally", verb_tally},
    {"tallied", verb_tallied}, {"orphans", verb_orphans},
    {"release", verb_release}, {0},
};
