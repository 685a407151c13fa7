#!/bin/sh
# seconds: 60
# Hints: each step has its three tiers, the third names every call of the solution, and the first
# is chosen from what was observed: for two mutants of a step it differs.
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

perl harness/tests/hints/tiers.pl || not_ok "the files of hints could be read"

# first_hint LAB MUTANT STEP: what `make hint STEP=... TIER=1` says after that mutant was graded.
first_hint() {
    number=${1%%-*}
    report=$SCRATCH/hint
    rm -rf "$report"
    build/grade --src solutions --no-progress --report "$report" --step "$3" \
        --program "build/corpus/$1/mutants/$2/lab$number" "$number" >/dev/null 2>&1
    build/grade --hint --report "$report" --step "$3" --tier 1 "$number" 2>&1
}

build/grade --list --json | jq -r '.[] | .name as $lab | .steps[] | "\($lab) \(.number)"' |
    while read -r lab step; do
        hints=
        for patch in harness/corpus/"$lab"/mutants/"$step"-*.patch; do
            hints="$hints$(first_hint "$lab" "$(basename "$patch" .patch)" "$step" | cksum)
"
            [ "$(printf '%s' "$hints" | sort -u | wc -l)" -lt 2 ] || break
        done
        check "$lab step $step: two mutants get two first hints" \
            test "$(printf '%s' "$hints" | sort -u | wc -l)" -ge 2
    done
