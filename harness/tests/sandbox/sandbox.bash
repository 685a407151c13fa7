# shellcheck shell=bash
# What the tests of the sandbox share: a copy of the kit that everybody may read, fixtures, and
# the kinds of user that a sandbox is made by.
#
#   root     root, 65536 ids       single   root, one id
#   plain    an ordinary user      sub      one with subordinate ids
#   me       whoever runs this, when that is not root

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
PLAIN=54321 # nobody's id

# shellcheck disable=SC2034 # the tests read it
if [ "$(id -u)" = 0 ]; then KINDS="root single plain sub"; else KINDS=me; fi

# The first user with subordinate ids, or nothing.
subordinate_user() {
    while IFS=: read -r name _ count; do
        if [ "$count" -ge 65536 ] && id -u "$name" >/dev/null 2>&1 && [ "$(id -u "$name")" != 0 ] &&
            grep -q "^$name:" /etc/subgid; then
            echo "$name"
            return
        fi
    done </etc/subuid
}

make_kit() {
    umask 022
    T=$(mktemp -d /tmp/strata-sandbox.XXXXXX)
    chmod 755 "$T"
    mkdir -p "$T/kit/build/solutions/02"
    cp "$ROOT"/build/{grade,inside,sandbox,probe,busybox,rootfs.tar} "$T/kit/build"
    cp "$ROOT/build/solutions/02/lab02" "$T/kit/build/solutions/02/"
    chmod -R a+rX "$T/kit"
    SUB=$(subordinate_user)
    export T SUB STRATA_PATIENCE=1 PLAIN_TEXT=1
    unset STRATA_ROOT SEED MAKELEVEL
}

remove_kit() {
    [ -z "$T" ] || rm -rf "$T"
}

# build NAME SOURCE [FLAGS...]: a fixture.
build() {
    local name=$1 source=$2
    shift 2
    gcc -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Wextra -Wconversion -Werror -o "$T/$name" \
        "$HERE/fixtures/$source" "$@"
}

have_kind() { # skips the test, by name and reason, where there is no such user
    case $1 in
    sub)
        [ "$(id -u)" = 0 ] || skip "needs root"
        [ -n "$SUB" ] || skip "no user with subordinate ids in /etc/subuid"
        ;;
    root | single | plain) [ "$(id -u)" = 0 ] || skip "needs root" ;;
    me) [ "$(id -u)" != 0 ] || skip "root is tested by itself" ;;
    esac
}

# as KIND COMMAND...: ends in exec, so that $! is the command's pid when it runs in the background.
as() {
    local kind=$1
    shift
    case $kind in
    root | me) exec "$@" ;;
    single) exec env STRATA_SINGLE_ID=1 "$@" ;;
    plain) exec setpriv --reuid $PLAIN --regid $PLAIN --clear-groups env HOME=/nowhere "$@" ;;
    sub) exec setpriv --reuid "$SUB" --regid "$(id -g "$SUB")" --init-groups "$@" ;;
    esac
}

report_folder() {
    local folder="$T/report-$1"
    mkdir -p "$folder" && chmod 777 "$folder"
    echo "$folder"
}

# grade_as KIND PROGRAM [OPTION...]: lab 02 with another program.
grade_as() {
    local kind=$1 program=$2
    shift 2
    (as "$kind" env PLAIN=1 "$T/kit/build/grade" --src solutions --no-progress \
        --report "$(report_folder "$kind")" --program "$program" "$@" 02)
}

inside_as() {
    local kind=$1 single=
    shift
    [ "$kind" != single ] || single=--single-id
    # shellcheck disable=SC2086
    (as "$kind" "$T/kit/build/inside" $single "$@")
}

# The processes whose program is one of our copy: harness, keeper, sandbox, PID 1 of rooms.
ours() {
    # shellcheck disable=SC2012 # one ls for all of them: links of /proc hold no surprises
    ls -l /proc/[0-9]*/exe 2>/dev/null | sed -n "s|.* /proc/\([0-9]*\)/exe -> $T/.*|\1|p"
}

groups_of() { # PID: the control groups that carry its mark
    find /sys/fs/cgroup -maxdepth 6 -type d -name "strata-$1-*" 2>/dev/null
}

# until_true MILLISECONDS COMMAND...
until_true() {
    local end=$(($(date +%s%3N) + $1))
    shift
    until "$@"; do
        [ "$(date +%s%3N)" -lt $end ] || return 1
        sleep 0.02
    done
}

none_left() { [ -z "$(ours)" ]; }
no_groups() { [ -z "$(groups_of "$1")" ]; }
at_least() { [ "$(ours | wc -l)" -ge "$1" ]; }

# What must be the same before and after, as far as it is ours or can be nobody else's.
snapshot() {
    grep -c . /proc/self/mountinfo
    grep -F "$T" /proc/self/mountinfo || true
    ls /sys/class/net
    ours
    ls "$T/tmp"
}
