#!/usr/bin/env bats
# Whoever is killed: everything is gone within two seconds, and nothing of others was touched.
# shellcheck disable=SC2012,SC2013,SC2015,SC2016,SC2030,SC2031,SC2153,SC2154
bats_require_minimum_version 1.5.0
load sandbox.bash

setup_file() {
    make_kit
    build ignores hostile.c -static -DHOSTILE=ignores
    build forbid forbid.c -lseccomp
    unset STRATA_PATIENCE # these wait for their end
    mkdir -m 777 "$T/tmp"
    export TMPDIR="$T/tmp"
    snapshot >"$T/before"
}
teardown_file() { remove_kit; }

KIND=${KINDS%% *}

# Starts a grade that hangs in step 1; $! is its pid. Waits until PID 1 of its room runs.
start_grade() {
    (exec 3>&-; as "$KIND" setsid env --default-signal=INT "$T/kit/build/grade" --src solutions \
        --no-progress --report "$(report_folder "$KIND")" --program "$T/ignores" 02) \
        >"$T/out" 2>&1 &
    grade=$!
    until_true 5000 at_least 4 # harness, keeper, sandbox, room
}

start_inside() {
    (exec 3>&-; as "$KIND" setsid env --default-signal=INT "$T/kit/build/inside" -- sleep 1000) \
        >"$T/out" 2>&1 &
    inside=$!
    until_true 5000 at_least 4
}

keeper_of() { # PID of the harness
    local child
    for child in $(cat "/proc/$1/task/$1/children"); do
        [ "$(readlink "/proc/$child/exe")" = "$(readlink "/proc/$1/exe")" ] && echo "$child"
    done
}

all_gone() { # HARNESS
    until_true 2000 none_left || { ours | while read -r pid; do cat "/proc/$pid/stat"; done; return 1; }
    until_true 2000 no_groups "$1"
}

@test "kill -9 of build/grade" {
    start_grade
    kill -9 $grade
    all_gone $grade
}

@test "kill -9 of build/inside" {
    start_inside
    kill -9 $inside
    all_gone $inside
}

@test "kill -9 of the keeper: an ERROR, no pass, and nothing stays" {
    start_grade
    kill -9 "$(keeper_of $grade)"
    all_gone_but_grade() { [ "$(ours | grep -vcx $grade)" = 0 ] || ! kill -0 $grade 2>/dev/null; }
    # The first step is lost; the others go on in a new sandbox.
    status=0
    wait $grade || status=$?
    cat "$T/out"
    [ $status = 3 ]
    grep -q "ERROR 1" "$T/out"
    all_gone $grade
}

@test "kill -9 of the whole process group" {
    start_grade
    kill -9 -- -$grade
    all_gone $grade
}

@test "kill -9 of make" {
    # shellcheck disable=SC2016
    printf 'all:\n\t@"%s/kit/build/grade" --src solutions --no-progress --report "%s" --program "%s" 02\n' \
        "$T" "$(report_folder make)" "$T/ignores" >"$T/makefile"
    (exec 3>&-; exec make -f "$T/makefile") >"$T/out" 2>&1 &
    make=$!
    until_true 5000 at_least 4
    grade=$(ours | head -1)
    kill -9 $make
    all_gone "$grade"
}

@test "harness and keeper killed at once: the next start sweeps their groups" {
    [ "$(id -u)" = 0 ] || skip "an ordinary user makes no groups"
    start_grade
    [ -n "$(groups_of $grade)" ] || skip "no control group may be made here"
    keeper=$(keeper_of $grade)
    kill -STOP "$keeper" # so that it cannot be faster than the second kill
    kill -9 $grade "$keeper"
    until_true 2000 none_left
    "$T/kit/build/inside" -- true
    until_true 1000 no_groups $grade
}

interrupted() { # COMMAND's pid
    local status=0
    kill -INT "$1"
    wait "$1" || status=$?
    cat "$T/out"
    [ $status = 130 ]
    all_gone "$1"
}

@test "Ctrl-C on build/grade cleans up and exits 130" {
    start_grade
    interrupted $grade
}

@test "Ctrl-C on build/inside cleans up and exits 130" {
    start_inside
    interrupted $inside
}

@test "two runs at once" {
    start_inside
    run "$T/kit/build/grade" --src solutions --no-progress --report "$T/two" 02
    echo "$output"
    [ "$status" = 0 ]
    kill -0 $inside
    [ "$(ours | wc -l)" = 4 ]
    interrupted $inside
}

