#!/bin/sh
# grade.sh LAB KIND NAME WHO SEED: grades one program of the corpus and writes what came of it, as
# one JSON record, to $RECORDS. (Called by run.sh, which sets KIT, RECORDS, REPORTS and WHOLE.)
set -u

lab=$1 kind=$2 name=$3 who=$4 seed=$5
number=${lab%%-*}
# shellcheck source=harness/corpus/as.sh
. "$(dirname "$0")/as.sh"

layer=$(basename "$(echo "$KIT/solutions/$lab"/*.c)")
case $kind in
solutions) folder=$KIT/build/solutions/$number layer=$KIT/solutions/$lab/$layer ;;
*) folder=$KIT/build/corpus/$lab/$kind/$name layer=$folder/$layer ;;
esac
program=$folder/lab$number
report=$REPORTS/$who/$lab.$kind.$name.$seed
record=$RECORDS/$lab.$kind.$name.$who.$seed.json

header() { # NAME: the value of a mutant's header line
    [ "$kind" != mutants ] ||
        sed -n "/^--- /q; s/^$1: *//p" "$KIT/harness/corpus/$lab/mutants/$name.patch"
}

changed_lines() {
    [ "$kind" != mutants ] || sed -n '/^@@/,$p' "$KIT/harness/corpus/$lab/mutants/$name.patch" |
        grep -c '^[-+]'
}

# A wrong solution is graded whole once, so that it is seen to fail nothing else. As any other user,
# its own step (with those that it needs) tells whether it dies there too.
only=
[ "$kind" != mutants ] || [ "$who" = "$WHOLE" ] || only=$(header Step)

# A guest is slow, and slower still where several share the machine.
limit=120
[ "${VM:-0}" = 0 ] || limit=600
built=false status=-1 ends=-1 steps='[]'
if [ -x "$program" ]; then
    built=true
    as "$who" timeout "$limit" "$KIT/build/grade" --src solutions --no-progress --layer "$layer" \
        --program "$program" --report "$report" --seed "$seed" ${only:+--step "$only"} "$number" \
        >"$record.log" 2>&1
    status=$?
    # How it ends for a COMMAND that does nothing, without any option.
    ends=0
    if [ -z "$only" ]; then
        as "$who" timeout 60 "$KIT/build/inside" --file "lab$number=$program" -- "lab$number" \
            true >>"$record.log" 2>&1
        ends=$?
    fi
    [ ! -s "$report/$number/report.json" ] || steps=$(jq -c '[.steps[] | {number, outcome, points,
        reason, note, verdict: ([.evidence.expected, .evidence.kernel, .evidence.see, .note] |
            map(strings) | join("\n"))}]' "$report/$number/report.json")
fi

jq -cn --arg lab "$lab" --arg kind "$kind" --arg name "$name" --arg who "$who" \
    --arg seed "$seed" --argjson built $built --arg build_log "$(cat "$folder/build.log" 2>&1)" \
    --argjson status "$status" --argjson ends "$ends" --argjson steps "${steps:-[]}" \
    --arg misconception "$(header Misconception)" --arg step "$(header Step)" \
    --arg says "$(header Says)" --arg also "$(header Also-fails)" \
    --arg left_out "$(header Left-out)" --arg ignores "$(header Ignores-error)" \
    --arg changed "$(changed_lines)" \
    '{$lab, $kind, $name, $who, $seed, $built, $build_log, $status, $ends, $steps,
      $misconception, step: ($step | tonumber? // 0), $says,
      also: [$also | splits("\n") | capture("^(?<n>[0-9]+)").n | tonumber],
      left_out: ($left_out == "yes"), ignores: ($ignores == "yes"),
      changed: ($changed | tonumber? // 0)}' >"$record"
