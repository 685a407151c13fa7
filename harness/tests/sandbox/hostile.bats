#!/usr/bin/env bats
# Lab programs that misbehave: held, told why, and the next step is graded as if nothing had been.
# shellcheck disable=SC2012,SC2013,SC2015,SC2016,SC2030,SC2031,SC2153,SC2154
load sandbox.bash

setup_file() {
    make_kit
    local name
    for name in forks heap memfds tmpfs tmpfs_unbounded tmpfs_detached segments prints \
        prints_datagrams prints_nothing spins ignores daemonises stops closes blocks kills_init; do
        build "$name" hostile.c -static -DHOSTILE="$name"
    done
    for name in relay relay_as_probe fake as_init as_stopped_probe as_halted_probe as_nobody \
        hello_first changed_copy in_the_room; do
        build "impostor_$name" impostor.c -static -DIMPOSTOR="$name"
    done
}
teardown_file() { remove_kit; }

# fails KIND PROGRAM PATTERN [PATTERN...]: step 1 fails, all patterns are in what is said, step 2 passes.
fails() {
    local kind=$1 program=$2 pattern
    shift 2
    run grade_as "$kind" "$T/$program"
    echo "$kind $program: $output"
    jq -c '.steps[1]' "$(report_folder "$kind")/02/report.json" # should it not have passed
    [ "$status" = 1 ]
    grep -q "^FAIL 1 " <<<"$output"
    grep -q "^PASS 2 " <<<"$output"
    for pattern in "$@"; do
        tr -s '\n ' ' ' <<<"$output" | grep -Eq "$pattern"
    done
    until_true 2000 none_left
}

# The kinds differ in who counts (a control group, or we) and who may look (the same uid, or not);
# one id more or less changes neither.
for_all() {
    local kind
    for kind in $KINDS; do
        [ "$kind" != single ] && [ "$kind" != "$BUT" ] || continue
        [ "$kind" != sub ] || [ -n "$SUB" ] || continue
        fails "$kind" "$@"
    done
}

# However slow the machine is: it ends when the memory does.
eats() {
    STRATA_PATIENCE=9 for_all "$1" "it used (all of the )?[0-9]+ MiB of memory"
}

@test "forks without end" { BUT=sub STRATA_PATIENCE=4 for_all forks "[0-9]{3} processes"; }
@test "heap without end" { BUT=sub eats heap; }
@test "memfds without end" { eats memfds; }
@test "tmpfs without end" { BUT=sub eats tmpfs; }
@test "tmpfs that has no size" { BUT=sub eats tmpfs_unbounded; }
@test "tmpfs that is detached" { BUT=sub eats tmpfs_detached; }
@test "System V segments without end" { eats segments; }
@test "prints without end" { for_all prints "more than 1024 KiB of output" "xxxxxxxx"; }
@test "prints datagrams without end" { fails "${KINDS%% *}" prints_datagrams "more than 1024 KiB"; }
@test "prints nothing without end" { fails "${KINDS%% *}" prints_nothing "waits in sendto\(1|is computing"; }
@test "spins" { fails "${KINDS%% *}" spins "nothing for 1 seconds: lab02 .* is computing"; }
@test "ignores all signals" { fails "${KINDS%% *}" ignores "waits in pause" "nothing moves me"; }
@test "daemonises" { for_all daemonises "ended with status 0, and COMMAND never ran"; }
@test "stops itself" { fails "${KINDS%% *}" stops "is stopped" "good night"; }
@test "closes everything" { fails "${KINDS%% *}" closes "waits in pause" "closing time"; }
@test "blocks: the call and the partial output are shown" {
    for_all blocks "waits in read\(3, " "half of the way"
}
@test "ends PID 1 of the room through its limits" {
    for_all kills_init "PID 1 of the sandbox has ended"
}

# --- in front of the probe ---------------------------------------------------------------------

earns_nothing() {
    run grade_as "${KINDS%% *}" "$T/impostor_$1" --step 1
    echo "$output"
    [ "$status" = 1 ]
    grep -q "^FAIL 1 .* 0 of 25 points" <<<"$output"
    tr -s '\n ' ' ' <<<"$output" | grep -Eq "$2"
}

@test "impostor: the real probe behind a relay" { earns_nothing relay "exe is not the COMMAND"; }
@test "impostor: a relay in the probe's name" { earns_nothing relay_as_probe "standard input is not"; }
@test "impostor: something else that speaks the protocol" { earns_nothing fake "exe is not the COMMAND"; }
@test "impostor: in the name of PID 1" { earns_nothing as_init "exe is not the COMMAND"; }
@test "impostor: for a process that will be the probe" {
    earns_nothing as_stopped_probe "exe is not the COMMAND|is stopped"
}
@test "impostor: for the real probe, stopped" {
    earns_nothing as_halted_probe "COMMAND is stopped|exe is not the COMMAND|two processes|same as outside"
}
@test "impostor: for a process that does not exist" { earns_nothing as_nobody "waits in recv"; }
@test "impostor: speaks before it is the probe" { earns_nothing hello_first "same as outside|two processes"; }
@test "impostor: a changed copy" { earns_nothing changed_copy "exe is not the COMMAND"; }
@test "impostor: the real probe, in no namespace of its own" {
    earns_nothing in_the_room "same as outside"
}
