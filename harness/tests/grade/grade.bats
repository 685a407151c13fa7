#!/usr/bin/env bats
# build/grade as its users meet it: made of fake labs, whose verdicts are known beforehand.
# GRADE_FAKE names that program (fake_labs.c, fake_run.c and the real everything else).
# shellcheck disable=SC2317 # functions that bats calls by `run`
bats_require_minimum_version 1.5.0

setup() {
    here=$BATS_TEST_DIRNAME
    fake=${GRADE_FAKE:-$here/../../../build/tests/grade/grade}
    kit=$BATS_TEST_TMPDIR/kit
    mkdir -p "$kit/labs/41-plan" "$kit/harness/graders"
    echo 'int layer;' >"$kit/labs/41-plan/plan.c"
    echo 'int main;' >"$kit/labs/41-plan/main.c"
    echo 'contract' >"$kit/labs/41-plan/plan.h"
    echo 'int escape;' >"$kit/labs/41-plan/escape.c" # a program beside the lab's own
    cp "$here/fixtures/41-plan.hints" "$kit/harness/graders/"
    export STRATA_ROOT=$kit LC_ALL=C.UTF-8
    export VM=0 # what this machine lacks is a SKIP, and no guest boots for it
    unset PLAIN NO_COLOR SEED FAKE_PLAN
    reports=$kit/build/report
}

grade() {
    "$fake" --program /bin/true --no-progress "$@"
}

# What differs from run to run: the time it took, and who ran it.
steady() {
    sed -E 's/as (root|an ordinary user)/as WHO/; s/[0-9]+\.[0-9] s/0.0 s/;
            s/^seconds: .*/seconds: 0.0/'
}

# Compares with a golden transcript; REGOLD=1 writes it anew, to be read before it is kept.
golden() {
    if [ -n "$REGOLD" ]; then
        cp "$1" "$here/golden/$2"
    fi
    diff -u "$here/golden/$2" "$1"
}

transcript() { # NAME ARGUMENT...
    local name=$1
    shift
    grade --seed 5f3a0c1d "$@" 2>&1 | steady >"$BATS_TEST_TMPDIR/$name"
    golden "$BATS_TEST_TMPDIR/$name" "$name"
}

fits() { # at most 80 code points a line, 25 lines, no control bytes
    perl -CSD -ne '
        chomp or die "line $. is not whole\n";
        length($_) <= 80 or die "line $. has ", length($_), "\n";
        /[\x00-\x1f\x7f-\x9f]/ and die "line $. holds a control byte\n";
        $. <= 25 or die "more than 25 lines\n";' "$1"
}

@test "exit status: 0 passed, 1 failed, 2 usage, 3 harness, 4 skipped" {
    run grade 31; [ "$status" -eq 0 ]
    run grade 32; [ "$status" -eq 1 ]
    run grade 77; [ "$status" -eq 2 ]
    run grade; [ "$status" -eq 2 ]
    run grade --step 99 31; [ "$status" -eq 2 ]
    run grade --step 4 31; [ "$status" -eq 2 ]
    run grade --seed xyz 31; [ "$status" -eq 2 ]
    run grade --nonsense 31; [ "$status" -eq 2 ]
    run grade --src elsewhere 31; [ "$status" -eq 2 ]
    run "$fake" --program /nowhere/at/all 31; [ "$status" -eq 2 ]
    run grade 33; [ "$status" -eq 3 ]
    run grade 38; [ "$status" -eq 3 ]
    run grade 39; [ "$status" -eq 3 ]
    run grade 34; [ "$status" -eq 4 ]
}

@test "a grader that runs out of stack is an ERROR, and the next step runs" {
    run grade 42
    [ "$status" -eq 3 ]
    [[ $output == *"crashed: SIGSEGV"*"PASS 2"* ]]
}

@test "no labs at all is the harness's fault, not a success" {
    run "$fake-without-labs" --list; [ "$status" -eq 3 ]
    run "$fake-without-labs" 31; [ "$status" -eq 3 ]
}

