#!/usr/bin/env bats
# kill -9 in the middle of an import, two imports at once, a full disk: the store is sound each
# time, and the next import makes up for it.
# shellcheck disable=SC2153,SC2154
bats_require_minimum_version 1.5.0
load image.bash

KIND=${KINDS%% *}
# What changes the store, or is about to: the moments between them are all there are.
CALLS=openat,openat2,write,pwrite64,close,fsync,fdatasync,rename,renameat,renameat2,linkat,mkdir,mkdirat,unlinkat,unlink,rmdir,fchmod,fchmodat,symlinkat,copy_file_range,sendfile,ftruncate,flock,utimensat,fchownat,fchown

setup_file() {
    make_image_kit
    good_layout "$T/made/good"
    { tar_of 'dir bin' 'file bin/a zeros=300000' 'file bin/b text=b mode=0755' 'dir etc' \
        'file etc/name text=one' 'link l to=etc'; } | gzip -n >"$T/made/1.tar.gz"
    { tar_of 'file etc/.wh.name' 'dir bin' 'file bin/.wh..wh..opq' 'file bin/c zeros=70000' \
        'hard bin/d to=bin/c'; } | zstd -q >"$T/made/2.tar.zst"
    layout "$T/made/two" two "$T/made/1.tar.gz" "$T/made/2.tar.zst"
    chmod -R a+rX "$T/made"
    make_fast
    folder=$FAST
    lab07 "$KIND" --store "$folder/base" --import "$T/made/good=good" >/dev/null
    cp -a "$folder/base" "$folder/wanted"
    lab07 "$KIND" --store "$folder/wanted" --import "$T/made/two=two" >/dev/null
    contents "$folder/wanted" >"$T/wanted"
    export folder
}
teardown_file() {
    remove_fast
    remove_kit
}

# From the run's seed a number below $1: the same SEED, the same moments.
draw() {
    STATE=$(((STATE * 1103515245 + 12345) & 0x7fffffff))
    drawn=$(((STATE >> 8) % $1))
}

sound() { # STORE: nothing to complain of
    run lab07 "$KIND" --store "$1" --verify
    [ "$status" = 0 ] || { echo "$output"; return 1; }
    [ -z "$output" ]
}

@test "kill -9 at fifty moments of an import" {
    command -v strace >/dev/null || skip "no strace here"
    SEED=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
    STATE=$SEED
    echo "SEED=$SEED"
    cp -a "$folder/base" "$folder/count"
    lab07 "$KIND" --store "$folder/count" --images >/dev/null
    # strace kills at a call's number: no clock, no sleep, no luck.
    (as "$KIND" strace -qq -o "$folder/calls" -e signal=none -e "trace=$CALLS" "$LAB07" \
        --store "$folder/count" --import "$T/made/two=two") || skip "strace may not trace here"
    total=$(grep -c . "$folder/calls")
    [ "$total" -gt 50 ]
    whole=0
    for round in {1..50}; do
        draw "$total" # no subshell: the next draw goes on from here
        moment=$((drawn + 1))
        name=$(sed -n "${moment}s/(.*//p" "$folder/calls")
        number=$(head -n "$moment" "$folder/calls" | grep -c "^$name(") # strace counts each by itself
        store=$folder/store-$round
        cp -a "$folder/base" "$store"
        status=0
        (as "$KIND" strace -qq -o /dev/null -e "trace=$CALLS" \
            -e "inject=$name:signal=KILL:when=$number" \
            "$LAB07" --store "$store" --import "$T/made/two=two") >"$folder/said" 2>&1 || status=$?
        echo "round $round: killed at call $moment of $total: $(sed -n "${moment}p" "$folder/calls")"
        [ "$status" = 137 ]
        sound "$store"
        # The old image is there, the new one as a whole or not at all.
        [ "$(lab07 "$KIND" --store "$store" --images | grep -c '^good')" = 1 ]
        [ "$(lab07 "$KIND" --store "$store" --images | grep -vc -e "^good" -e "^two")" = 0 ]
        whole=$((whole + $(lab07 "$KIND" --store "$store" --images | grep -c '^two' || true)))
        lab07 "$KIND" --store "$store" --import "$T/made/two=two" >/dev/null
        tmp_is_empty "$store"
        sound "$store"
        contents "$store" | diff "$T/wanted" - # not a file more or less than by an import undisturbed
        rm -rf "$store"
    done
    echo "in $whole of 50 the new image was there already"
    [ "$whole" -lt 50 ]
}

