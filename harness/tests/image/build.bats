#!/usr/bin/env bats
# --build: the same image from the same files, whoever builds it and when; mistakes named by line;
# nothing of the folder or the image leads out; killed at any moment it leaves nothing.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154
bats_require_minimum_version 1.5.0
load image.bash


setup_file() {
    make_image_kit
    site=$T/site
    mkdir -p "$site/app/sub" "$T/outside"
    cp "$T/kit/build/busybox" "$site/busybox"
    echo code >"$site/app/main"
    echo tool >"$site/app/sub/tool"
    chmod 755 "$site/app/sub/tool"
    ln -s sub/tool "$site/app/link"
    echo secret >"$T/outside/victim"
    chmod -R a+rX "$T"
    make_fast
    export site
}
teardown_file() {
    remove_fast
    remove_kit
}

setup() {
    home=$(mktemp -d "$FAST/XXXXXX")
    store=$home/store
}

needs_mounts() { [ "$(id -u)" = 0 ] || skip "needs root, to mount (graders build in a room)"; }

recipe() { cat >"$site/Stratafile"; } # from stdin

build() { # [SETTING...]: as an image "it"
    (umask "${MASK:-022}" && timeout -k 1 60 "$LAB07" --store "$store" "$@" --build "$site=it")
}

# The mistake is told in one sentence that begins with file and line.
mistaken() { # LINE WORDS
    run --separate-stderr build
    echo "$status: $output | $stderr"
    [ "$status" = 125 ]
    stderr=$(grep -v "^sh: " <<<"$stderr")
    [ "$(grep -c . <<<"$stderr")" = 1 ]
    [[ $stderr == "lab07: $site/Stratafile:$1: "*"$2"* ]]
    "$LAB07" --store "$store" --verify
    tmp_is_empty "$store"
}

manifest() {
    local digest
    digest=$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "it") | .digest' "$store/index.json")
    jq . "$store/blobs/${digest/://}"
}
config() { jq . "$store/blobs/$(manifest | jq -r .config.digest | tr : /)"; }
layer() { tar -tvf "$store/blobs/$(manifest | jq -r ".layers[$1].digest" | tr : /)"; }

plain_recipe() {
    recipe <<'END'
# what is built upon: nothing
FROM scratch
COPY busybox /bin/
RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]
ENV WORD=a b
WORKDIR /srv/app
COPY app .
RUN echo $WORD >word && /bin/busybox rm sub/tool && \
    # in between
    /bin/busybox mkdir /opt
CMD ["/bin/busybox", "cat", "word"]
END
}

@test "the same image whenever it is built, wherever, and under whatever umask" {
    needs_mounts
    plain_recipe
    build >/dev/null
    first=$(manifest)
    store=$home/second
    touch -d 2001-01-01 "$site/app/main"
    MASK=077 build >/dev/null
    diff <(echo "$first") <(manifest)
    build --no-cache >/dev/null
    diff <(echo "$first") <(manifest)
    "$LAB07" --store "$store" --verify
    [ "$("$LAB07" --store "$store" --image it)" = "a b" ]
}

@test "layers: only instructions that change files make one" {
    needs_mounts
    plain_recipe
    build
    # COPY, RUN, WORKDIR (it makes a folder), COPY, RUN; not ENV, not CMD
    [ "$(manifest | jq '.layers | length')" = 5 ]
    [ "$(config | jq -c '[.history[] | .empty_layer // false]')" = "[false,false,true,false,false,false,true]" ]
    [ "$(config | jq -c '.config | [.Env, .WorkingDir, .Cmd]')" = \
        '[["WORD=a b"],"/srv/app",["/bin/busybox","cat","word"]]' ]
    printf 'WORKDIR /srv\nRUN true\nENV X=1\n' | cat "$site/Stratafile" - >"$home/more"
    cp "$home/more" "$site/Stratafile"
    sed -i 's/RUN true/RUN [ -d app ]/' "$site/Stratafile"
    build
    [ "$(manifest | jq '.layers | length')" = 5 ]
}

@test "what was removed is a whiteout, what was replaced is opaque; the bytes stay below" {
    needs_mounts
    plain_recipe
    sed -i 's|/bin/busybox mkdir /opt|/bin/busybox rm -r /srv/app/sub \&\& /bin/busybox mkdir /srv/app/sub|' "$site/Stratafile"
    build >/dev/null
    layer 4
    layer 4 | grep -q 'sub/.wh..wh..opq$'
    recipe <<'END'
FROM it
RUN ["/bin/busybox", "rm", "/srv/app/main"]
END
    before=$(manifest | jq '[.layers[].size] | add')
    build >/dev/null
    layer 5
    [ "$(layer 5 | grep -c 'srv/app/.wh.main$')" = 1 ]
    [ "$(manifest | jq '[.layers[].size] | add')" -gt "$before" ]
}

