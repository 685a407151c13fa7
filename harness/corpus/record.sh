# shellcheck shell=sh disable=SC2016,SC2034,SC2154
# One program of the corpus and its record for judge.jq; sourced by who grades it here (grade.sh)
# and by who has it graded in a guest (guest.sh). Both set KIT, RECORDS, lab, kind, name, who, seed.

corpus_jq() { # FILTER, which may use record.jq, and jq's other words
    corpus_filter=$1
    shift
    jq -c -L "$KIT/harness/corpus" "include \"record\"; $corpus_filter" "$@"
}

header() { # NAME: the value of a mutant's header line
    [ "$kind" != mutants ] ||
        sed -n "/^--- /q; s/^$1: *//p" "$KIT/harness/corpus/$lab/mutants/$name.patch"
}

changed_lines() {
    [ "$kind" != mutants ] || sed -n '/^@@/,$p' "$KIT/harness/corpus/$lab/mutants/$name.patch" |
        grep -c '^[-+]'
}

# Where it lies: sets number, folder, layer, program and record.
locate() {
    number=${lab%%-*}
    layer=$(basename "$(echo "$KIT/solutions/$lab"/*.c)")
    case $kind in
    solutions) folder=$KIT/build/solutions/$number layer=$KIT/solutions/$lab/$layer ;;
    *) folder=$KIT/build/corpus/$lab/$kind/$name layer=$folder/$layer ;;
    esac
    program=$folder/lab$number
    record=$RECORDS/$lab.$kind.$name.$who.$seed.json
}

# write_record ONLY BUILT RESULT: ONLY is the step that was asked for, or nothing; the RESULT is
# {"status": build/grade's, "ends": how it ends for `true`, "steps": graded (record.jq)}.
write_record() {
    printf '%s\n' "$3" | corpus_jq 'record($ARGS.named)' \
        --arg lab "$lab" --arg kind "$kind" --arg name "$name" --arg who "$who" \
        --arg seed "$seed" --arg hint "${hint-}" --arg only "$1" --arg built "$2" \
        --arg build_log "$(cat "$folder/build.log" 2>&1)" \
        --arg misconception "$(header Misconception)" --arg step "$(header Step)" \
        --arg says "$(header Says)" --arg also "$(header Also-fails)" \
        --arg left_out "$(header Left-out)" --arg ignores "$(header Ignores-error)" \
        --arg changed "$(changed_lines)" >"$record"
}
