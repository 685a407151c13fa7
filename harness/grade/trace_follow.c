#include "grade/trace_follow.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FOLLOWED_MAX = 512,
    OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
              PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC
};

/* Whom we follow, and the call that each is in. */
static struct followed {
    pid_t pid;
    struct trace_call *call; /* NULL: none of which we saw the beginning */
} followed[FOLLOWED_MAX];

static const struct trace_look *looking;

static struct followed *find(pid_t pid)
{
    struct followed *free_place = NULL;

    for (size_t i = 0; i < FOLLOWED_MAX; i++) {
        if (followed[i].pid == pid)
            return &followed[i];
        if (followed[i].pid == 0 && free_place == NULL)
            free_place = &followed[i];
    }
    if (free_place != NULL)
        *free_place = (struct followed){.pid = pid};
    return free_place;
}

/* --- a call --------------------------------------------------------------------------------- */

/* Which arguments of a call are names of files: the first and the second, or -1. */
static void name_arguments(uint64_t number, int which[2])
{
    static const struct {
        long number;
        int which[2];
    } table[] = {
        {SYS_execve, {0, -1}},      {SYS_openat, {1, -1}},       {SYS_openat2, {1, -1}},
        {SYS_linkat, {1, 3}},       {SYS_unlinkat, {1, -1}},     {SYS_mkdirat, {1, -1}},
        {SYS_renameat2, {1, 3}},    {SYS_symlinkat, {0, 2}},     {SYS_setxattr, {0, 1}},
        {SYS_lsetxattr, {0, 1}},    {SYS_fsetxattr, {1, -1}},    {SYS_getxattr, {0, 1}},
        {SYS_lgetxattr, {0, 1}},    {SYS_fgetxattr, {1, -1}},    {SYS_removexattr, {0, 1}},
        {SYS_lremovexattr, {0, 1}}, {SYS_fremovexattr, {1, -1}},
#ifdef SYS_renameat /* newer architectures go without these */
        {SYS_renameat, {1, 3}},
#endif
#ifdef SYS_open
        {SYS_open, {0, -1}},        {SYS_creat, {0, -1}},        {SYS_rename, {0, 1}},
        {SYS_link, {0, 1}},         {SYS_unlink, {0, -1}},       {SYS_mkdir, {0, -1}},
        {SYS_symlink, {0, 1}},
#endif
    };

    which[0] = which[1] = -1;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((uint64_t)table[i].number == number)
            for (int k = 0; k < 2; k++)
                which[k] = table[i].which[k];
}

/* Never beyond a page at once: what follows may not be there. */
void trace_text(const struct trace_call *call, uint64_t address, char *text, size_t size)
{
    size_t length = 0;

    memset(text, 0, size);
    while (length < size - 1) {
        size_t to_page_end = 4096 - (address + length) % 4096, rest = size - 1 - length;
        struct iovec here = {text + length, rest < to_page_end ? rest : to_page_end};
        struct iovec there = {(void *)(uintptr_t)(address + length), here.iov_len};
        ssize_t got = process_vm_readv(call->pid, &here, 1, &there, 1, 0);
        if (got <= 0 || memchr(text + length, '\0', (size_t)got) != NULL)
            break;
        length += (size_t)got;
    }
    text[size - 1] = '\0';
}

int trace_answer(const struct trace_call *call, int64_t result)
{
    struct user_regs_struct registers;
    struct iovec all = {&registers, sizeof registers};

    if (ptrace(PTRACE_GETREGSET, call->pid, (void *)NT_PRSTATUS, &all) < 0)
        return -errno;
#if defined __x86_64__
    registers.rax = (uint64_t)result;
#elif defined __aarch64__
    registers.regs[0] = (uint64_t)result;
#else
    (void)result;
    return -ENOSYS;
#endif
    return ptrace(PTRACE_SETREGSET, call->pid, (void *)NT_PRSTATUS, &all) < 0 ? -errno : 0;
}