@test "a file is on the disk before its name is" {
    command -v strace >/dev/null || skip "no strace here"
    cp -a "$folder/base" "$folder/order"
    (as "$KIND" strace -qq -y -o "$folder/order.calls" -e trace=fsync,fdatasync,rename,renameat,renameat2,linkat \
        "$LAB07" --store "$folder/order" --import "$T/made/two=two") || skip "strace may not trace here"
    cat "$folder/order.calls"
    # Each rename into blobs/ comes after an fsync, and is followed by one of the folder.
    awk '/^f(data)?sync/ { if (/blobs\/sha256>/) waits = 0; else fresh = 1 }
        /^(rename|linkat)/ && /blobs/ { if (!fresh) bad = 1; fresh = 0; waits = 1; n++ }
        END { exit bad || waits || n == 0 }' "$folder/order.calls"
}

@test "two imports at once, ten times" {
    for round in {1..10}; do
        store=$folder/pair-$round
        lab07 "$KIND" --store "$store" --import "$T/made/good=one" >"$folder/said.1" 2>&1 &
        first=$!
        lab07 "$KIND" --store "$store" --import "$T/made/two=two" >"$folder/said.2" 2>&1 &
        second=$!
        lab07 "$KIND" --store "$store" --import "$T/made/two=two" >"$folder/said.3" 2>&1 &
        third=$!
        for pid in $first $second $third; do
            wait "$pid" || { cat "$folder"/said.*; return 1; }
        done
        [ "$(lab07 "$KIND" --store "$store" --images | cut -f1 | sort | tr '\n' ' ')" = "one two " ]
        tmp_is_empty "$store"
        sound "$store"
    done
}

@test "an import while another is killed" {
    command -v strace >/dev/null || skip "no strace here"
    store=$folder/beside
    cp -a "$folder/base" "$store"
    # It stops at its first fsync, with whatever it holds by then.
    (exec 3>&-; as "$KIND" strace -qq -o /dev/null -e trace=fsync -e inject=fsync:signal=SIGSTOP:when=1 \
        sh -c 'echo $$; exec "$@"' sh "$LAB07" --store "$store" --import "$T/made/two=two") \
        >"$folder/half" 2>&1 &
    tracer=$!
    until [ -n "$(ls -A "$store/tmp")" ]; do
        kill -0 $tracer || skip "strace may not trace here: $(cat "$folder/half")"
    done
    # Whatever of it the other has to wait for (a lock), ends with it.
    lab07 "$KIND" --store "$store" --import "$T/made/two=two" &
    other=$!
    kill -9 "$(head -n 1 "$folder/half")"
    wait $tracer || true
    wait $other
    sound "$store"
    tmp_is_empty "$store"
}

@test "a full disk: one sentence, nothing half there, and with more room it works" {
    # A room's root may mount a tmpfs as small as we like.
    tar_of 'dir d' 'file d/big zeros=3000000' 'file d/x text=x' >"$T/made/big.tar"
    cat >"$T/made/full.sh" <<'END'
mkdir /tmp/disk
mount -t tmpfs -o "$1" full /tmp/disk || exit 77
lab=/strata/lab07
store=/tmp/disk/store
$lab --store $store --import /strata/small=small >/dev/null || exit 10
$lab --store $store --import /strata/big=big >/tmp/out 2>/tmp/err && exit 11
[ ! -s /tmp/out ] || exit 12
cat /tmp/err
[ "$(wc -l </tmp/err)" = 1 ] || exit 13
grep -q "^lab07: .*No space left on device" /tmp/err || exit 14
[ -z "$(ls -A $store/tmp)" ] || exit 15
$lab --store $store --verify || exit 16
[ "$($lab --store $store --images | cut -f1)" = small ] || exit 17
# Named in full, or mount(8) would pass on an owner that it reads and nobody may name here.
mount -t tmpfs -o remount,size=32m,nr_inodes=100000 full /tmp/disk || exit 18
$lab --store $store --import /strata/big=big >/dev/null || exit 19
$lab --store $store --verify || exit 20
[ -z "$(ls -A $store/tmp)" ] || exit 21
END
    tar_of 'file x text=x' >"$T/made/small.tar"
    for room in size=1m size=4m size=32m,nr_inodes=20; do
        run inside_as "$KIND" --file lab07="$LAB07" --file small="$T/made/small.tar" \
            --file big="$T/made/big.tar" --file full="$T/made/full.sh" -- sh /strata/full $room
        echo "$room: $status $output"
        [ "$status" != 125 ] || skip "$output"
        [ "$status" = 0 ]
    done
}
