/* What the steps of lab 09's grader share. 09-capabilities.c has the list of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "grade/mounts.h"
#include "grade/run.h"
#include "grade/step.h"

enum { REFUSED = 125 };

/* Layers that need powers to start with, switched off: what is left starts with none. */
#define BARE "--without=uts,pid,mount,root,user"

/* Capabilities by number, as capabilities(7) has them. */
enum {
    DAC_OVERRIDE = 1,
    SETGID = 6,
    SETUID = 7,
    SETPCAP = 8,
    NET_BIND_SERVICE = 10,
    NET_RAW = 13,
    SYS_CHROOT = 18,
    SYS_ADMIN = 21,
    SETFCAP = 31,
};
#define DEFAULT_SET UINT64_C(0xa80425fb) /* what Docker leaves */

static inline uint64_t bit(int capability)
{
    return UINT64_C(1) << capability;
}

/* What capabilities_become may want to use though there is nothing to change, as cap_setuid(3)
 * does. A step that is not about that leaves them to it. */
#define IDENTITY (bit(SETGID) | bit(SETUID))

/* The sets, by their line in /proc/PID/status. */
enum caps_set { BOUNDING, PERMITTED, EFFECTIVE, INHERITABLE, AMBIENT, CAPS_SETS };
extern const char *const caps_lines[CAPS_SETS]; /* "CapBnd" */

/* What /proc/PID/status says, ids as the room numbers them. */
struct powers {
    pid_t pid;
    uid_t uid[4]; /* real, effective, saved, file system */
    gid_t gid[4];
    const gid_t *groups; /* lives as long as the step */
    size_t group_count;
    uint64_t sets[CAPS_SETS];
    int no_new_privs;
};
struct powers caps_of(struct run *run, pid_t pid);

/* All capabilities that this kernel knows. */
uint64_t caps_known(struct grade *g);

/* Some of `from`: each with an even chance. */
uint64_t caps_some(struct grade *g, uint64_t from);

/* "net_raw", and 00000000a80425fb for a set. */
const char *caps_name(int capability);
const char *caps_text(struct grade *g, uint64_t set);

/* "cap_net_raw, cap_sys_admin and 3 more" */
const char *caps_names(struct grade *g, uint64_t set);

/* Starts the lab program with the probe as COMMAND, itself started with `powers`: words of
 * harness/probe/start_with.h separated by spaces, or NULL. In a room of its own when room is
 * NULL; `program` is the lab's when that is NULL. */
struct run *caps_start(struct grade *g, struct run *room, const char *program, const char *powers,
                       const char *const *arguments);

/* The lab program with COMMAND `true`, in that room, to its end; *said is what it printed. */
int caps_run(struct run *room, const char *powers, const char *const *arguments, const char **said);

/* PID 1 of the container (--init), which has executed nothing: its sets are what was written. */
pid_t caps_init(struct run *run);

/* Every thread of the process has just these sets: what was asked is `asked`. */
void caps_check(struct run *run, pid_t pid, const char *who, const uint64_t wanted[CAPS_SETS],
                const char *asked);

/* The same for a container of root's: bounding, permitted and effective are `keep`, else empty. */
void caps_check_root(struct run *run, pid_t pid, const char *who, uint64_t keep, const char *asked);

void caps_step_ids(struct grade *g);
void caps_step_sets(struct grade *g);
void caps_step_drop_all(struct grade *g);
void caps_step_new_privs(struct grade *g);
void caps_step_read_only(struct grade *g);
