#!/bin/sh
# Experiments of lab 13: a percentage that is none, a weight without a competitor, work that has to
# wait, and two workers on one quota.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=experiment.sh disable=SC2317
[ "$CGROUPS" != none ] || exit 4
. /strata/experiment.sh

if [ ! -x /strata/grind ]; then
    echo "grind is not here: make break13 builds it"
    exit 1
fi
cp /strata/grind /tmp/rootfs/bin/grind
cpu=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status)

used() { # used N: of the Nth line that grind printed, the milliseconds of CPU
    printf '%s\n' "$out" | sed -n 's/^used \([0-9]*\) ms.*/\1/p' | sed -n "$1p"
}

took() { # took N: the same, of the clock
    printf '%s\n' "$out" | sed -n 's/^used .* in \([0-9]*\) ms.*/\1/p' | sed -n "$1p"
}

counted() { # counted NAME: of what lab13 --cpu-stat printed
    printf '%s\n' "$out" | sed -n "s/^$1 //p"
}

at_most() { # at_most PERCENT: that share of the clock was used, give or take two periods
    [ "$(used 1)" -le $((($(took 1) + 200) * $1 / 100 + 2)) ]
}

at_least() { # at_least FACTOR A B: A is FACTOR tenths of B or more
    [ $(($2 * 10)) -ge $(($1 * $3)) ]
}

experiment "1000 of 100000"
predict "A quota of 1000 us in each period of 100000 us: which percentage is that? How long do 15 ms" \
    "of work take? And with 10000?"
try "lab13 --rootfs /tmp/rootfs --cpus 0.01 grind 15"
claim "1 %, not 10: more than a second" [ "$(took 1)" -ge 1000 ]
try "lab13 --rootfs /tmp/rootfs --cpus 0.1 grind 15"
claim "with 10000 never more than 10 %" at_most 10
try "lab13 --rootfs /tmp/rootfs --cpus 0.009 grind 15"
claim "and the kernel takes no quota below 1000" says "Invalid argument"

experiment "80 ms of work, 50 ms a period"
predict "The period is 100 ms, the quota 50 ms, the work takes 80 ms of CPU, and nobody else is there." \
    "When is it done: after 80 ms, 130 ms, or 160 ms? (Where neighbours take the CPU, the quota is" \
    "not reached; then it is tried again, with a fifth of both.)"
for what in "0.5 80" "0.5 80" "0.1 16" "0.1 16" "0.1 16" "0.1 16"; do
    work=${what#* }
    try "lab13 --cpus ${what% *} --cgroupns host -- sh -c '/strata/grind -t $work; /strata/lab13 --cpu-stat \$\$'"
    throttled=$(counted throttled)
    [ "${throttled:-0}" = 0 ] || break
done
claim "it was throttled" [ "${throttled:-0}" -ge 1 ]
claim "it was not killed, and all the work was done" [ "$status:$(used 1)" = "0:$work" ]
claim "it took longer than the work" [ "$(took 1)" -gt "$work" ]
echo "   130 ms is right only for work that begins with a period, and that has a whole quota left."

experiment "Two workers"
predict "--cpus 0.2, and two processes that could each use a whole CPU for 40 ms. Has each of them" \
    "20 %, or both together?"
try "lab13 --cpus 0.2 --cgroupns host -- sh -c '/strata/grind 40 >/dev/null & /strata/grind 40 >/dev/null; wait; /strata/lab13 --cpu-stat \$\$'"
claim "the group has 20 %: 80 ms of work need four periods" [ "$(counted periods)" -ge 4 ]
claim "and was never given more than 20 ms for each" \
    [ "$(counted usage_usec)" -le $((($(counted periods) + 2) * 20000)) ]

experiment "A weight, with and without a competitor"
predict "Weights of 300 and 100, both on one CPU. Which percentage has each? And the second, with" \
    "the same weight, once the first is gone?"
try "lab13 --rootfs /tmp/rootfs --cpu-weight 300 grind -w -c $cpu 1000 >/tmp/heavy & lab13 --rootfs /tmp/rootfs --cpu-weight 100 grind -w -c $cpu 1000 >/tmp/light; wait; cat /tmp/heavy /tmp/light"
heavy=$(used 1) light=$(used 2)
claim "the first has about three times as much" at_least 20 "$heavy" "$light"
claim "and not much more" at_least 2 "$light" "$heavy"
try "lab13 --rootfs /tmp/rootfs --cpu-weight 100 grind -w -c $cpu 1000"
claim "alone, the second has more than twice of what it had: all that there is" \
    at_least 20 "$(used 1)" "$light"

experiment "A CPU that is not there"
predict "--cpuset-cpus 4096, on this machine. Does the container run, on whatever there is?"
try "lab13 --cpuset-cpus 4096 true"
claim "no: 125" [ "$status" = 125 ]

finish
