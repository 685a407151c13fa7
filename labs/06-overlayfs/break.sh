#!/bin/sh
# Experiments of lab 06: what layered files do otherwise than plain ones.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

mkdir merged lower upper work lower/folder
echo one >lower/a
ln lower/a lower/b
before=$(sha256sum lower/*  2>/dev/null)
layers="--lower lower --upper upper --work work --merge merged"

experiment "A hard link breaks"
predict "In the lower layer a file has two names, a and b. In the overlay somebody writes \"two\" to a." \
    "What does b say then?"
try "lab06 $layers sh -c 'echo two >merged/a; cat merged/b'"
claim "what it said before: copy-up copied one name, and there are two files now" is one
try "lab06 $layers stat -c '%h' merged/a merged/b"
claim "a has one name; b still claims the two of the lower inode" is "1
2"
claim "the lower layer is as it was" [ "$(sha256sum lower/* 2>/dev/null)" = "$before" ]

experiment "A lower folder cannot be renamed"
predict "rename(2) of a folder of the lower layer, and of one that was made in the overlay." \
    "Do they differ?"
try "lab06 $layers /strata/move merged/folder merged/other"
claim "EXDEV: the folder would have to be copied with all that is in it" \
    is "rename: Invalid cross-device link"
try "lab06 $layers sh -c 'mkdir merged/own; /strata/move merged/own merged/mine'"
claim "one that lies in the upper alone can be renamed" is renamed
try "lab06 $layers sh -c 'mv merged/folder merged/other && ls -d merged/other'"
claim "mv knows EXDEV, and copies" is merged/other

experiment "Upper and work on two file systems"
predict "The work folder lies in /dev/shm, which is another tmpfs. What does mount(2) say?"
mkdir /dev/shm/work
try "lab06 --lower lower --upper upper --work /dev/shm/work --merge merged true"
claim "EINVAL: a file is prepared in work and renamed to upper, and no rename leads across" \
    says "Invalid argument"

experiment "What is deleted takes room"
predict "The upper is empty; a container deletes a file of the lower layer. What is in the upper?"
mkdir upper2 work2
try "lab06 --lower lower --upper upper2 --work work2 --merge merged rm merged/b"
try "stat -c '%F %t:%T' upper2/b"
claim "a character device 0:0: nothing was freed, and a file was made" is \
    "character special file 0:0"

finish
