#!/bin/sh
# seconds: 30
# Every ```console block of the book says what really happens.
# shellcheck source=harness/tests/lib.sh
. harness/tests/lib.sh

for chapter in docs/*.md; do
    ! grep -q '^```console' "$chapter" || perl harness/tests/docs/console.pl "$chapter"
done
