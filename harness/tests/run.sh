#!/bin/sh
# make test: everything that proves the kit, in parts.
#
#   TEST="lint corpus"   these parts only
#   JOBS=2               how many parts at a time
#   YES=1                install what is missing without asking
#
# A part is a folder of tests (harness/tests/FOLDER, see parts/folder.sh) or a script in parts/.
# Each prints TAP, kept in build/test/PART.log. The last line is "N passed, N failed"; the exit
# status is 0 only if nothing failed and every part ran something.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 2
# shellcheck source=harness/tests/lib.sh
. "$here/lib.sh"
unset SEED STEP TIER LAB SRC LAYERS ASAN PLAIN NO_COLOR CDPATH V
export LC_ALL=C.UTF-8
# A step that this machine cannot run is a test that was not made: no guest boots for each of them.
# (The tests of the guest, in vm/, ask for it.)
export VM=0
MAKE=${MAKE:-make}
MAKEFLAGS=
export MAKE MAKEFLAGS

sh harness/setup/setup.sh --level test || exit 2
sh harness/vm/kernel.sh fetch || echo "make test: no guest will boot, and its tests are skipped" >&2

logs=build/test
mkdir -p "$logs"
rm -f "$logs"/*.log "$logs"/*.result

# --- which parts --------------------------------------------------------------------------------

folders() {
    for file in harness/tests/*/test_*.c harness/tests/*/*.bats; do
        [ ! -e "$file" ] || basename "$(dirname "$file")"
    done | sort -u
}

# The longest begin first: a script says how long it takes in a line "# seconds: N".
all_parts() {
    {
        folders | sed 's/^/30 /'
        for script in harness/tests/parts/*.sh; do
            name=$(basename "$script" .sh)
            [ "$name" = folder ] || echo "$(sed -n 's/^# seconds: //p' "$script") $name"
        done
    } | sort -rn | cut -d' ' -f2
}
parts=$(all_parts)
for one in ${TEST-}; do
    if ! echo "$parts" | grep -qx "$one"; then
        echo "make test: no part $one; there are: $(echo "$parts" | tr '\n' ' ')" >&2
        exit 2
    fi
done
parts=${TEST:-$parts}

# --- what was there before ----------------------------------------------------------------------

SCRATCH_ALL=$(mktemp -d "${TMPDIR:-/tmp}/strata-test-XXXXXX") || exit 2
trap 'rm -rf "$SCRATCH_ALL"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
chmod 755 "$SCRATCH_ALL"
export SCRATCH_ALL STRATA_TEST_RUN="run-$$"
# Temporary files of all tests: a folder that must be empty in the end, whoever wrote there.
mkdir "$SCRATCH_ALL/tmp"
chmod 1777 "$SCRATCH_ALL/tmp"
sh "$here/left.sh" before

# --- build, once, so that the parts find it done ------------------------------------------------

began=$(date +%s)
JOBS=${JOBS:-2}
export JOBS
printf 'building...\n'
{
    $MAKE -s -j"$JOBS" SRC=solutions tools programs &&
        BUILD_ONLY=1 KINDS="solutions skeletons mutants variants" sh harness/corpus/run.sh &&
        $MAKE -s -k -j"$JOBS" -f harness/tests/unit.mk
} >"$logs/build.out" 2>&1 </dev/null || tail -n 20 "$logs/build.out"
echo "built in $(($(date +%s) - began)) s"

# --- run ----------------------------------------------------------------------------------------

# Two parts at a time, each doing one thing at a time; a single part may do two.
# shellcheck disable=SC2086 # parts are several
if [ "$(echo $parts | wc -w)" -gt 1 ]; then
    at_a_time=$JOBS
    JOBS=1
else
    at_a_time=1
fi
# shellcheck disable=SC2086
printf '%s\n' $parts | TMPDIR=$SCRATCH_ALL/tmp xargs -P "$at_a_time" -n 1 sh "$here/part.sh"
sh "$here/left.sh" after >"$logs/clean-up.log" 2>&1
sh "$here/part.sh" --count clean-up 0

# --- sum up ---------------------------------------------------------------------------------------

# shellcheck disable=SC2086
for part in $parts clean-up; do
    [ -s "$logs/$part.result" ] || echo "0 1 0" >"$logs/$part.result" # it never came to its end
done
cat "$logs"/*.result | awk -v seconds=$(($(date +%s) - began)) '
    { passed += $1; failed += $2; skipped += $3 }
    END {
        printf "%d s\n%d passed, %d failed", seconds, passed, failed
        if (skipped) printf ", %d skipped", skipped
        print ""
        exit failed > 0 || passed == 0
    }'
