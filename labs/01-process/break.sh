#!/bin/sh
# Experiments of lab 01: which namespaces may be made without any power, and why one may.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

# No capability, and none to be had by exec: what an ordinary user is.
powerless='setpriv --bounding-set=-all --inh-caps=-all'

experiment "Namespaces without root"
predict "Here you are root of a user namespace. The next commands drop every capability first." \
    "Each asks for one new namespace. Which of the eight are refused?"
for kind in uts ipc net mount pid cgroup time user; do
    flags=--$kind
    case $kind in
    pid | time) flags="--$kind --fork" ;;
    esac
    try "$powerless unshare $flags true"
    if [ "$kind" = user ]; then
        claim "a user namespace needs no power" [ "$status" = 0 ]
    else
        claim "$kind: refused, EPERM" says "Operation not permitted"
    fi
done

experiment "Why NEWUSER is no danger"
predict "A new user namespace gives all capabilities, and so all other namespaces with it." \
    "What are those capabilities worth outside of it: may its root change OUR host name?"
try "$powerless unshare --user --keep-caps --uts sh -c 'hostname mine; hostname'"
claim "inside, over what belongs to the new user namespace: yes" is mine
try "$powerless unshare --user --keep-caps hostname theirs"
claim "outside: no; a capability counts in its own user namespace only" fails
try "hostname"
claim "and our name is as it was" is sandbox

experiment "What stays of a process that nobody waited for"
predict "A child has ended, its parent has not called wait. Can KILL remove what is left?"
# sleep never waits for anybody.
sh -c 'true & exec sleep 60' &
parent=$!
one_zombie() {
    [ "$(zombies "$parent")" = 1 ]
}
until_true one_zombie
child=$(children $parent)
child=${child%% *}
try "grep State /proc/$child/status; kill -KILL $child; grep State /proc/$child/status"
claim "a zombie: it holds its exit status, and cannot be killed, for it is dead" \
    [ "$(echo "$out" | grep -c zombie)" = 2 ]
kill -KILL $parent
wait $parent 2>/dev/null
claim "it goes with its parent: then somebody else waits for it" until_true gone "$child"

finish
