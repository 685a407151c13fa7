#!/usr/bin/env bats
# make setup: names, asks, installs; with package managers that only write down how they were called.
# shellcheck disable=SC2016,SC2028,SC2030,SC2031 # the text of fake programs; what bats' run sets

bats_require_minimum_version 1.5.0

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)
    real=$root/harness/setup
    # A checkout of our own, with a table of our own: nothing depends on what this machine has.
    kit=$BATS_TEST_TMPDIR/kit
    mkdir -p "$kit/harness" "$kit/rootfs" "$BATS_TEST_TMPDIR/bin"
    cp -R "$real" "$kit/harness/setup"
    cp "$root/rootfs/find-busybox.sh" "$kit/rootfs/"
    cat >"$kit/harness/setup/packages" <<'EOF'
# level | need | why | apt | dnf | pacman | apk
base | run alpha       | the first tool   | alpha-tools      | d-alpha | p-alpha | k-alpha
base | run beta        | the second tool  | beta             | d-beta  | p-beta  | -
base | run alpha gamma | both of them     | alpha-tools g++x | d-gamma | p-gamma | k-gamma
test | run delta       | a tool for tests | delta            | d-delta | p-delta | k-delta
EOF
    # A machine that has only these programs.
    bin=$BATS_TEST_TMPDIR/bin
    for program in sh env sed awk grep cat tr ls id stat cksum sort mkdir mv rm date dirname sleep \
        chmod; do
        ln -s "$(type -P "$program")" "$bin/$program"
    done
    log=$BATS_TEST_TMPDIR/log
    : >"$log"
    printf 'ID=debian\n' >"$BATS_TEST_TMPDIR/os-release"
    export OS_RELEASE=$BATS_TEST_TMPDIR/os-release
    unset YES SETUP_CHECK CC BUSYBOX BUILD
}

# fake NAME [LINE...]: a program on that machine that logs its call and then does LINE...
fake() {
    name=$1
    shift
    {
        echo '#!/bin/sh'
        echo "echo \"$name \$*\" >>'$log'"
        printf '%s\n' "$@"
    } >"$bin/$name"
    chmod +x "$bin/$name"
}

# An apt-cache whose lists know all packages, or all but one.
fake_lists() {
    fake apt-cache "for p; do [ \$p = policy ] || [ \$p = '${1-}' ] ||" \
        "printf '%s:\n  Candidate: 1.0\n' \$p; done"
}

# The lines of a package manager that succeeds: what it installs are three programs.
installs() {
    echo "case \"\$*\" in *install*|*add*|*-S\ *) for p in alpha beta gamma delta; do"
    echo "printf '#!/bin/sh\n' >'$bin'/\$p; chmod +x '$bin'/\$p; done ;; esac"
}

# setup_sh ARG...: setup.sh on that machine, without a terminal.
setup_sh() {
    PATH=$bin sh "$kit/harness/setup/setup.sh" "$@" </dev/null
}

# with_terminal ANSWER ARG...: the same with a terminal, on which ANSWER is typed once asked.
with_terminal() {
    command -v script >/dev/null || skip "no script(1) to make a terminal"
    answer=$1
    shift
    local terminal
    terminal=$(type -P script)
    # What comes through the pipe waits in the terminal until it is read.
    echo "$answer" | "$terminal" -qec \
        "env PATH='$bin' sh '$kit/harness/setup/setup.sh' $*" /dev/null 2>&1
}

be_root() {
    rm -f "$bin/id"
    printf '#!/bin/sh\necho 0\n' >"$bin/id"
    chmod +x "$bin/id"
}

be_user() {
    rm -f "$bin/id"
    printf '#!/bin/sh\necho 1000\n' >"$bin/id"
    chmod +x "$bin/id"
}

@test "every line of the table has its seven columns, none of them empty" {
    run awk -F '|' '/^ *(#|$)/ { next }
        {
            n++
            if (NF != 7) { print "columns: " $0; bad = 1 }
            for (i = 1; i <= NF; i++) if ($i ~ /^ *$/) { print "empty: " $0; bad = 1 }
            if ($1 !~ /^(base|guest|test) *$/) { print "level: " $0; bad = 1 }
            if ($2 !~ /^ *(on [a-z0-9_]+ )?(run|says|link|clang-link|perl|busybox|cc)( |$)/) { print "need: " $0; bad = 1 }
        }
        END { exit bad || n < 20 }' "$real/packages"
    echo "$output"
    [ "$status" = 0 ]
}

