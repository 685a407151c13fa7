# shellcheck shell=sh
# compare.sh: what labs/NN-name/demo.sh share. Runs in the sandbox, at /strata/compare.sh. Every
# row compares what the kernel says outside and inside; one that is not as it should be ends the
# demonstration with 1, for it would show something that is not so.

set -u
cd /tmp || exit 125
faults=0

# outside is the sandbox, inside the container.
header() {
    printf '  %-22s %-25s %s\n' "" "outside" "inside"
}

row() { # row WHAT OUTSIDE INSIDE SENTENCE-IF-WRONG
    printf '  %-22s %-25s %s\n' "$1" "$2" "$3"
    [ -z "$4" ] || wrong "$1: $4"
}

wrong() {
    faults=$((faults + 1))
    echo "  WRONG: $*"
}

differ() { # differ WHAT OUTSIDE INSIDE
    if [ -z "$2" ] || [ -z "$3" ]; then
        row "$1" "$2" "$3" "the kernel said nothing"
    elif [ "$2" = "$3" ]; then
        row "$1" "$2" "$3" "the same on both sides"
    else
        row "$1" "$2" "$3" ""
    fi
}

same() { # same WHAT OUTSIDE INSIDE
    if [ -z "$2" ] || [ "$2" != "$3" ]; then
        row "$1" "$2" "$3" "not the same on both sides"
    else
        row "$1" "$2" "$3" ""
    fi
}

expect() { # expect WHAT OUTSIDE WANTED INSIDE WANTED
    if [ "$2" != "$3" ] || [ "$4" != "$5" ]; then
        row "$1" "$2" "$4" "should be $3 and $5"
    else
        row "$1" "$2" "$4" ""
    fi
}

fact() { # fact TEXT NAME: the value of the line "NAME=..." in what a container printed
    printf '%s\n' "$1" | sed -n "s/^$2=//p"
}

namespace() { # namespace KIND: ours
    readlink "/proc/self/ns/$1"
}

finish() {
    [ "$faults" = 0 ]
    exit
}
