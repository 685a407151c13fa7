#!/usr/bin/env bats
# The student's verbs: make, lab, hint, reset, diff, skeletons and what none of them is.
# shellcheck disable=SC2030,SC2031,SC2154 # what bats' run sets

bats_require_minimum_version 1.5.0
load kit

setup_file() {
    make_kit
}

teardown_file() {
    drop_kit
}

@test "make: a board, and one line that says what is next" {
    run -0 in_kit make
    [ "$(grep -c '^next: ' <<<"$output")" = 1 ]
    [ "$(last_line)" = "next: make lab01" ]
    [[ "$output" == *"05  a new root"* ]]
}

@test "make: before anything is built, a plain list, and nothing is built by it" {
    mv "$KIT/build" "$KIT/away"
    run -0 in_kit make
    built=$(test -e "$KIT/build" && echo yes || true)
    mv "$KIT/away" "$KIT/build"
    [ -z "$built" ]
    [ "$(last_line)" = "next: make lab01" ]
    [[ "$output" == *"05  a new root"* ]]
}

@test "make: before anything is built, the list knows what has passed" {
    in_kit mkdir -p .progress
    printf '02-uts-ipc/hostname\tx\ty\tz\n' >"$KIT/.progress/passed"
    mv "$KIT/build" "$KIT/away"
    run -0 in_kit make
    mv "$KIT/away" "$KIT/build"
    rm "$KIT/.progress/passed"
    [[ "$output" == *"1 step passed"* ]]
    [ "$(last_line)" = "next: make lab02" ]
}

@test "from the first failure to the first pass, as the book tells it" {
    run -2 in_kit make lab01
    [ "${#lines[@]}" -le 25 ]
    [[ "$output" == *"FAIL 1  run it and return its exit status"* ]]
    [[ "$output" == *"expected   "* ]]
    [[ "$output" == *"next: make hint01"* ]]

    run -0 in_kit make hint01
    [ "${#lines[@]}" -le 25 ]
    [[ "$output" == *"hint 1 of 3"* ]]
    first=$output
    run -0 in_kit make hint01
    [[ "$output" == *"hint 2 of 3"* ]]
    [ "$output" != "$first" ]
    run -0 in_kit make hint01 STEP=1 TIER=3
    [[ "$output" == *"hint 3 of 3"* ]]

    cp "$KIT/labs/01-process/process.c" "$SHELF/before.c"
    solve 01 2
    typed=$(diff "$SHELF/before.c" "$KIT/labs/01-process/process.c" | grep -c '^>')
    [ "$typed" -le 15 ]
    run -2 in_kit make lab01
    [ "${#lines[@]}" -le 25 ]
    [[ "$output" == *"PASS 1  run it and return its exit status"* ]]

    run -0 in_kit make
    [[ "$output" =~ 01\ \ .*[1-5]/5\ core ]]
    [ "$(last_line)" = "next: make lab01" ]
}

@test "a lab that has passed: what is borrowed, what is next, and its diff" {
    run -2 in_kit make diff01
    [[ "$output" == *"lab01 has not passed yet"* ]]
    solve 01 100
    run -0 in_kit make lab01
    [[ "$output" == *"next: make lab02"* ]]
    run -0 in_kit make
    [ "$(last_line)" = "next: make lab02" ]
    run -0 in_kit make diff01
    [[ "$output" != *"BEGIN SOLUTION"* ]]
    echo "/* mine */" >>"$KIT/labs/01-process/process.c"
    run -0 in_kit make diff01
    [[ "$output" == *"-/* mine */"* ]]
    run -2 in_kit make lab02
    [[ "$output" == *"borrowed from solutions/: 01-process"* ]]
    solve 01 100
    run -2 in_kit make lab02
    [[ "$output" != *"borrowed"* ]]
}

@test "clean: what was built goes, progress and the student's file stay" {
    in_kit mkdir -p .progress
    before=$(cat "$KIT"/.progress/passed "$KIT"/labs/*/*.c | cksum)
    cp -a "$KIT/build" "$KIT/kept"
    run -0 in_kit make clean
    gone=$(test -e "$KIT/build" || echo yes)
    mv "$KIT/kept" "$KIT/build"
    [ "$gone" = yes ]
    [ "$(cat "$KIT"/.progress/passed "$KIT"/labs/*/*.c | cksum)" = "$before" ]
}