@test "--check names what is missing with package and reason, installs nothing, and exits 1" {
    fake apt-get
    run setup_sh --check
    [ "$status" = 1 ]
    [[ $output == *"alpha-tools"*"the first tool"* ]]
    [[ $output == *"beta"*"the second tool"* ]]
    [[ $output != *delta* ]]
    [[ ${lines[-1]} == *"make setup"* ]]
    [ ! -s "$log" ]
}

@test "SETUP_CHECK=1 is --check, and --level test looks at the rest too" {
    fake apt-get
    SETUP_CHECK=1 run setup_sh --level test
    [ "$status" = 1 ]
    [[ $output == *"delta"*"a tool for tests"* ]]
    [[ ${lines[-1]} == *"make test"* ]]
    [ ! -s "$log" ]
}

@test "--check is silent with --quiet and exits 0 when all is there" {
    fake alpha
    fake beta
    fake gamma
    run setup_sh --check --quiet
    [ "$status" = 0 ]
    [ -z "$output" ]
    [ ! -s "$log" ]
}

@test "without a package manager: one sentence, exit 1, and the names all the same" {
    run setup_sh
    [ "$status" = 1 ]
    [[ $output == *"beta"*"the second tool"* ]]
    [[ ${lines[-1]} == "setup: none of apt-get, dnf, pacman and apk is here"* ]]
}

@test "root: the command printed is the command run, once for each package, without sudo" {
    be_root
    fake sudo
    fake_lists
    fake apt-get "$(installs)"
    run setup_sh
    [ "$status" = 0 ]
    command="apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends alpha-tools beta g++x"
    [[ $output == *"env LC_ALL=C DEBIAN_FRONTEND=noninteractive $command"* ]]
    [ "$(grep -v ^apt-cache "$log")" = "$command" ]
    [[ ${lines[-1]} == "setup: done"* ]]
}

@test "an ordinary user without a terminal: sudo -n, and it says so" {
    be_user
    fake_lists
    fake apt-get "$(installs)"
    fake sudo '[ "$1" = -n ] && shift; exec "$@"'
    run setup_sh
    [ "$status" = 0 ]
    [[ $output == *"not root"*sudo* ]]
    grep -q '^sudo -n env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get ' "$log"
}

@test "an ordinary user without sudo gets the command for an administrator" {
    be_user
    fake_lists
    fake apt-get
    run setup_sh
    [ "$status" = 1 ]
    [[ ${lines[-1]} == *"no sudo here: give this command to an administrator: env "*"apt-get "*" alpha-tools beta g++x" ]]
    [ "$(grep -c ^apt-get "$log")" = 0 ]
}

@test "sudo that wants a password without a terminal is named" {
    be_user
    fake_lists
    fake apt-get
    fake sudo 'echo "sudo: a password is required" >&2' 'exit 1'
    run setup_sh
    [ "$status" = 1 ]
    [[ ${lines[-1]} == "setup: sudo wants a password"* ]]
}

@test "on a terminal it asks: n installs nothing" {
    be_root
    fake_lists
    fake apt-get "$(installs)"
    run with_terminal n
    [ "$status" = 1 ]
    [[ $output == *"[Y/n]"*"nothing was installed"* ]]
    [ "$(grep -c ^apt-get "$log")" = 0 ]
}

@test "on a terminal it asks: Enter installs, and YES=1 does not ask" {
    be_root
    fake_lists
    fake apt-get "$(installs)"
    run with_terminal ""
    [ "$status" = 0 ]
    [[ $output == *"[Y/n]"* ]]
    [ "$(grep -c '^apt-get.*install' "$log")" = 1 ]
    rm "$bin/alpha" "$bin/gamma"
    export YES=1
    run with_terminal n
    [ "$status" = 0 ]
    [[ $output != *"[Y/n]"* ]]
    [ "$(grep -c '^apt-get.*install' "$log")" = 2 ]
}

