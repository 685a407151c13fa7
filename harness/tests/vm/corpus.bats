#!/usr/bin/env bats
# shellcheck disable=SC2086,SC2317 # lists of pids are words; functions that bats calls by `run`
# The corpus in a guest: what is believed of a guest that grades many programs, one after the other.
bats_require_minimum_version 1.5.0

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)
    T=$BATS_TEST_TMPDIR
    cd "$root" || return
    unset SEED SEEDS AS NEED EACH STRATA_GUEST_FIRST STRATA_GUEST_SECONDS
}

heard() { # COUNT DIED, messages on stdin
    jq -s -c -L harness/corpus --arg died "$2" "include \"record\"; heard($1; \$died)[]
        | if . == null then \"-\" else [.status, .ends, (.steps | map(.outcome) | join(\" \"))] end"
}

# The last of these pids: of build/guest and its child, the watcher.
newest() { printf '%s\n' $1 | tail -n 1; }

alive() { # PID...: one of them at least
    local pid
    for pid; do
        case $(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null) in
        '' | Z) ;;
        *) return 0 ;;
        esac
    done
    return 1
}

@test "messages become results, each of the program that was announced before it" {
    run heard 4 '' <<'END'
{"hello": 1}
{"lab": "05-pivot-root", "number": 1, "outcome": "PASS"}
{"begin": 1}
{"lab": "05-pivot-root", "number": 1, "outcome": "PASS"}
{"lab": "05-pivot-root", "number": 2, "outcome": "FAIL"}
{"exit": 1}
{"ends": 125}
{"begin": 3}
{"lab": "05-pivot-root", "number": 1, "outcome": "PASS"}
{"begin": 4}
{"exit": 3}
END
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = '[1,125,"PASS FAIL"]' ]
    [ "${lines[1]}" = '"-"' ] # its turn never came
    [ "${lines[2]}" = '"-"' ] # build/grade did not end
    [ "${lines[3]}" = '[3,0,""]' ]
}

@test "a guest that did not end well: the one at which it went wrong has no result" {
    run heard 3 'it died' <<'END'
{"begin": 1}
{"lab": "05-pivot-root", "number": 1, "outcome": "FAIL"}
{"exit": 1}
{"begin": 2}
{"lab": "05-pivot-root", "number": 1, "outcome": "FAIL"}
{"exit": 1}
END
    [ "${lines[*]}" = '[1,0,"FAIL"] "-" "-"' ]
    run heard 1 'it never began' </dev/null
    [ "${lines[*]}" = '"-"' ]
}

@test "a guest that dies half-way: what it owes is a fault, by name" {
    [ -x build/guest ] || skip "build/guest is not built"
    build/guest --ready 2>"$T/lacking" || skip "$(cat "$T/lacking")"
    # When the second program's turn has come.
    STRATA_GUEST_FIRST='(until [ -d /run/report/2 ]; do sleep 0.1; done; poweroff -f) &' \
        VM=v2 JOBS=1 LAB="02 04 05" KINDS=solutions SEEDS=5 RESULTS=$T/results \
        run sh harness/corpus/run.sh
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"ok 02-uts-ipc solutions"* ]]
    [[ $output == *"FAULT 04-mount solutions"*"step 1: ERROR: the guest ended before its report did"* ]]
    [[ $output == *"FAULT 05-pivot-root solutions"*"ERROR: the guest ended before its report did"* ]]
    [ "$(grep -c '^ok ' "$T/results/result.tap")" -eq 1 ]
    [ "$(grep -c '^not ok ' "$T/results/result.tap")" -eq 2 ]
}

@test "kill -9 of make corpus: its guest ends" {
    [ -x build/guest ] || skip "build/guest is not built"
    build/guest --ready 2>"$T/lacking" || skip "$(cat "$T/lacking")"
    (exec 3>&-; TMPDIR=$T VM=v2 JOBS=1 LAB=02 KINDS=solutions RESULTS=$T/results \
        exec sh harness/corpus/run.sh >"$T/out" 2>&1) &
    run=$!
    tries=600 # it may have to build something first
    until guest=$(pgrep -f "build/guest --run v2 .*$T/") && qemu=$(pgrep -P "$(newest "$guest")" qemu) ||
        [ $((tries -= 1)) -eq 0 ]; do
        sleep 0.1
    done
    kill -9 "$run"
    wait "$run" || true
    tries=100
    while alive $guest $qemu && [ $((tries -= 1)) -gt 0 ]; do
        sleep 0.1
    done
    run alive $guest $qemu
    [ "$status" -ne 0 ]
}

@test "what nobody made a record of is a fault; VM and AS that cannot be are refused" {
    mkdir "$T/bin"
    printf '#!/bin/sh\nexit 137\n' >"$T/bin/xargs"
    chmod 755 "$T/bin/xargs"
    PATH=$T/bin:$PATH VM=0 AS=me LAB=02 KINDS=solutions SEEDS=5 RESULTS=$T/results \
        run sh harness/corpus/run.sh
    [ "$status" -eq 1 ]
    [[ $output == *"FAULT 02-uts-ipc solutions reference"*"no record of it, as me, SEED=5"* ]]
    grep -q '^not ok - 02-uts-ipc solutions reference' "$T/results/result.tap"
    VM=v3 run sh harness/corpus/run.sh
    [ "$status" -eq 2 ]
    VM=v2 AS=many LAB=02 KINDS=solutions RESULTS=$T/results run sh harness/corpus/run.sh
    [ "$status" -eq 1 ]
    [[ $output == *"as many: not run here: in guests there is nobody but root"* ]]
}
