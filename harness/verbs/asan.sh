#!/bin/sh
# asan.sh NN: what the sanitizers said in the run that has just been graded, one line a fault. Their
# whole report is longer than a verdict; build/report/NN/report.json keeps it.
. harness/verbs/lib.sh

report=build/report/$lab/report.json
# A program that was not built left the report of another run.
[ -n "$(find "$report" -newer "$BUILD/$SRC/$lab/lab$lab" 2>/dev/null)" ] || exit 0
sed -n 's/^ *"\(.*\)",\{0,1\}$/\1/p' "$report" | grep -E '^SUMMARY: |: runtime error: ' |
    sed -e 's/^SUMMARY: //' -e 's/\\"/"/g' | sort -u | head -n 5
