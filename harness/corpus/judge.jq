# Judges the records (record.jq). Input: all of them in one array; $labs: what
# `grade --list --json` says, in an array; $complete: whether the corpus as a whole was run, so that what it lacks is a fault.
# Output: one item a program, {lab, kind, name, step, says, others, runs, unjudged, faults}.

def run: "as \(.who), SEED=\(.seed)";
# A fault that several runs show is told once, of the first.
def told_once:
    group_by(gsub("as [a-z0-9_-]+, SEED=[0-9a-f]+"; "") | gsub("[0-9]+"; "") | .[0:60])
    | map(.[0] + (if length > 1 then " (and \(length - 1) like it)" else "" end));
def quoted: split("\n") | map(select(. != "")) | join(" / ");
def step($n): .steps[] | select(.number == $n);
def numbers($list): $list | map(tostring) | join(" ");

# Any program, any run: it was built, graded and ended as `true` does.
def plain_faults:
    if .built | not then "does not build without a warning: \(.build_log | quoted | .[0:300])"
    elif .steps == [] then "no report (build/grade ended with \(.status)), \(run)"
    else
        (.steps[] | select(.outcome == "ERROR") | "step \(.number): ERROR: \(.reason // "")"),
        (select(.ends != 0 and (.left_out | not) and .kind != "skeletons") |
            "ends with \(.ends) for COMMAND `true`, \(run)")
    end;

# Right solutions, this way or another.
def right_faults:
    run as $run |
    (.steps[] | select(.outcome == "FAIL" or .outcome == "BLOCKED") |
        "wrongly rejected: step \(.number), \($run): \(.verdict + (.reason // "") | quoted)"),
    (select(.built and .status != 0 and .status != 4) |
        "build/grade ended with \(.status), \(run)");

