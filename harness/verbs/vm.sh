#!/bin/sh
# vm.sh: a guest for a person: a machine of its own, with the kit in it, on this terminal.
. harness/verbs/lib.sh

if [ ! -t 0 ] || [ ! -t 1 ]; then
    die "make vm is for a terminal."
fi
build/guest --ready || die "no guest can be made here: make setup brings what it needs."
echo "A guest boots: a few seconds..."
terminal=$(stty -g)
trap 'stty "$terminal"' EXIT
trap 'exit 130' INT TERM HUP
case ${VM:-} in
v1 | hybrid) build/guest --shell "$VM" ;;
*) build/guest --shell v2 ;;
esac
