#!/bin/sh
# Experiments of lab 07: bytes that nobody sees, names that cannot lie, and a kill in the middle.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

tar -C /tmp/rootfs -cf base.tar .
lab07 --import base.tar=base >/dev/null || exit 1
mkdir shop

# The store's bytes for the image $1.
bytes_of() {
    lab07 --images | awk -v name="$1" '$1 == name { print $4 }'
}

wasted() { # wasted NAME BYTES
    [ "$(lab07 --waste "$1" | cut -f1)" = "$2" ]
}

experiment "Grow by deleting"
predict "An image of two instructions: the first makes a file of a million bytes, the second deletes" \
    "it. How many bytes can be seen in a container, and how many are in the image?"
printf 'FROM base\nRUN head -c 1000000 /dev/zero > /big\nRUN rm /big\n' >shop/Stratafile
lab07 --build shop=deleted >/dev/null
try "lab07 --history deleted"
claim "the image has the million" [ "$(bytes_of deleted)" -gt $(($(bytes_of base) + 1000000)) ]
claim "and nobody can see it" wasted deleted 1000000
predict "And if one instruction does both?"
printf 'FROM base\nRUN head -c 1000000 /dev/zero > /big && rm /big\n' >shop/Stratafile
lab07 --build shop=together >/dev/null
try "lab07 --history together"
claim "no layer ever held it" wasted together 0

experiment "Change one bit"
predict "One byte of a layer's blob is overwritten. Who notices: the container, or --verify?"
victim=$(find store/blobs/sha256 -size +1000k | head -n 1)
cp "$victim" kept
printf '!' | dd of="$victim" bs=1 seek=100000 conv=notrunc 2>dd.log
try "lab07 --image base true"
claim "the container stands on what was unpacked long ago" [ "$status" = 0 ]
try "lab07 --verify"
claim "--verify compares each name with its bytes" says "is damaged"
cp kept "$victim"

experiment "Change what was unpacked"
predict "The blobs are whole again; now a file in layers/ is changed. Who notices?"
unpacked=$(find store/layers -path '*/etc/os-release' | head -n 1)
cp "$unpacked" kept
echo changed >>"$unpacked"
try "lab07 --image base tail -n 1 /etc/os-release"
claim "the container believes it" is changed
try "lab07 --verify"
claim "--verify compares it with the blob" says "is not the layer any more"
cp kept "$unpacked"

experiment "Be led outside"
predict "An archive holds a link l to /tmp, and then a file l/outside. Where does it go, by tar -P" \
    "and by lab07?"
mkdir play && ln -s /tmp play/l && tar -C play -cf link.tar l && rm play/l
mkdir play/l && echo planted >play/l/outside && tar -C play -rf link.tar l/outside
try "lab07 --unpack link.tar=careful"
claim "a link on the way is not followed: ELOOP" says "Too many levels of symbolic links"
claim "and nothing is outside" [ ! -e /tmp/outside ]

experiment "Kill it"
predict "Twenty imports, each killed with kill -9 a moment later. Is the store whole? What is in tmp/?"
for tenth in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
    lab07 --import base.tar="killed$tenth" >/dev/null 2>&1 &
    sleep "0.0$tenth"
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
done
try "lab07 --verify"
claim "whole: what has a name is there with all its bytes" [ "$status" = 0 ]
try "ls store/tmp"
claim "whoever comes next has swept tmp/" is ""

finish
