#!/bin/sh
# What lab 11 adds: a control group.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
[ "$CGROUPS" != none ] || exit 4
. /strata/compare.sh

# The file of the group that the container is in, whichever version this is.
folder=/sys/fs/cgroup
[ "$CGROUPS" = 2 ] || folder=/sys/fs/cgroup/pids

# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab11 --cgroup-name aquarium --pids-limit 12 sh -c '
    echo "group=$(grep -E "^0::|:pids:" /proc/self/cgroup | head -n 1 | cut -d: -f3-)"' 2>/dev/null)
seen=$(lab11 --cgroup-name aquarium --pids-limit 12 --cgroupns host sh -c '
    grep -E "^0::|:pids:" /proc/self/cgroup | grep -o "/aquarium$" | head -n 1' 2>/dev/null)
header
expect "its group, seen from" "${seen:-none}" /aquarium "$(fact "$inside" group)" /

lab11 --cgroup-name aquarium --pids-limit 12 --without pid sleep 5 >/dev/null 2>&1 &
program=$!
tries=0
while [ ! -e $folder/aquarium/pids.max ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.02
done
limit=$(cat $folder/aquarium/pids.max)
kill -TERM $program
wait $program
after=$(find /sys/fs/cgroup -name aquarium | wc -l)
echo "  The limit while it runs, and what is left of the group once it was ended:"
printf '  %-22s %-25s %s\n' "" "running" "ended"
expect "pids.max; folders left" "$limit" 12 "$after" 0
finish
