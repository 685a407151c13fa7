#!/bin/sh
# What lab 05 adds: a root of its own.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab05 --hostname aquarium --init --rootfs /tmp/rootfs sh -c '
    echo "root=$(stat -c "device %d inode %i" /)"
    echo "name=$(. /etc/os-release; echo "$ID")"
    echo "usr=$(grep -c " /usr " /proc/self/mountinfo)"
    echo "busybox=$(readlink /bin/ls)"
    echo "libraries=$(ls /lib 2>/dev/null | wc -l)"')
header
differ "/ is" "$(stat -c 'device %d inode %i' /)" "$(fact "$inside" root)"
# shellcheck disable=SC1091 # the machine's
differ "the system is" "$(. /etc/os-release && echo "$ID")" "$(fact "$inside" name)"
expect "mounts of our /usr" "$(grep -c ' /usr ' /proc/self/mountinfo)" 1 "$(fact "$inside" usr)" 0
echo "  Out here every program has libraries; in there all is one static BusyBox:"
libraries=$(fact "$inside" libraries)
expect "libraries in /lib" "$([ "$(find /lib/ -maxdepth 1 | wc -l)" -gt 1 ] && echo some)" some \
    "${libraries:-?}" 0

cp /strata/escape /tmp/rootfs/bin/escape
chrooted=$(lab05 --rootfs /tmp/rootfs --chroot escape | tail -n 1)
pivoted=$(lab05 --rootfs /tmp/rootfs escape | tail -n 1)
echo "  A program that walks out of a root, in a chroot and in a container:"
printf '  %-22s %-25s %s\n' "" "chroot" "pivot_root"
expect "escape says" "$chrooted" escaped "$pivoted" "still inside"
finish
