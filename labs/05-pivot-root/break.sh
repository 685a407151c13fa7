#!/bin/sh
# Experiments of lab 05: walk out of a chroot, and fail to walk out of a container.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

cp /strata/escape /tmp/rootfs/bin/escape

# Device and inode of our own "/": the outer root, seen from the container.
device=$(awk '$5 == "/" { device = $3 } END { print device }' /proc/self/mountinfo)
outer="$device $(stat -c %i /)"

# What escape printed: the root "before" or "after".
root_of() {
    printf '%s\n' "$out" | sed -n "s/^$1 *//p"
}

elsewhere() { # elsewhere before|after: in a root that is not ours
    [ -n "$(root_of "$1")" ] && [ "$(root_of "$1")" != "$outer" ]
}

stayed() {
    [ -n "$(root_of after)" ] && [ "$(root_of before)" = "$(root_of after)" ]
}

experiment "Walk out of a chroot"
predict "escape holds a directory open, calls chroot a second time into a folder below, returns" \
    "to the directory, which is now above its root, and walks up. It prints device and inode" \
    "of / before and after. Out here / is $outer. Where does it arrive?"
try "lab05 --rootfs /tmp/rootfs --chroot escape"
claim "it was in another root" elsewhere before
claim "and has reached ours: $outer" [ "$(root_of after)" = "$outer" ]
claim "it says so itself" says escaped

experiment "And out of a pivoted root"
predict "The same program, the same steps; but the root was made by pivot_root, and the old one" \
    "detached. Where does it arrive now?"
try "lab05 --rootfs /tmp/rootfs escape"
claim "where it began: above the root of a mount namespace is nothing" stayed
claim "which is not ours ($outer)" elsewhere after
claim "it ends with 1, still inside" [ "$status" = 1 ]
claim "and says so" says "still inside"

experiment "Forget the old root"
predict "pivot_root by hand, into a folder \"old\", and no umount. Is the outer root gone?"
try "unshare -m sh -c 'mount --bind /tmp/rootfs /tmp/rootfs; cd /tmp/rootfs; mkdir -p old; busybox pivot_root . old; cd /; chroot /old stat -c %i /'"
claim "no: inode $(stat -c %i /) is ours, one folder away" is "$(stat -c %i /)"

experiment "Be refused"
predict "First the new root is no mount point; then it is one, but the mount above is shared." \
    "Which errors?"
try "unshare -m sh -c 'cd /tmp/rootfs; busybox pivot_root . .'"
claim "no mount point: EINVAL" says "Invalid argument"
try "unshare -m --propagation unchanged sh -c 'mount --bind /tmp/rootfs /tmp/rootfs; cd /tmp/rootfs; busybox pivot_root . .'"
claim "a shared one: EINVAL as well; mountinfo tells them apart" says "Invalid argument"
umount /tmp/rootfs 2>/dev/null

finish
