#!/usr/bin/env bats
# Archives and layouts that no honest program would make. Each is refused in one sentence, or what
# it holds stays below the image's own folder; nothing of it remains in the store, and around the
# store not a byte, mode or time has changed.
# shellcheck disable=SC2153,SC2154
bats_require_minimum_version 1.5.0
load image.bash

setup_file() {
    make_image_kit
    good_layout "$T/made/good"
    chmod -R a+rX "$T/made"
    make_fast

}
teardown_file() {
    remove_fast
    remove_kit
}

# A folder like that of somebody who imports: the store, and beside it what must not be touched.
# The image "good" is in the store already.
surround() { # KIND
    home=$(mktemp -d "$FAST/XXXXXX")
    OUT=$home/outside
    store=$home/store
    export OUT
    mkdir "$OUT" "$OUT/folder"
    echo secret >"$OUT/victim"
    echo inner >"$OUT/folder/inner"
    ln -s victim "$OUT/link"
    chmod 640 "$OUT/victim"
    [ "$(id -u)" != 0 ] || [ "$1" = root ] || chown -R "$PLAIN:$PLAIN" "$home"
    lab07 "$1" --store "$store" --import "$T/made/good=good" >/dev/null
    before=$(surroundings "$home" "$store")
    held=$(contents "$store")
    homes[$1]=$home befores[$1]=$before helds[$1]=$held
}
declare -gA homes befores helds # the last of each kind

untouched() {
    diff <(echo "$before") <(surroundings "$home" "$store")
}

# Nothing of it remains: what the store held it holds, tmp/ is empty, all is as its digest says.
unspoilt() { # KIND
    untouched
    diff <(echo "$held") <(contents "$store")
    tmp_is_empty "$store"
    lab07 "$1" --store "$store" --verify
}

# After a refusal all is as it was: what was surrounded once is good for the next.
surrounded() { # KIND
    if [ -z "${homes[$1]-}" ]; then
        surround "$1"
    else
        home=${homes[$1]} before=${befores[$1]} held=${helds[$1]}
        store=$home/store
    fi
}

refused_as() { # KINDS FILE [SETTING...]
    local kinds=$1 file=$2 kind
    shift 2
    for kind in $kinds; do
        surrounded "$kind"
        run --separate-stderr lab07 "$kind" --store "$store" "$@" --import "$file=bad"
        one_sentence
        unspoilt "$kind"
    done
}

refused() { refused_as "$KINDS" "$@"; }      # FILE [SETTING...]: as every kind of user
refused_once() { refused_as "${KINDS##* }" "$@"; } # as one: what root may do is no matter here

refused_tar() { # ENTRY...: needs $OUT, so made for each kind of user anew
    local kind
    for kind in $KINDS; do
        surround "$kind"
        tar_of "$@" >"$T/made/bad.tar"
        run --separate-stderr lab07 "$kind" --store "$store" --import "$T/made/bad.tar=bad"
        one_sentence
        unspoilt "$kind"
    done
}

# Refused or contained, whichever: around the store all is as it was, and the store is sound.
contained() { # ENTRY...
    local kind
    for kind in $KINDS; do
        surround "$kind"
        tar_of "$@" >"$T/made/odd.tar"
        run --separate-stderr lab07 "$kind" --store "$store" --import "$T/made/odd.tar=odd"
        [ "$status" = 0 ] || one_sentence
        [ "$status" = 0 ] || unspoilt "$kind"
        untouched
        tmp_is_empty "$store"
        lab07 "$kind" --store "$store" --verify
    done
}

# Where the one layer of the image that came last lies unpacked.
unpacked() {
    local manifest config
    manifest=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "odd") | .digest' "$store/index.json")
    config=$(jq -r .config.digest "$store/blobs/${manifest/://}")
    echo "$store/layers/$(jq -r '.rootfs.diff_ids[0]' "$store/blobs/${config/://}" | cut -d: -f2)"
}

accepted() { # ENTRY...: contained, and taken
    contained "$@"
    [ "$status" = 0 ]
}

# --- ways out ----------------------------------------------------------------------------------

@test "a name that climbs: ../x" { refused_tar 'file ../climbed text=x'; }
@test "a name that climbs on the way: a/../../x" { refused_tar 'dir a' 'file a/../../climbed text=x'; }
@test "a name that ends with ..: a/.." { refused_tar 'dir a' 'dir a/.. mode=0777'; }
@test "a name that climbs to a folder: a/../../outside" {
    refused_tar 'dir a' 'dir a/../../outside mode=0777'
}
@test "a folder called .. alone" { refused_tar 'dir .. mode=0777'; }
@test "a whiteout that climbs" { refused_tar 'file ../outside/.wh.victim'; }
@test "a link made above the root" { refused_tar 'link ../climbed to=/'; }

