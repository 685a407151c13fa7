#!/bin/sh
# guest.sh LIST: has the programs of LIST, "LAB KIND NAME WHO SEED" a line, graded one after the
# other in one guest with $VM's control groups, and writes what came of each, as a JSON record, to
# $RECORDS. (Called by run.sh, which sets KIT, RECORDS, SCRATCH, LABS and VM.)
#
# The guest has no users but root to grade as. Whatever it said of a program counts only if it said
# all of it (record.jq, heard): a guest that dies leaves records of ERROR, as build/grade does.
# shellcheck disable=SC2016 # jq's own
set -u

list=$1
# shellcheck source=harness/corpus/record.sh
. "$(dirname "$0")/record.sh"
part=$(basename "$list")
programs=$SCRATCH/programs.$part
log=$RECORDS/guest.$part.log
mkdir "$programs"

# Here, too, a wrong solution's own step (with those that it needs) must do: time is dear in there.
only_step() {
    [ "$kind" != mutants ] || header Step
}

job() { # what init.c is to do; the programs lie in /corpus
    echo "env VM=0"
    [ -z "${STRATA_GUEST_FIRST-}" ] || echo "do $STRATA_GUEST_FIRST" # for tests of guests that die
    n=0
    while read -r lab kind name who seed; do
        n=$((n + 1))
        locate
        [ -x "$program" ] || continue
        only=$(only_step)
        at=/corpus/$lab.$kind.$name
        printf 'say {"begin": %d}\n' $n
        printf 'grade --src\tsolutions\t--no-progress\t--program\t%s\t--report\t/run/report/%d\t' \
            "$at" $n
        [ -z "$only" ] || printf -- '--step\t%s\t' "$only"
        printf -- '--seed\t%s\t%s\n' "$seed" "$number"
        # How it ends for a COMMAND that does nothing, without any option.
        [ -n "$only" ] || echo "ends timeout 60 /kit/build/inside --file lab$number=$at --" \
            "lab$number true </dev/null >/dev/null 2>&1"
    done <"$list"
}

# Each once, and without what only debuggers read: the guest has it all in memory, twice at first.
set --
while read -r lab kind name who seed; do
    locate
    copy=$programs/$lab.$kind.$name
    if [ -x "$program" ] && [ ! -e "$copy" ]; then
        strip -o "$copy" "$program" 2>/dev/null || cp "$program" "$copy"
        set -- "$@" --file "/corpus/$lab.$kind.$name=$copy"
    fi
done <"$list"

died=
if ! job | "$KIT/build/guest" --run "$VM" "$@" - >"$programs/messages" 2>"$log"; then
    died=$(sed -n '$s/^guest: //p' "$log")
    cry=$(grep -o 'Kernel panic.*' "$log" | head -n 1 | tr -d '\r')
    died="${died:-build/guest ended}${cry:+: $cry}"
fi

corpus_jq 'heard($count | tonumber; $died)[]' -s --arg count "$(wc -l <"$list")" --arg died "$died" \
    "$programs/messages" >"$programs/heard"
while read -r lab kind name who seed; do
    read -r said <&3
    locate
    only=$(only_step) built=true
    if [ ! -x "$program" ]; then
        built=false
        said='{"status": -1, "ends": -1, "steps": []}'
    elif [ "$said" = null ]; then
        said=$(corpus_jq 'lost($lab; $only; $why)' "$LABS" --arg lab "$lab" --arg only "$only" \
            --arg why "${died:-the guest has no result of it}")
    fi
    write_record "$only" $built "$said"
done <"$list" 3<"$programs/heard"
rm -rf "$programs"
