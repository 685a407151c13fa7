#!/bin/sh
# Experiments of lab 09: one capability more or less, and what exec gives back.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

cp /strata/escape /strata/shed /tmp/rootfs/bin/

ids=$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)

experiment "Walk out of a chroot, once more"
predict "escape (lab 05) leaves a chroot. Now it runs with Docker's fourteen capabilities, and then" \
    "with thirteen of them. Which one does it need, and is that among the fourteen?"
try "lab09 --rootfs /tmp/rootfs --chroot escape"
claim "fourteen are enough" says escaped
try "lab09 --rootfs /tmp/rootfs --chroot --cap-drop SYS_CHROOT escape"
claim "without CAP_SYS_CHROOT its second chroot is refused" says "Operation not permitted"
claim "and it stays where it was" [ "$status" = 2 ]
try "lab09 --rootfs /tmp/rootfs escape"
claim "pivot_root holds it with all fourteen" says "still inside"

experiment "Give all away"
predict "shed gives all its capabilities away, and executes grep. Its uid is 0. What is permitted to" \
    "grep, first with --allow-new-privs and then without?"
try "lab09 --rootfs /tmp/rootfs --allow-new-privs shed grep CapPrm /proc/self/status"
claim "exec has given all fourteen back, for uid 0 is special" says 00000000a80425fb
try "lab09 --rootfs /tmp/rootfs shed grep CapPrm /proc/self/status"
claim "under no_new_privs it gives nothing" says "CapPrm:	0000000000000000"

experiment "Open a read-only root"
predict "The root is read-only, and COMMAND remounts it. With the fourteen, and then with" \
    "CAP_SYS_ADMIN as well. Who can write to /etc?"
remount="sh -c 'mount -o remount,bind,rw / && touch /etc/mine && echo written'"
try "lab09 --rootfs /tmp/rootfs --read-only $remount"
claim "remounting takes CAP_SYS_ADMIN, which is not among them" fails
try "lab09 --rootfs /tmp/rootfs --read-only --cap-add SYS_ADMIN $remount"
claim "with it the mount is writable again: it was the container's own" says written

experiment "Be nobody of note"
if [ "$ids" = 1 ]; then
    echo "(left out: it takes a second user id, and this sandbox has one)"
else
    predict "COMMAND is uid 1000, and --cap-add ALL leaves it every capability there is. What is" \
        "permitted to it, and what could it ever get?"
    try "lab09 --rootfs /tmp/rootfs -u 1000 --cap-add ALL grep Cap /proc/self/status"
    claim "nothing is permitted" says "CapPrm:	0000000000000000"
    claim "the bounding set only bounds what exec may give, and nothing gives" \
        says "$(grep CapBnd /proc/self/status)"
fi

finish
