#!/bin/sh
# Experiments of lab 12: what 137 does not say, what a limit counts, and what can be taken back.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
[ "$CGROUPS" != none ] || exit 4
. /strata/experiment.sh

cp /strata/hog /tmp/rootfs/bin/hog
limit="-m 15m --memory-swap 15m"

reason() { # reason WORDS: the program's line
    says "reason $1, exit status"
}

last_mib() { # last_mib LOW HIGH: the last number that hog printed
    last=$(printf '%s\n' "$out" | sed -n 's/ MiB$//p' | tail -n 1)
    [ "${last:-0}" -ge "$1" ] && [ "${last:-0}" -le "$2" ]
}

experiment "137 without an OOM"
predict "COMMAND gets SIGKILL from its own shell (with --init it is not PID 1, who could not). Then one" \
    "that just ends with 137. Which exit statuses, and which reasons?"
try "lab12 $limit --init sh -c 'kill -9 \$\$'"
claim "137, as after an OOM kill" [ "$status" = 137 ]
claim "and it was none: the kernel's counter stands still" reason Error
try "lab12 $limit sh -c 'exit 137'"
claim "137 without any signal at all" reason Error

experiment "An OOM kill that ends in 0"
predict "COMMAND starts a program that wants too much, and goes on when that has been killed. Its own" \
    "exit status is 0. Did all go well?"
try "lab12 $limit --rootfs /tmp/rootfs sh -c 'hog 40 >/dev/null; true'"
claim "exit status 0" [ "$status" = 0 ]
claim "and somebody was killed for memory" reason "OOMKilled inside"

experiment "Less than the limit"
predict "hog takes 40 MiB, one by one, and says how far it is. The limit is 15 MiB. What is the last" \
    "number? And when it only reserves them, without touching one?"
try "lab12 $limit --rootfs /tmp/rootfs hog 40 | tail -n 1"
claim "less than 15: its code, stack and page tables are on the same account" last_mib 11 14
try "lab12 $limit --rootfs /tmp/rootfs hog 40 reserve | tail -n 1"
claim "reserved, all 40: memory counts once it is touched" last_mib 40 40

experiment "What can be taken back"
predict "Under 15 MiB: first, some 40 MiB are written to a tmpfs. Then 60 MB of files are read from the" \
    "disk (and were not in memory before). Which of the two survives?"
try "lab12 $limit dd if=/dev/zero of=/tmp/big bs=1M count=40 2>&1"
rm -f /tmp/big
claim "a tmpfs is memory: killed" reason OOMKilled
case $(stat -f -c %T /usr) in
tmpfs | ramfs) echo "   (/usr is no file system on a disk here: the other half cannot be shown)" ;;
*)
    list=$(find /usr/lib /usr/bin /usr/share -type f -size +2000k 2>/dev/null |
        while [ "${sum:-0}" -lt 60000000 ] && read -r file; do
            sum=$((${sum:-0} + $(stat -c %s "$file")))
            echo "$file"
        done)
    for file in $list; do
        dd if="$file" iflag=nocache count=0 2>/dev/null # out of the page cache, if it is there
    done
    printf '%s\n' "$list" >/tmp/list
    try "lab12 $limit sh -c 'cat \$(cat /tmp/list) | wc -c'"
    claim "the page cache gives way: it reads all of them" reason Completed
    claim "more than the limit" [ "$(printf '%s\n' "$out" | grep -v lab12)" -gt 30000000 ]
    ;;
esac

experiment "How much is there?"
predict "A container of 64 MiB asks /proc/meminfo, and then its group. What do the two say?"
total=$(awk '/MemTotal/ { print $2 }' /proc/meminfo)
try "lab12 -m 64m --cgroupns host sh -c 'awk \"/MemTotal/ { print \\\$2 }\" /proc/meminfo; /strata/lab12 --memory-available' 2>/dev/null"
claim "/proc/meminfo is the whole machine's: $total kB" says "$total"
claim "the group says 64 MiB" says 67108864

finish