@test "several labs: a line each, the worst status" {
    for lab in 31 32 33 34; do
        mkdir -p "$kit/build/labs/$lab" && ln -s /bin/true "$kit/build/labs/$lab/lab$lab"
    done
    grade() { "$fake" --no-progress "$@"; }
    run grade 31 34; [ "$status" -eq 4 ]
    run grade 31 34 32; [ "$status" -eq 1 ]
    run grade 31 34 32 33; [ "$status" -eq 3 ]
    [ "${#lines[@]}" -eq 5 ]
    [[ ${lines[0]} == "PASS lab31"* ]]
    [[ ${lines[1]} == "SKIP lab34"* ]]
    [[ ${lines[2]} == "FAIL lab32"* ]]
    [[ ${lines[3]} == "ERROR lab33"* ]]
    [ -s "$reports/31/report.json" ] && [ -s "$reports/33/report.json" ]
}

@test "golden: pass, fail, error, skip, undo, flood" {
    transcript pass.txt --next "make lab32" 31
    transcript fail.txt --borrowed "01-process 03-pid" 32
    transcript error.txt 33
    transcript skip.txt 34
    transcript undo.txt 35
    transcript draw.txt 37
    transcript prepare.txt 38
    transcript flood.txt 40
    transcript step.txt --step 5 32
}

@test "golden: plain, and without UTF-8" {
    PLAIN=1 transcript plain-fail.txt --borrowed "01-process 03-pid" 32
    PLAIN=1 transcript plain-skip.txt 34
    PLAIN=1 transcript plain-flood.txt 40
    LC_ALL=C transcript ascii-fail.txt 32
    run ! env LC_ALL=C grep -P '[^\x00-\x7f]' "$here/golden/ascii-fail.txt"
    run ! env LC_ALL=C grep -P '[^\x00-\x7f]' "$here/golden/plain-fail.txt"
}

@test "every transcript fits 25 lines of 80 columns, and shows no control byte" {
    for lab in 31 32 33 34 35 37 38 40 42; do
        for plain in '' 1; do
            for locale in C C.UTF-8; do
                PLAIN=$plain LC_ALL=$locale grade --borrowed "$(printf '%02d-some-layer ' {1..20})" \
                    $lab >"$BATS_TEST_TMPDIR/out" || true
                fits "$BATS_TEST_TMPDIR/out"
            done
        done
    done
}

@test "colour on a terminal only, and not with NO_COLOR, PLAIN or TERM=dumb" {
    local tty="$fake --program /bin/true --no-progress --seed 1 32"
    TERM=xterm script -qec "$tty" /dev/null >"$BATS_TEST_TMPDIR/colour" || true
    tr -d '\r' <"$BATS_TEST_TMPDIR/colour" | steady >"$BATS_TEST_TMPDIR/colour.txt"
    golden "$BATS_TEST_TMPDIR/colour.txt" colour.txt
    grep -q $'\033\\[32mPASS' "$BATS_TEST_TMPDIR/colour"
    NO_COLOR=1 TERM=xterm script -qec "$tty" /dev/null >"$BATS_TEST_TMPDIR/none" || true
    PLAIN=1 TERM=xterm script -qec "$tty" /dev/null >>"$BATS_TEST_TMPDIR/none" || true
    TERM=dumb script -qec "$tty" /dev/null >>"$BATS_TEST_TMPDIR/none" || true
    grep -q FAIL "$BATS_TEST_TMPDIR/none"
    run ! grep -q $'\033' "$BATS_TEST_TMPDIR/none"
}

