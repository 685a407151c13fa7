#!/bin/sh
# What lab 08 adds: root inside, nobody of importance outside.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

# An ordinary user where the sandbox has more ids than one. Else its root, who calls itself 1000.
if [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" -gt 1 ]; then
    uid=1234 inner=0
    as="setpriv --reuid $uid --regid $uid --clear-groups --"
    options=
else
    uid=0 inner=1000
    as=
    options="--userns keep-id --map 1000:0:1"
fi

# shellcheck disable=SC2016,SC2086 # for the shell in the container; several words
inside=$($as lab08 $options sh -c '
    echo "namespace=$(readlink /proc/self/ns/user)"
    echo "uid=$(id -u)"
    echo mine >/tmp/made
    echo "owner=$(stat -c %u /tmp/made)"
    chown 4711 /tmp/made 2>/dev/null || echo "chown=refused"')
header
differ "user namespace" "$(namespace user)" "$(fact "$inside" namespace)"
expect "uid of COMMAND" "$uid" "$uid" "$(fact "$inside" uid)" "$inner"
expect "its file belongs to" "$(stat -c %u /tmp/made)" "$uid" "$(fact "$inside" owner)" "$inner"
expect "chown to 4711" "-" "-" "$(fact "$inside" chown)" refused

# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab08 --unmapped sh -c 'echo "uid=$(id -u)"
    echo "powers=$(grep CapEff /proc/self/status | cut -f 2)"')
echo "  Without a map nobody is anybody, and no power survives exec:"
expect "uid of COMMAND" "$(id -u)" 0 "$(fact "$inside" uid)" 65534
differ "its capabilities" "$(grep CapEff /proc/self/status | cut -f 2)" "$(fact "$inside" powers)"
finish
