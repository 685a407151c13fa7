#!/usr/bin/env bats
# The verbs that run something in the sandbox: shell, debug, trace, break, asan, watch, demo, doctor.
# shellcheck disable=SC2030,SC2031,SC2154,SC2016 # what bats' run sets; text for other shells

bats_require_minimum_version 1.5.0
load kit

setup_file() {
    make_kit
}

teardown_file() {
    drop_kit
}

@test "shell: a script on stdin, the lab's program on the PATH, its exit status" {
    run -0 in_kit sh -c 'echo "lab05 --rootfs /tmp/rootfs grep PRETTY /etc/os-release; id -u; ls /strata" |
        make shell05 SRC=solutions'
    [[ "$output" == *strata* ]]
    for name in lab05 probe busybox escape; do
        [[ "$output" == *"$name"* ]]
    done
    [ "$(grep -cx 0 <<<"$output")" = 1 ]
    run -2 in_kit sh -c 'echo "exit 3" | make shell05 SRC=solutions'
    [[ "$output" == *"Error 3"* ]]
}

@test "shell: on a terminal a greeting of two lines, and leaving it is no failure" {
    command -v script || skip "no script(1) to make a terminal with"
    run -0 in_kit sh -c '{ sleep 1; printf "echo so%s\nfalse\nexit\n" far; } |
        TERM=xterm timeout 30 script -qec "make shell05 SRC=solutions" /dev/null'
    [[ "$output" == *"lab05 is on the PATH"* ]]
    [[ "$output" == *"sofar"* ]]
    [[ "$output" != *"make: ***"* ]]
}

@test "debug: gdb follows the child into the layer, and shows its source" {
    run -0 in_kit sh -c 'printf "run\nbt\nlist\n" |
        make debug05 SRC=solutions ARGS="--rootfs /tmp/rootfs /bin/true"'
    [[ "$output" == *"hit Breakpoint"*root_* ]]
    [[ "$output" == *"in lab_main"* ]]
    # A line of root.c itself, which gdb found in the sandbox.
    [[ "$output" == *"int root_"* ]]
}

@test "trace: the calls with their meaning, in 80 columns" {
    run -0 in_kit make trace05 SRC=solutions
    [[ "$output" == *"clone3("*"namespaces of its own: pid, mount, host name, IPC"* ]]
    [[ "$output" == *"pivot_root("*"swaps the root"* ]]
    [[ "$output" == *"umount2("*"the old root goes"* ]]
    [[ "$(last_line)" == "exit status 0" ]]
    [ "$(sed 1d <<<"$output" | awk 'length > 80')" = "" ]
    run -0 in_kit make trace02 SRC=solutions ARGS="--hostname x false"
    [[ "$output" == *'sethostname("x", 1)'* ]]
    [[ "$(last_line)" == "exit status 1" ]]
}

@test "break05: out of the chroot to the outer root's inode, and not out of the container" {
    run -0 in_kit make break05
    outer=$(sed -n 's/^   -> and has reached ours: //p' <<<"$output")
    [[ "$outer" =~ ^[0-9]+:[0-9]+\ [0-9]+$ ]]
    [ "$(grep -cx "   after  $outer" <<<"$output")" = 1 ]
    [ "$(grep -cx "   before $outer" <<<"$output")" = 0 ]
    [[ "$output" == *"still inside"* ]]
    [[ "$output" == *"the reference's program"* ]]
}

@test "break01 to break04 show what they claim" {
    for number in 01 02 03 04; do
        run -0 in_kit make "break$number"
        [[ "$(last_line)" =~ ^all\ [0-9]+\ claims\ showed ]]
    done
}

@test "break: a claim that does not show is a failure" {
    solve 05 1
    run -2 in_kit make break05 LAYERS=mine
    [[ "$output" == *"NOT SHOWN: and has reached ours"* ]]
    [[ "$output" == *"make break05 SRC=solutions"* ]]
}

@test "asan: a lab's solution passes, and a fault is shown with its line" {
    run -0 in_kit make asan05 SRC=solutions
    [[ "$output" == *"6 of 6 core steps"* ]]
    solve 02 100
    sed -i '/^int uts_set_hostname/,/^}/s/^{/{\n    volatile char *gone = malloc(4);\n    free((void *)gone);\n    gone[0] = name[0];/' \
        "$KIT/labs/02-uts-ipc/uts.c"
    sed -i 's/#include <errno.h>/&\n#include <stdlib.h>/' "$KIT/labs/02-uts-ipc/uts.c"
    run -2 in_kit make asan02
    solve 02 1
    [[ "$output" == *"AddressSanitizer: heap-use-after-free labs/02-uts-ipc/uts.c:"*" in uts_set_hostname"* ]]
    [ "$(grep -c FAIL <<<"$output")" -ge 1 ]
}

