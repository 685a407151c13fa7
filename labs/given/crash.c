/* Says where a program crashed. Handlers survive clone, so a crash between clone and exec, where
 * most of a container's code runs, is reported too. */
#include "given/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const char __executable_start; /* the linker's: where the program's first byte lies */
extern const char etext;

static const char *name;

/* Only async-signal-safe calls from here on: signal-safety(7). */
static size_t put_hex(char *out, uintptr_t value)
{
    size_t digits = 1;

    for (uintptr_t rest = value >> 4; rest != 0; rest >>= 4)
        digits++;
    for (size_t i = digits; i-- > 0; value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
    return digits;
}

static void on_crash(int number)
{
    void *frames[24];
    char line[512];
    size_t length = 0;
    int depth = backtrace(frames, 24);

    length = (size_t)(stpcpy(stpcpy(line, name), ": crashed: signal ") - line);
    if (number >= 10)
        line[length++] = (char)('0' + number / 10);
    line[length++] = (char)('0' + number % 10);
    length = (size_t)(stpcpy(line + length, " at") - line);
    for (int i = 1; i < depth && length < sizeof line - 32; i++) { /* frame 0 is this function */
        uintptr_t at = (uintptr_t)frames[i];
        if (at < (uintptr_t)&__executable_start || at >= (uintptr_t)&etext)
            continue; /* libc's own */
        length = (size_t)(stpcpy(line + length, " +0x") - line);
        length += put_hex(line + length, at - (uintptr_t)&__executable_start);
    }
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0) {
        /* nobody listens; the signal below says the rest */
    }
    /* SA_RESETHAND put the default action back: once this returns, the fault strikes again. For
     * abort() and the like it has to be raised once more. */
    raise(number);
}

void crash_report(const char *program)
{
    static char stack[64 * 1024];
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | (int)SA_RESETHAND};
    void *frame;

    name = program;
    backtrace(&frame, 1); /* loads what it needs now: in a handler it would call malloc */
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
}
