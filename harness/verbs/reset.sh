#!/bin/sh
# reset.sh NN: starts the lab's file afresh; what you had is kept beside it, and named.
# STEP=3: with the steps before 3 solved.
. harness/verbs/lib.sh

exec build/skeleton --reset ${STEP:+--step "$STEP"} solutions labs "$lab"
