#!/bin/sh
# setup.sh: name what Strata needs and this machine lacks, ask, and install it.
#
# Every need is proved by doing it (probe.sh); the table "packages" says who has it. Nothing is
# changed but what the package manager changes, by the one command that is printed.
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC1091,SC2034 # found, and not unused, where -x lets it follow the two files

set -u
unset CDPATH

usage() {
    cat <<'EOF'
usage: setup.sh [--level base|guest|test] [--check] [--quiet]

  --level base   what building and grading need (the default)
  --level guest  what guests need as well: machines in this one, for what it lacks
  --level test   what `make test` needs as well
  --check        only name what is missing, and exit 1 if anything is (or SETUP_CHECK=1)
  --quiet        say nothing when nothing is missing

It asks before it installs; YES=1, or no terminal to ask on, answers yes.
CC=, BUSYBOX= name another compiler and another BusyBox.
EOF
}

die() {
    echo "setup: $*" >&2
    exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
os_release=${OS_RELEASE:-/etc/os-release}
newline='
'
level=base
check=${SETUP_CHECK:-}
quiet=
while [ $# -gt 0 ]; do
    case $1 in
    --level)
        [ $# -gt 1 ] || { usage >&2; exit 2; }
        level=$2
        shift
        ;;
    --level=*) level=${1#*=} ;;
    --check) check=1 ;;
    --quiet | -q) quiet=1 ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
case $level in
base | guest | test) ;;
*) usage >&2; exit 2 ;;
esac
[ "$check" != 0 ] || check=

if [ -z "${CC:-}" ]; then
    CC=cc
    command -v cc >/dev/null || CC=gcc
fi
stamp=${BUILD:-$root/build}/setup.$level

. "$here/probe.sh"
. "$here/managers.sh"

# --- is anything missing? ----------------------------------------------------------------------

all_there() {
    [ -n "$quiet" ] || echo "setup: all that is needed is here (level $level)."
    exit 0
}

! stamp_holds || all_there
probe "$level"
if [ -z "$missing" ]; then
    stamp_write
    all_there
fi

# The column of the package manager; without one, Debian's names are the best known.
find_manager || true
case $manager in
dnf) column=4 ;;
pacman) column=5 ;;
apk) column=6 ;;
*) column=3 ;;
esac

# what_is_missing: a line for each missing need, "package, why"; a need that no package of this
# distribution meets is named by its proof.
what_is_missing() {
    printf '%s' "$missing" | awk -F '|' -v column="$column" '
        { printf "  %-18s %s\n", $column == "-" ? "(" $1 ")" : $column, $2 }'
    command -v "${CC%% *}" >/dev/null ||
        echo "  (There is no ${CC%% *}, so no library could be tried, and all are named.)"
}

packages=$(printf '%s' "$missing" | awk -F '|' -v column="$column" '
    $column != "-" { n = split($column, name, " "); for (i = 1; i <= n; i++) if (!seen[name[i]]++)
        printf "%s%s", count++ ? " " : "", name[i] }')

if [ -n "$check" ]; then
    echo "missing on this machine:"
    what_is_missing
    if [ "$level" = test ]; then
        echo "make test installs it, after asking."
    else
        echo "make setup installs it, after asking."
    fi
    exit 1
fi

echo "Strata needs, and this machine lacks:"
echo
what_is_missing
echo
[ -n "$manager" ] ||
    die "none of apt-get, dnf, pacman and apk is here, so this can install nothing: install the" \
        "above by your distribution's own means (the names are Debian's)."
[ -n "$packages" ] || die "this distribution has no package for that, as far as is known."

# --- the one command ---------------------------------------------------------------------------

as_root=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null; then
        as_root="sudo "
        [ -t 0 ] || as_root="sudo -n "
        echo "You are not root, so this uses sudo:"
    fi
else
    echo "This installs it:"
fi
command="$(manager_install) $packages"
refresh=
# shellcheck disable=SC2086 # here and below: packages and commands are several words
lists_know $packages || refresh=$(manager_refresh)

if [ "$(id -u)" != 0 ] && [ -z "$as_root" ]; then
    die "you are not root and there is no sudo here: give this command to an administrator:" \
        "${refresh:+$refresh && }$command"
fi
echo
[ -z "$refresh" ] || echo "  $as_root$refresh"
echo "  $as_root$command"
echo
[ "$manager" = apt ] || echo "(The package names for $manager are untested.)"

if [ "${YES:-}" != 1 ] && [ -t 0 ]; then
    printf 'Install it? [Y/n] '
    read -r answer || answer=n
    case $answer in
    '' | [Yy] | [Yy][Ee][Ss]) ;;
    *) die "nothing was installed." ;;
    esac
fi

# --- do it -------------------------------------------------------------------------------------

trap 'trap - INT; echo "setup: interrupted; what is missing can be installed later." >&2
    kill -INT $$' INT

# run COMMAND...: as root; what it says is shown as it comes and is in "log" afterwards.
run() {
    exec 3>&1
    # shellcheck disable=SC2086
    log=$(
        { $as_root "$@" </dev/null 2>&1 || printf '\nsetup-status %s\n' $?; } |
            while IFS= read -r line || [ -n "$line" ]; do
                case $line in
                setup-status*) ;;
                *) printf '%s\n' "$line" >&3 ;;
                esac
                printf '%s\n' "$line"
            done
    )
    exec 3>&-
    case $newline$log in
    *"$newline"setup-status*) return 1 ;;
    esac
}

# patiently COMMAND...: wait up to two minutes while another package manager holds a lock. (apt
# waits by itself for dpkg's lock, but not for that of its lists.)
patiently() {
    deadline=$(($(date +%s) + 120))
    until run "$@"; do
        locked "$log" && [ "$(date +%s)" -lt "$deadline" ] || return 1
        echo "setup: another package manager is at work; waiting for it."
        sleep 5
    done
}

# shellcheck disable=SC2086
install_all() {
    fetched=
    if [ -n "$refresh" ]; then
        # Not the end if it fails: one broken source of many says nothing about the others.
        patiently $refresh || true
        fetched=$log
    fi
    patiently $command && return 0
    if [ -z "$refresh" ] && stale "$log"; then
        echo "setup: the package lists are out of date: fetching them, and once more."
        refresh=$(manager_refresh)
        patiently $refresh || true
        fetched=$log
        patiently $command && return 0
    fi
    log=$fetched$newline$log
    return 1
}

install_all || die "$(explain "$log")"

# Believe the needs, not the package manager.
hash -r
probe "$level"
if [ -n "$missing" ]; then
    echo
    echo "setup: installed, and yet this is still missing:" >&2
    what_is_missing >&2
    exit 1
fi
stamp_write
echo "setup: done; all that is needed is here (level $level)."
