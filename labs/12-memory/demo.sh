#!/bin/sh
# What lab 12 adds: memory that ends.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
[ "$CGROUPS" != none ] || exit 4
. /strata/compare.sh

cp /strata/hog /tmp/rootfs/bin/hog

run() { # run COMMAND...: under 24 MiB; what it printed last is in "said", how it ended in "status"
    said=$(lab12 -m 24m --memory-swap 24m --rootfs /tmp/rootfs "$@" 2>/tmp/reason)
    status=$?
    said=$(printf '%s\n' "$said" | tail -n 1)
    why=$(sed -n 's/.*reason \([^,]*\),.*/\1/p' /tmp/reason)
}

# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab12 -m 24m --cgroupns host sh -c '
    echo "available=$(/strata/lab12 --memory-available)"
    echo "total=$(awk "/MemTotal/ { print \$2 }" /proc/meminfo)"' 2>/dev/null)
header
differ "memory to be had" "$(lab12 --memory-available)" "$(fact "$inside" available)"
same "/proc/meminfo, kB" "$(awk '/MemTotal/ { print $2 }' /proc/meminfo)" "$(fact "$inside" total)"

out=$(/strata/hog 40 | tail -n 1)
run hog 40
differ "hog 40 comes to" "$out" "$said"
expect "and ends with" 0 0 "$status" 137
echo "  Three ends of a container under 24 MiB, and what the kernel counted:"
printf '  %-22s %-25s %s\n' "" "exit status" reason
run hog 40
expect "took too much" "$status" 137 "$why" OOMKilled
run --init sh -c 'kill -9 $$'
expect "was killed" "$status" 137 "$why" Error
run sh -c 'hog 40; true'
expect "a child took too much" "$status" 0 "$why" "OOMKilled inside"
finish