@test "several stages: only what is copied gets into the last one" {
    needs_mounts
    recipe <<'END'
FROM scratch AS maker
COPY busybox /bin/sh
COPY app /src
RUN read code </src/main; echo "made of $code" >/product
FROM scratch
COPY --from=maker /product /srv/product
COPY --from=maker /bin/sh /bin/sh
END
    build
    [ "$(manifest | jq '.layers | length')" = 2 ]
    [ "$("$LAB07" --store "$store" --export "it=$home/out" >/dev/null; tar -xOf "$home/out/blobs/$(manifest | jq -r .layers[0].digest | tr : /)" srv/product)" = "made of code" ]
    for i in 0 1; do
        if layer $i | grep -q src; then return 1; fi
    done
    # Another source, the same product: the second stage comes from the cache.
    echo "# a comment more" >>"$site/app/sub/tool"
    run build
    echo "$output"
    [ "${lines[-2]%% *}" = CACHED ]
    [ "$(grep -c ^built <<<"$output")" = 2 ]
}

@test "umoci and skopeo take what was built" {
    needs_mounts
    command -v umoci >/dev/null && command -v skopeo >/dev/null || skip "no umoci, no skopeo here"
    plain_recipe
    build >/dev/null
    "$LAB07" --store "$store" --export "it=$home/out"
    HOME=$home skopeo inspect "oci:$home/out:it" | jq -e '.Layers | length == 5'
    HOME=$home umoci unpack --rootless --image "$home/out:it" "$home/bundle"
    [ "$(cat "$home/bundle/rootfs/srv/app/word")" = "a b" ]
    [ ! -e "$home/bundle/rootfs/srv/app/sub/tool" ]
    [ "$(readlink "$home/bundle/rootfs/srv/app/link")" = sub/tool ]
}

@test "mistakes in a Stratafile are named by their line" {
    while IFS='|' read -r line words text; do
        printf '%b' "$text" | recipe
        mistaken "$line" "$words"
    done <<'END'
1|no instruction|# nothing\n
1|first instruction|COPY a /a\n
2|no such instruction|FROM scratch\nADD a /a\n
3|COPY takes|FROM scratch\n\nCOPY a\n
2|COPY takes|FROM scratch\nCOPY a b c\n
2|COPY takes|FROM scratch\nCOPY --chown=1 a /b\n
2|ENV takes|FROM scratch\nENV =x\n
2|ENV takes|FROM scratch\nENV A B\n
2|no command|FROM scratch\nRUN \\\n\n
1|FROM takes|FROM\n
1|FROM takes|FROM a b\n
2|WORKDIR takes|FROM scratch\nWORKDIR\n
1|no image is called|FROM nobody\n
2|no stage|FROM scratch\nCOPY --from=nobody /a /a\n
2|No such file|FROM scratch\nCOPY nothing /a\n
1|nothing was built|FROM scratch\n
END
}

@test "a command that fails ends the build, and the instructions before it are kept" {
    needs_mounts
    recipe <<'END'
FROM scratch
COPY busybox /bin/sh
RUN exit 7
END
    mistaken 3 "exit status 7"
    run build
    [[ $output == *"CACHED COPY busybox"* ]]
    recipe <<'END'
FROM scratch
COPY app /app
RUN ["/bin/nobody"]
END
    run --separate-stderr build
    [ "$status" = 125 ]
    [[ $stderr == *"Stratafile:3: "*127* ]]
}

@test "COPY takes nothing from outside of its folder" {
    needs_mounts
    ln -sfn "$T/outside" "$site/way"
    ln -sfn "$T/outside/victim" "$site/link"
    mkfifo "$site/fifo"
    for source in ../outside/victim /etc/passwd way/victim link app/../../outside/victim ../outside; do
        printf 'FROM scratch\nCOPY %s /x\n' "$source" | recipe
        mistaken 2 ""
    done
    printf 'FROM scratch\nCOPY fifo /x\n' | recipe
    mistaken 2 "only files, folders and links"
    printf 'FROM scratch\nCOPY . /x\n' | recipe
    mistaken 2 "only files, folders and links"
    rm "$site/fifo"
    # Within a folder a link is copied as a link.
    printf 'FROM scratch\nCOPY . /x\n' | recipe
    build
    layer 0 | grep -q "x/way -> $T/outside"
    if layer 0 | grep -q victim$; then layer 0 | grep -q "x/link -> "; fi
    rm "$site/way" "$site/link"
}

