#!/bin/sh
# What lab 03 adds: process numbers of its own, and an init.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

sleep 60 &
sleeper=$!
# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab03 --init sh -c 'echo "ns=$(readlink /proc/self/ns/pid)"
    echo "me=$$"
    echo "init=$(cat /proc/1/comm)"
    echo "sleepers=$(grep -lx sleep /proc/[0-9]*/comm | wc -l)"')
header
differ "pid namespace" "$(namespace pid)" "$(fact "$inside" ns)"
expect "my pid" "$([ $$ != 2 ] && echo "not 2")" "not 2" "$(fact "$inside" me)" 2
differ "pid 1 is" "$(cat /proc/1/comm)" "$(fact "$inside" init)"
# shellcheck disable=SC2126 # grep -c would count per file
expect "sleepers in /proc" "$(grep -lx sleep /proc/[0-9]*/comm | wc -l)" 1 \
    "$(fact "$inside" sleepers)" 0
kill $sleeper
finish
