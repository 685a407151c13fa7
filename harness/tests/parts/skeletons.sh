#!/bin/sh
# seconds: 20
# What students are handed: each skeleton compiles without a warning, by either compiler. (That it
# fails with a reason, and with the steps before N solved passes exactly those, is judged with the
# wrong solutions: the corpus.) Made from solutions/ into build/: the files in
# labs/ are the student's, in whatever state they are, and stay as they are.
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

digests() {
    for solution in solutions/*/*.c; do
        sha256sum "labs/${solution#solutions/}"
    done 2>&1
}
before=$(digests)

check "the skeletons can be built" env BUILD_ONLY=1 KINDS=skeletons sh harness/corpus/run.sh

check "the record of skeletons is up to date" build/skeleton --check solutions labs

# `make skeletons` and --step 1 are two ways to the same file.
mkdir "$SCRATCH/labs"
for lab in solutions/*/; do
    mkdir "$SCRATCH/labs/$(basename "$lab")"
done
cp harness/skeleton/digests "$SCRATCH/digests"
check "build/skeleton --generate" \
    build/skeleton --generate solutions "$SCRATCH/labs" --digests "$SCRATCH/digests"
for solution in solutions/*/*.c; do
    lab=$(basename "$(dirname "$solution")")
    fresh=build/corpus/$lab/skeletons/1/$(basename "$solution")
    [ ! -e "$fresh" ] || check "$lab: the fresh skeleton is --step 1" \
        cmp "$fresh" "$SCRATCH/labs/$lab/$(basename "$solution")"
done
for skeleton in build/corpus/*/skeletons/*/*.c "$SCRATCH"/labs/*/*.c; do
    for compiler in gcc clang; do
        check "$compiler: ${skeleton#build/corpus/}" $compiler -std=gnu17 -D_GNU_SOURCE -O1 \
            -Wall -Wextra -Wconversion -Werror -Ilabs -c "$skeleton" -o /dev/null
    done
done | sed "s,$SCRATCH/,,"

if [ "$(digests)" = "$before" ]; then
    ok "labs/ is as it was"
else
    not_ok "labs/ was changed"
fi