# A skeleton with the steps before NAME solved.
def skeleton_faults:
    (.name | tonumber) as $open | run as $run |
    (.steps[] | select(.number < $open and .outcome != "PASS" and .outcome != "SKIP") |
        "step \(.number) is solved and does not pass, \($run): \(.verdict | quoted)"),
    (.steps[] | select(.number >= $open and .outcome == "PASS") |
        "step \(.number) passes and is not written yet, \($run)"),
    (step(1) | select($open == 1 and .outcome != "FAIL" and .outcome != "SKIP") |
        "step 1 is \(.outcome) in place of FAIL, \($run)"),
    (.steps[] | select(.outcome == "FAIL" and .verdict == "") |
        "step \(.number) fails without a reason, \($run)"),
    (.steps[] | select((.note // "") | test("SIG[A-Z]+")) |
        "step \(.number) crashes, \($run): \(.note | quoted)"),
    # Where the machine cannot grade the open steps, nothing fails.
    all(.steps[]; .number < $open or .outcome == "SKIP") as $skipped |
    (select(.built and .status != (if $skipped then 4 else 1 end)) |
        "build/grade ended with \(.status), \(run)");

def header_faults:
    (select(.misconception == "") | "has no line Misconception:"),
    (select(.says == "") | "has no line Says:"),
    (select(.step == 0) | "has no line Step:"),
    ("\(.step)-" as $prefix | select(.step != 0 and (.name | startswith($prefix) | not)) |
        "its name does not begin with its step, \(.step)-"),
    (select(.changed > 15) | "changes \(.changed) lines, more than 15");

def mutant_faults:
    . as $m | run as $run |
    (step($m.step) |
        if .outcome == "PASS" then "survives, \($run)"
        elif .outcome == "BLOCKED" then "step \($m.step) is BLOCKED in place of FAIL, \($run)"
        elif .outcome == "FAIL" and $m.says != "" and (.verdict | contains($m.says) | not) then
            "its words are not in the verdict, \($run): \(.verdict | quoted)"
        else empty end),
    (.steps[] | select(.number != $m.step and .outcome == "FAIL") |
        select([.number] | inside($m.also) | not) |
        "step \(.number) fails too, \($run): \(.verdict | quoted)"),
    (select(.built and .steps != [] and ([.steps[].number] | index($m.step) | not)) |
        "there is no step \($m.step)");

# A line Also-fails: must be true somewhere, if the other steps were looked at at all.
def idle_claims:
    select(any(.[]; .whole)) | .[0].also[] as $n |
    select(all(.[]; [step($n)] | all(.outcome == "PASS" or .outcome == "SKIP"))) |
    "Also-fails: \($n), and it never did";

# The verdicts of a step, of all runs of the records given.
def verdicts($n): [.[] | step($n) | select(.outcome == "FAIL") | .verdict];

# The words tell this mutant from the lab's skeletons and from the step's other mutants. (One that
# leaves the step out does what the skeleton does, and may say what the skeleton says.)
def word_faults($all):
    .[0] as $m | select($m.says != "") |
    ($all | map(select(.lab == $m.lab))) as $lab |
    (select($m.left_out | not) | $lab | map(select(.kind == "skeletons")) | verdicts($m.step) |
        select(any(contains($m.says))) | "its words are in the skeleton's verdict as well"),
    ($lab | map(select(.kind == "mutants" and .step == $m.step and .name != $m.name)) |
        group_by(.name)[] | select(verdicts($m.step) | any(contains($m.says))) |
        "its words are in the verdict of \(.[0].name) as well");

def judged($all):
    .[0] as $m |
    {lab: $m.lab, kind: $m.kind, name: $m.name, step: $m.step, says: $m.says, runs: length,
     others: ([.[] | .steps[] | select((.outcome == "FAIL" or .outcome == "BLOCKED")
         and .number != $m.step) | "\(.outcome | ascii_downcase) \(.number)"] | unique),
     unjudged: ([.[] | .steps[] | select(.outcome == "SKIP")
         | select($m.kind != "mutants" or .number == $m.step)
         | "step \(.number): \(.reason // "")"] | unique),
     faults: ([(.[] | plain_faults),
        (select($m.kind == "mutants") |
            ($m | header_faults), (.[] | mutant_faults), idle_claims, word_faults($all)),
        (select($m.kind == "skeletons") | .[] | skeleton_faults),
        (select($m.kind == "variants" or $m.kind == "solutions") | .[] | right_faults)] | unique | told_once)};

# What a lab's corpus lacks.
def lacking($all):
    .name as $lab | ($all | map(select(.lab == $lab))) as $own |
    ([$own[] | select(.kind == "mutants")] | unique_by(.name)) as $mutants |
    ([.steps[].number | select(. as $n | ($mutants | map(select(.step == $n)) | length) < 2)]
        | select(length > 0) | "fewer than two mutants: step \(numbers(.))"),
    ([$own[] | select(.kind == "variants")] | unique_by(.name) | length | select(. < 3)
        | "\(.) variants, fewer than three"),
    (select($mutants | any(.ignores) | not)
        | "no mutant ignores the error of the main call (a line \"Ignores-error: yes\")"),
    ($mutants | group_by([.step, .says])[] | select(length > 1 and .[0].says != "")
        | "the same words in \(map(.name) | join(", "))"),
    ([$own[] | select(.kind == "mutants" and .whole) | . as $m | select(step($m.step).outcome == "FAIL")]
        | group_by(.step)[] | unique_by(.name) | select(length > 1)
        | select(map(.hint) | unique | length < 2)
        | "the first hint of step \(.[0].step) is the same whatever was observed"),
    ($mutants | group_by(.step)[] | map(select(.left_out)) | select(length > 1)
        | "more than one mutant leaves step \(.[0].step) out");

. as $all |
(group_by([.lab, .kind, .name]) | map(judged($all))) +
(if $complete then
    [$labs[0][] | {lab: .name, kind: "the corpus", name: "as a whole", step: 0, says: "", runs: 0,
                others: [], unjudged: [], faults: [lacking($all)]}]
 else [] end)
