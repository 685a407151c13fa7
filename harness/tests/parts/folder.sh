#!/bin/sh
# folder.sh FOLDER: the tests in harness/tests/FOLDER: test_*.c (cmocka, under sanitizers), *.bats.
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

folder=$1
if ! ${MAKE:-make} --no-print-directory -f harness/tests/unit.mk -k -j"$JOBS" "$folder" \
    2>"$SCRATCH/build" 1>&2; then
    # No folder without C has a goal; any other fault shows by its missing program.
    sed 's/^/#   /' "$SCRATCH/build"
fi
export CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS="detect_leaks=1:abort_on_error=0"
for test in harness/tests/"$folder"/test_*.c; do
    [ -e "$test" ] || continue
    name=$(basename "$test" .c)
    if [ -x "build/tests/$folder/$name" ]; then
        tap "$name" timeout 300 "build/tests/$folder/$name"
    else
        not_ok "$name: does not build"
    fi
done
for test in harness/tests/"$folder"/*.bats; do
    [ -e "$test" ] || continue
    tap "$(basename "$test")" timeout 600 bats --tap "$test"
done