# watched VARIABLE=VALUE...: starts make watch, saves a file, waits for its verdict, and ends it
# as Ctrl-C does.
watched() {
    local log=$SHELF/watch.log
    : >"$log"
    in_kit env --default-signal=INT,TERM "$@" setsid make watch >"$log" &
    local starter=$! i
    for ((i = 0; i < 300; i++)); do
        ! grep -q "watch: ready" "$log" || break
        sleep 0.1
    done
    # Whole seconds may be all that a file system keeps of a time; the size tells as well.
    echo "/* saved */" >>"$KIT/labs/02-uts-ipc/uts.c"
    for ((i = 0; i < 300; i++)); do
        ! grep -q "SEED=" "$log" || break
        sleep 0.1
    done
    # It stands in our kit and nowhere else.
    for watcher in $(pgrep -x watch); do
        [ "$(readlink "/proc/$watcher/cwd")" != "$KIT" ] || break
    done
    group=$(ps -o pgid= -p "$watcher" | tr -d ' ')
    kill -INT -- "-$group"
    wait "$starter" || true
    solve 02 1
    output=$(cat "$log")
}

@test "watch: a saved file is graded, and Ctrl-C leaves nothing" {
    watched WATCH_POLL=0
    [[ "$output" == *"lab02"*"SEED="* ]]
    [[ "$output" == *"that was all"* ]]
    [ ! -e "/proc/$watcher" ]
}

@test "watch: without inotify it says so, and looks" {
    watched WATCH_POLL=1
    [[ "$output" == *"looking twice a second"* ]]
    [[ "$output" == *"lab02"*"SEED="* ]]
    [ ! -e "/proc/$watcher" ]
}

@test "demo: every layer, compared and not only printed" {
    run -0 in_kit make demo PLAIN=1
    for number in 01 02 03 04 05; do
        [[ "$output" == *"lab$number: "* ]]
    done
    [[ "$output" != *WRONG* ]]
    long=$(awk "length > 80" <<<"$output")
    echo "$long"
    [ -z "$long" ]
}

@test "demo: a layer that is not what it shows is named" {
    cp -a "$KIT/solutions/02-uts-ipc/uts.c" "$SHELF/uts.c"
    sed -i 's/CLONE_NEWIPC/0/' "$KIT/solutions/02-uts-ipc/uts.c"
    run -2 in_kit make demo
    cp -a "$SHELF/uts.c" "$KIT/solutions/02-uts-ipc/uts.c"
    touch "$KIT/solutions/02-uts-ipc/uts.c"
    [[ "$output" == *"WRONG: IPC namespace: the same on both sides"* ]]
    [[ "$output" == *"the demonstration failed in: lab02"* ]]
}

@test "doctor: what is missing comes with a cure, and exits by what is vital" {
    run -0 in_kit make doctor
    [[ "$output" == *"ok        user namespaces"* ]]
    [ "$(grep -c '^missing ' <<<"$output")" = "$(grep -c '^          cure: ' <<<"$output")" ]
    long=$(awk "length > 80" <<<"$output")
    echo "$long"
    [ -z "$long" ]
}

@test "doctor: where user namespaces are forbidden it says so and how to allow them" {
    # A user namespace in which no further one may be made is such a machine.
    run in_kit unshare --user --map-root-user sh -c \
        'echo 0 >/proc/sys/user/max_user_namespaces && make doctor'
    [ "$status" != 0 ]
    [[ "$output" == *"missing   user namespaces"* ]]
    [[ "$output" == *"user.max_user_namespaces="* ]]
    [[ "$output" == *"Nothing can be graded here yet"* ]]
}

@test "doctor: before anything is built there is a short look" {
    mv "$KIT/build" "$KIT/away"
    run in_kit make doctor
    mv "$KIT/away" "$KIT/build"
    rm -rf "$KIT/build/build"
    [ "$status" = 0 ]
    [[ "$output" == *"ok        user namespaces"* ]]
    [[ "$output" == *"the short look"* ]]
}

@test "every line of the doctor's table is in docs/troubleshooting.md" {
    while IFS= read -r name; do
        grep -qi "^## .*$name" "$KIT/docs/troubleshooting.md" || {
            echo "not there: $name"
            false
        }
    done < <(sed -n 's/^    {"\([^"]*\)", .*/\1/p' "$KIT/harness/grade/doctor.c")
}

@test "matrix: what was run says pass, what was not says so" {
    run in_kit make matrix
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"root: not run: you are not root"* ]]
    [[ "$output" =~ 02\.1\ .*not\ run\ (not\ run|pass\ \ \ )\ pass ]]
    [[ "$output" == *"guest v2: not run"* ]]
    [[ "$output" != *FAIL* ]]
}
