#!/bin/sh
# Experiments of lab 11: whose account memory is on, what keeps a group from going, and what a frozen
# process does with SIGKILL.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
[ "$CGROUPS" != none ] || exit 4
. /strata/experiment.sh

memory=/sys/fs/cgroup pids=/sys/fs/cgroup usage=memory.current
if [ "$CGROUPS" = 1 ]; then
    memory=/sys/fs/cgroup/memory pids=/sys/fs/cgroup/pids usage=memory.usage_in_bytes
else
    echo '+memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
fi

below() { # below LIMIT: the number that was printed last is smaller
    [ "$(printf '%s\n' "$out" | tail -n 1)" -lt "$1" ]
}

experiment "Move in first, limit later"
predict "A shell reads 20 MB into a variable, and then moves into a new group. Does the group's" \
    "account show 20 MB?"
try "mkdir $memory/tank; sh -c 'x=\$(head -c 20000000 /dev/zero | tr \"\\\\0\" x); echo \$\$ >$memory/tank/cgroup.procs; cat $memory/tank/$usage'; rmdir $memory/tank"
claim "no: what was taken before stays on the old account" below 10000000

experiment "Remove a group with a process in it"
predict "A group's folder shows a dozen files, and one process is in it. rmdir: which error? And" \
    "with the files there and the process gone?"
try "mkdir $pids/tank; sleep 99 & echo \$! >$pids/tank/cgroup.procs; rmdir $pids/tank; kill \$!; wait \$!; rmdir $pids/tank && echo gone"
claim "with the process: EBUSY" says "Device or resource busy"
claim "with all its files, but no process: it goes" says gone

experiment "Kill what is frozen"
if [ "$CGROUPS" = 1 ]; then
    predict "Version 1: a sleep is frozen, and gets SIGKILL. Is it dead? And after thawing?"
    try "F=/sys/fs/cgroup/freezer; mkdir \$F/ice; sleep 99 & echo \$! >\$F/ice/cgroup.procs; echo FROZEN >\$F/ice/freezer.state; until grep -q FROZEN \$F/ice/freezer.state; do sleep 0.1; done; kill -9 \$!; sleep 0.2; kill -0 \$! && echo it lives; echo THAWED >\$F/ice/freezer.state; wait \$!; echo status \$?; rmdir \$F/ice"
    claim "frozen, it does not die" says "it lives"
    claim "thawed, it does: 128 + 9" says "status 137"
else
    predict "Version 2: a sleep is frozen, and gets SIGKILL. Is it dead?"
    try "F=/sys/fs/cgroup; mkdir \$F/ice; sleep 99 & echo \$! >\$F/ice/cgroup.procs; echo 1 >\$F/ice/cgroup.freeze; until grep -q 'frozen 1' \$F/ice/cgroup.events; do sleep 0.1; done; kill -9 \$!; wait \$!; echo status \$?; rmdir \$F/ice"
    claim "it is: version 2 lets a frozen process die" says "status 137"
fi

experiment "A fork bomb at its limit"
predict "Twelve processes are allowed, and a shell starts thirty. How many come to be, and what does" \
    "the machine notice of it?"
try "lab11 --pids-limit 12 sh -c 'i=0; while [ \$i -lt 30 ]; do sleep 9 & i=\$((i+1)); done'"
claim "fork is refused in there" says "fork"
claim "and nothing is left of the group" [ "$(find /sys/fs/cgroup -name 'strata-*' | wc -l)" = 0 ]

finish
