/* What the parts of lab 02's grader share. 02-uts-ipc.c has the list of steps. */
#pragma once

#include "grade/run.h"
#include "grade/step.h"

void uts_step_host_name(struct grade *g);
void uts_step_domain_name(struct grade *g);
void uts_step_too_long(struct grade *g);
void uts_step_sysv(struct grade *g);
void uts_step_mqueue(struct grade *g);

/* Starts the lab program with this option, and the probe as COMMAND. */
struct run *uts_run_with(struct grade *g, const char *option, const char *value);

/* A room in which nothing has happened yet, to see what it was like before. */
struct run *uts_fresh_room(struct grade *g);

/* A start that must be refused with the kernel's own words, and COMMAND not run. */
struct refusal {
    const char *const *arguments;
    const char *what;                      /* "a host name of 65 bytes"             */
    const char *function;                  /* whose error it is                     */
    const char *error;                     /* "Invalid argument"                    */
    const char *not_refused, *wrong_error; /* because                               */
    const char *see;
    /* Looks closer when it was not refused, for the verdict; NULL: no need. */
    const char *(*started)(struct grade *g, const struct refusal *refusal);
};

void uts_check_refused(struct grade *g, const struct refusal *refusal);
