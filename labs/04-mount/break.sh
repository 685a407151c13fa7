#!/bin/sh
# Experiments of lab 04: two ways to believe in a private, read-only tree and not to have it.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

mkdir -p desk drawer
echo "buy milk" >desk/note
echo "top secret" >drawer/letter

experiment "A namespace on paper"
predict "unshare -m --propagation unchanged makes a mount namespace, and leaves the tree shared." \
    "A tmpfs is mounted on the desk in there, and that process ends. Is our note still to be seen?"
try "unshare -m --propagation unchanged mount -t tmpfs none /tmp/desk; ls desk | wc -l"
claim "no: the mount came out to us, and outlives the namespace" is 0
umount /tmp/desk
try "unshare -m mount -t tmpfs none /tmp/desk; ls desk"
claim "with a private tree (what unshare does if you do not forbid it): yes" is note
try "lab04 mount -t tmpfs none /tmp/desk; ls desk"
claim "and with lab04: yes" is note

experiment "Read-only in one call"
predict "BusyBox's mount hands -o bind,ro to the kernel in one call, MS_BIND|MS_RDONLY." \
    "An error, a read-only bind, or something else?"
try "unshare -m sh -c 'busybox mount -o bind,ro /tmp/drawer /tmp/desk; echo status \$?; grep -o \" /tmp/desk r[wo]\" /proc/self/mountinfo; echo mine >/tmp/desk/letter'; cat drawer/letter"
claim "success, says the call" says "status 0"
claim "and yet rw, says the kernel" says " /tmp/desk rw"
claim "and the letter has been overwritten" says mine
echo "top secret" >drawer/letter
try "lab04 --volume /tmp/drawer:/tmp/desk:ro sh -c 'echo mine >/tmp/desk/letter'; cat drawer/letter"
claim "lab04 makes the two calls: refused" says "Read-only file system"
claim "and the letter is as it was" says "top secret"

experiment "Out of the tree, still in use"
predict "A file on a tmpfs is held open; then the tmpfs is detached, lazily. Is the text lost?"
try "lab04 --tmpfs /tmp/desk sh -c 'echo held >/tmp/desk/file; exec 3</tmp/desk/file; umount -l /tmp/desk; ls /tmp/desk; cat <&3'"
claim "the folder is the old one again" says note
claim "and the open file lives as long as somebody holds it" says held

finish
