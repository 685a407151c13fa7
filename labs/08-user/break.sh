#!/bin/sh
# Experiments of lab 08: be nobody, be root of little, and ask for more than is yours.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
. /strata/experiment.sh

# Almost what an ordinary user is: no capability but one, which the kernel wants of whoever maps an
# outer uid 0 (file capabilities are tied to it), and here we have perhaps no other id to map.
ordinary='setpriv --bounding-set=-all,+setfcap --inh-caps=-all'
ids=$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)
full=$(grep CapBnd /proc/self/status | cut -f 2)

echo secret >/tmp/secret
chmod 600 /tmp/secret

experiment "Be nobody"
predict "A new user namespace, and no map. Who is COMMAND, and what is left of its powers?"
try "lab08 --unmapped id -u"
claim "65534: the id of those that have none here" is 65534
try "lab08 --unmapped grep CapEff /proc/self/status"
claim "exec took every capability from somebody who is not 0" says 0000000000000000

experiment "Be root of little"
predict "Now uid 0 is mapped, and nothing else. Which of these may such a root do: have all" \
    "capabilities, give a file to user 1, make a device, set the clock?"
try "$ordinary lab08 --map 0:0:1 grep CapEff /proc/self/status"
claim "all capabilities, over what belongs to the namespace" says "$full"
try "$ordinary lab08 --map 0:0:1 chown 1 /tmp/secret"
claim "1 is nobody here: EINVAL, not EPERM" says "Invalid argument"
try "$ordinary lab08 --map 0:0:1 mknod /tmp/disk b 8 0"
claim "a device belongs to the machine: EPERM" says "Operation not permitted"
try "$ordinary lab08 --map 0:0:1 date -s 12:00"
claim "and so does the clock" says "Operation not permitted"

experiment "Take what is not yours"
predict "A caller without CAP_SETUID asks for id 7, which is not its own; then somebody in the" \
    "namespace writes a second, wider map. Which errors?"
try "$ordinary lab08 --map 0:7:1 true"
claim "the first write: EPERM" says "user_map_uids: Operation not permitted"
try "lab08 --map 0:0:1 sh -c 'echo 0 0 2 | tee /proc/self/uid_map'"
claim "the second write: EPERM, whoever writes" says "Operation not permitted"

experiment "Read a file that says no"
predict "COMMAND is root with all capabilities. The file has mode 600, and its owner is root" \
    "outside. Can COMMAND read it, as the 0 that is 0 outside, and as one that is 100?"
try "lab08 --map 0:0:1 cat /tmp/secret"
claim "as 0 it is the owner" is secret
if [ "$ids" -gt 1 ]; then
    try "lab08 --map 0:100:1 sh -c 'id -u; cat /tmp/secret'"
    claim "as 0 that is 100 outside it is a stranger, capabilities or not" says "Permission denied"
else
    echo "   (that it is a stranger as 0 = 100 takes more ids than are mapped here)"
fi

experiment "No user namespaces"
predict "user.max_user_namespaces is a limit of each user namespace. With 0 in it, what does" \
    "clone3 answer, and what does the program make of that?"
before=$(cat /proc/sys/user/max_user_namespaces)
echo 0 >/proc/sys/user/max_user_namespaces
try "lab08 true"
claim "ENOSPC, a strange name for it" says "No space left on device"
claim "the program knows better" says "user.max_user_namespaces is 0"
echo "$before" >/proc/sys/user/max_user_namespaces
try "lab08 --userns host sh -c 'readlink /proc/self/ns/user'"
claim "and without one it would have run" is "$(readlink /proc/self/ns/user)"

finish
