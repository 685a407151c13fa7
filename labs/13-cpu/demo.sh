#!/bin/sh
# What lab 13 adds: a share of the processors.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
[ "$CGROUPS" != none ] || exit 4
. /strata/compare.sh

cp /strata/grind /tmp/rootfs/bin/grind
cpu=/sys/fs/cgroup
[ "$CGROUPS" = 2 ] || cpu=/sys/fs/cgroup/cpu

quota() { # quota GROUP: "QUOTA PERIOD"
    if [ "$CGROUPS" = 2 ]; then
        cat "$cpu/$1/cpu.max"
    else
        echo "$(cat "$cpu/$1/cpu.cfs_quota_us") $(cat "$cpu/$1/cpu.cfs_period_us")" | sed 's/^-1/max/'
    fi
}

weight() { # weight GROUP
    cat "$cpu/$1/cpu.weight" 2>/dev/null || cat "$cpu/$1/cpu.shares"
}

counted() { # counted GROUP NAME
    sed -n "s/^$2 //p" "$cpu/$1/cpu.stat"
}

allowed() {
    sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status
}

until_throttled() { # until_throttled GROUP: or ten seconds
    tries=0
    until [ "$(counted "$1" nr_throttled 2>/dev/null || echo 0)" -ge 3 ] || [ $tries -ge 500 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done 2>/dev/null
}

first=$(allowed | sed 's/[-,].*//')
inside=$(lab13 --rootfs /tmp/rootfs --cpuset-cpus "$first" \
    sed -n 's/^Cpus_allowed_list:[[:space:]]*/cpus=/p' /proc/self/status)
lab13 --cgroup-name tank --rootfs /tmp/rootfs --cpus 0.1 --cpu-weight 300 grind -w 60000 \
    >/dev/null 2>&1 &
program=$!
until_throttled tank
mkdir "$cpu/plain"
if [ "$CGROUPS" = 2 ]; then usual=100 ours=300; else usual=1024 ours=3072; fi

header
expect "may run on CPUs" "$(allowed)" "$(allowed)" "$(fact "$inside" cpus)" "$first"
expect "quota and period, us" "$(quota plain)" "max 100000" "$(quota tank)" "10000 100000"
expect "weight, or shares" "$(weight plain)" "$usual" "$(weight tank)" "$ours"
throttled=$(counted tank nr_throttled)
row "throttled, in periods" "$(counted plain nr_throttled) in $(counted plain nr_periods)" \
    "$throttled in $(counted tank nr_periods)" \
    "$([ "${throttled:-0}" -ge 1 ] || echo 'a loop under a quota is never stopped')"
rmdir "$cpu/plain"
while kill -TERM $program 2>/dev/null; do # PID 1 is deaf to the first: the second is SIGKILL
    sleep 0.05
done
wait $program
finish
