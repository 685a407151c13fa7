#!/bin/sh
# seconds: 40
# The reference under AddressSanitizer and UBSan (make asanNN), and the harness's own programs.
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh
# shellcheck source=harness/corpus/as.sh
. harness/corpus/as.sh

numbers=$(build/grade --list --json | jq -r '.[].name' | cut -d- -f1)
# shellcheck disable=SC2046,SC2086 # goals are several
$MAKE -s -k -j"$JOBS" ASAN=1 SRC=solutions \
    $(for number in $numbers; do echo "build/asan/solutions/$number/lab$number"; done) 2>&1 |
    sed 's/^/# /'

users=me
[ "$(id -u)" != 0 ] || users="me single many"
for who in $users; do
    reason=$(why_not_as "$who")
    if [ -z "$reason" ] && ! as "$who" test -x "$PWD/build/grade"; then
        reason="the checkout is closed to that user"
    fi
    if [ -n "$reason" ]; then
        skip "$reason" "sanitized labs as $who"
        continue
    fi
    mkdir "$SCRATCH/$who"
    chmod 1777 "$SCRATCH/$who"
    chmod 755 "$SCRATCH"
    for number in $numbers; do
        name="lab$number under sanitizers, as $who"
        as "$who" env VM=0 STRATA_ASAN=1 build/grade --src solutions --no-progress \
            --program "build/asan/solutions/$number/lab$number" --report "$SCRATCH/$who" \
            "$number" >"$SCRATCH/said" 2>&1
        status=$?
        case $status in
        0) ok "$name" ;;
        4) # none failed, and the machine or this user lacks what some need
            skip "$(grep -o 'needs [a-z0-9:]*' "$SCRATCH/said" | sort -u | tr '\n' ' ')" \
                "$name, all its steps"
            ;;
        *)
            not_ok "$name"
            sed 's/^/#   /' "$SCRATCH/said"
            ;;
        esac
    done
done
