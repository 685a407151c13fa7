/*
 * Lab 09: fewer powers.
 *
 * What root may do is cut into some forty capabilities, and every process has five sets of them.
 * A container keeps a few, in all the sets that matter, and makes sure that exec brings none back.
 * libcap names the capabilities and writes the sets; which set means what, is yours to know.
 *
 * 0 on success, -errno on failure. All but capabilities_parse are called in the new process, in the
 * order: protect_root, become, limit, no_new_privs. None touches the securebits that COMMAND has.
 * capabilities(7), libcap(3)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "given/todo.h"

/* A set of capabilities: bit n for capability number n. */
typedef uint64_t capability_set;

/* What Docker leaves to a container: chown, dac_override, fowner, fsetid, kill, setgid, setuid,
 * setpcap, net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap. */
static const capability_set capabilities_default = 0xa80425fb;

/* Becomes `uid` and `gid`, and a member of `groups` and no other group: groups first, then gid,
 * then uid, each real, effective and saved (and file system) id. Capabilities that are permitted
 * now stay permitted even when uid is not 0: capabilities_limit needs one of them still. The flag
 * for that is off again afterwards: it is meant for this change of uid, and for no later one.
 * Where the kernel has denied setgroups (/proc/self/setgroups), groups cannot change: asked for
 * none, that is no failure; asked for some, it is -EPERM. -EINVAL for an id that is not mapped, and
 * for (uid_t)-1 and (gid_t)-1, which are no ids. setresuid(2), prctl(2): PR_SET_KEEPCAPS */
int capabilities_become(uid_t uid, gid_t gid, const gid_t *groups, size_t count);

/* Leaves at most `keep`, whatever this process and its kernel have:
 *   - the bounding set loses everything else, up to the last capability that this kernel knows,
 *     be it newer than our headers. That takes CAP_SETPCAP: a process that may not use it gets
 *     -EPERM, unless there is nothing to lose;
 *   - permitted and effective become what of `keep` was permitted before, or nothing for a uid
 *     that is not 0;
 *   - inheritable and ambient become empty.
 * A process that started with less than `keep` ends with less, and that is no failure; nor are
 * bits of `keep` that this kernel does not know. */
int capabilities_limit(capability_set keep);

/* Reads a capability's name, as a user types it: "NET_RAW", "cap_net_raw", in any case; "ALL" is
 * every one that this kernel knows. -EINVAL for any other word (a number, two names, "CAP_ALL"). */
int capabilities_parse(const char *name, capability_set *set);

/* From now on no exec gives this process or its children a power that they lack: set-user-ID bits
 * and file capabilities count for nothing. prctl(2), PR_SET_NO_NEW_PRIVS */
int capabilities_no_new_privs(void);

/* Makes `/` read-only, as a mount: writes are refused with EROFS. Its super block, its other flags
 * (nosuid, nodev, …), and what is mounted below (/proc, /dev, /tmp, volumes) stay as they are.
 * -EINVAL when `/` is a mere folder (after chroot(2)): only a mount can be read-only. */
int capabilities_protect_root(void);
