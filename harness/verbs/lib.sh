# shellcheck shell=sh
# shellcheck disable=SC2034 # many of these variables are read by the verbs
# lib.sh: what the verbs share. The Makefile calls them from the kit's root as
# SRC=labs|solutions BUILD=build sh harness/verbs/VERB.sh NN; each begins by sourcing this page.

set -u
unset CDPATH

SRC=${SRC:-labs}
BUILD=${BUILD:-build}

die() {
    echo "make: $*" >&2
    exit 1
}

# --- labs ----------------------------------------------------------------------------------------

lab_folder() { # lab_folder NN: "05-pivot-root"
    for folder in labs/"$1"-*/; do
        [ -d "$folder" ] || return 1
        folder=${folder%/}
        echo "${folder##*/}"
        return
    done
}

layer_name() { # layer_name NN-name: "root", after the contract root.h
    for header in labs/"$1"/*.h; do
        case $header in
        */given_*) ;;
        *)
            header=${header##*/}
            echo "${header%.h}"
            return
            ;;
        esac
    done
}

lab_title() { # lab_title NN-name: what the chapter's heading calls it
    sed -n 's/^# [Ll]ab [0-9]*[:.]* *//p;/^# /q' "docs/$1.md" 2>/dev/null
}

standing() { # standing NN-name: none, some, changed, passed; "unknown" without build/grade
    build/grade --standings 2>/dev/null |
        awk -v lab="$1" '$1 == lab { print $2; known = 1 } END { if (!known) print "unknown" }'
}

# whose_program: sets "program" to the lab's program, built from $SRC.
whose_program() {
    program=$BUILD/$SRC/$lab/lab$lab
    [ -x "$program" ] || die "$program is not there: make lab$lab builds it."
}

# --- the sandbox -----------------------------------------------------------------------------------

# cgroups_here: the version of the control groups that a sandbox can have here: 1, 2, or none.
cgroups_here() {
    # shellcheck disable=SC2016 # for the shell in there
    build/inside --cgroups -- sh -c '[ -e /sys/fs/cgroup/cgroup.procs ] && echo 2 || echo 1' \
        2>/dev/null || echo none
}

# sandbox [OPTION OF build/inside...] -- COMMAND...: in a sandbox with the root filesystem at
# /tmp/rootfs and, on the PATH, the lab's program, the probe, BusyBox and what lies beside the lab.
sandbox() {
    for extra in build/extra/*; do
        case $extra in
        *.d | *'*') ;;
        *) set -- --file "${extra##*/}=$extra" "$@" ;;
        esac
    done
    case $BUILD in
    */asan) set -- --asan "$@" ;;
    esac
    [ "${STRATA_SINGLE_ID:-}" != 1 ] || set -- --single-id "$@"
    if [ "$lab" -ge 11 ]; then # labs about control groups, which not everybody may make
        cgroups=$(cgroups_here)
        [ "$cgroups" = none ] || set -- --cgroups "$@"
        set -- --env "CGROUPS=$cgroups" "$@"
    fi
    build/inside --rootfs build/rootfs.tar --file busybox=build/busybox --file probe=build/probe \
        --file "lab$lab=$program" "$@"
}

# lab_arguments: sets "arguments" to what shows the lab's layers at work: $ARGS, or, by the options
# that its program has, one of each.
lab_arguments() {
    arguments=${ARGS:-}
    [ -z "$arguments" ] || return 0
    options=$("$program" --help 2>/dev/null)
    while IFS='|' read -r option argument; do
        case $options in
        *"--$option "*) arguments="$arguments${arguments:+ }--$option${argument:+ $argument}" ;;
        esac
    done <<EOF
hostname|aquarium
init|
volume|/etc/os-release:/tmp/note:ro
tmpfs|/tmp/desk:size=1m
rootfs|/tmp/rootfs
EOF
    arguments="$arguments${arguments:+ }/bin/true"
}

# --- a terminal --------------------------------------------------------------------------------------

bold='' dim='' red='' green='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${PLAIN:-0}" != 1 ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') red=$(printf '\033[31m')
    green=$(printf '\033[32m') plain=$(printf '\033[0m')
fi

lab=${1:-}
if [ -n "$lab" ]; then
    name=$(lab_folder "$lab") || die "there is no lab $lab."
    layer=$(layer_name "$name")
fi