@test "lists that do not know the packages are fetched first" {
    be_root
    fake_lists beta
    fake apt-get "$(installs)"
    run setup_sh
    [ "$status" = 0 ]
    [ "$(sed -n 's/^apt-get.* *\(update\|install\) *.*/\1/p' "$log" | tr '\n' ' ')" = "update install " ]
    [[ $output == *"apt-get update"*"apt-get -o"* ]]
}

@test "lists that turn out to be out of date are fetched, and it is tried once more" {
    be_root
    fake_lists
    fake apt-get "case \"\$*\" in *update*) : >'$BATS_TEST_TMPDIR/fresh'; exit ;; esac" \
        "[ -e '$BATS_TEST_TMPDIR/fresh' ] || { echo 'E: Unable to locate package beta'; exit 100; }" \
        "$(installs)"
    run setup_sh
    [ "$status" = 0 ]
    [ "$(grep -c '^apt-get' "$log")" = 3 ]
}

# fails_with TEXT SENTENCE: apt-get says TEXT and fails; the last line is SENTENCE, the status 1.
fails_with() {
    be_root
    fake_lists
    fake apt-get "printf '%s' \"$1\"" 'exit 100'
    run setup_sh
    [ "$status" = 1 ]
    [[ $output == *"$1"* ]]
    [[ ${lines[-1]} == "setup: "*"$2"* ]]
}

@test "no network is named" {
    fails_with "Err: Temporary failure resolving 'deb.example'" "without a network"
}

@test "a mirror that has lost a file is named" {
    fails_with "E: Failed to fetch http://x/y.deb  404  Not Found" "the package mirror answers"
}

@test "a package that nobody has is named" {
    fails_with "E: Unable to locate package beta" "do not have a package"
}

@test "an interrupted dpkg is named" {
    fails_with "E: dpkg was interrupted, you must manually run" "dpkg --configure -a"
}

@test "an unknown failure is not dressed up" {
    fails_with "E: something new" "did not succeed"
}

@test "another package manager's lock is waited for" {
    be_root
    rm "$bin/sleep"
    fake sleep
    fake_lists
    fake apt-get "[ -e '$BATS_TEST_TMPDIR/free' ] || { : >'$BATS_TEST_TMPDIR/free'" \
        "echo 'E: Could not get lock /var/lib/apt/lists/lock.'; exit 100; }" "$(installs)"
    run setup_sh
    [ "$status" = 0 ]
    [[ $output == *"waiting for it"* ]]
    grep -q '^sleep' "$log"
}

@test "an interrupt stops the package manager and setup, and leaves no file" {
    be_root
    fake_lists
    mkfifo "$BATS_TEST_TMPDIR/begun"
    exec 7<>"$BATS_TEST_TMPDIR/begun" # both ways: opening one end would wait for the other
    fake apt-get "echo begun >'$BATS_TEST_TMPDIR/begun'" 'exec sleep 30'
    before=$(cd "$kit" && find . | sort)
    # A script's background processes ignore SIGINT, hence env; the signal goes to all of the
    # group, as from a terminal.
    setsid env --default-signal=INT PATH="$bin" sh "$kit/harness/setup/setup.sh" \
        </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 7>&- &
    pid=$!
    read -r -t 20 _ <&7
    kill -INT -- -"$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" = 130 ]
    grep -q 'setup: interrupted' "$BATS_TEST_TMPDIR/out"
    [ "$(cd "$kit" && find . | sort)" = "$before" ]
    # Nobody of the group is left, as soon as init has waited for them.
    deadline=$((SECONDS + 20))
    while kill -0 -- -"$pid" 2>/dev/null; do
        [ "$SECONDS" -lt "$deadline" ]
        sleep 0.1
    done
}

@test "a package manager that succeeds without providing what is needed is not believed" {
    be_root
    fake_lists
    fake apt-get
    run setup_sh
    [ "$status" = 1 ]
    [[ $output == *"still missing"*"beta"* ]]
}

