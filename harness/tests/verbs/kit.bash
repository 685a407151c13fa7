# kit.bash: a copy of the course as a student has it, for the tests of the verbs: built, in a path
# with spaces, with fresh skeletons, owned by an ordinary user (even when the tests run as root),
# and no terminal.
# shellcheck shell=bash

root=$(cd "${BASH_SOURCE[0]%/*}/../../.." && pwd)
student=54321 # a uid that nobody has

# make_kit: sets and exports KIT. One build serves all tests of a file.
make_kit() {
    (cd "$root" && env -u MAKEFLAGS -u MAKELEVEL make -j2 SRC=solutions tools programs) || return
    # Not below BATS_*_TMPDIR: root's is closed to the student.
    SHELF=$(mktemp -d)
    chmod 755 "$SHELF"
    KIT="$SHELF/my course"
    mkdir -p "$KIT" "$SHELF/home"
    cp -a "$root"/{labs,solutions,rootfs,harness,docs,Makefile,build} "$KIT/"
    rm -rf "$KIT"/build/{vm,report,skeletons,diff,passed.mk,test,labs,layer/labs} "$KIT"/labs/*/*.backup-*
    fresh_labs
    [ "$(id -u)" != 0 ] || chown -R "$student:$student" "$SHELF"
    export SHELF KIT
}

drop_kit() {
    [ -z "${SHELF:-}" ] || rm -rf "$SHELF"
}

# fresh_labs: every lab's file is a skeleton again, whatever the working copy's looks like.
fresh_labs() {
    for solution in "$KIT"/solutions/*/*.c; do
        lab=${solution%/*}
        rm -f "$KIT/labs/${lab##*/}/${solution##*/}"
        "$KIT/build/skeleton" --quiet --step 1 "$solution" \
            -o "$KIT/labs/${lab##*/}/${solution##*/}" || return
    done
}

# in_kit COMMAND...: as the student, in the kit, without a terminal, for two minutes at most.
# With OFFLINE=1 there is no network, not even lo.
in_kit() {
    local as=()
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid "$student" --regid "$student" --clear-groups)
    if [ "${OFFLINE:-}" = 1 ] && [ "$(id -u)" = 0 ]; then
        as=(unshare --net "${as[@]}")
    elif [ "${OFFLINE:-}" = 1 ]; then
        as=(unshare --user --map-current-user --net)
    fi
    (cd "$KIT" && timeout -k 5 "${SECONDS_MAX:-120}" "${as[@]}" env -u MAKEFLAGS -u MAKELEVEL -u SEED -u PLAIN -u CC \
        HOME="$SHELF/home" LC_ALL=C.UTF-8 TERM=dumb "$@" </dev/null 2>&1)
}

# solve NN STEP: the lab's file with the steps before STEP solved.
solve() {
    local source
    source=$(echo "$KIT"/solutions/"$1"-*/*.c)
    local target=${source/solutions/labs}
    rm -f "$target"
    in_kit build/skeleton --quiet --step "$2" "solutions/${source#*/solutions/}" \
        -o "labs/${source#*/solutions/}"
}

# shellcheck disable=SC2154 # what bats' run sets
last_line() {
    printf '%s\n' "${lines[-1]}"
}
