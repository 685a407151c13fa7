#!/bin/sh
# seconds: 110
# Control groups of the version that this machine cannot lend are judged, too: in one guest, of
# each step of labs 11 to 13 that needs groups a wrong solution dies. (That the solutions pass there
# is among the tests of the guest, harness/tests/vm.)
# (One of each is what there is time for here. All: VM=v2 make corpus LAB="11 12 13", in v1 as well.)
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

results=build/corpus/results-corpus-guest
labs="11 12 13"
# What can be had here is judged here, by the part "corpus".
if build/grade --doctor 2>&1 | grep -q '^ok  *cgroup v2 '; then
    version=v1
else
    version=v2
fi

if ! lacking=$(build/guest --ready 2>&1); then
    skip "$lacking" "the corpus in a guest with control groups $version"
    exit
fi
echo "# in a guest with control groups $version"
VM=$version LAB=$labs KINDS=mutants NEED=cgroup EACH=1 RESULTS=$results \
    sh harness/corpus/run.sh >"$SCRATCH/said"
status=$?
sed 's/^/# /' "$SCRATCH/said"
cat $results/result.tap
check "make corpus in a guest ends with 0, and not with $status" [ $status -eq 0 ]
# shellcheck disable=SC2016 # jq's own
check "of each step that needs control groups there was one" \
    jq -e --arg labs "$labs" --slurpfile all $results/labs.json '
        [.[] | select(.kind == "mutants") | "\(.lab) step \(.step)"] as $seen
        | [$all[0][] | .name as $lab | select($labs | contains($lab[0:2])) | .steps[]
            | select(any(.needs[]; . == "cgroup")) | "\($lab) step \(.number)"]
        | length > 0 and (. - $seen == [] or error("none of \(. - $seen)"))' $results/items.json
