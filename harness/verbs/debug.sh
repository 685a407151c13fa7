#!/bin/sh
# debug.sh NN: gdb in the sandbox, on lab NN's program. It follows the new process into its
# namespaces, and stops at every function of the layer's contract.
. harness/verbs/lib.sh

whose_program
command -v gdb >/dev/null || die "there is no gdb here: make setup installs it."
lab_arguments
source=$SRC/$name/$layer.c

# The sandbox does not see the kit: the source comes along, and gdb looks for it by its name.
set -- --file "$layer.c=$source" -- \
    gdb -q -nx -iex 'set debuginfod enabled off' -ex 'set confirm off' \
    -ex 'set pagination off' -ex 'set follow-fork-mode child' -ex 'set breakpoint pending on' \
    -ex 'directory /strata'
while read -r function; do
    set -- "$@" -ex "break $function"
done <"build/symbols/$name"
echo "gdb stops at each function of labs/$name/$layer.h. Type: run, then bt, next, print, continue."
echo "It runs: lab$lab $arguments   (yours: make debug$lab ARGS=\"...\")"
# shellcheck disable=SC2086 # the arguments are several words
sandbox "$@" --args "/strata/lab$lab" $arguments
status=$?
[ "$status" = 125 ] && exit 125
exit 0
