#!/bin/sh
# What lab 10 adds: a kernel that can be asked for less.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

cp /strata/doors /tmp/rootfs/bin/doors

door() { # door TEXT NAME: what doors printed of it
    printf '%s\n' "$1" | awk -v name="$2" '$1 == name { print $2 }'
}

of_status() { # of_status NAME: a line of our own /proc/PID/status
    sed -n "s/^$1:[[:space:]]*//p" /proc/self/status
}

# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab10 --rootfs /tmp/rootfs --unlimited sh -c '
    echo "filter=$(sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status)"
    mount -t tmpfs none /mnt 2>/dev/null; echo "mount=$?"')
ours=$(/strata/doors)
theirs=$(lab10 --rootfs /tmp/rootfs --unlimited doors)
header
expect "Seccomp" "$(of_status Seccomp)" 0 "$(fact "$inside" filter)" 2
echo "  Root with all capabilities, in there too. A new namespace, by:"
expect "clone" "$(door "$ours" clone)" open "$(door "$theirs" clone)" EPERM
expect "clone3" "$(door "$ours" clone3)" open "$(door "$theirs" clone3)" ENOSYS
expect "unshare" "$(door "$ours" unshare)" open "$(door "$theirs" unshare)" EPERM
expect "setns" "$(door "$ours" setns)" open "$(door "$theirs" setns)" EPERM
mkdir -p /tmp/mnt
mount -t tmpfs none /tmp/mnt
expect "mount ends with" "$?" 0 "$(fact "$inside" mount)" 1
umount /tmp/mnt
echo "  What a program needs all day:"
expect "a new process" "$(door "$ours" process)" open "$(door "$theirs" process)" open
expect "a new thread" "$(door "$ours" thread)" open "$(door "$theirs" thread)" open
finish