static void note_entry(struct trace_memory *memory, struct followed *who,
                       const struct __ptrace_syscall_info *info)
{
    size_t count = atomic_load(&memory->count);
    struct trace_call *call = &memory->calls[count];
    int which[2];

    if (count == TRACE_CALLS) {
        atomic_store(&memory->full, true);
        _exit(0);
    }
    *call = (struct trace_call){.pid = who->pid, .arch = info->arch, .number = info->entry.nr};
    for (int i = 0; i < 6; i++)
        call->args[i] = info->entry.args[i];
    name_arguments(call->number, which);
    for (int i = 0; i < 2 && call->arch == memory->native; i++)
        if (which[i] >= 0)
            trace_text(call, call->args[which[i]], call->paths[i], TRACE_PATH);
    who->call = call;
    atomic_store(&memory->count, count + 1);
    if (looking != NULL)
        looking->look(looking->arg, call, true);
}

static void note_end(struct followed *who, int64_t result)
{
    if (who->call == NULL)
        return;
    struct trace_call *call = who->call;
    call->result = result;
    call->done = true;
    who->call = NULL;
    if (looking != NULL)
        looking->look(looking->arg, call, false);
}

static void on_call(struct trace_memory *memory, struct followed *who)
{
    struct __ptrace_syscall_info info = {0};

    if (ptrace(PTRACE_GET_SYSCALL_INFO, who->pid, sizeof info, &info) <= 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        note_entry(memory, who, &info);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        note_end(who, info.exit.rval);
}

/* --- following ------------------------------------------------------------------------------ */

/* The first exec is that of the lab program, with which the list begins. At any other we let go.
 * Returns whether we still follow. */
static bool on_exec(struct trace_memory *memory, pid_t pid)
{
    static bool begun;
    struct followed *who;
    unsigned long before = 0;

    /* An exec by a thread: it takes over the number of the process. */
    ptrace(PTRACE_GETEVENTMSG, pid, NULL, &before);
    who = find((pid_t)before);
    if (who != NULL && who->call != NULL)
        who->call->pid = pid;
    if (who != NULL)
        note_end(who, 0);
    if (!begun) {
        begun = true;
        atomic_store(&memory->count, 0);
        return true;
    }
    if (who != NULL)
        *who = (struct followed){0};
    if ((pid_t)before != pid && (who = find(pid)) != NULL)
        *who = (struct followed){0};
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
    return false;
}

static bool stops_a_group(int number)
{
    return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

static void on_stop(struct trace_memory *memory, struct followed *who, int status)
{
    int event = status >> 16, number = WSTOPSIG(status), deliver = 0;

    if (event == PTRACE_EVENT_EXEC) {
        if (!on_exec(memory, who->pid))
            return;
    } else if (event == PTRACE_EVENT_STOP && stops_a_group(number)) {
        ptrace(PTRACE_LISTEN, who->pid, NULL, NULL); /* it stays stopped, as it would without us */
        return;
    } else if (event == 0 && number == (SIGTRAP | 0x80)) {
        on_call(memory, who);
    } else if (event == 0) {
        deliver = number;
    }
    ptrace(PTRACE_SYSCALL, who->pid, NULL, (void *)(intptr_t)deliver);
}

/* Has it stand still once, so that its next call is seen. */
static bool begin(pid_t pid, struct trace_memory *memory)
{
    struct __ptrace_syscall_info info = {0};
    int status;

    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) < 0 ||
        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || waitpid(pid, &status, __WALL) != pid ||
        !WIFSTOPPED(status) || ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0)
        return false;
    memory->native = info.arch;
    return ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0;
}

_Noreturn void trace_follow(pid_t pid, struct trace_memory *memory, const struct trace_look *look,
                            int ready)
{
    int status;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGALRM, SIG_DFL);
    alarm(4 * RUN_SECONDS); /* nothing keeps us for ever */
    looking = look;
    find(pid);
    if (!begin(pid, memory) || write(ready, "", 1) != 1)
        _exit(1);
    close(ready);
    for (;;) {
        pid_t stopped = waitpid(-1, &status, __WALL);
        if (stopped < 0 && errno == EINTR)
            continue;
        if (stopped < 0)
            _exit(0); /* nobody is left */
        struct followed *who = find(stopped);
        if (who == NULL)
            _exit(1); /* too many to follow */
        if (WIFSTOPPED(status))
            on_stop(memory, who, status);
        else
            *who = (struct followed){0};
    }
}