@test "an absolute name lies below the root" {
    accepted 'file @OUT/made text=x' 'file /etc/passwd text=mine'
    [ "$(cat "$(unpacked)/etc/passwd")" = mine ]
    [ "$(cat "$(unpacked)$OUT/made")" = x ]
}
@test "dots and slashes in plenty mean nothing" {
    accepted 'file .//./etc///./name text=x' 'dir ./././' 'dir / mode=0755'
    [ "$(cat "$(unpacked)/etc/name")" = x ]
}

@test "writing through a symbolic link, absolute" { refused_tar 'link out to=@OUT' 'file out/made text=x'; }
@test "writing through a symbolic link, relative" {
    refused_tar 'link out to=../../../outside' 'file out/made text=x'
}
@test "writing through a link to a link" {
    refused_tar 'link one to=@OUT' 'link two to=one' 'file two/made text=x'
}
@test "writing through a link deep below" {
    refused_tar 'dir a' 'dir a/b' 'link a/b/c to=@OUT/folder' 'file a/b/c/inner text=x'
}
@test "writing through a link to / or .." {
    refused_tar 'link up to=..' 'file up/made text=x'
    refused_tar 'link root to=/' "file root/$T/made/x text=x"
}
@test "hiding through a symbolic link" {
    refused_tar 'link out to=@OUT' 'file out/.wh.victim'
    refused_tar 'link out to=@OUT' 'file out/.wh..wh..opq'
}
@test "a file in place of a link does not reach what the link names" {
    accepted 'link x to=@OUT/victim' 'file x text=mine mode=0777'
    [ ! -L "$(unpacked)/x" ]
    [ "$(cat "$(unpacked)/x")" = mine ]
}
@test "a folder in place of a link changes no folder outside" {
    contained 'link d to=@OUT/folder' 'dir d mode=0777' 'file d/made text=x'
}
@test "the mode and the time of a link are its own" {
    accepted 'link l to=@OUT/victim mode=0777 time=1'
}
@test "a whiteout of a link hides the link" {
    contained 'link x to=@OUT/victim' 'file .wh.x'
    contained 'file .wh.x' 'link x to=@OUT/victim'
}
@test "a FIFO in place of a link" { contained 'link x to=@OUT/victim' 'fifo x'; }

@test "a hard link outwards" {
    refused_tar 'hard h to=../../../outside/victim'
    refused_tar 'hard h to=@OUT/victim' # absolute: below the root, where there is none
}
@test "a hard link outwards through a symbolic link" {
    refused_tar 'link s to=@OUT' 'hard h to=s/victim'
}
@test "a hard link to a symbolic link, written to" {
    contained 'link s to=@OUT/victim' 'hard h to=s' 'file h text=mine'
    contained 'link s to=@OUT/victim' 'hard h to=s size=4 text=mine'
}
@test "a hard link placed through a symbolic link" {
    refused_tar 'file f text=x' 'link s to=@OUT' 'hard s/made to=f'
}
@test "a hard link to the root, to itself, to a folder" {
    contained 'hard h to=/'
    contained 'hard h to=h'
    contained 'dir d' 'hard h to=d'
}
@test "a hard link to what is not there" { refused_tar 'hard h to=nobody'; }

@test "device nodes are left out, the kernel's mark for a whiteout too" {
    accepted 'char mem dev=1:1' 'block disk dev=8:0' 'char gone dev=0:0' 'file kept text=x'
    [ -z "$(find "$store/layers" -type c -o -type b)" ]
    [ -e "$(unpacked)/kept" ]
    [ ! -e "$(unpacked)/mem" ]
}
@test "names that are no name: .wh., .wh.., .wh..." {
    refused_tar 'file .wh.'
    refused_tar 'dir a' 'file a/.wh..'
    refused_tar 'dir a' 'file a/.wh...'
}
@test "a name of 4000 bytes in one piece" {
    refused_tar "file $(printf 'n%.0s' {1..4000}) text=x"
}
@test "a name 3000 folders deep does no harm" {
    DEADLINE=60 contained "file $(printf 'd/%.0s' {1..3000})x text=x"
}

@test "folders that are only on the way have mode 0755, whatever the umask" {
    for kind in $KINDS; do
        surround "$kind"
        tar_of "file a/b/x text=x" >"$T/made/way.tar"
        (umask 077 && as "$kind" "$LAB07" --store "$store" --import "$T/made/way.tar=odd")
        [ "$(stat -c %a "$(unpacked)/a/b")" = 755 ]
        [ "$(stat -c %a "$(unpacked)/a/b/x")" = 644 ]
    done
}

