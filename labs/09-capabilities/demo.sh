#!/bin/sh
# What lab 09 adds: a root without most of its powers.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

of_status() { # of_status NAME: a line of our own /proc/PID/status
    sed -n "s/^$1:[[:space:]]*//p" /proc/self/status
}

can() { # can COMMAND...: may we?
    if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi
}

# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab09 --rootfs /tmp/rootfs --read-only sh -c '
    can() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
    of_status() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
    echo "uid=$(id -u)"
    echo "permitted=$(of_status CapPrm)"
    echo "bounding=$(of_status CapBnd)"
    echo "gain=$(of_status NoNewPrivs)"
    echo "chroot=$(can chroot / true)"
    echo "name=$(can hostname "$(hostname)")"
    echo "write=$(can touch /etc/new)"')
header
same "user id" "$(id -u)" "$(fact "$inside" uid)"
differ "permitted to it" "$(of_status CapPrm)" "$(fact "$inside" permitted)"
differ "the most it can get" "$(of_status CapBnd)" "$(fact "$inside" bounding)"
expect "no new privileges" "$(of_status NoNewPrivs)" 0 "$(fact "$inside" gain)" 1
expect "may call chroot" "$(can busybox chroot / true)" yes "$(fact "$inside" chroot)" yes
expect "may set the host name" "$(can busybox hostname sandbox)" yes "$(fact "$inside" name)" no
expect "may write to /etc" "$(can touch /tmp/rootfs/etc/new)" yes "$(fact "$inside" write)" no
finish