@test "JSON: jq reads it, hostile output included" {
    grade --seed 5F3A0C1D --borrowed "01-process 03-pid" 32 || true
    local report=$reports/32/report.json
    [ "$(jq -r '.schema, .version, .lab, .seed, .status' "$report" | paste -sd,)" = \
        "strata-report,1,32-fail,5f3a0c1d,1" ]
    [ "$(jq -r '[.steps[].outcome] | join(" ")' "$report")" = \
        "PASS PASS FAIL FAIL BLOCKED BLOCKED PASS" ]
    [ "$(jq -r '.steps[2].evidence.because' "$report")" = old-root-left ]
    [ "$(jq -r '.steps[2].log[0]' "$report")" = '\x1b[2J\x1b]0;owned\x07 clear' ]
    [ "$(jq -r '.steps[2].log[2]' "$report")" = 'nul:\x00:nul' ]
    [ "$(jq -r '.steps[2].log | length' "$report")" = 11 ]
    [ "$(jq -r '.borrowed | join("+")' "$report")" = 01-process+03-pid ]
    [ "$(jq -r '.steps[4].blocked_by, .steps[5].blocked_by' "$report" | paste -sd,)" = 3,5 ]
    [ "$(jq -r '.score | "\(.core_passed)/\(.core_total) \(.points)/\(.gradable)"' "$report")" = \
        "2/6 30/100" ]
    perl -MJSON::PP -0777 -ne 'JSON::PP->new->utf8->decode($_)' "$report" # a second opinion
}

@test "JSON: fields and types are those that docs/report-format.md lists" {
    for lab in 31 32 33 34 38 40; do
        grade $lab >/dev/null || true
        jq -r '[paths | map(if type == "number" then "[]" else . end) | join(".")]
               | unique[] | gsub("\\.\\[\\]"; "[]")' "$reports/$lab/report.json"
    done | sort -u >"$BATS_TEST_TMPDIR/fields"
    local doc=$here/../../../docs/report-format.md
    while read -r field; do
        grep -qF "| \`$field\` |" "$doc" || { echo "$field is not documented"; false; }
    done < <(grep -v '\[\]$' "$BATS_TEST_TMPDIR/fields")
}

@test "TAP: TAP::Parser agrees on every point and on the YAML" {
    for lab in 31 32 33 34 38 40 42; do
        grade $lab || true
        head -2 "$reports/$lab/report.tap" | paste -sd' ' | grep -E '^TAP version 13 1\.\.[0-9]+$'
        perl "$here/parse_tap.pl" "$reports/$lab/report.tap" >"$BATS_TEST_TMPDIR/tap"
        diff -u <(jq -r '.steps[] | "\(.number) \(.outcome)"' "$reports/$lab/report.json") \
            "$BATS_TEST_TMPDIR/tap"
    done
}

@test "TAP: a harness that runs it sees passes and failures" {
    grade 31
    prove --exec cat "$reports/31/report.tap"
    grade 32 || true
    run ! prove --exec cat "$reports/32/report.tap"
}

@test "cmocka's own report is XML, and nothing of it reaches the screen" {
    run grade 33
    [[ $output != *testsuite* && $output != *"["* ]]
    xmllint --noout "$reports/33/cmocka.xml"
    [ "$(xmllint --xpath 'string(//testsuite/@name)' "$reports/33/cmocka.xml")" = 33-error ]
    [ "$(xmllint --xpath 'string(//testsuite/@tests)' "$reports/33/cmocka.xml")" = 9 ]
    [ "$(xmllint --xpath 'string(//testsuite/@failures)' "$reports/33/cmocka.xml")" = 5 ]
    [ "$(cd "$reports/33" && find . -mindepth 1 -printf '%f\n' | sort | paste -sd' ')" = "cmocka.xml last report.json report.tap" ]
}

@test "a seed gives the same values again, alone or among others; another seed does not" {
    grade --seed 1 37 || true
    jq -c '.steps[1].log' "$reports/37/report.json" >"$BATS_TEST_TMPDIR/a"
    SEED=00000001 grade --step 2 37 || true
    jq -c '.steps[0].log' "$reports/37/report.json" >"$BATS_TEST_TMPDIR/b"
    cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
    grade --seed 2 --step 2 37 || true
    run ! cmp <(jq -c '.steps[0].log' "$reports/37/report.json") "$BATS_TEST_TMPDIR/a"
    grade --step 2 37 || true
    run ! cmp <(jq -c '.steps[0].log' "$reports/37/report.json") "$BATS_TEST_TMPDIR/a"
}