@test "duplicate names: the last one counts" {
    accepted 'file x text=first' 'file x text=second' 'dir d' 'file d/a text=a' 'dir d mode=0711'
    [ "$(cat "$(unpacked)/x")" = second ]
    [ -e "$(unpacked)/d/a" ]
    [ "$(stat -c %a "$(unpacked)/d")" = 711 ]
}
@test "duplicate names of different kinds do no harm" {
    contained 'file x text=x' 'dir x' 'file x/y text=y'
    contained 'dir x' 'file x/y text=y' 'file x text=x'
    contained 'dir x' 'link x to=@OUT' 'file x/made text=x'
}

# --- more than fits ----------------------------------------------------------------------------

repeated() { perl -e 'local $/; print <> x 1024' "$1"; } # FILE

@test "10 GB of zeros in a small gzip" {
    { CUT=1 tar_of 'file zeros size=10737418240' | gzip -n
      head -c 10485760 /dev/zero | gzip -n >"$T/made/ten"
      repeated "$T/made/ten"; } >"$T/made/bomb.tar.gz"
    refused_once "$T/made/bomb.tar.gz" --max-bytes 268435456 --max-entries 1000
    rm "$T/made/bomb.tar.gz"
}
@test "10 GB of zeros in a small zstd" {
    { CUT=1 tar_of 'file zeros size=10737418240' | zstd -q
      head -c 10485760 /dev/zero | zstd -q >"$T/made/ten"
      repeated "$T/made/ten"; } >"$T/made/bomb.tar.zst"
    [ "$(stat -c %s "$T/made/bomb.tar.zst")" -lt 1048576 ]
    DEADLINE=40 refused_once "$T/made/bomb.tar.zst" # by the limits that nobody asked for
    rm "$T/made/bomb.tar.zst"
}
@test "a gzip in a gzip is no layer" {
    tar_of 'file x text=x' | gzip -n | gzip -n >"$T/made/twice.tar.gz"
    refused "$T/made/twice.tar.gz"
}
@test "many files that are too much together" {
    tar_of 'file a zeros=3000000' 'file b zeros=3000000' 'file c zeros=3000000' |
        gzip -n >"$T/made/sum.tar.gz"
    refused "$T/made/sum.tar.gz" --max-bytes 8388608
    surround "${KINDS%% *}"
    lab07 "${KINDS%% *}" --store "$store" --max-bytes 9000000 --import "$T/made/sum.tar.gz=fits"
}
@test "a sparse file of 10 GB without a byte in it" {
    truncate -s 10G "$T/made/hole"
    tar -C "$T/made" --sparse -czf "$T/made/sparse.tar.gz" hole
    rm "$T/made/hole"
    refused "$T/made/sparse.tar.gz"
}
@test "a million entries" {
    tar_of 'dir d times=1000000' | zstd -q >"$T/made/million.tar.zst"
    DEADLINE=40 refused "$T/made/million.tar.zst" --max-entries 5000
}
@test "one entry more than allowed" {
    tar_of 'dir d times=101' >"$T/made/entries.tar"
    refused "$T/made/entries.tar" --max-entries 100
    surround "${KINDS%% *}"
    lab07 "${KINDS%% *}" --store "$store" --max-entries 101 --import "$T/made/entries.tar=fits"
}
@test "a header that promises more than follows" {
    CUT=1 tar_of 'file x text=short size=100000' >"$T/made/short.tar"
    refused "$T/made/short.tar"
}
@test "a size beyond all bounds" {
    CUT=1 tar_of 'file x size=9223372036854775807' >"$T/made/huge.tar"
    refused "$T/made/huge.tar"
}

# --- no archive --------------------------------------------------------------------------------

