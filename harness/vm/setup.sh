#!/bin/sh
# setup.sh: the second half of `make setup`: what guests need. Everything else works without them,
# so what cannot be had is named, and no error.
set -u
unset CDPATH
root=$(cd "$(dirname "$0")/../.." && pwd)

if sh "$root/harness/setup/setup.sh" --level guest && sh "$root/harness/vm/kernel.sh" fetch; then
    exit 0
fi
echo "setup: without it no guest boots: steps that this machine lacks something for are skipped."
