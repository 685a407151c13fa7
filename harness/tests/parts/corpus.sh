#!/bin/sh
# seconds: 100
# Every wrong solution fails as it must, every other right one passes: `make corpus`, its counts
# pinned.
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

results=build/corpus/results-corpus
# By far the longest part, so it does two things at a time beside the others, and asks each wrong
# solution as two of three kinds of users, which ones is drawn. (`make corpus` asks as all three.)
JOBS=2 TURNS=1 RESULTS=$results sh harness/corpus/run.sh >"$SCRATCH/said"
status=$?
sed 's/^/# /' "$SCRATCH/said"
cat $results/result.tap
check "the counts are those of harness/corpus/counts" \
    diff -u harness/corpus/counts $results/counts
check "make corpus ends with 0, and not with $status" [ $status -eq 0 ]
# A user that this machine cannot provide is a test that was not made.
sed -n 's/^as \([a-z]*\): not run here: \(.*\)/ok - the corpus as \1 # SKIP \2/p' "$SCRATCH/said"
