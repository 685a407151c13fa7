/* Making a machine of a bare kernel: called once, by a guest's PID 1. */
#pragma once

/* Moves the first root file system so that pivot_root(2) works from it, and mounts what programs
 * find on every machine. 0 or -errno. */
int machine_root(void);

/* Mounts the hierarchies of control groups as distributions have them: "v2", "v1" or "hybrid". */
int machine_cgroups(const char *kind);

/* The limits that a service manager would have set: the kernel's own are lower. */
void machine_limits(void);

/* The loopback interface, and the host's name. */
void machine_network(void);
