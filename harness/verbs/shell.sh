#!/bin/sh
# shell.sh NN: a shell in the sandbox. Nothing in there can harm this machine, and nothing stays.
. harness/verbs/lib.sh

whose_program
shell='sh'
if [ -t 0 ] && [ -t 1 ]; then
    [ ! -x /usr/bin/bash ] || shell='bash --norc --noprofile'
    echo "You are root of a sandbox: lab$lab is on the PATH, and /tmp/rootfs is its root filesystem."
    echo "Nothing here touches the machine, and nothing stays. \"exit\" or Ctrl-D leaves."
fi
# shellcheck disable=SC2086 # a shell and its options
sandbox -- $shell
status=$?
# Whoever leaves a shell on a terminal after a command that failed has done nothing wrong.
[ "$status" = 125 ] || [ ! -t 0 ] || exit 0
exit "$status"
