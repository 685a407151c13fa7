#!/bin/sh
# seconds: 120
# Two compilers with all warnings as errors, clang-tidy, cppcheck, shellcheck, and rules of the
# house that a program can check.
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

lint="$MAKE -s -f harness/tests/lint.mk"
$lint -k -j"$JOBS" >/dev/null 2>&1
for stamp in $($lint list); do
    file=${stamp#build/tests/lint/}
    if [ -e "$stamp" ]; then
        ok "${file##*.}: ${file%.*}"
    else
        not_ok "${file##*.}: ${file%.*}"
        grep -v 'warnings generated' "$stamp.log" | head -n 8 | sed 's/^/#   /'
    fi
done

# comparePointers: the linker's two ends of a section; nullPointerRedundantCheck and deallocret: it
# does not know which functions of the harness never return; varFuncNullUB: NULL is a pointer here;
# resourceLeak: it does not know the cleanup attribute.
check "cppcheck" cppcheck --quiet --error-exitcode=1 --inline-suppr -D_GNU_SOURCE -Iharness -Ilabs \
    --enable=warning,performance,portability --std=c11 -j"$JOBS" --suppress=comparePointers \
    --suppress=nullPointerRedundantCheck --suppress=deallocret --suppress=varFuncNullUB --suppress=resourceLeak \
    harness labs solutions

scripts() {
    find . -path ./build -prune -o -path ./.git -prune -o \( -name '*.sh' -o -name '*.bats' \) -print
    echo .ci/run
}
scripts | while read -r script; do
    check "shellcheck: $script" shellcheck -x "$script"
done
find harness -name '*.pl' | while read -r script; do
    check "perl: $script" perl -wc "$script"
done

# A layer is the student's and knows nothing of the harness; the harness runs it and never links it.
check "student code includes nothing of the harness" \
    sh -c '! grep -rnE "#include \"(\.\./)*(harness|kernel|sandbox|grade|probe)/" labs solutions'
check "the harness includes nothing of the labs" \
    sh -c '! grep -rnE "#include \"(given|[0-9][0-9]-)" harness --include="*.[ch]" |
        grep -vE "^harness/(corpus|tests/labs)/"'
check "graders know nothing of each other" \
    sh -c '! grep -rnE "#include \"graders/" harness |
        grep -vE "/([0-9][0-9]-)[^/]*:[0-9]+:.*graders/\1"'
check "no line of C is longer than 100 columns" sh -c '! grep -rnE "^.{101}" harness labs solutions \
    --include="*.[ch]"'