@test "COPY and WORKDIR leave the image by no link of it" {
    needs_mounts
    before=$(surroundings "$T/outside" /nowhere)
    tar_of "link out to=$T/outside" "link up to=../../../../../../../..$T/outside" 'dir real' \
        'link dir to=/real' "link victim to=$T/outside/victim" >"$T/made/links.tar"
    "$LAB07" --store "$store" --import "$T/made/links.tar=links" >/dev/null
    for place in /out/made /up/made /out/ /up/ /victim /out/victim; do
        printf 'FROM links\nCOPY app/main %s\n' "$place" | recipe
        run build
        echo "$place: $output"
        diff <(echo "$before") <(surroundings "$T/outside" /nowhere)
    done
    printf 'FROM links\nWORKDIR /out/deep\nWORKDIR /up/deep\n' | recipe
    run build
    diff <(echo "$before") <(surroundings "$T/outside" /nowhere)
    # A link of the image to a folder of the image is followed there.
    printf 'FROM links\nCOPY app/main /dir/main\n' | recipe
    build
    layer 1 | grep -q ' real/main$'
}

@test "a name that would read as a whiteout is refused" {
    needs_mounts
    recipe <<'END'
FROM scratch
COPY busybox /bin/sh
RUN echo x >/.wh.bin
END
    mistaken 3 ".wh."
}

@test "the store is never copied into itself" {
    needs_mounts
    store=$site/store
    printf 'FROM scratch\nCOPY . /x\n' | recipe
    build
    if layer 0 | grep -q store; then return 1; fi
    rm -rf "$store"
}

@test "an ordinary user is told, in one sentence, who may" {
    [ "$(id -u)" != 0 ] || have_kind plain
    kind=me
    [ "$(id -u)" != 0 ] || kind=plain
    chmod 777 "$home"
    plain_recipe
    run --separate-stderr lab07 $kind --store "$store" --build "$site=it"
    echo "$output | $stderr"
    [ "$status" = 125 ]
    [ "$(grep -c . <<<"$stderr")" = 1 ]
    [[ $stderr == *"Stratafile:3: "*root* ]]
    lab07 $kind --store "$store" --verify
    tmp_is_empty "$store"
}

@test "kill -9 at fifteen moments of a build: sound, and the next one is as if nothing had been" {
    needs_mounts
    command -v strace >/dev/null || skip "no strace here"
    plain_recipe
    calls=openat,openat2,write,close,fsync,rename,renameat,renameat2,mkdirat,mkdir,unlinkat,mount,umount2,clone3,waitid,fsmount,move_mount,symlinkat,sendfile
    SEED=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
    echo "SEED=$SEED"
    store=$home/count
    strace -qq -o "$home/calls" -e signal=none -e "trace=$calls" "$LAB07" --store "$store" --build "$site=it" \
        >/dev/null || skip "strace may not trace here"
    wanted=$(manifest)
    total=$(grep -c . "$home/calls")
    for round in {1..15}; do
        SEED=$(((SEED * 1103515245 + 12345) & 0x7fffffff))
        moment=$(((SEED >> 8) % total + 1))
        name=$(sed -n "${moment}s/(.*//p" "$home/calls")
        number=$(head -n "$moment" "$home/calls" | grep -c "^$name(")
        store=$home/store-$round
        status=0
        strace -qq -o /dev/null -e "trace=$calls" -e "inject=$name:signal=KILL:when=$number" \
            "$LAB07" --store "$store" --build "$site=it" >"$home/said" 2>&1 || status=$?
        echo "round $round: killed at call $moment of $total: $(sed -n "${moment}p" "$home/calls")"
        [ "$status" = 137 ]
        if [ -e "$store/oci-layout" ]; then "$LAB07" --store "$store" --verify; fi
        build >/dev/null
        diff <(echo "$wanted") <(manifest)
        tmp_is_empty "$store"
        "$LAB07" --store "$store" --verify
    done
    if grep -F "$home" /proc/self/mountinfo; then return 1; fi
}

@test "kill -9 of a build takes its RUN along" {
    needs_mounts
    mkfifo "$home/ready"
    recipe <<'END'
FROM scratch
COPY busybox /bin/sh
RUN echo $$ >/made; while :; do read x </dev/zero; done
END
    # Where RUN is can be seen by what it makes: wait for the file, then kill.
    "$LAB07" --store "$store" --build "$site=it" >"$home/said" 2>&1 3>&- &
    builder=$!
    until_true 10000 eval 'compgen -G "$store/tmp/*/here/upper/made" >/dev/null'
    busy() { grep -sl '[w]hile :; do read x' /proc/[0-9]*/cmdline | grep -v self; }
    [ -n "$(busy)" ]
    kill -9 $builder
    gone() { [ -z "$(ours)" ] && [ -z "$(busy)" ]; } # ours: whose program lies below $T
    until_true 5000 gone
}

@test "--prune forgets the cache and nothing else" {
    needs_mounts
    plain_recipe
    build >/dev/null
    wanted=$(manifest)
    "$LAB07" --store "$store" --prune
    diff <(echo "$wanted") <(manifest)
    "$LAB07" --store "$store" --verify
    [ "$(jq '.manifests | length' "$store/index.json")" = 1 ]
    run build
    if grep -q ^CACHED <<<"$output"; then return 1; fi
    diff <(echo "$wanted") <(manifest)
}