@test "what others make meanwhile disturbs nothing and is not touched" {
    [ "$(id -u)" = 0 ] || skip "needs root, to mount"
    place=$(sed -n 's/^\([0-9]*\):.*pids.*:/\1/p' /proc/self/cgroup >/dev/null; ls -d /sys/fs/cgroup/pids /sys/fs/cgroup | head -1)
    start=$(cut -d' ' -f22 /proc/$$/stat)
    theirs=("$place/of-somebody-$$" "$(printf '%s/strata-%d-%x-7-%x' "$place" $$ "$start" \
        "$(stat -Lc %i /proc/self/ns/pid)")")
    mkdir "$T/mounted"
    start_inside
    mount -t tmpfs theirs "$T/mounted"
    mkdir "${theirs[@]}" || { umount "$T/mounted"; skip "no control group may be made here"; }
    run "$T/kit/build/grade" --src solutions --no-progress --report "$T/others" 02
    kill -9 $inside
    gone=0
    all_gone $inside || gone=1
    mounted=$(grep -c " $T/mounted " /proc/self/mountinfo)
    umount "$T/mounted"
    rmdir "${theirs[@]}"
    echo "$output"
    [ "$status" = 0 ]
    [ "$mounted" = 1 ]
    [ "$gone" = 0 ]
}

# --- machines that allow no sandbox ------------------------------------------------------------

# One clear sentence, SKIP, exit status 4; build/inside: the sentence and 125.
no_sandbox() {
    local said=$1
    shift
    run "$@" env PLAIN=1 "$T/kit/build/grade" --src solutions --no-progress \
        --report "$(report_folder skip)" 02
    echo "$output"
    [ "$status" = 4 ]
    if grep -Eq "^(PASS|FAIL|ERROR)" <<<"$output"; then return 1; fi
    grep -q "^SKIP 1" <<<"$output"
    run "$@" "$T/kit/build/inside" -- true
    echo "$output"
    [ "$status" = 125 ]
    [ "${#lines[@]}" = 1 ]
    [[ $output == *$said* ]]
}

nested() { unshare -Urm true 2>/dev/null || skip "needs user namespaces"; }

@test "no user namespaces (user.max_user_namespaces = 0): SKIP" {
    nested
    # shellcheck disable=SC2016
    no_sandbox max_user_namespaces unshare -Urm sh -c \
        'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' sh
}

@test "one user namespace, and no second in it: SKIP" {
    nested
    # shellcheck disable=SC2016
    no_sandbox "room" unshare -Urm sh -c \
        'echo 1 >/proc/sys/user/max_user_namespaces && exec "$@"' sh
}

@test "clone3 refused by a filter: SKIP" {
    no_sandbox clone3 "$T/forbid" clone3 38
    no_sandbox "not allowed here" "$T/forbid" clone3 1
}

@test "a masked /proc: SKIP" {
    nested
    # shellcheck disable=SC2016
    no_sandbox "/proc" unshare -Urm sh -c 'mount --bind /dev/null /proc/cmdline && exec "$@"' sh
}

@test "mount_setattr refused: SKIP" { no_sandbox "read-only" "$T/forbid" mount_setattr 38; }

@test "nothing is left of all that" {
    until_true 2000 none_left
    snapshot >"$T/after"
    diff "$T/before" "$T/after"
}

groups_there() { [ -n "$(groups_of "$1")" ]; }

# Version 1's freezer: what is frozen does not even die of SIGKILL. Here it is PID 1 of the room.
@test "what was frozen in a group of the room is thawed, dies and is gone" {
    local freezer
    freezer=$(awk '/ - cgroup / && $NF ~ /(^|,)freezer(,|$)/ { print $5; exit }' /proc/self/mountinfo)
    [ -n "$freezer" ] || skip "no version 1 freezer here"
    [ "$(id -u)" = 0 ] || skip "needs root: groups of the freezer"
    cat >"$T/freeze" <<'END'
cd /sys/fs/cgroup/freezer && mkdir -p a/b && echo 1 >a/b/cgroup.procs || exit 9
sleep 1000 & echo $! >a/b/cgroup.procs
echo FROZEN >a/b/freezer.state
until grep -q FROZEN a/b/freezer.state; do :; done # FREEZING at first
cat a/b/freezer.state
END
    "$T/kit/build/inside" --cgroups --seconds 3 --file "freeze=$T/freeze" -- sh /strata/freeze \
        >"$T/said" 3>&- &
    local inside=$! ended=0
    until_true 3000 groups_there "$inside"
    wait "$inside" || ended=$?
    [ "$ended" = 124 ]
    [ "$(cat "$T/said")" = FROZEN ]
    until_true 2000 none_left
    [ -z "$(groups_of "$inside")" ]
}
