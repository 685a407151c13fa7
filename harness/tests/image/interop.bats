#!/usr/bin/env bats
# Images that others made are ours as well, and ours theirs: umoci and skopeo on either side, an
# image run in between.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154
bats_require_minimum_version 1.5.0
load image.bash

KIND=${KINDS%% *}

have_both() { command -v umoci >/dev/null && command -v skopeo >/dev/null; }

setup_file() {
    make_image_kit
    have_both || return 0
    make_fast
    export HOME=$T/home TMPDIR=$T/here # both keep things there
    mkdir "$HOME"
    cd "$T/made" || return 1
    make_by_umoci
    skopeo --insecure-policy copy -q "oci:umoci:three" oci:skopeo:copied
    make_ours
    chmod -R a+rX .
}
teardown_file() {
    remove_fast
    remove_kit
}
setup() { have_both || skip "no umoci, no skopeo here"; }

# Three layers: the root filesystem; a file more and one less; a folder replaced by another.
make_by_umoci() {
    umoci init --layout umoci
    umoci new --image umoci:one
    umoci unpack --rootless --image umoci:one bundle
    tar -C bundle/rootfs -xf "$T/kit/build/rootfs.tar"
    mkdir bundle/rootfs/opt bundle/rootfs/opt/old
    echo first >bundle/rootfs/opt/old/a
    echo doomed >bundle/rootfs/opt/gone
    ln bundle/rootfs/opt/gone bundle/rootfs/opt/other
    umoci repack --refresh-bundle --image umoci:two bundle
    rm bundle/rootfs/opt/gone
    echo more >bundle/rootfs/opt/more
    umoci repack --refresh-bundle --image umoci:two bundle
    rm -r bundle/rootfs/opt/old
    mkdir bundle/rootfs/opt/old
    echo second >bundle/rootfs/opt/old/b
    umoci repack --refresh-bundle --image umoci:three bundle
    umoci config --image umoci:three --config.cmd cat --config.cmd /opt/old/b \
        --config.env WHO=umoci --config.workingdir /opt
    rm -rf bundle
} >/dev/null

# Layers in gzip and zstd, with whiteouts and an opaque folder.
make_ours() {
    tar_of 'dir opt' 'dir opt/old' 'file opt/old/a text=first' 'file opt/gone text=doomed' >1.tar
    cp "$T/kit/build/rootfs.tar" 0.tar
    tar_of 'file opt/.wh.gone' 'file opt/more text=more' >2.tar
    tar_of 'dir opt/old' 'file opt/old/.wh..wh..opq' 'file opt/old/b text=second' >3.tar
    gzip -nf 0.tar
    zstd -q --rm 2.tar
    gzip -nf 3.tar
    layout mixed mixed 0.tar.gz 1.tar 2.tar.zst 3.tar.gz
}

check_opt() { # FOLDER
    (cd "$1" && find . | sort | tr '\n' ' ')
}
OPT=". ./more ./old ./old/b "

# Runs a command in a container of the image $2 in store $1: as root here, and in a room, by whoever
# makes one, from an export of it. They say the same.
run_in_image() { # STORE NAME [COMMAND...]
    local store=$1 name=$2 out=$T/here/run
    shift 2
    rm -rf "$out"
    mkdir -m 777 "$out"
    lab07 "$KIND" --store "$store" --export "$name=$out/layout" >/dev/null
    tar -C "$out/layout" -cf "$out/layout.tar" .
    # shellcheck disable=SC2016
    inside_as "$KIND" --file lab07="$LAB07" --file layout="$out/layout.tar" -- sh -c '
        lab="/strata/lab07 --store /tmp/s" name=$1
        shift
        $lab --import "/strata/layout=$name" >/dev/null && exec $lab --image "$name" "$@"' \
        sh "$name" "$@" >"$out/inside" || return
    cat "$out/inside"
    [ "$(id -u)" = 0 ] || return 0
    lab07 "$KIND" --store "$store" --image "$name" "$@" >"$out/here" || return
    diff "$out/inside" "$out/here"
}

