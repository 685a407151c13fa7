#!/bin/sh
# What lab 04 adds: a mount tree of its own.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

mkdir -p desk drawer
echo note >desk/note
echo letter >drawer/letter
# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab04 --tmpfs /tmp/desk --volume /tmp/drawer:/tmp/drawer:ro sh -c '
    echo "ns=$(readlink /proc/self/ns/mnt)"
    echo "root=$(awk "\$5 == \"/\" { print (/shared:/ ? \"shared\" : \"private\") }" /proc/self/mountinfo | tail -n 1)"
    echo "desk=$(ls /tmp/desk | wc -l)"
    (echo mine >/tmp/drawer/letter) 2>/dev/null && echo drawer=writable || echo drawer=read-only')
header
differ "mount namespace" "$(namespace mnt)" "$(fact "$inside" ns)"
shared=$(awk '$5 == "/" { print (/shared:/ ? "shared" : "private") }' /proc/self/mountinfo | tail -n 1)
expect "the mount at / is" "$shared" shared "$(fact "$inside" root)" private
expect "files on the desk" "$(find desk -type f | wc -l)" 1 "$(fact "$inside" desk)" 0
echo letter >drawer/letter && ours=writable || ours=read-only
expect "the drawer is" "$ours" writable "$(fact "$inside" drawer)" read-only
finish
