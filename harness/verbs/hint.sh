#!/bin/sh
# hint.sh NN: a hint for the step that failed first, or for STEP=; the next tier, or TIER=.
. harness/verbs/lib.sh

exec build/grade --hint "$lab" ${STEP:+--step "$STEP"} ${TIER:+--tier "$TIER"}
