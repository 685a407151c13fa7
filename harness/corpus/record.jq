# The shape of a record: what judge.jq is told of one program that one user graded with one seed.

# Of a step: input is one of report.json's steps[], which is also what a guest sends.
def graded: {number, outcome, points, reason, note,
    verdict: ([.evidence.expected, .evidence.kernel, .evidence.see, .note] | map(strings)
        | join("\n"))};

# $of: what it is, all of it strings; input: what came of it, {status, ends, steps}.
def record($of):
    ($of | {lab, kind, name, who, seed, build_log, misconception, says, hint}) + {
        built: ($of.built == "true"), whole: ($of.only == ""), status, ends, steps,
        step: ($of.step | tonumber? // 0),
        also: [$of.also | splits("\n") | capture("^(?<n>[0-9]+)").n | tonumber],
        left_out: ($of.left_out == "yes"), ignores: ($of.ignores == "yes"),
        changed: ($of.changed | tonumber? // 0)};

# What a guest said of its programs, from input: its messages, one after the other, of which
# {"begin": N} comes before those of the Nth. $count: how many it had; $died: why it did not end
# well, or "". Output: {status, ends, steps} of each, in order; null: there is no result, and
# nothing that it said counts. That is so, too, of the one at which a guest went wrong: without
# an end mark nobody knows that it was the whole of it.
def heard($count; $died):
    reduce .[] as $m ({at: 0, of: [range($count) | {ends: 0, steps: []}]};
        if $m.begin then .at = $m.begin
        elif .at < 1 or .at > $count then .
        elif $m | has("exit") then .of[.at - 1].status = $m.exit
        elif $m | has("ends") then .of[.at - 1].ends = $m.ends
        elif $m.number then .of[.at - 1].steps += [$m | graded]
        else . end)
    | if $died != "" and .at > 0 then .of[.at - 1] = {} else . end
    | .of | map(if .status then . else null end);

# A program without a result: its steps are what build/grade makes of a guest that died.
# Input: labs.json; $only: the one that was asked for, or "".
def lost($lab; $only; $why):
    {status: 3, ends: 0, steps: [.[] | select(.name == $lab) | .steps[]
        | select($only == "" or (.number | tostring) == $only)
        | {number, outcome: "ERROR", points, reason: $why, note: null, verdict: ""}]};
