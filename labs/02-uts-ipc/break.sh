#!/bin/sh
# Experiments of lab 02: what a UTS and an IPC namespace do not cover.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

experiment "/dev/shm is a mount, not IPC"
predict "Here is a tmpfs with a letter in it. The container has an IPC namespace of its own." \
    "Can it read the letter?"
mkdir -p shm
mount -t tmpfs none shm
echo "dear host" >shm/letter
try "lab02 cat shm/letter"
claim "yes: a file is found through mounts, and lab02 gives no mount namespace" is "dear host"
umount shm

experiment "And what an IPC namespace does cover"
predict "A System V queue with key 0x51 is made out here. Does the container see it?"
try "ipcmk -Q >/dev/null; tail -n +2 /proc/sysvipc/msg | wc -l"
claim "out here: one queue" is 1
try "lab02 sh -c 'tail -n +2 /proc/sysvipc/msg | wc -l'"
claim "in there: none" is 0

experiment "The unshare -fpiu puzzle"
predict "\"unshare -fpiu gives new pid, net, ipc and uts namespaces\", says a tutorial." \
    "Which of the four do you not get?"
for kind in pid net ipc uts; do
    inside=$(unshare -fpiu readlink /proc/self/ns/$kind)
    ours=$(readlink /proc/self/ns/$kind)
    echo "   $kind  ours $ours  inside $inside"
    if [ $kind = net ]; then
        claim "net is shared: -f is fork, the network's letter is -n" [ "$inside" = "$ours" ]
    else
        claim "$kind is new" [ "$inside" != "$ours" ]
    fi
done

experiment "A name without the namespace"
predict "lab02 sets a name in a container; then a plain child process sets one, without a" \
    "namespace. Whose name changes, and does it change back?"
try "lab02 --hostname aquarium hostname; hostname"
claim "in the container: there only" [ "$out" = "$(printf 'aquarium\nsandbox')" ]
try "sh -c 'hostname oops'; hostname"
claim "without: ours, and it stays" is oops
hostname sandbox

finish
