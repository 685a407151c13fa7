#!/bin/sh
# watch.sh: grades a lab each time one of its files is saved, until Ctrl-C.
. harness/verbs/lib.sh

# A make of its own for each run: nothing of the make that called us (its -j, say) is inherited.
unset MAKEFLAGS MFLAGS MAKELEVEL
trap 'echo; echo "watch: that was all."; exit 0' INT

echo "Save a file in labs/NN-name/ and its lab is graded. Ctrl-C ends this."
build/watch labs | while read -r number; do
    [ -z "$bold" ] || printf '\033[H\033[2J'
    make "lab$number"
done
