#!/bin/sh
# What lab 06 adds: layers below that stay as they are, and the changes in a folder of their own.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

digest() { # digest FOLDER: of all its files
    (cd "$1" && find . -type f -exec sha256sum {} + | sort | sha256sum | cut -c 1-12)
}

before=$(digest /tmp/rootfs)
# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab06 --hostname aquarium --init --lower /tmp/rootfs --container /tmp/one sh -c '
    echo changed >/etc/os-release; rm /etc/hosts; mkdir /srv
    echo "type=$(awk "\$5 == \"/\" { print \$9 }" /proc/self/mountinfo)"
    echo "release=$(cat /etc/os-release)"
    echo "hosts=$(ls /etc/hosts 2>/dev/null | wc -l)"')
# shellcheck disable=SC2016 # likewise
other=$(lab06 --lower /tmp/rootfs --container /tmp/two --rm sh -c '
    echo "hosts=$(ls /etc/hosts 2>/dev/null | wc -l)"; echo "srv=$(ls -d /srv 2>/dev/null | wc -l)"')
header
differ "/ is a" "$(awk '$5 == "/" { print $9 }' /proc/self/mountinfo)" "$(fact "$inside" type)"
differ "/etc/os-release" "$(head -n 1 /tmp/rootfs/etc/os-release)" "$(fact "$inside" release)"
expect "its /etc/hosts" "$(find /tmp/rootfs/etc/hosts 2>/dev/null | wc -l)" 1 \
    "$(fact "$inside" hosts)" 0
echo "  Of a second container of that image, and of the image itself:"
printf '  %-22s %-25s %s\n' "" "image" "second container"
expect "/etc/hosts" "$(find /tmp/rootfs/etc/hosts 2>/dev/null | wc -l)" 1 "$(fact "$other" hosts)" 1
expect "/srv" "$(find /tmp/rootfs/srv 2>/dev/null | wc -l)" 0 "$(fact "$other" srv)" 0
printf '  %-22s %-25s %s\n' "" "before" "after"
same "digest of the image" "$before" "$(digest /tmp/rootfs)"
echo "  What the first one changed, as its upper folder tells:"
changes=$(lab06 --lower /tmp/rootfs --diff /tmp/one/upper)
printf '%s\n' "$changes" | sed 's/^/    /'
[ "$changes" = "D /etc/hosts
C /etc/os-release
A /srv" ] || wrong "the list of changes"
finish
