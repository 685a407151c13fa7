# shellcheck shell=sh
# What the parts of `make test` share. Every part prints TAP lines, and nothing else counts:
#   ok - NAME          not ok - NAME          ok - NAME # SKIP WHY
# Lines that begin otherwise are for people.

ok() { echo "ok - $*"; }
not_ok() { echo "not ok - $*"; }
skip() { # WHY NAME...
    why=$1
    shift
    echo "ok - $* # SKIP $why"
}

# check NAME COMMAND...: one test; what the command says is shown when it fails.
check() {
    check_name=$1
    shift
    if check_said=$("$@" 2>&1 </dev/null); then
        ok "$check_name"
    else
        not_ok "$check_name"
        printf '%s\n' "$check_said" | tail -n 40 | sed 's/^/#   /'
    fi
}

# tap NAME COMMAND...: a program that speaks TAP itself. One that ends before its plan is done, or
# badly without saying why, or that has no tests, has failed.
tap() {
    tap_name=$1
    shift
    "$@" >"$SCRATCH/tap" 2>&1 </dev/null
    awk -v name="$tap_name" -v status=$? '
        /^1\.\.[0-9]+/ { planned += substr($0, 4) + 0; next }
        /^(not )?ok / {
            ran++
            skipped = /# *[Ss][Kk][Ii][Pp]/
            if (!skipped && /^not ok/) failed++
            # cmocka calls a skipped test "not ok # SKIP"
            line = $0
            sub(/^(not )?ok +[0-9]* *(- )?/, "", line)
            sub(/# *[Ss][Kk][Ii][Pp]/, "# SKIP", line)
            # ... and gives no reason: the line before does
            if (line ~ /^# SKIP [a-z_0-9]+$/) line = substr(line, 8) " # SKIP " said
            print (skipped || /^ok/ ? "ok" : "not ok") " - " name ": " line
            next
        }
        { said = $0; sub(/^# */, "", said); sub(/: SKIP$/, "", said); print "#   " $0 }
        END {
            if (planned == 0) print "not ok - " name ": ran no test (exit status " status ")"
            else if (ran != planned)
                print "not ok - " name ": " ran + 0 " of " planned " tests ran (exit status " status ")"
            else if (status != 0 && !failed) print "not ok - " name ": exit status " status
        }' "$SCRATCH/tap"
}
