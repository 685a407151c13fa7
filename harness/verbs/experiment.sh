# shellcheck shell=sh
# experiment.sh: what the experiments of labs/NN-name/break.sh share. Runs in the sandbox, where it
# lies at /strata/experiment.sh. An experiment asks, runs something, and claims what was seen; a
# claim that does not hold makes the whole fail.

set -u
cd /tmp || exit 125
claims=0
broken=0
out=
status=0

experiment() { # experiment TITLE
    printf '\n%s== %s%s\n' "${BOLD:-}" "$*" "${PLAIN_TEXT:-}"
}

# predict QUESTION: waits for Enter where somebody is there to think.
predict() {
    printf '%s\n' "$*" | fold -s -w 78 | sed 's/ *$//'
    [ -t 0 ] || return 0
    printf '   (your prediction? Enter goes on) '
    read -r _ || exit 130
}

# try TEXT: shows and runs a command line; what it prints is in "out", how it ended in "status".
try() {
    printf '   $ %s\n' "$1"
    out=$(eval "$1" 2>&1 </dev/null)
    status=$?
    [ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/   /'
}

# claim SENTENCE TEST...: the test has to succeed.
claim() {
    sentence=$1
    shift
    claims=$((claims + 1))
    if "$@"; then
        printf '   %s-> %s%s\n' "${GREEN:-}" "$sentence" "${PLAIN_TEXT:-}"
    else
        broken=$((broken + 1))
        printf '   %sNOT SHOWN: %s%s\n' "${RED:-}" "$sentence" "${PLAIN_TEXT:-}"
    fi
}

says() { # says TEXT: "out" holds it
    case $out in
    *"$1"*) ;;
    *) return 1 ;;
    esac
}

is() { # is VALUE: "out" is just that
    [ "$out" = "$1" ]
}

fails() {
    [ "$status" != 0 ]
}

# until_true TEST...: waits for a state, ten seconds at most.
until_true() {
    tries=0
    until "$@" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || return 1
        sleep 0.05
    done
}

children() { # children PID: the pids of its children
    cat "/proc/$1/task/$1/children" 2>/dev/null
}

has_child() {
    [ -n "$(children "$1")" ]
}

zombies() { # zombies PID: how many zombies are children of PID
    count=0
    for child in $(children "$1"); do
        ! grep -q '^State:.Z' "/proc/$child/status" 2>/dev/null || count=$((count + 1))
    done
    echo "$count"
}

gone() { # gone PID
    ! [ -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

finish() {
    echo
    if [ "$claims" = 0 ]; then
        echo "no claim was tried"
        exit 1
    fi
    if [ "$broken" -gt 0 ]; then
        echo "$broken of $claims claims did not show."
        exit 1
    fi
    echo "all $claims claims showed."
    exit 0
}
