#!/bin/sh
# Experiments of lab 03: what PID 1 is for.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

orphans=/tmp/rootfs/usr/local/bin/orphans

# start ARGUMENT...: lab03 in the background; "init" becomes the container's PID 1, as we number it.
start() {
    printf '   $ lab03 %s &\n' "$*"
    lab03 "$@" >/dev/null 2>&1 </dev/null &
    program=$!
    until_true has_child $program
    init=$(children $program)
    init=${init%% *}
}

stop() {
    kill -KILL "$init" 2>/dev/null
    wait $program 2>/dev/null
}

runs() { # runs PID NAME
    [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ]
}

experiment "PID 1 and TERM"
predict "sleep is PID 1 of a container. Out here we send TERM to it, then KILL." \
    "Which of the two ends it?"
start sleep 60
until_true runs "$init" sleep
kill -TERM "$init"
# A signal to another process is dealt with before that process runs on: let it run a little.
pending() {
    grep -q '^SigPnd:.0*$' "/proc/$init/status" && grep -q '^ShdPnd:.0*$' "/proc/$init/status"
}
until_true pending
claim "TERM: a PID 1 without a handler for it never gets it" runs "$init" sleep
kill -KILL "$init"
claim "KILL from outside: ended" until_true gone "$init"
wait $program
claim "and lab03 says so: 137 is 128 + 9" [ $? = 137 ]
start --init sleep 60
until_true has_child "$init"
kill -TERM "$init"
wait $program
claim "with --init TERM reaches the command: 143 is 128 + 15" [ $? = 143 ]

experiment "Without a reaper"
predict "Two orphans end in a container whose PID 1 is sleep, which waits for nobody." \
    "How many zombies stay? And how many with --init?"
start sh -c "$orphans 2; exec sleep 60"
two_zombies() {
    [ "$(zombies "$init")" = 2 ]
}
until_true two_zombies
claim "sleep as PID 1: two zombies, for as long as it runs" two_zombies
stop
start --init sh -c "$orphans 2; exec sleep 60"
until_true has_child "$init"
command=$(children "$init")
command=${command%% *}
none_left() {
    runs "$command" sleep && [ "$(children "$init" | wc -w)" = 1 ]
}
claim "your init: none" until_true none_left
stop

experiment "Kill PID 1"
predict "Two levels: your init, and COMMAND as an init of its own below. KILL goes to the outer" \
    "init alone. What becomes of COMMAND? And would a child in a new NETWORK namespace end too?"
start --nested sleep 60
until_true has_child "$init"
inner=$(children "$init")
inner=${inner%% *}
kill -KILL "$init"
claim "pid namespaces: without its first process a numbering cannot go on, so all end" \
    until_true gone "$inner"
wait $program 2>/dev/null
unshare --net sh -c 'sleep 60 >/dev/null & echo $! >/tmp/member'
read -r member </tmp/member
claim "a network namespace has no first process: its member lives on" \
    kill -0 "$member"
kill -KILL "$member" 2>/dev/null

finish
