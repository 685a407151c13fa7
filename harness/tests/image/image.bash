# shellcheck shell=bash disable=SC2154
# What the tests of images share: lab 07's program in a folder that everybody may read, archives
# and layouts of our own making, and a look at what lies around the store.

IMAGE_TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=harness/tests/sandbox/sandbox.bash
source "$IMAGE_TESTS/../sandbox/sandbox.bash"

# Who imports: root may chown and make devices, an ordinary user may not.
# shellcheck disable=SC2034 # the tests read it
if [ "$(id -u)" = 0 ]; then KINDS="root plain"; else KINDS=me; fi

make_image_kit() {
    umask 022
    T=$(mktemp -d /tmp/strata-image.XXXXXX)
    mkdir -p "$T/kit/build"
    cp "$ROOT"/build/{inside,sandbox,probe,busybox,rootfs.tar} "$T/kit/build"
    chmod -R a+rX "$T"
    SUB=$(subordinate_user)
    LAB07=$T/lab07
    cp "${STRATA_LAB07:-$ROOT/build/solutions/07/lab07}" "$LAB07" # another to watch a test fail
    mkdir -m 777 "$T/here" "$T/made"
    export T SUB LAB07
}

tar_of() { perl "$IMAGE_TESTS/tar.pl" "$@"; }       # ENTRY... >ARCHIVE
layout() { perl "$IMAGE_TESTS/layout.pl" "$@"; }    # [OPTION...] FOLDER TAG LAYER...
folder_of() { mkdir -p "${FAST-$T/here}/$1" && chmod 777 "${FAST-$T/here}/$1" && echo "${FAST-$T/here}/$1"; }

# lab07 KIND OPTION...: with a deadline, for a store that hangs has failed as well.
lab07() {
    local kind=$1
    shift
    (umask 022 && as "$kind" timeout -k 1 "${DEADLINE:-20}" "$LAB07" "$@")
}

# All that lies around the store: names, types, modes, owners, links, contents, times.
surroundings() { # FOLDER STORE
    find "$1" -path "$2" -prune -o -printf '%P %y %m %U:%G %n %l %T@ ' \
        \( -type f -exec sha256sum {} \; -o -printf '\n' \) |
        sed "s|  $1/.*||" | sort
}

# What a store holds: all but the lower layers' times.
contents() { (cd "$1" 2>/dev/null && find . -type f -exec sha256sum {} + | sort -k 2); }

tmp_is_empty() { [ -z "$(ls -A "$1/tmp" 2>/dev/null)" ]; }

# One sentence that a person can read, 125, nothing on stdout, nobody killed it.
one_sentence() {
    echo "status $status: $output $stderr"
    [ "$status" = 125 ] && [ -z "$output" ] &&
        [ "$(grep -c . <<<"$stderr")" = 1 ] && [[ $stderr == lab07:\ * ]] &&
        ! grep -q '[^[:print:]]' <<<"$stderr"
}

# An image that is right, to stand in the store before.
good_layout() { # FOLDER
    tar_of 'dir etc' 'file etc/name text=good' >"$T/made/good.tar"
    gzip -nf "$T/made/good.tar"
    layout "$1" good "$T/made/good.tar.gz"
}

# For tests that write a thousand times and wait for the disk each time: a folder in memory, where
# an import works there. $FAST is removed with the kit.
make_fast() {
    FAST=$(mktemp -d /dev/shm/strata-image.XXXXXX 2>/dev/null) || FAST=$(mktemp -d "$T/here/XXXXXX")
    chmod 777 "$FAST"
    export FAST
    tar_of 'dir d' 'file d/.wh..wh..opq' >"$T/made/opaque.tar"
    if ! lab07 "${KINDS%% *}" --store "$FAST/try" --import "$T/made/opaque.tar=try" >/dev/null 2>&1; then
        rm -rf "$FAST"
        FAST=$(mktemp -d "$T/here/XXXXXX")
        chmod 777 "$FAST"
    fi
    rm -rf "$FAST/try"
}
remove_fast() { [ -z "${FAST-}" ] || rm -rf "$FAST"; }
