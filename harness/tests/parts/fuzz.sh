#!/bin/sh
# seconds: 5
# What fuzzers found once, fed again to what reads the kernel's files (under sanitizers).
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

$MAKE -s -k -j"$JOBS" -f harness/tests/unit.mk fuzz 2>&1 | sed 's/^/# /'
for target in harness/tests/*/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    folder=$(dirname "$target")
    [ "$name" != fuzz_replay ] || continue
    check "$name: $(find "$folder/corpus-${name#fuzz_}" -type f | wc -l) inputs" \
        "build/tests/${folder#harness/tests/}/$name" "$folder/corpus-${name#fuzz_}"
done
