#!/bin/sh
# grade.sh LAB KIND NAME WHO SEED: grades one program of the corpus and writes what came of it, as
# one JSON record, to $RECORDS. (Called by run.sh, which sets KIT, RECORDS, REPORTS and WHOLE.)
set -u

lab=$1 kind=$2 name=$3 who=$4 seed=$5
# shellcheck source=harness/corpus/as.sh
. "$(dirname "$0")/as.sh"
# shellcheck source=harness/corpus/record.sh
. "$(dirname "$0")/record.sh"
locate
report=$REPORTS/$who/$lab.$kind.$name.$seed

# A wrong solution is graded whole once, so that it is seen to fail nothing else. As any other user,
# its own step (with those that it needs) tells whether it dies there too.
only=
[ "$kind" != mutants ] || [ "$who" = "$WHOLE" ] || only=$(header Step)

built=false status=-1 ends=-1 steps=
if [ -x "$program" ]; then
    built=true
    as "$who" timeout 120 "$KIT/build/grade" --src solutions --no-progress --layer "$layer" \
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
    [ ! -s "$report/$number/report.json" ] ||
        steps=$(corpus_jq '[.steps[] | graded]' "$report/$number/report.json")
fi
# What `make hint` asks first, of somebody who has made this mistake.
hint=
if [ "$kind" = mutants ] && [ -z "$only" ] && [ -n "$steps" ]; then
    hint=$(as "$who" "$KIT/build/grade" --hint --report "$report" --step "$(header Step)" --tier 1 \
        "$number" 2>&1)
fi
write_record "$only" $built "{\"status\": $status, \"ends\": $ends, \"steps\": ${steps:-[]}}"