@test "a truncated archive, plain and compressed, at several places" {
    tar_of 'dir a' 'file a/x zeros=5000' 'file a/y text=y' >"$T/made/whole.tar"
    for size in 3000 5000; do
        head -c $size "$T/made/whole.tar" >"$T/made/cut.tar"
        refused "$T/made/cut.tar"
    done
    for how in gzip zstd; do
        $how -qc "$T/made/whole.tar" >"$T/made/whole"
        for cut in 1 5 20 60; do
            head -c -$cut "$T/made/whole" >"$T/made/cut"
            refused "$T/made/cut"
        done
    done
}
@test "a bit that fell over in a compressed archive" {
    tar_of 'dir a' 'file a/x zeros=5000' | gzip -n >"$T/made/bit.tar.gz"
    printf '\377' | dd of="$T/made/bit.tar.gz" bs=1 seek=40 conv=notrunc 2>/dev/null
    refused "$T/made/bit.tar.gz"
}
@test "not an archive" {
    head -c 100000 /dev/urandom >"$T/made/noise"
    refused "$T/made/noise"
    echo "just a text" >"$T/made/text"
    refused "$T/made/text"
    : >"$T/made/empty"
    refused "$T/made/empty"
    refused "$T/made/not-there"
    refused /dev/null
}
@test "an archive of another kind is no layer" {
    echo member >"$T/made/member"
    (cd "$T/made" && ar rc x.ar member)
    refused "$T/made/x.ar"
}
@test "a FIFO in place of an archive does not hang it" {
    mkfifo -m 666 "$T/made/fifo"
    refused "$T/made/fifo"
}

# --- layouts -----------------------------------------------------------------------------------

simple() { tar_of 'file x text=x' >"$T/made/simple.tar"; }

bad_layout() { # OPTION...
    simple
    rm -rf "$T/made/lay"
    layout "$@" "$T/made/lay" bad "$T/made/simple.tar"
    chmod -R a+rX "$T/made/lay"
    refused_once "$T/made/lay"
}

@test "the layout without a fault is taken" {
    simple
    rm -rf "$T/made/lay"
    layout "$T/made/lay" bad "$T/made/simple.tar"
    chmod -R a+rX "$T/made/lay"
    for kind in $KINDS; do
        surround "$kind"
        lab07 "$kind" --store "$store" --import "$T/made/lay=fine"
        untouched
    done
}

