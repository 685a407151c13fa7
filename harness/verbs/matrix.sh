#!/bin/sh
# matrix.sh: which step passes as which user, found out by running all of them with the reference's
# code. What cannot be run from here says "not run"; nothing is guessed. Exit status 1 if a step
# that was run did not pass.
. harness/verbs/lib.sh

make -j2 SRC=solutions tools programs || die "the kit could not be built."
labs=$(cd labs && for folder in [0-9][0-9]-*/; do printf '%s ' "${folder%%-*}"; done)

reports=$(mktemp -d) || exit 1
trap 'rm -rf "$reports"' EXIT
trap 'exit 130' INT TERM HUP PIPE
chmod 755 "$reports"
: >"$reports/notes"

# column NAME COMMAND...: grades all labs by COMMAND, as the column NAME.
column() {
    name=$1
    shift
    mkdir -p "$reports/$name"
    [ -z "${user:-}" ] || chown "$user" "$reports/$name"
    # shellcheck disable=SC2086 # the labs are several words
    VM=0 "$@" build/grade --src solutions --no-progress --report "$reports/$name" $labs \
        >"$reports/$name.out" 2>&1
    case $? in
    0 | 1 | 4) ;;
    *)
        rm -rf "${reports:?}/$name"
        not_run "$name" "$(grep '^grade: ' "$reports/$name.out" | head -n 1)"
        ;;
    esac
}

not_run() { # not_run NAME WHY
    echo "  $1: not run: $2" >>"$reports/notes"
}

lent() { # lent USER: are 65536 subordinate ids lent to USER?
    for file in /etc/subuid /etc/subgid; do
        awk -F : -v name="$1" -v id="$(id -u "$1")" \
            '($1 == name || $1 == id) && $3 >= 65536 { found = 1 } END { exit !found }' "$file" \
            2>/dev/null || return 1
    done
}

# Users of people, not of services; the first with subordinate ids, the first without.
with='' without=''
if [ "$(id -u)" = 0 ]; then
    # shellcheck disable=SC2013 # names of users are words
    for user in $(awk -F : '$3 >= 1000 && $3 < 60000 { print $1 }' /etc/passwd); do
        if lent "$user"; then
            with=${with:-$user}
        else
            without=${without:-$user}
        fi
    done
fi
user=

as() { # as USER: what runs a command as USER, who must be able to reach the kit
    set -- setpriv --reuid "$1" --regid "$(id -g "$1")" --init-groups \
        env HOME="$(awk -F : -v name="$1" '$1 == name { print $6 }' /etc/passwd)"
    echo "$@"
}

if [ "$(id -u)" != 0 ]; then
    not_run root "you are not root"
    if lent "$(id -un)"; then
        column subordinate env
    else
        not_run subordinate "no subordinate ids are lent to you (make doctor)"
    fi
    column single env STRATA_SINGLE_ID=1
else
    column root env
    if [ -n "$with" ]; then
        user=$with
        # shellcheck disable=SC2046 # a command of several words
        column subordinate $(as "$with")
    else
        not_run subordinate "this machine has no user with subordinate ids"
    fi
    if [ -n "$without" ]; then
        user=$without
        # shellcheck disable=SC2046
        column single $(as "$without") STRATA_SINGLE_ID=1
    else
        user=
        column single env STRATA_SINGLE_ID=1
        echo "  single: as root with one id mapped; there is no user without subordinate ids" \
            >>"$reports/notes"
    fi
fi
# Every step in a guest, where it runs as root: one boot for all labs.
user=
for guest in v1 v2 hybrid; do
    if build/guest --ready 2>"$reports/lacking"; then
        column "$guest" env VM="$guest"
    else
        not_run "guest $guest" "$(sed 's/^guest: //' "$reports/lacking")"
    fi
done

# --- the table ------------------------------------------------------------------------------------

result() { # result COLUMN NN STEP: the word for one cell
    sed -n "s/^\(ok\|not ok\) $3 -\(.*\)/\1\2/p" "$reports/$1/$2/report.tap" 2>/dev/null |
        awk '/# SKIP/ { print "skip"; next }
             /BLOCKED/ { print "BLOCKED"; next }
             /^not ok/ { print "FAIL"; next }
             { print "pass" }'
}

printf '%-30s%-8s%-8s%-8s%-8s%-8s%s\n' "lab and step" root sub-ids one-id "vm v1" "vm v2" hybrid
ran=0
bad=0
for lab in $labs; do
    tap=
    for name in root subordinate single v1 v2 hybrid; do
        [ ! -f "$reports/$name/$lab/report.tap" ] || tap=$reports/$name/$lab/report.tap
    done
    steps=$(sed -n 's/^1\.\.//p' "$tap" 2>/dev/null)
    step=0
    while [ "$step" -lt "${steps:-0}" ]; do
        step=$((step + 1))
        title=$(sed -n "s/^.*ok $step - step $step: //p" "$tap" | sed 's/ *#.*//')
        line=$(printf '%s.%-2s %-24.24s ' "$lab" "$step" "$title")
        for name in root subordinate single v1 v2 hybrid; do
            word=$(result "$name" "$lab" "$step")
            case $word in
            '') word="not run" ;;
            FAIL | BLOCKED) bad=$((bad + 1)) ran=$((ran + 1)) ;;
            *) ran=$((ran + 1)) ;;
            esac
            line=$line$(printf '%-8s' "$word")
        done
        echo "$line"
    done
done
echo
sed 's/^  *//' "$reports/notes"
# Why a step was skipped: each reason once.
find "$reports" -name report.tap -exec sed -n 's/.*# SKIP */skip: /p' {} \; | sort -u
[ "$ran" -gt 0 ] || die "nothing could be run."
[ "$bad" = 0 ] || die "$bad of $ran runs of a step did not pass."
echo "$ran runs of a step, all passed or skipped by name."
