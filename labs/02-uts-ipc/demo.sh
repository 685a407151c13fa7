#!/bin/sh
# What lab 02 adds: a host name and queues of its own.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

ipcmk -Q >/dev/null
queues='tail -n +2 /proc/sysvipc/msg | wc -l'
inside=$(lab02 --hostname aquarium sh -c "echo name=\$(hostname)
    echo uts=\$(readlink /proc/self/ns/uts)
    echo ipc=\$(readlink /proc/self/ns/ipc)
    echo queues=\$($queues)")
header
expect "host name" "$(hostname)" sandbox "$(fact "$inside" name)" aquarium
differ "UTS namespace" "$(namespace uts)" "$(fact "$inside" uts)"
differ "IPC namespace" "$(namespace ipc)" "$(fact "$inside" ipc)"
expect "System V queues" "$(eval "$queues")" 1 "$(fact "$inside" queues)" 0
finish
