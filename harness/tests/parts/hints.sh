#!/bin/sh
# seconds: 5
# Hints: each step has its three tiers, and the third names every call of the solution. (That the
# first is chosen from what was observed is judged with the wrong solutions: the corpus.)
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

perl harness/tests/hints/tiers.pl || not_ok "the files of hints could be read"