@test "--step runs a step and its chain, and records no more than that" {
    grade --step 6 32 || true
    [ "$(jq -c '[.steps[].number], .partial' "$reports/32/report.json" | paste -sd' ')" = \
        "[2,3,5,6] true" ]
    run grade --step 1 32; [ "$status" -eq 0 ]
    [ "$(jq -r .passed "$reports/32/report.json")" = false ]
}

@test "SIGINT: what is deferred is undone, 130, no report; SIGTERM alike" {
    for signal in INT:130 TERM:143; do
        export FAKE_WAIT=$BATS_TEST_TMPDIR/waits
        # A shell without job control starts what is in the background with SIGINT ignored.
        env --default-signal=INT "$fake" --program /bin/true --no-progress 36 \
            >"$BATS_TEST_TMPDIR/out" 3>&- &
        local pid=$!
        for _ in {1..1000}; do [ -e "$FAKE_WAIT" ] && break; sleep 0.01; done
        [ -e "$FAKE_WAIT" ]
        kill -"${signal%:*}" $pid
        local status=0
        wait $pid || status=$?
        [ "$status" -eq "${signal#*:}" ]
        [ ! -e "$FAKE_WAIT" ]
        [ -z "$(ls -A "$reports/36")" ]
        [ ! -s "$BATS_TEST_TMPDIR/out" ]
    done
}

@test "a report folder that cannot be written is a fault, before anything runs" {
    mkdir -p "$kit/build" && echo >"$kit/build/report"
    run grade 31; [ "$status" -eq 3 ]
}

@test "progress: recorded, changed, regressed, taken off; solutions leave it alone" {
    record() { FAKE_PLAN=$1 "$fake" --program /bin/true "${@:2}" 41; }
    standing() { "$fake" --standings | sed -n 's/^41-plan //p'; }
    [ "$(standing)" = none ]
    record pff || true
    [ "$(standing)" = some ]
    record ppp
    [ "$(standing)" = passed ]
    [ "$(wc -l <"$kit/.progress/passed")" -eq 3 ]
    grep -qP "^41-plan/one\t$(sha256sum <"$kit/labs/41-plan/plan.c" | cut -d' ' -f1)\t[0-9a-f]{64}\t\d{4}-\d\d-\d\d$" \
        "$kit/.progress/passed"
    echo 'int edited;' >>"$kit/labs/41-plan/plan.c"
    [ "$(standing)" = changed ]
    run record pfp
    [ "$status" -eq 1 ]
    [[ $output == *"passed before this edit: step 2"* ]]
    [ "$(standing)" = changed ]
    record ppp
    [ "$(standing)" = passed ]
    run record fpp # the same file fails now: it was luck
    [ "$(standing)" = some ]
    before=$(cat "$kit/.progress/passed")
    mkdir -p "$kit/solutions" && cp -r "$kit/labs/41-plan" "$kit/solutions/"
    record ppp --src solutions
    record ppp --no-progress
    [ "$before" = "$(cat "$kit/.progress/passed")" ]
}

@test "the board: a line a lab, what comes next, no sandbox" {
    FAKE_PLAN=ppf "$fake" --program /bin/true 41 || true
    echo garbage >>"$kit/.progress/passed"
    "$fake" --board >"$BATS_TEST_TMPDIR/board"
    fits "$BATS_TEST_TMPDIR/board"
    golden "$BATS_TEST_TMPDIR/board" board.txt
    PLAIN=1 "$fake" --board >"$BATS_TEST_TMPDIR/plain-board"
    golden "$BATS_TEST_TMPDIR/plain-board" plain-board.txt
    PLAIN=1 fits "$BATS_TEST_TMPDIR/plain-board"
}

