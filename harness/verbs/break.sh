#!/bin/sh
# break.sh NN: the experiments of a chapter's "Break it". Each asks for a prediction, does it in the
# sandbox, and fails if what it claims does not show. SRC is the student's own layer once the lab
# has passed (LAYERS=mine: in any case), the reference until then.
. harness/verbs/lib.sh

script=labs/$name/break.sh
[ -f "$script" ] || die "lab$lab has no experiments."
whose_program
if [ "$SRC" = solutions ]; then
    echo "lab$lab here is the reference's program. Nothing of this can harm your machine."
else
    echo "lab$lab here is your own program. Nothing of this can harm your machine."
fi
sandbox --seconds 600 --env "BOLD=$bold" --env "GREEN=$green" --env "RED=$red" \
    --env "PLAIN_TEXT=$plain" --file "experiment.sh=harness/verbs/experiment.sh" \
    --file "break.sh=$script" -- sh /strata/break.sh
status=$?
[ "$status" != 124 ] || echo "make: the experiments took too long and were ended." >&2
[ "$status" != 4 ] ||
    echo "make: this user may make no control groups here. As root, or in \`make vm\`, it works." >&2
[ "$status" != 1 ] || [ "$SRC" = solutions ] ||
    echo "make: your layer shows something else; the reference: make break$lab SRC=solutions" >&2
exit "$status"
