#!/usr/bin/env bats
# Guests: what they grade, what they do when something goes wrong in them, and that nothing of them
# stays. A boot takes a few seconds, so each test makes the most of its one.
# shellcheck disable=SC2317,SC2013 # functions that bats calls by `run`; lists of pids are words
bats_require_minimum_version 1.5.0

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)
    T=$BATS_TEST_TMPDIR
    cd "$root" || return
    [ -x build/guest ] || skip "build/guest is not built"
    build/guest --ready 2>"$T/lacking" || skip "$(cat "$T/lacking")"
    unset SEED STRATA_GUEST_FIRST STRATA_GUEST_SECONDS
    chmod 755 "$BATS_RUN_TMPDIR" "$T" 2>/dev/null || true
}

grade() { # VM=… and labs or options
    PLAIN=1 timeout 500 build/grade --src solutions --no-progress --report "$T/report" "$@"
}

# The guest of build/grade with this pid, once it runs: QEMU's pid; its parent is the watcher.
find_qemu() {
    local tries=200 watcher qemu
    while [ $((tries -= 1)) -gt 0 ]; do
        for watcher in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
            for qemu in $(cat "/proc/$watcher/task/$watcher/children" 2>/dev/null); do
                case $(readlink "/proc/$qemu/exe") in
                */qemu-system-*)
                    echo "$qemu"
                    return
                    ;;
                esac
            done
        done
        sleep 0.1
    done
    return 1
}

gone() { # PID...: within ten seconds
    local tries=100 pid left
    while [ $((tries -= 1)) -gt 0 ]; do
        left=
        for pid; do
            case $(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null) in
            '' | Z) ;;
            *) left=$pid ;;
            esac
        done
        [ -n "$left" ] || return 0
        sleep 0.1
    done
    echo "still there: $left"
    return 1
}

# there CGROUP LAB...: every step of these labs ran in that guest and passed. Only what its kernel
# lacks may have been skipped, by name; each lab has been graded all the same, but for those that
# nothing is left of.
there() {
    local cgroup=$1 lab graded=0
    shift
    for lab; do
        jq -e --arg cgroup "$cgroup" '.who == "root" and all(.steps[];
            (.where | startswith("in the guest (cgroup \($cgroup), ")) and (.outcome == "PASS" or
            (.outcome == "SKIP" and (.reason | test("^needs (overlay-in-userns|psi|step)")))))' \
            "$T/report/$lab/report.json" || {
            echo "lab $lab:"
            jq -r '.steps[] | "\(.number) \(.outcome) \(.where) \(.reason)"' "$T/report/$lab/report.json"
            return 1
        }
        grep -q "ran in the guest (cgroup $cgroup" "$T/report/$lab/report.tap" || return
        ! jq -e 'any(.steps[]; .outcome == "PASS")' "$T/report/$lab/report.json" ||
            graded=$((graded + 1))
    done
    [ "$graded" -ge $(($# - 1)) ]
}

@test "all labs in one boot: control groups v2; each step says where it ran" {
    mapfile -t labs < <(build/grade --list --json | jq -r '.[].name[0:2]')
    VM=v2 run grade "${labs[@]}"
    echo "$output"
    [ "$status" -eq 0 ] || [ "$status" -eq 4 ]
    [[ $output == *"in the guest (cgroup v2, "* ]]
    there v2 "${labs[@]}"
}

@test "control groups v1 and hybrid, and the seed of the caller" {
    VM=v1 run grade --seed 5eed 05 11 12 13
    echo "$output"
    [ "$status" -eq 0 ] || [ "$status" -eq 4 ]
    [[ $output == *"ran in the guest (cgroup v1, "*"SEED=00005eed"* ]]
    there v1 05 11 12 13
    VM=hybrid run grade --seed 5eed 05 11 12 13
    echo "$output"
    [ "$status" -eq 0 ] || [ "$status" -eq 4 ]
    [[ $output == *"ran in the guest (cgroup hybrid, "* ]]
    there hybrid 05 11 12 13
    for cgroup in v1 hybrid; do
        # shellcheck disable=SC2016 # the guest's shell is to see it
        run build/guest --run "$cgroup" 'do cut -d" " -f3 /proc/mounts | sort -u | grep cgroup'
        case $cgroup in
        v1) [[ $output == *cgroup* && $output != *cgroup2* ]] ;;
        hybrid) [[ $output == *cgroup2* && $output == *$'cgroup\r'* || $output == *$'cgroup\n'* ]] ;;
        esac
    done
}

