#!/bin/sh
# skeletons.sh: labs/NN-name/LAYER.c from solutions/, except where somebody has edited the file.
# STEP=3 [LAB=05]: build/skeletons/NN-name/LAYER.c with the steps before 3 solved, for who wants to
# go on from there; labs/ is left alone.
. harness/verbs/lib.sh

[ -d solutions ] || die "this copy of the course has no solutions/ to make skeletons from."
if [ -z "${STEP:-}" ]; then
    [ -z "${LAB:-}" ] || lab_folder "$LAB" >/dev/null || die "there is no lab $LAB."
    exec build/skeleton --generate solutions labs ${LAB:+"$LAB"}
fi
case $STEP in
*[!0-9]* | 0*) die "STEP=$STEP is no step's number." ;;
esac
[ -z "${LAB:-}" ] || lab_folder "$LAB" >/dev/null || die "there is no lab $LAB."

made=
# shellcheck disable=SC2231 # without LAB= it is a pattern
for folder in labs/${LAB:-[0-9][0-9]}-*/; do
    folder=${folder%/}
    name=${folder##*/}
    layer=$(layer_name "$name")
    solution=solutions/$name/$layer.c
    [ -f "$solution" ] || continue
    last=$(sed -n 's/.*BEGIN SOLUTION step \([0-9]*\).*/\1/p' "$solution" | sort -n | tail -n 1)
    if [ "$STEP" -gt "${last:-0}" ]; then
        [ -z "${LAB:-}" ] || die "lab $LAB has no step $STEP: its last one is ${last:-0}."
        continue
    fi
    mkdir -p "build/skeletons/$name"
    build/skeleton --quiet --step "$STEP" "$solution" -o "build/skeletons/$name/$layer.c" || exit
    echo "build/skeletons/$name/$layer.c: the steps before $STEP are solved"
    made=$name
done
[ -n "$made" ] || die "no lab has a step $STEP."
echo "To go on from there (what you have is kept as a backup): make reset${made%%-*} STEP=$STEP"
