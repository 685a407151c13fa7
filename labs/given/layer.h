/*
 * How a layer plugs into the start of a container.
 *
 * Every lab adds one layer: options, namespaces, and hooks that the start of a container calls
 * in one fixed order. That order is the heart of every container runtime; it stands here, once,
 * and docs/architecture.md says for each line why it cannot stand elsewhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "01-process/process.h"

/* The start order. The first group runs in the parent, the second in the new process. */
enum start_phase {
    START_CGROUP,       /* parent, before the clone: the group and its limits             */
    START_ID_MAPS,      /* parent, while the child waits: user and group id maps          */
    START_NETWORK,      /* parent, while the child waits: links into its namespace        */
    START_IDENTITY,     /* child: become root of the new user namespace                   */
    START_HOST_NAME,    /* child: host name, domain name, queues                          */
    START_PRIVATE_TREE, /* child: nothing mounted from here on may show outside           */
    START_ROOT_TREE,    /* child: what becomes the root: an overlay, a bind               */
    START_VOLUMES,      /* child: binds and tmpfs below it                                */
    START_PROC,         /* child: before the old root goes: a user namespace demands it   */
    START_DEVICES,      /* child: /sys, /dev: their nodes still come from the old root    */
    START_PIVOT,        /* child: the new root becomes the root                           */
    START_OLD_ROOT,     /* child: the old one goes                                        */
    START_MASKS,        /* child: what even a private /proc shows too much of             */
    START_WORKDIR,      /* child: where COMMAND starts                                    */
    START_CGROUP_NS,    /* child: after joining the group, so that it is the root         */
    START_IDS,          /* child: groups, then gid, then uid                              */
    START_CAPABILITIES, /* child: fewer powers; nothing above needs them any more         */
    START_NO_NEW_PRIVS, /* child: what exec may not give back                             */
    START_SECCOMP,      /* child: last, since the filter forbids what the others did      */
};

struct container {
    const char *program; /* "lab05", for messages                                          */
    char **argv;         /* COMMAND and its arguments                                      */
    char **envp;         /* its environment, exactly                                       */
    uint64_t namespaces; /* CLONE_NEW* flags that the layers asked for                     */
    int cgroup;          /* directory fd of its control group (v2), or -1                  */
    const char *root;    /* where its root lies until the pivot; "" is the present root    */
    const char *workdir; /* where COMMAND starts; NULL: where we stand                     */
    int (*main)(void *); /* what runs in place of COMMAND (an init), or NULL               */
    void *main_arg;
    struct process process; /* set once it runs                                             */
    int status;             /* set once it has ended: its exit status, by the shell's rule  */
};

struct layer_option {
    const char *name;     /* "hostname"                                                    */
    char letter;          /* 'e' for -e, or 0                                              */
    const char *argument; /* "NAME", or NULL when it takes none                            */
    const char *help;
    /* 0, or -errno for a value that makes no sense. OPTION_DONE ends the program well: the option
     * was a question, and its answer has been printed. */
    int (*set)(struct container *container, const char *value);
};
enum { OPTION_DONE = 1 };

struct layer_hook {
    enum start_phase phase;
    const char *name; /* the function of the layer that it calls, for messages               */
    int (*run)(struct container *container);
};

struct layer {
    const char *name;                                  /* "uts", for --without=uts           */
    void (*prepare)(struct container *container);      /* its defaults, before options; or NULL */
    const struct layer_option *options;                /* ends with .name == NULL            */
    int (*namespaces)(uint64_t *flags);                /* adds its CLONE_NEW* flags, or NULL */
    const struct layer_hook *hooks;                    /* ends with .run == NULL             */
    void (*finish)(const struct container *container); /* after COMMAND ended, or NULL       */
};

struct lab_program {
    const char *name;                  /* "lab05"                                          */
    const char *title;                 /* for --help                                       */
    const struct layer *const *layers; /* layers 1..N, ends with NULL                      */
};

/* The whole of a lab's main(): parses the options of all layers, starts COMMAND in a container of
 * those layers, waits, and returns the exit status by the rules of docker run(1). */
int lab_main(const struct lab_program *program, int argc, char **argv);