@test "a wrong solution fails in a guest as it does here, with the same words" {
    cat >"$T/wrong.c" <<'EOF'
#include <unistd.h>
int main(void) { write(2, "I do nothing\n", 13); return 0; }
EOF
    ${CC:-cc} -o "$T/wrong" "$T/wrong.c"
    VM=0 run grade --program "$T/wrong" --step 1 05
    [ "$status" -eq 1 ]
    here=$(jq -S '.steps[0] | {outcome, evidence, reason, log, log_total, earned}' \
        "$T/report/05/report.json")
    VM=1 run grade --program "$T/wrong" --step 1 05
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL"*"I do nothing"* ]]
    there=$(jq -S '.steps[0] | {outcome, evidence, reason, log, log_total, earned}' \
        "$T/report/05/report.json")
    [ "$here" = "$there" ]
}

@test "a panic is an ERROR with the kernel's last lines" {
    STRATA_GUEST_FIRST='echo c >/proc/sysrq-trigger' VM=1 run grade 05
    [ "$status" -eq 3 ]
    [[ $output == *"ERROR"*"ended before its report did: Kernel panic"* ]]
    [[ $output == *"the guest's kernel said"* ]]
    [[ $output != *"PASS"* ]]
    jq -e '[.steps[].outcome] | all(. == "ERROR" or . == "BLOCKED")' "$T/report/05/report.json"
}

@test "a guest that powers off early is an ERROR" {
    STRATA_GUEST_FIRST='poweroff -f' VM=1 run grade 05
    [ "$status" -eq 3 ]
    [[ $output == *"the guest ended before its report did"*"Power down"* ]]
    [[ $output != *"PASS"* ]]
}

@test "a guest that hangs is ended at its deadline, and is an ERROR" {
    STRATA_GUEST_FIRST='sleep 1000' STRATA_GUEST_SECONDS=4 VM=1 run grade 05
    [ "$status" -eq 3 ]
    [[ $output == *"the guest was silent for too long"* ]]
    [[ $output != *"PASS"* ]]
}

@test "words on the port for results that are not the report's: an ERROR" {
    STRATA_GUEST_FIRST='echo "@strata 0 said 2" >/dev/ttyS1' VM=1 run grade --step 1 05
    [ "$status" -eq 3 ]
    [[ $output == *"was not its report"* ]]
}

@test "a program that prints results on everything it can reach gains nothing" {
    cat >"$T/liar.c" <<'EOF'
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
static const char lie[] =
    "\n@strata 0 said 73\n{\"lab\":\"05-pivot-root\",\"number\":1,\"outcome\":\"PASS\","
    "\"seconds\":1,\"log\":[]}\n@strata 0 end 1 0\nPASS 1\nok 1 - step 1\n";
static void tell(int fd) { if (fd >= 0 && write(fd, lie, sizeof lie - 1) < 0) return; }
static void tell_all(const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        tell(open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY));
    }
}
int main(void)
{
    static const char *const folders[] = {"/dev", "/proc/1/fd", "/proc/self/fd", "/sys/class/tty",
                                          "/run", "/dev/char", "/proc/tty"};
    for (int fd = 0; fd < 64; fd++)
        tell(fd);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        tell_all(folders[i]);
    tell(open("/dev/kmsg", O_WRONLY));
    if (mknod("/tmp/port", S_IFCHR | 0666, makedev(4, 65)) == 0)
        tell(open("/tmp/port", O_WRONLY | O_NONBLOCK | O_NOCTTY));
    return 0;
}
EOF
    ${CC:-cc} -o "$T/liar" "$T/liar.c"
    VM=1 run grade --program "$T/liar" 05
    [ "$status" -eq 1 ]
    [[ $output == *"FAIL"* ]]
    jq -e '[.steps[] | select(.outcome == "PASS" or .earned > 0)] == []' "$T/report/05/report.json"
}

@test "kill -9 of build/grade, of its watcher, and Ctrl-C: no guest stays, and no file" {
    for victim in grade watcher INT; do
        (exec 3>&-; VM=1 exec setsid env --default-signal=INT build/grade --src solutions \
            --no-progress --report "$T/report" 05 >"$T/out" 2>&1) &
        pid=$!
        qemu=$(find_qemu "$pid")
        watcher=$(cut -d' ' -f4 "/proc/$qemu/stat")
        case $victim in
        grade) kill -9 "$pid" ;;
        watcher) kill -9 "$watcher" ;;
        INT) kill -INT "$pid" ;;
        esac
        gone "$qemu" "$watcher" "$pid"
        status=0
        wait "$pid" || status=$?
        case $victim in
        grade) [ "$status" -eq 137 ] ;;
        watcher) [ "$status" -eq 3 ] && grep -q ERROR "$T/out" ;;
        INT) [ "$status" -eq 130 ] ;;
        esac
    done
    # There is nothing but what all guests share: the image was in memory.
    for file in build/vm/*; do
        [[ ${file##*/} =~ ^(linux|system.cpio|stamp|kvm|lock)$ ]]
    done
}

