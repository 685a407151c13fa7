#!/bin/sh
# Experiments of lab 10: one door left open, one shut with the wrong word.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

cp /strata/doors /tmp/rootfs/bin/doors

door() { # door NAME ANSWER: what doors printed
    [ "$(printf '%s\n' "$out" | awk -v name="$1" '$1 == name { print $2 }')" = "$2" ]
}

experiment "Knock at all doors"
predict "doors tries four ways to a new UTS namespace, and to make a process and a thread. First" \
    "without a filter, as root with all capabilities, and then with yours. What is left?"
try "lab10 --rootfs /tmp/rootfs --unlimited --without=seccomp doors"
claim "without a filter each of the four is open" \
    [ "$(printf '%s\n' "$out" | grep -c open)" = 6 ]
try "lab10 --rootfs /tmp/rootfs --unlimited doors"
claim "clone with a namespace among its flags: refused" door clone EPERM
claim "clone3 does not exist" door clone3 ENOSYS
claim "unshare: refused" door unshare EPERM
claim "setns: refused" door setns EPERM
claim "processes can be made" door process open
claim "and threads" door thread open

experiment "Leave the back door open"
predict "clone and unshare are refused, and clone3 is not. Its flags lie in memory. Is there a new" \
    "namespace to be had?"
try "lab10 --rootfs /tmp/rootfs --unlimited --seccomp-allow clone3 doors"
claim "clone is refused" door clone EPERM
claim "clone3 makes the same namespace" door clone3 open

experiment "Refuse it with the wrong word"
predict "clone3 is refused, but with EPERM in place of ENOSYS. Who else is hit?"
try "lab10 --rootfs /tmp/rootfs --unlimited --seccomp-deny clone3=EPERM doors"
claim "clone3 is refused" door clone3 EPERM
claim "and no thread can be made: the library takes EPERM for the last word" door thread EPERM
claim "while processes can" door process open

experiment "Load it without the promise"
predict "no_new_privs is not set, and COMMAND is root with all capabilities, from whom the kernel" \
    "would take a filter. Does the container start?"
try "lab10 --unlimited --allow-new-privs true"
claim "no: 125" [ "$status" = 125 ]
claim "the contract asks for more than the kernel does" says "Operation not permitted"

experiment "Two threads, and one is in the way"
predict "COMMAND is executed by a thread that was there before the filter. Does it have one? And" \
    "when another thread has a filter of its own already?"
try "lab10 --rootfs /tmp/rootfs --threads 2 grep Seccomp: /proc/self/status"
claim "it has: the kernel gave it to all" is "Seccomp:	2"
try "lab10 --threads 2 --thread-filter true"
claim "all or none: here, none" says "Operation canceled"

finish