@test "bad JSON in index, manifest, configuration" {
    for object in index manifest config; do
        bad_layout --raw $object '{"schemaVersion":2,'
        bad_layout --raw $object ''
        bad_layout --raw $object '[]'
        bad_layout --raw $object '{}'
        bad_layout --raw $object 'null'
        bad_layout --raw $object "$(printf '[%.0s' {1..50000})"
        bad_layout --raw $object $'{"schemaVersion":2,"a":"\x80\xff"}'
    done
}
@test "JSON of the wrong types" {
    bad_layout --edit index manifests '{}'
    bad_layout --edit index manifests/0 '"sha256:x"'
    bad_layout --edit index manifests/0/digest 7
    bad_layout --edit manifest layers '{"0":1}'
    bad_layout --edit manifest layers/0 'null'
    bad_layout --edit manifest layers/0/digest '["x"]'
    bad_layout --edit manifest layers/0/mediaType 5
    bad_layout --edit manifest config '"x"'
    bad_layout --edit config rootfs 'true'
    bad_layout --edit config rootfs/diff_ids '"x"'
    bad_layout --edit config rootfs/diff_ids/0 '{}'
}
@test "digests that are paths, or no digests" {
    local none=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    for digest in sha256:../../../../outside/victim sha256:/etc/passwd sha256: "" . .. \
        "sha256:$none/../x" "sha256:${none}0" "sha256:${none%f}" "SHA256:$none" "sha512:$none$none" \
        "sha256:${none^^}" "sha256:${none%f}g" "../sha256:$none" "sha256:$none\\u0000" "$none"; do
        bad_layout --edit manifest layers/0/digest "\"$digest\""
    done
    for digest in sha256:../../../../outside/victim "" "sha256:${none}0" "sha256:${none^^}"; do
        bad_layout --edit index manifests/0/digest "\"$digest\""
        bad_layout --edit manifest config/digest "\"$digest\""
        bad_layout --edit config rootfs/diff_ids/0 "\"$digest\""
    done
}
@test "digests that do not hold" {
    local other=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    bad_layout --edit index manifests/0/digest "\"$other\""
    bad_layout --edit manifest config/digest "\"$other\""
    bad_layout --edit manifest layers/0/digest "\"$other\""
    bad_layout --edit config rootfs/diff_ids/0 "\"$other\""
}
@test "blobs that are not what their names say" {
    for which in layers/0 config; do
        simple
        rm -rf "$T/made/lay"
        layout "$T/made/lay" bad "$T/made/simple.tar"
        manifest=$(jq -r .manifests[0].digest "$T/made/lay/index.json")
        digest=$(jq -r ".${which/layers\/0/layers[0]}.digest" "$T/made/lay/blobs/${manifest/://}")
        printf x >>"$T/made/lay/blobs/${digest/://}"
        chmod -R a+rX "$T/made/lay"
        refused_once "$T/made/lay"
    done
}
@test "as many diff_ids as layers" {
    bad_layout --edit config rootfs/diff_ids '[]'
    bad_layout --edit manifest layers '[]'
}
@test "a layer of a kind that we do not know" {
    bad_layout --edit manifest layers/0/mediaType '"application/x-something"'
}
@test "an image that is an index of indexes of itself" {
    simple
    rm -rf "$T/made/lay"
    layout "$T/made/lay" bad "$T/made/simple.tar"
    index=$(jq -c '.manifests[0].mediaType = "application/vnd.oci.image.index.v1+json"' "$T/made/lay/index.json")
    echo "$index" >"$T/made/lay/index.json"
    chmod -R a+rX "$T/made/lay"
    refused_once "$T/made/lay"
}
@test "a layout without its layer, its index, its marker" {
    for gone in blobs/sha256 index.json; do
        simple
        rm -rf "$T/made/lay"
        layout "$T/made/lay" bad "$T/made/simple.tar"
        rm -r "$T/made/lay/$gone"
        chmod -R a+rX "$T/made/lay"
        refused_once "$T/made/lay"
    done
}
@test "blobs that are links, FIFOs, folders" {
    for what in link fifo folder zero; do
        simple
        rm -rf "$T/made/lay"
        layout "$T/made/lay" bad "$T/made/simple.tar"
        manifest=$(jq -r .manifests[0].digest "$T/made/lay/index.json")
        digest=$(jq -r .layers[0].digest "$T/made/lay/blobs/${manifest/://}")
        blob=$T/made/lay/blobs/${digest/://}
        rm "$blob"
        case $what in
        link) ln -s /etc/passwd "$blob" ;;
        fifo) mkfifo -m 666 "$blob" ;;
        folder) mkdir "$blob" ;;
        zero) ln -s /dev/zero "$blob" ;;
        esac
        chmod -R a+rX "$T/made/lay"
        refused_once "$T/made/lay"
    done
}
@test "an index that is a FIFO or without end" {
    for what in fifo zero; do
        simple
        rm -rf "$T/made/lay"
        layout "$T/made/lay" bad "$T/made/simple.tar"
        rm "$T/made/lay/index.json"
        if [ $what = fifo ]; then
            mkfifo -m 666 "$T/made/lay/index.json"
        else
            ln -s /dev/zero "$T/made/lay/index.json"
        fi
        chmod -R a+rX "$T/made/lay"
        refused_once "$T/made/lay"
    done
}
@test "a layout in a tar, with names that climb" {
    simple
    rm -rf "$T/made/lay"
    layout "$T/made/lay" bad "$T/made/simple.tar"
    tar -C "$T/made/lay" -cf "$T/made/lay.tar" .
    for kind in $KINDS; do
        surround "$kind"
        lab07 "$kind" --store "$store" --import "$T/made/lay.tar=fine"
        untouched
    done
    # What does not belong to a layout is not even looked at.
    for bad in "file ../../outside/climbed text=x" "link blobs to=@OUT" "link blobs/sha256 to=@OUT"; do
        for kind in $KINDS; do
            surround "$kind"
            CUT=1 tar_of "$bad" >"$T/made/climbs.tar"
            cat "$T/made/lay.tar" >>"$T/made/climbs.tar"
            run --separate-stderr lab07 "$kind" --store "$store" --import "$T/made/climbs.tar=fine"
            [ "$status" = 0 ] || one_sentence
            untouched
            lab07 "$kind" --store "$store" --verify
        done
    done
}

@test "names of images are no paths" {
    for kind in $KINDS; do
        for name in ../climbed /tmp/x a/../../b .. ; do
            surround "$kind"
            run lab07 "$kind" --store "$store" --import "$T/made/good=$name"
            untouched
            lab07 "$kind" --store "$store" --verify
        done
        surround "$kind"
        run --separate-stderr lab07 "$kind" --store "$store" --import "$T/made/good="
        [ "$status" = 125 ]
        unspoilt "$kind"
        run --separate-stderr lab07 "$kind" --store "$store" --import "$T/made/good=$(printf 'a\nb')"
        [ "$status" = 125 ]
        unspoilt "$kind"
    done
}
@test "an export overwrites nothing" {
    for kind in $KINDS; do
        surround "$kind"
        run --separate-stderr lab07 "$kind" --store "$store" --export "good=$OUT"
        one_sentence
        run --separate-stderr lab07 "$kind" --store "$store" --export "good=$OUT/victim"
        one_sentence
        run --separate-stderr lab07 "$kind" --store "$store" --export "nobody=$OUT/new"
        one_sentence
        unspoilt "$kind"
    done
}
