/* The room's side of its control groups. */
#pragma once

/* Waits on `socket` until the harness has put us into them, makes them the root of a cgroup
 * namespace of the room, and mounts their hierarchies as systemd does: a pure v2 one at
 * /sys/fs/cgroup, else a folder for each there. In v2 the room's processes then live in the group
 * "init", so that the root is free to hand controllers down. 0 or -errno. */
int inner_groups(int socket);
