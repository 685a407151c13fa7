#!/usr/bin/env bats
# The track of the three-hour workshop, on a machine as its guests have it: no network, no root.
# shellcheck disable=SC2030,SC2031,SC2154 # what is exported is for one test; what bats' run sets
bats_require_minimum_version 1.5.0
load ../verbs/kit

setup_file() {
    make_kit
    [ ! -d "$root/.guest" ] || cp -a "$root/.guest" "$KIT/"
}

teardown_file() {
    drop_kit
}

@test "the board shows the track's stops only, before and after the first build" {
    TRACK=workshop run in_kit make
    [ "$status" -eq 0 ]
    [[ $output == *"make lab02 "* && $output == *"make break05 "* && $output == *"make lab12 "* ]]
    [[ $output != *"lab06"* && $output != *"lab13"* ]]
    [[ $(last_line) == "next: make lab02" ]]
    in_kit mv build/grade build/grade.away
    TRACK=workshop run in_kit make
    in_kit mv build/grade.away build/grade
    [[ $output == *"05  "* && $output != *"06  "* ]]
    [[ $(last_line) == "next: make lab02" ]]
}

@test "no network: the track's solutions pass, its skeletons fail, the rest is borrowed" {
    in_kit build/guest --ready || skip "lab 12 may need a guest, and none can be had"
    export OFFLINE=1 SECONDS_MAX=500 TRACK=workshop
    unset VM # make test forbids guests; a workshop's machine does not
    run in_kit cat /proc/net/dev
    [ "${#lines[@]}" = 3 ] # two lines of heading, and lo
    run in_kit make check SRC=solutions
    echo "$output"
    [ "$status" -eq 0 ]
    for line in "PASS lab02 · .* 5 of 5" "PASS lab03 · .* 2 of 2" "PASS lab05 · .* 3 of 3" \
        "PASS lab12 · .* 4 of 4"; do
        grep -q "^$line core steps" <<<"$output"
    done
    [[ $output != *lab01* && $output != *lab13* ]]
    run in_kit make lab05
    [ "$status" -eq 2 ]
    [[ $output == *"FAIL 1 "* && $output != *" 4 "*"masked"* ]]
    [[ $output == *"borrowed from solutions/: 01-process 02-uts-ipc 03-pid 04-mount"* ]]
}

@test "no network: a stop that passes leads to the next one" {
    export OFFLINE=1 TRACK=workshop
    solve 03 3
    run in_kit make lab03
    [ "$status" -eq 0 ]
    [[ $(last_line) == "next: make lab05" ]]
    run in_kit make
    [[ $output == *"make lab03 "*"##      2/2"* ]]
    run in_kit make break05
    [ "$status" -eq 0 ]
}