@test "dnf, pacman and apk get their own names, and are called untested" {
    be_root
    printf 'ID=rocky\nID_LIKE="rhel centos fedora"\n' >"$OS_RELEASE"
    fake apt-get # apt is installed on it as a mere tool
    fake dnf "$(installs)"
    run setup_sh
    [ "$status" = 0 ]
    [[ $output == *untested* ]]
    grep -q '^dnf install .*d-alpha d-beta d-gamma$' "$log"
    run ! grep -q '^apt-get' "$log"
    rm "$bin"/{apt-get,dnf,alpha,beta,gamma}

    printf 'ID=arch\n' >"$OS_RELEASE"
    fake pacman "$(installs)"
    run setup_sh
    [ "$status" = 0 ]
    [[ $output == *untested* ]]
    grep -q '^pacman -S .*p-alpha p-beta p-gamma$' "$log"
    rm "$bin"/{pacman,alpha,beta,gamma}

    printf 'ID=alpine\n' >"$OS_RELEASE"
    fake apk "$(installs)"
    run setup_sh
    [ "$status" = 0 ]
    grep -q '^apk add k-alpha k-gamma$' "$log"
    # What this distribution has no package for is named by its proof.
    [[ $output == *"(run beta)"* ]]
}

@test "a removed program is noticed, though a stamp says that all is there" {
    fake alpha
    fake beta
    fake gamma
    run setup_sh --check
    [ "$status" = 0 ]
    [ -f "$kit/build/setup.base" ]
    run setup_sh --check
    [ "$status" = 0 ]
    rm "$bin/beta"
    run setup_sh --check
    [ "$status" = 1 ]
    [[ $output == *"the second tool"* ]]
    [[ $output != *"the first tool"* ]]
}

@test "a longer table voids the stamp" {
    fake alpha
    fake beta
    fake gamma
    setup_sh --check
    echo "base | run epsilon | the fifth | epsilon | - | - | -" >>"$kit/harness/setup/packages"
    run setup_sh --check
    [ "$status" = 1 ]
    [[ $output == *epsilon* ]]
}

@test "a library's need holds only if it links: a header or a library alone is not enough" {
    type -P cc >/dev/null || skip "no compiler"
    cd "$BATS_TEST_TMPDIR"
    mkdir inc lib
    echo 'base | link strata_x.h strata_x -lstrata_x | the x | libx-dev | x | x | x' \
        >"$kit/harness/setup/packages"
    check() {
        CPATH=$PWD/inc LIBRARY_PATH=$PWD/lib sh "$kit/harness/setup/setup.sh" --check
    }
    run check
    [ "$status" = 1 ]
    echo 'int strata_x(void);' >inc/strata_x.h
    run check
    [ "$status" = 1 ]
    echo 'int strata_y(void) { return 1; }' | cc -shared -fPIC -x c - -o lib/libstrata_x.so
    run check
    [ "$status" = 1 ]
    echo 'int strata_x(void) { return 1; }' | cc -shared -fPIC -x c - -o lib/libstrata_x.so
    run check
    [ "$status" = 0 ]
    # The stamp knows both files.
    rm inc/strata_x.h
    run check
    [ "$status" = 1 ]
    echo 'int strata_x(void);' >inc/strata_x.h
    run check
    [ "$status" = 0 ]
    rm lib/libstrata_x.so
    run check
    [ "$status" = 1 ]
}

@test "a checkout that cannot be written works, without a stamp and without a word" {
    fake alpha
    fake beta
    fake gamma
    : >"$kit/build" # no directory can be made there, not even by root
    run setup_sh --check --quiet
    [ "$status" = 0 ]
    [ -z "$output" ]
}

@test "wrong use is a usage message and exit 2; --help is exit 0" {
    run setup_sh --level nonsense
    [ "$status" = 2 ]
    run setup_sh --frobnicate
    [ "$status" = 2 ]
    run setup_sh --level
    [ "$status" = 2 ]
    run setup_sh --help
    [ "$status" = 0 ]
    [[ $output == *"--level base"* ]]
}

@test "how long it takes to find that nothing is missing (shown, not judged)" {
    fake alpha
    fake beta
    fake gamma
    setup_sh
    start=$(date +%s%N)
    setup_sh
    echo "# nothing missing: $((($(date +%s%N) - start) / 1000000)) ms" >&3
}