@test "a track: its labs and steps only, its order, its minutes" {
    mkdir -p "$kit/harness/tracks"
    cat >"$kit/harness/tracks/short" <<'EOF'
# a comment, and an empty line

10  lab41    2-3   the second and the third
5   break41  -     what goes wrong
5   lab77    1     of a lab that is not there
20  lab31    all   everything
EOF
    FAKE_PLAN=ppf run "$fake" --program /bin/true --track short 41
    [ "$status" -eq 1 ]
    [[ $output != *"PASS 1 "* && $output == *"PASS 2 "* && $output == *"FAIL 3 "* ]]
    FAKE_PLAN=fpp run "$fake" --program /bin/true --track short 41
    [ "$status" -eq 0 ]
    [[ $output == *"next: make break41"* ]]
    FAKE_PLAN=fpp run "$fake" --program /bin/true --track short --step 2 41 # a step is more
    [[ $output != *"PASS 3 "* && $output == *"next: make lab41"* ]]
    run "$fake" --program /bin/true --no-progress --track short 31
    [[ $output == *"next: make" ]] # the last stop
    FAKE_PLAN=fff run "$fake" --program /bin/true --no-progress --track short 34 # on no track
    [[ $output != *"next: make break41"* ]]
    "$fake" --track short --board >"$BATS_TEST_TMPDIR/board"
    fits "$BATS_TEST_TMPDIR/board"
    golden "$BATS_TEST_TMPDIR/board" track.txt
    PLAIN=1 "$fake" --track short --board >"$BATS_TEST_TMPDIR/plain-board"
    PLAIN=1 fits "$BATS_TEST_TMPDIR/plain-board"
    golden "$BATS_TEST_TMPDIR/plain-board" plain-track.txt
}

@test "a track that makes no sense: one sentence, and its line" {
    mkdir -p "$kit/harness/tracks"
    for page in 'lab41 1 x' '0 lab41 1 no time' '5 lab41 9 no such step' '5 lab41 3-1 backwards' \
        '5 lab41 1, a comma' '5 demo 1 nothing to grade there' '5 lab41 1'; do
        printf '# first\n%s\n' "$page" >"$kit/harness/tracks/bad"
        run "$fake" --track bad --board
        [ "$status" -eq 2 ]
        [ "$output" = "grade: harness/tracks/bad: line 2 makes no sense" ]
    done
    for name in none ../../../etc/passwd ''; do
        run "$fake" --track "$name" --board
        [ "$status" -eq 2 ]
        [ "$output" = "grade: $name: there is no such track; harness/tracks/ has them" ]
    done
    for steps in 1- 0 "," 1,,2 2-1 x 99; do
        run "$fake" --program /bin/true --no-progress --steps "$steps" 41
        [ "$status" -eq 2 ]
        [[ $output == *"--steps $steps: numbers from 1 to "* ]]
    done
}

@test "hints: by what was observed, the next tier each time, a chosen one" {
    run "$fake" --hint 41
    [ "$status" -eq 2 ] # not graded yet
    FAKE_PLAN=pfp "$fake" --program /bin/true 41 || true
    {
        "$fake" --hint 41
        "$fake" --hint 41
        "$fake" --hint 41
        "$fake" --hint 41
        "$fake" --hint 41 --step 1 --tier 1
    } >"$BATS_TEST_TMPDIR/hint"
    fits "$BATS_TEST_TMPDIR/hint"
    golden "$BATS_TEST_TMPDIR/hint" hints.txt
    run "$fake" --hint 41 --tier 4; [ "$status" -eq 2 ]
    run "$fake" --hint 41 --step 9; [ "$status" -eq 2 ]
    run "$fake" --hint 32 --step 1; [ "$status" -eq 3 ] # no file of hints
    FAKE_PLAN=ppp "$fake" --program /bin/true 41
    run "$fake" --hint 41; [ "$status" -eq 0 ]
    [[ $output == *"nothing failed"* ]]
}

@test "--list, --list --json, --help, --version; any folder to stand in" {
    cd /
    "$fake" --list | grep -qE '^32-fail +3 old-root +20 core -$'
    [ "$("$fake" --list --json | jq -r '.[] | select(.name == "31-pass") | .steps[2].more')" = true ]
    "$fake" --help | grep -q '^usage:'
    "$fake" --help >"$BATS_TEST_TMPDIR/help"
    run ! grep -E '.{81}' "$BATS_TEST_TMPDIR/help"
    "$fake" --version | grep -q Strata
}