# import, look, run, export, and back to the two
round_trip() { # LAYOUT NAME
    local store exported
    folder=$(folder_of "trip-$2")
    store=$folder/store
    lab07 "$KIND" --store "$store" --import "$1=$2"
    lab07 "$KIND" --store "$store" --verify
    [ "$(lab07 "$KIND" --store "$store" --images | cut -f1)" = "$2" ]

    run --separate-stderr run_in_image "$store" "$2" -- sh -c 'cd /opt && find . | sort && cat old/b'
    echo "$status $output $stderr"
    [ "$status" != 125 ] || [[ $stderr != inside:* ]] || skip "$stderr"
    [ "$status" = 0 ]
    [ "$(tr '\n' ' ' <<<"$output")" = "${OPT}second " ]

    exported=$folder/exported
    lab07 "$KIND" --store "$store" --export "$2=$exported"
    skopeo inspect "oci:$exported:$2" >"$T/inspected"
    # The same image: its manifest has kept its bytes, and so its digest.
    [ "$(jq -r '.manifests[0].digest' "$exported/index.json")" = \
        "$(jq -r ".manifests[] | select(.annotations[\"org.opencontainers.image.ref.name\"] == \"${1##*:}\") | .digest" "${1%:*}/index.json")" ]
    skopeo --insecure-policy copy -q "oci:$exported:$2" "oci:$T/here/copied-$2:again"
    again=$(folder_of "again-$2")/store
    lab07 "$KIND" --store "$again" --import "$T/here/copied-$2:again=again"
    lab07 "$KIND" --store "$again" --verify
}

theirs() { # NAME: what umoci makes of our export
    umoci stat --image "$folder/exported:$1"
    umoci unpack --rootless --image "$folder/exported:$1" "$T/here/bundle-$1"
    [ "$(check_opt "$T/here/bundle-$1/rootfs/opt")" = "$OPT" ] ||
        { check_opt "$T/here/bundle-$1/rootfs/opt"; return 1; }
    rm -rf "$T/here/bundle-$1"
}

@test "an image that umoci made: imported, run, exported, unpacked by umoci" {
    OPT=". ./more ./old ./old/b ./other "
    round_trip "$T/made/umoci:three" three
    theirs three
}

@test "its configuration: command, environment, working directory" {
    store=$(folder_of configured)/store
    lab07 "$KIND" --store "$store" --import "$T/made/umoci:three=i"
    run --separate-stderr run_in_image "$store" i -- sh -c 'echo $WHO; pwd'
    [ "$status" != 125 ] || [[ $stderr != inside:* ]] || skip "$stderr"
    echo "$status $output $stderr"
    [ "$output" = $'umoci\n/opt' ]
    run --separate-stderr run_in_image "$store" i
    echo "$status $output $stderr"
    [ "$output" = second ]
}

@test "an image that skopeo copied" {
    OPT=". ./more ./old ./old/b ./other "
    round_trip "$T/made/skopeo:copied" copied
    theirs copied
}

@test "layers in gzip, zstd and plain, with whiteouts and an opaque folder" {
    round_trip "$T/made/mixed:mixed" mixed
    # This umoci reads no zstd; skopeo has made gzip of it.
    skopeo --insecure-policy copy -q --dest-compress-format gzip "oci:$folder/exported:mixed" \
        "oci:$T/here/gzip:mixed"
    umoci unpack --rootless --image "$T/here/gzip:mixed" "$T/here/bundle-mixed"
    [ "$(check_opt "$T/here/bundle-mixed/rootfs/opt")" = "$OPT" ]
}

# overlayfs looks for the mark in every folder but the layer's own: whoever mounts it has to.
@test "a layer that is opaque at its root hides all below it" {
    local folder
    folder=$(folder_of opaque-root)
    cp "$T/kit/build/rootfs.tar" "$folder/1.tar"
    (cd "$folder" && tar_of 'dir lost' 'file lost/a text=below' >0.tar &&
        tar_of 'file .wh..wh..opq' 'dir kept' 'file kept/b text=opaque' >2.tar &&
        layout seen seen 0.tar 1.tar && layout hidden hidden 0.tar 2.tar 1.tar)
    lab07 "$KIND" --store "$folder/store" --import "$folder/seen:seen=seen"
    lab07 "$KIND" --store "$folder/store" --import "$folder/hidden:hidden=hidden"
    run --separate-stderr run_in_image "$folder/store" seen -- sh -c 'ls -d /lost /bin'
    [ "$status" != 125 ] || [[ $stderr != inside:* ]] || skip "$stderr"
    echo "$status $output $stderr"
    [ "$output" = $'/bin\n/lost' ]
    run --separate-stderr run_in_image "$folder/store" hidden -- sh -c 'ls -d /bin /kept; [ ! -e /lost ]'
    echo "$status $output $stderr"
    [ "$output" = $'/bin\n/kept' ]
}

@test "a layout as one tar archive" {
    tar -C "$T/made/umoci" -cf "$T/made/umoci.tar" .
    chmod a+r "$T/made/umoci.tar"
    run lab07 "$KIND" --store "$(folder_of tar)/store" --import "$T/made/umoci.tar=i"
    [ "$status" = 125 ] # which of the three?
    tar -C "$T/made/skopeo" -czf "$T/made/skopeo.tar.gz" .
    chmod a+r "$T/made/skopeo.tar.gz"
    store=$(folder_of tar)/second
    lab07 "$KIND" --store "$store" --import "$T/made/skopeo.tar.gz=i"
    lab07 "$KIND" --store "$store" --verify
}

@test "the root filesystem of the course becomes an image that umoci and skopeo read" {
    folder=$(folder_of rootfs)
    lab07 "$KIND" --store "$folder/store" --import "$T/kit/build/rootfs.tar=strata"
    lab07 "$KIND" --store "$folder/store" --export "strata=$folder/exported"
    skopeo inspect "oci:$folder/exported:strata" | jq -e '.Layers | length == 1'
    umoci unpack --rootless --image "$folder/exported:strata" "$T/here/bundle"
    [ "$(cat "$T/here/bundle/rootfs/etc/os-release")" = \
        "$(tar -xOf "$T/kit/build/rootfs.tar" etc/os-release)" ]
}

@test "the store itself is a layout that skopeo reads" {
    folder=$(folder_of layout)
    lab07 "$KIND" --store "$folder/store" --import "$T/made/umoci:three=here"
    skopeo inspect "oci:$folder/store:here" >/dev/null
}
