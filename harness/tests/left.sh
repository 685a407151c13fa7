#!/bin/sh
# left.sh before|after: what may be left behind on the machine: mounts, network links, control
# groups, processes, temporary files. "after" prints one TAP line for each.
#
# Others use this machine too, so only what is surely ours is blamed: what carries the name of this
# checkout or of this test run. What merely has a name of the kit (strata-...) may belong to another
# run that goes on beside us: it is noted, and blamed where nobody else is (CI=true).
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

kit=$PWD
state=$SCRATCH_ALL/left

mounts() { grep -F -e strata -e "$kit" -e "$SCRATCH_ALL" /proc/self/mountinfo | cut -d' ' -f5-; }
links() { grep -o '^ *[^ ]*strata[^ :]*' /proc/net/dev; }

# A group whose maker still lives (its pid is in the name) belongs to somebody's run that goes on.
groups() {
    find /sys/fs/cgroup -type d -name 'strata-*' 2>/dev/null | while read -r group; do
        pid=${group##*/strata-}
        [ -d "/proc/${pid%%-*}" ] || echo "$group"
    done
}

# A process of this run has its name in its environment, or its program is ours. (Those of the
# sandbox have a clean environment, and what they run was put there by name of a file.)
ours() { # PID
    case $(readlink "/proc/$1/exe" 2>/dev/null) in
    "$kit"/build/* | "$SCRATCH_ALL"/*) return 0 ;;
    esac
    # Not we, nor a subshell of this very moment.
    case " $$ $PPID " in
    *" $1 "* | *" $(cut -d' ' -f4 "/proc/$1/stat" 2>/dev/null || echo $$) "*) return 1 ;;
    esac
    tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | grep -qx "STRATA_TEST_RUN=$STRATA_TEST_RUN"
}

processes() {
    for process in /proc/[0-9]*; do
        pid=${process#/proc/}
        ! ours "$pid" 2>/dev/null || echo "$pid $(readlink "$process/exe" 2>/dev/null)"
    done
}

files() {
    find /tmp /var/tmp /dev/shm -maxdepth 1 -name '*strata*' ! -path "$SCRATCH_ALL" 2>/dev/null
}

take() { # DIR
    mkdir -p "$1"
    for what in mounts links groups processes files; do
        $what | sort >"$1/$what"
    done
}

if [ "$1" = before ]; then
    take "$state.before"
    exit
fi

# What was killed takes a moment to go: wait for it, ten seconds at most.
tries=50
while take "$state.after" && [ $tries -gt 0 ] &&
    [ -n "$(cd "$state.before" && for what in *; do
        comm -13 "$what" "$state.after/$what"
    done)" ]; do
    tries=$((tries - 1))
    sleep 0.2
done
for what in mounts processes links groups files; do
    new=$(comm -13 "$state.before/$what" "$state.after/$what")
    if [ -z "$new" ]; then
        ok "no $what left behind"
    else
        case $what,${CI-} in
        mounts,* | processes,* | *,true) not_ok "$what left behind" ;;
        *) ok "$what with our names, maybe of somebody else's run" ;;
        esac
        echo "$new" | sed 's/^/#   /'
    fi
done
left=$(find "$SCRATCH_ALL/tmp" -mindepth 1 2>/dev/null | head -n 20)
if [ -z "$left" ]; then
    ok "no temporary file left behind"
else
    not_ok "temporary files left behind"
    echo "$left" | sed 's/^/#   /'
fi