@test "a compile error: the compiler's words first, then one sentence" {
    solve 02 1
    echo "int oops(void) { return 1 }" >>"$KIT/labs/02-uts-ipc/uts.c"
    run -2 in_kit make lab02
    solve 02 1
    [[ "${lines[0]}" == labs/02-uts-ipc/uts.c:* ]]
    [[ "$output" == *"uts.c does not compile yet: begin with the first error above."* ]]
    [[ "$(last_line)" == "make: *** "* ]]
    [ "${#lines[@]}" -le 8 ]
}

@test "reset: a fresh file, and a backup that is named" {
    echo "/* hours of work */" >>"$KIT/labs/03-pid/pid.c"
    run -0 in_kit make reset03
    [[ "$output" == *backup-* ]]
    grep -q "hours of work" "$KIT"/labs/03-pid/pid.c.backup-*
    run ! grep -q "hours of work" "$KIT/labs/03-pid/pid.c"
    run -0 in_kit make reset03 STEP=2
    run ! grep -q "TODO(step 1)" "$KIT/labs/03-pid/pid.c"
    grep -q "TODO(step 2)" "$KIT/labs/03-pid/pid.c"
    rm -f "$KIT"/labs/03-pid/*.backup-*
    in_kit make reset03
}

@test "skeletons: never over an edited file; STEP= makes one to go on from" {
    echo "/* hours of work */" >>"$KIT/labs/03-pid/pid.c"
    run -0 in_kit make skeletons
    grep -q "hours of work" "$KIT/labs/03-pid/pid.c"
    [[ "$output" == *pid.c* ]]
    in_kit make reset03
    rm -f "$KIT"/labs/03-pid/*.backup-*
    run -0 in_kit make skeletons STEP=3 LAB=05
    made=$KIT/build/skeletons/05-pivot-root/root.c
    [[ "$(last_line)" == *"make reset05 STEP=3"* ]]
    grep -q "TODO(step 3)" "$made"
    run ! grep -q "TODO(step 2)" "$made"
}

@test "nonsense gets one sentence and not a build" {
    for goal in lab99 hint99 shell00 break77; do
        run -2 in_kit make "$goal"
        [[ "${lines[0]}" == *"there is no lab ${goal//[a-z]/}"* ]]
        [ "${#lines[@]}" = 2 ]
    done
    run -2 in_kit make lab5
    [[ "${lines[0]}" == *"make lab05"* ]]
    run -2 in_kit make mountains
    [[ "${lines[0]}" == *"make help"* ]]
    run -2 in_kit make lab02 STEP=99
    [[ "$output" == *"99: not a number from 1 to 16"* ]]
    [ "${#lines[@]}" = 2 ]
    run -2 in_kit make lab02 STEP=9
    [[ "$output" == *"no step 9"* ]]
    run -2 in_kit make hint02 STEP=99
    [ "${#lines[@]}" = 2 ]
    run -2 in_kit make skeletons STEP=99
    [[ "$output" == *"no lab has a step 99"* ]]
    run -2 in_kit make skeletons STEP=9 LAB=05
    [[ "$output" == *"lab 05 has no step 9"* ]]
    run -2 in_kit make lab02 SRC=elsewhere
    [[ "$output" == *"labs or solutions"* ]]
}

@test "help: every verb of the Makefile, one line each, no line too long" {
    run -0 in_kit make help
    for verb in lab05 hint05 shell05 debug05 trace05 asan05 break05 diff05 reset05 watch setup \
        doctor vm demo clean check matrix skeletons test corpus; do
        [ "$(grep -c "^  make $verb " <<<"$output")" = 1 ]
    done
    [ "$(awk 'length > 80' <<<"$output")" = "" ]
}

@test "a machine that lacks something: make setup is named, and no compiler is heard" {
    # A machine without strace, as far as PATH goes.
    mkdir -p "$SHELF/bin"
    for program in /usr/bin/* /bin/*; do
        name=${program##*/}
        [ "$name" = strace ] || [ -e "$SHELF/bin/$name" ] || ln -s "$program" "$SHELF/bin/$name"
    done
    touch "$KIT/labs/02-uts-ipc/uts.c"
    run -2 in_kit env PATH="$SHELF/bin" make lab02
    [[ "$output" == *"missing on this machine:"* ]]
    [[ "$output" == *"strace"* ]]
    [[ "$output" == *"make setup"* ]]
    [[ "$output" != *"error:"* ]]
    [[ "$output" != *"PASS"* ]]
}
