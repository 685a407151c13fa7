/*
 * A guest: a small machine with a kernel of its own (QEMU), on which labs can be graded whatever
 * the host offers. It needs no privilege: no root, no KVM, no network, no loop device, and while it
 * runs there is no file of it: what it boots from is in memory (memfd_create(2)), and what it says
 * comes through pipes.
 *
 *   build/grade                 holds the write end of a pipe, the lifeline, and waits with
 * deadlines └─ watcher                 in a session of its own; ends QEMU when the lifeline's other
 * end goes └─ qemu-system-…       dies with its watcher (prctl(2), PR_SET_PDEATHSIG)
 *
 * So whoever of them is killed, and however, QEMU ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vm/frame.h"

enum guest_cgroup { GUEST_V2, GUEST_V1, GUEST_HYBRID, GUEST_CGROUPS };

/* "v2", "v1", "hybrid". */
const char *guest_cgroup_name(enum guest_cgroup cgroup);

/* A file of the host that the guest finds as `path` (without a leading '/'). */
struct guest_file {
    const char *path;
    const char *source;
    mode_t mode;
};

struct guest_options {
    const char *root; /* the kit's folder */
    enum guest_cgroup cgroup;
    bool kvm;
    const char *job; /* what it is to do, init.c describes it; the nonce is put before it */
    const struct guest_file *files;
    size_t file_count;
    int boot_ms;    /* how long until it says its first word; 0: GUEST_BOOT_MS      */
    int silence_ms; /* how long between any two of its messages; 0: GUEST_SILENCE_MS */
    void (*message)(void *arg, const char *message, size_t length);
    void (*console)(void *arg, const char *text, size_t length); /* the kernel's words */
    void *arg;
};

enum { GUEST_BOOT_MS = 60000, GUEST_SILENCE_MS = 180000 };

struct guest {
    struct guest_options options;
    struct frame_reader reader;
    pid_t watcher;
    int lifeline;
    int report;
    int console;
    int64_t deadline; /* of CLOCK_MONOTONIC, milliseconds */
    bool done;        /* it has ended, or was ended                                */
    bool good;        /* with done: all that it said came whole; else `why`        */
    char why[160];
};

/* What is lacking for guests here: NULL, or a sentence that lives as long as the process. Makes
 * what they boot from, where that is out of date (system.sh), so it may take two seconds. */
const char *guest_lacking(const char *root);

/* Starts one. 0, or -errno with a sentence in guest->why. The options are copied, what they point
 * to is needed during the call only, but for `arg`. */
int guest_open(const struct guest_options *options, struct guest *guest);

/* Hears what it says for at most `timeout` milliseconds. True while it runs; then see `good`. */
bool guest_pump(struct guest *guest, int timeout);

/* Ends it, and waits until all of it is gone. Safe on a zeroed struct and twice. */
void guest_close(struct guest *guest);

/* Whether KVM works here: found out once, by booting with it within a short deadline, and
 * remembered in build/vm/kvm for this machine and kernel. (/dev/kvm may open, and guests hang all
 * the same.) */
bool guest_kvm(const char *root);
