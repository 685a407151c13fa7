/*
 * grind: uses CPU time, and says how much it got. A program of its own, linked statically, so that
 * it runs in a root file system that has no library. Built apart from lab13.
 *
 *     grind [-w] [-t] [-c CPU] MILLISECONDS
 *
 * It computes until it has used so many milliseconds of CPU time; with -w until so many have passed
 * on the clock. -c: on this processor only. -t also prints when it ran and when it stood still: two
 * looks at the clock that are more than 15 ms apart mean that somebody else ran, or nobody.
 */
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STILL_US = 15000 };

static long long clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static bool pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

/* Works until `clock` shows `end`; prints each time of running and of standing still if asked to.
 */
static void grind(clockid_t clock, long long end, bool timeline)
{
    long long now = clock_us(CLOCK_MONOTONIC), since = now, last;

    while (clock_us(clock) < end) {
        last = now;
        now = clock_us(CLOCK_MONOTONIC);
        if (now - last < STILL_US || !timeline)
            continue;
        printf("ran %3lld ms, stood still %3lld ms\n", (last - since) / 1000, (now - last) / 1000);
        since = now;
    }
    if (timeline)
        printf("ran %3lld ms\n", (clock_us(CLOCK_MONOTONIC) - since) / 1000);
}

int main(int argc, char **argv)
{
    clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
    bool timeline = false;
    int option;

    while ((option = getopt(argc, argv, "wtc:")) != -1) {
        if (option == 'w')
            clock = CLOCK_MONOTONIC;
        else if (option == 't')
            timeline = true;
        else if (option != 'c' || !pin(atoi(optarg)))
            return 2;
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: grind [-w] [-t] [-c CPU] MILLISECONDS\n");
        return 2;
    }
    long long wall = clock_us(CLOCK_MONOTONIC), used = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    grind(clock, clock_us(clock) + atoll(argv[optind]) * 1000, timeline);
    wall = clock_us(CLOCK_MONOTONIC) - wall;
    used = clock_us(CLOCK_PROCESS_CPUTIME_ID) - used;
    long long tenths = wall > 0 ? used * 1000 / wall : 1000;
    printf("used %lld ms of CPU in %lld ms: %lld.%lld %%\n", used / 1000, wall / 1000, tenths / 10,
           tenths % 10);
    return 0;
}
