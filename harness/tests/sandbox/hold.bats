#!/usr/bin/env bats
# What root of a room cannot do.
# shellcheck disable=SC2012,SC2013,SC2015,SC2016,SC2030,SC2031,SC2153,SC2154
load sandbox.bash

setup_file() {
    make_kit
    build attack attack.c -static
    build crowd crowd.c -static
    build shadow shadow.c -fsanitize=address
    build outside outside.c -static
}
teardown_file() { remove_kit; }

# Makes socket, FIFO and private file of the same user in each folder, and attacks from a room.
attack_as() {
    local kind=$1 folder home said paths=() homes=() servers=()
    have_kind "$kind"
    mkdir -p "$T/custom"
    for folder in "$T/custom" "$T/kit" "$HOME" /tmp /run /var/tmp /srv; do
        home="$folder/strata-test-$$-$kind"
        # Not everybody may write everywhere: what cannot be made there needs no test.
        mkdir "$home" 2>/dev/null || continue
        chmod 777 "$home"
        homes+=("$home")
        (as "$kind" "$T/outside" "$home") >"$home.out" 2>"$home.said" 3>&- &
        servers+=($!)
        paths+=("$home/strata-socket" "$home/strata-fifo" "$home/strata-private")
    done
    for home in "${homes[@]}"; do until_true 2000 grep -q "ready\|cannot" "$home.out" || true; done
    cat "${homes[@]/%/.out}"
    run inside_as "$kind" --file "attack=$T/attack" -- attack "${paths[@]}"
    said=$(cat "${homes[@]/%/.said}")
    made=$(cat "${homes[@]/%/.out}" | grep -c ready)
    kill -9 "${servers[@]}"
    wait "${servers[@]}" 2>/dev/null || true
    for home in "${homes[@]}"; do rm -rf "$home" "$home.out" "$home.said"; done
    echo "$output"
    [ "$status" = 0 ]
    [ -z "$said" ]
    [ "$made" -ge 3 ]
    [[ $output == *"broken: 0"* ]]
    # All attempts were made, also those at the paths outside.
    [ "$(sed -n 's/held: \([0-9]*\),.*/\1/p' <<<"$output")" -ge $((100 + 4 * ${#paths[@]})) ]
}

@test "root of a room gets nowhere: sandbox made by root" { attack_as root; }
@test "root of a room gets nowhere: by root, one id" { attack_as single; }
@test "root of a room gets nowhere: by an ordinary user" { attack_as plain; }
@test "root of a room gets nowhere: by one with subordinate ids" { attack_as sub; }
@test "root of a room gets nowhere: by me" { attack_as me; }

crowd_as() {
    have_kind "$1"
    run inside_as "$1" --file "crowd=$T/crowd" -- crowd
    echo "$output"
    [ "$status" = 0 ]
    [ "$output" -gt 100 ]
    [ "$output" -le 400 ]
}

@test "other ids and nested namespaces are no way around the process limit: root" { crowd_as root; }
@test "other ids and nested namespaces are no way around the process limit: one id" { crowd_as single; }
@test "other ids and nested namespaces are no way around the process limit: ordinary" { crowd_as plain; }
@test "other ids and nested namespaces are no way around the process limit: subordinate" { crowd_as sub; }
@test "other ids and nested namespaces are no way around the process limit: me" { crowd_as me; }

@test "AddressSanitizer has its address space with --asan, and only then" {
    run "$T/kit/build/inside" --asan --file "shadow=$T/shadow" -- shadow
    echo "$output"
    [ "$status" = 0 ]
    [ "$output" = shadow ]
    run "$T/kit/build/inside" --file "shadow=$T/shadow" -- shadow
    [ "$status" != 0 ]
}

@test "the caller's session keyring is out of reach" {
    command -v keyctl >/dev/null || skip "needs keyctl"
    run keyctl session - sh -c 'keyctl add user strata-test secret @s >/dev/null &&
        exec "$T/kit/build/inside" --file "attack=$T/attack" -- attack'
    echo "$output"
    [ "$status" = 0 ]
}

@test "a clone below a folder of mode 0700 works as root" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    mkdir -m 700 "$T/secret"
    cp -a "$T/kit" "$T/secret/kit"
    run "$T/secret/kit/build/grade" --src solutions --no-progress --report "$T/secret/report" 02
    echo "$output"
    [ "$status" = 0 ]
    rm -rf "$T/secret"
}

@test "a clone owned by another user works as an ordinary one" {
    have_kind plain
    run grade_as plain "$T/kit/build/solutions/02/lab02"
    echo "$output"
    [ "$status" = 0 ]
}

@test "a kit built under umask 077 works" {
    cp -a "$T/kit" "$T/narrow"
    # As make leaves them: modes of nobody but the owner, except where the Makefile says so.
    chmod 700 "$T"/narrow/build/{grade,inside} "$T/narrow/build/solutions/02/lab02" "$T/narrow"
    chmod 600 "$T/narrow/build/rootfs.tar"
    for name in sandbox probe busybox; do
        grep -Eq "^\\$\(B\)/$name:" "$ROOT/Makefile"
        sed -n "/^\$(B)\/$name:/,/^$/p" "$ROOT/Makefile" | grep -q 'chmod 755'
    done
    umask 077
    run "$T/narrow/build/grade" --src solutions --no-progress --report "$T/narrow/report" 02
    echo "$output"
    [ "$status" = 0 ]
    run "$T/narrow/build/inside" --file busybox="$T/narrow/build/busybox" \
        --rootfs "$T/narrow/build/rootfs.tar" -- /tmp/rootfs/bin/busybox true
    echo "$output"
    [ "$status" = 0 ]
    rm -rf "$T/narrow"
}

@test "in a container with one id only there is still a sandbox" {
    unshare -Ur true || skip "needs user namespaces"
    run unshare -Ur "$T/kit/build/inside" -- id -u
    echo "$output"
    [ "$status" = 0 ]
    [ "$output" = 0 ]
}

@test "where newuidmap can lend nothing, subordinate ids are no obstacle: one id is enough" {
    have_kind sub
    for way in "unshare --user --map-current-user" "setpriv --no-new-privs"; do
        # shellcheck disable=SC2016,SC2086 # for the shell in there; a command of several words
        run as sub $way "$T/kit/build/inside" -- \
            sh -c 'read -r _ _ count </proc/self/uid_map; echo $count'
        echo "$way: $output"
        [ "$status" = 0 ]
        [ "$output" = 1 ]
    done
}