@test "kill -9 of make: build/grade ends by itself, and its guest" {
    printf 'all:\n\t@VM=1 build/grade --src solutions --no-progress --report "%s" 05\n' \
        "$T/report" >"$T/Makefile"
    (exec 3>&-; exec setsid env -u MAKEFLAGS -u MAKELEVEL make -f "$T/Makefile" >"$T/out" 2>&1) &
    make=$!
    tries=100
    until grade=$(pgrep -P "$make" grade || pgrep -P "$(pgrep -P "$make" -o)" grade) ||
        [ $((tries -= 1)) = 0 ]; do
        sleep 0.1
    done
    qemu=$(find_qemu "$grade")
    kill -9 "$make"
    gone "$grade" "$qemu"
    wait "$make" || true
}

@test "an ordinary user without a network: no privilege is needed" {
    as=()
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid 54321 --regid 54321 --clear-groups test -r build/vm/linux ||
            skip "this folder is closed to other users"
        as=(setpriv --reuid 54321 --regid 54321 --clear-groups)
    fi
    mkdir -m 777 "$T/theirs"
    VM=1 PLAIN=1 run "${as[@]}" unshare -rn build/grade --src solutions --no-progress \
        --report "$T/theirs" --step 1 05
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"PASS"*"in the guest"* ]]
}

@test "without QEMU: skipped by name, never passed; VM=0 and VM=nonsense" {
    mkdir "$T/bin"
    for program in sh env stat cat dirname; do
        ln -s "$(command -v $program)" "$T/bin/$program"
    done
    VM=1 PATH=$T/bin run "$root/build/grade" --src solutions --no-progress --report "$T/report" 05
    [ "$status" -eq 4 ]
    [[ $output == *SKIP* && $output != *PASS* ]]
    jq -e '.steps[0].reason | test("qemu-system.*make setup")' "$T/report/05/report.json"
    VM=0 run grade --step 1 05
    [ "$status" -eq 0 ]
    [[ $output == *"ran: here"* ]]
    VM=maybe run grade 05
    [ "$status" -eq 2 ]
}

@test "KVM that hangs: found out within seconds, remembered, and its QEMU ended" {
    [ -w /dev/kvm ] || skip "there is no /dev/kvm here"
    mkdir -p "$T/kit/build/vm" "$T/bin"
    ln -s "$root/harness" "$root/labs" "$T/kit/"
    for name in "$root"/build/{grade,sandbox,inside,probe,rootfs.tar,guest-init}; do
        ln -s "$name" "$T/kit/build/"
    done
    cp "$root"/build/vm/{linux,system.cpio,stamp} "$T/kit/build/vm/"
    program=qemu-system-$(uname -m)
    printf '#!/bin/sh\necho $$ >"%s/pid"\nexec sleep 1000\n' "$T" >"$T/bin/$program"
    chmod 755 "$T/bin/$program"
    began=$(date +%s)
    STRATA_ROOT=$T/kit PATH=$T/bin:$PATH run build/guest --kvm
    [ "$status" -eq 1 ]
    [ $(($(date +%s) - began)) -lt 10 ]
    gone "$(cat "$T/pid")"
    grep -q '^no ' "$T/kit/build/vm/kvm"
    rm "$T/pid"
    STRATA_ROOT=$T/kit PATH=$T/bin:$PATH run build/guest --kvm
    [ "$status" -eq 1 ]
    [ ! -e "$T/pid" ] # it was remembered
}

@test "a QEMU that prints a verdict of its own is not believed" {
    mkdir "$T/bin"
    program=qemu-system-$(uname -m)
    printf '#!/bin/sh\necho "{\\"lab\\":\\"05-pivot-root\\",\\"number\\":1,\\"outcome\\":\\"PASS\\"}"\n' \
        >"$T/bin/$program"
    chmod 755 "$T/bin/$program"
    VM=1 PATH=$T/bin:$PATH run grade --step 1 05
    [ "$status" -eq 3 ]
    [[ $output == *ERROR* && $output != *PASS* ]]
}
