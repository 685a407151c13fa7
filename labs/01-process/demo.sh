#!/bin/sh
# What lab 01 adds: a process with a clean start.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

exec 7</etc/passwd
export LEAK=outside
# shellcheck disable=SC2016 # for the shell in the container
inside=$(lab01 sh -c 'echo "leak=${LEAK:-none}"; [ -e /proc/$$/fd/7 ] && echo "fd=open" || echo "fd=closed"')
[ -e /proc/$$/fd/7 ] && ours=open || ours=closed
header
expect "fd 7" "$ours" open "$(fact "$inside" fd)" closed
expect "\$LEAK" "$LEAK" outside "$(fact "$inside" leak)" none
sh -c 'exit 7'
ours=$?
lab01 sh -c 'exit 7'
same "status of \"exit 7\"" $ours $?
finish
