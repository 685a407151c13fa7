#!/bin/sh
# part.sh PART: runs one part of `make test` and counts its TAP lines.
# part.sh --count PART SECONDS: counts what build/test/PART.log holds already.
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

logs=build/test

count() { # PART SECONDS
    log=$logs/$1.log
    awk '/^ok .*# SKIP/ { skipped++; next } /^ok / { passed++ } /^not ok / { failed++ }
        END { print passed + 0, failed + 0, skipped + 0 }' "$log" >"$logs/$1.result"
    read -r passed failed skipped <"$logs/$1.result"
    if [ "$((passed + failed + skipped))" -eq 0 ]; then
        failed=1
        echo "not ok - $1 ran nothing" >>"$log"
        echo "0 1 0" >"$logs/$1.result"
    fi
    # One write, so that two parts that end together do not mix.
    {
        printf '%-11s %4d s  %d passed, %d failed%s\n' "$1" "$2" "$passed" "$failed" \
            "$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
        sed -n 's/^ok - \(.*\) # SKIP *\(.*\)/    skipped: \1: \2/p' "$log" | sort -u | head -n 40
        if [ "$failed" -gt 0 ]; then
            grep -A 12 '^not ok' "$log" | grep -v '^ok ' | head -n 60 | sed 's/^/    /'
            echo "    (the whole of it: $log)"
        fi
    } >"$logs/$1.summary"
    cat "$logs/$1.summary"
}

if [ "$1" = --count ]; then
    count "$2" "$3"
    exit
fi

part=$1
began=$(date +%s)
SCRATCH=$SCRATCH_ALL/$part
mkdir "$SCRATCH"
export SCRATCH
if [ -e "harness/tests/parts/$part.sh" ]; then
    sh "harness/tests/parts/$part.sh" >"$logs/$part.log" 2>&1 </dev/null
else
    sh harness/tests/parts/folder.sh "$part" >"$logs/$part.log" 2>&1 </dev/null
fi
status=$?
grep -q '^not ok' "$logs/$part.log" || [ "$status" -eq 0 ] ||
    not_ok "$part ended with $status" >>"$logs/$part.log"
count "$part" $(($(date +%s) - began))
exit 0
