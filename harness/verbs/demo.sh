#!/bin/sh
# demo.sh: from a fresh copy of the course to a container. Installs what is missing (after asking),
# builds, and lets the reference's program of each lab show what its layer adds: every row is what
# the kernel says outside and inside. Fails, with the lab's name, if a layer is not what it shows.
. harness/verbs/lib.sh

started=$(date +%s)
sh harness/setup/setup.sh || exit 1
echo "Building the course's tools and its reference programs..."
make -j2 SRC=solutions tools programs || die "the demonstration could not be built."

SRC=solutions
echo
echo "${bold}A container, layer by layer.${plain} \"Outside\" is a sandbox on this machine,"
echo "\"inside\" is what the lab's program makes. Every line was asked of the kernel"
echo "just now, and a layer that is not what it shows ends this with an error."
failed=
shown=0
for folder in labs/[0-9][0-9]-*/; do
    folder=${folder%/}
    name=${folder##*/}
    lab=${name%%-*}
    script=$folder/demo.sh
    [ -f "$script" ] || continue
    whose_program
    title=$(lab_title "$name")
    printf '\n%slab%s: %s%s\n' "$bold" "$lab" "${title:-${name#*-}}" "$plain"
    if sandbox --seconds 20 --file compare.sh=harness/verbs/compare.sh --file "demo.sh=$script" \
        -- sh /strata/demo.sh </dev/null; then
        shown=$((shown + 1))
    elif [ $? = 4 ]; then
        echo "  Not shown here: this user may make no control groups. Root may, and"
        echo "  \`make lab$lab\` and \`make vm\` use a small guest instead."
    else
        failed="$failed lab$lab"
    fi
done

echo
if [ -n "$failed" ]; then
    die "the demonstration failed in:$failed. make doctor may know why."
fi
[ "$shown" -gt 0 ] || die "no lab has anything to show."
echo "$shown layers, $(($(date +%s) - started)) seconds, and nothing is left behind."
echo "Each is around a hundred lines of C, and you write them: make lab01."
echo "To look around in there yourself: make shell$lab SRC=solutions"
