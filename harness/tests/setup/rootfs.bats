#!/usr/bin/env bats
# The root filesystem: the same bytes everywhere, and right when it is unpacked.

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)
    build=$root/rootfs/build.sh
    unset BUSYBOX
}

digest() {
    sha256sum <"$1" | cut -d' ' -f1
}

@test "two builds have the same bytes, whatever the directory, umask, locale, zone and options" {
    mkdir "$BATS_TEST_TMPDIR/here" "$BATS_TEST_TMPDIR/over there"
    sh "$build" "$BATS_TEST_TMPDIR/here/a.tar"
    cd "$BATS_TEST_TMPDIR/over there"
    (
        umask 077
        # Any locale that sorts differently, if there is one.
        locale=$(locale -a 2>/dev/null | grep -vE '^(C|POSIX)' | head -n 1)
        export LC_ALL=${locale:-C.UTF-8} TZ=Asia/Tokyo TAR_OPTIONS=--mode=0707 CDPATH=$root
        out=$PWD/b.tar
        cd "$root"
        sh rootfs/build.sh "$out"
    )
    [ "$(digest "$BATS_TEST_TMPDIR/here/a.tar")" = "$(digest b.tar)" ]
    # Nothing stayed beside them.
    [ "$(ls -A "$BATS_TEST_TMPDIR/here")" = a.tar ]
    [ "$(ls -A .)" = b.tar ]
}

@test "a set-group-id directory with a default ACL changes nothing" {
    mkdir -m 2775 "$BATS_TEST_TMPDIR/shared"
    # Without setfacl the set-group-id bit is tried alone.
    setfacl -d -m u:1:rwx "$BATS_TEST_TMPDIR/shared" 2>/dev/null || true
    sh "$build" "$BATS_TEST_TMPDIR/shared/a.tar"
    sh "$build" "$BATS_TEST_TMPDIR/b.tar"
    [ "$(digest "$BATS_TEST_TMPDIR/shared/a.tar")" = "$(digest "$BATS_TEST_TMPDIR/b.tar")" ]
}

@test "another user builds the same bytes" {
    [ "$(id -u)" = 0 ] || skip "only root can become another user"
    dir=$(mktemp -d /tmp/strata-bats.XXXXXX)
    chmod 0777 "$dir"
    sh "$build" "$BATS_TEST_TMPDIR/a.tar"
    # The checkout may be below a directory that only its owner can enter: a copy is not.
    cp -R "$root/rootfs" "$dir/rootfs"
    chmod -R a+rX "$dir/rootfs"
    status=0
    setpriv --reuid 12345 --regid 12345 --clear-groups sh "$dir/rootfs/build.sh" "$dir/b.tar" ||
        status=$?
    same=$(digest "$dir/b.tar")
    rm -rf "$dir"
    [ "$status" = 0 ]
    [ "$(digest "$BATS_TEST_TMPDIR/a.tar")" = "$same" ]
}

@test "names are sorted, owners are numbers, times are 0, and every applet has its link" {
    cd "$BATS_TEST_TMPDIR"
    sh "$build" a.tar
    tar -tf a.tar | sed 's,/$,,' >names
    LC_ALL=C sort -c -u names
    [ "$(TZ=UTC0 tar -tvf a.tar | grep -vc ' 1970-01-01 00:00 ')" = 0 ]
    [ "$(tar --numeric-owner -tvf a.tar | awk '{ print $2 }' | sort -u | tr '\n' ' ')" = "0/0 1000/1000 " ]
    "$(sh "$root/rootfs/find-busybox.sh")" --list-full >applets
    [ -s applets ]
    while read -r applet; do
        grep -qxF "$applet" names
    done <applets
    # Plain files, directories and symbolic links, no devices and no hard links.
    [ "$(tar -tvf a.tar | grep -vc '^[-dl]')" = 0 ]
}

@test "nothing but BusyBox's links and the table is in it, and every file of the table exists" {
    cd "$BATS_TEST_TMPDIR"
    sh "$build" a.tar
    {
        echo bin/busybox
        "$(sh "$root/rootfs/find-busybox.sh")" --list-full
        sed 's/#.*//' "$root/rootfs/files" | awk 'NF { print $4 }'
    } | LC_ALL=C sort -u >wanted
    tar -tf a.tar | sed 's,/$,,' >names
    diff wanted names
}

@test "busybox tar unpacks it where only one id is mapped" {
    unshare -Ur true 2>/dev/null || skip "no user namespace may be made here"
    cd "$BATS_TEST_TMPDIR"
    sh "$build" a.tar
    mkdir x
    busybox=$(sh "$root/rootfs/find-busybox.sh")
    (
        cd x
        umask 077
        unshare -Ur "$busybox" tar -xof ../a.tar
    )
    [ "$(stat -c %a x/tmp x/root x/proc x/bin/busybox x/etc/passwd x/home/app | tr '\n' ' ')" = \
        "1777 700 555 755 644 755 " ]
    [ "$(readlink x/bin/sh)" = ../bin/busybox ] || [ "$(readlink x/bin/sh)" = busybox ]
    [ "$(readlink x/usr/bin/env)" = ../../bin/busybox ]
    [ -z "$(ls -A x/dev)" ]
    # As many as in the archive (x itself is not in it), and the links lead to BusyBox.
    [ "$(find x -mindepth 1 | wc -l)" = "$(tar -tf a.tar | wc -l)" ]
    # chroot lies where an ordinary user's PATH may not lead.
    run env PATH="$PATH:/usr/sbin:/sbin" unshare -Ur chroot x /bin/sh -c 'cat /usr/share/strata/greeting; id -u; exit 7'
    [ "$status" = 7 ]
    [[ $output == *"Hello from inside"*0 ]]
}

@test "a dynamically linked busybox is refused, by name and with the cure" {
    # Any dynamic program will do, as long as it says that it can list its applets.
    dynamic=
    for program in /bin/true /bin/ls; do
        ! LC_ALL=C ldd "$program" >/dev/null 2>&1 || dynamic=$program
    done
    [ -n "$dynamic" ] || skip "no dynamically linked program at hand"
    cp "$dynamic" "$BATS_TEST_TMPDIR/busybox"
    BUSYBOX=$BATS_TEST_TMPDIR/busybox run sh "$build" "$BATS_TEST_TMPDIR/a.tar"
    [ "$status" = 1 ]
    [ "${#lines[@]}" = 1 ]
    [[ $output == *"$BATS_TEST_TMPDIR/busybox is not a statically linked"*"make setup"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/a.tar" ]
}

@test "is_static tells a dynamic program that runs with --list-full from a static one" {
    command -v cc >/dev/null || skip "no compiler"
    cd "$BATS_TEST_TMPDIR"
    printf 'int main(void) { return 0; }\n' >p.c
    cc p.c -o dynamic
    cc -static p.c -o static || skip "no static C library"
    BUSYBOX=$PWD/dynamic run sh "$root/rootfs/find-busybox.sh"
    [ "$status" = 1 ]
    [[ $output == *"not a statically linked"* ]]
    BUSYBOX=$PWD/static run sh "$root/rootfs/find-busybox.sh"
    [ "$status" = 0 ]
    [ "$output" = "$PWD/static" ]
}

@test "a file that is no ELF at all is refused" {
    printf '#!/bin/sh\nexit 0\n' >"$BATS_TEST_TMPDIR/busybox"
    chmod +x "$BATS_TEST_TMPDIR/busybox"
    BUSYBOX=$BATS_TEST_TMPDIR/busybox run sh "$root/rootfs/find-busybox.sh"
    [ "$status" = 1 ]
}

@test "without any busybox there is one clear sentence" {
    BUSYBOX=/nowhere/busybox run sh "$build" "$BATS_TEST_TMPDIR/a.tar"
    [ "$status" = 1 ]
    [ "${#lines[@]}" = 1 ]
    [[ $output == *"/nowhere/busybox"*"make setup"* ]]
}

@test "an interrupted build leaves nothing, and the old archive as it was" {
    cd "$BATS_TEST_TMPDIR"
    echo old >a.tar
    # A tar that says it has begun and then waits: the interrupt comes while it works.
    mkdir bin
    mkfifo begun
    exec 7<>begun # both ways, since opening one end would wait for the other without a limit
    cat >bin/tar <<EOF
#!/bin/sh
[ "\$1" != --version ] || { echo "tar (GNU tar)"; exit; }
echo begun >"$PWD/begun"
exec sleep 30
EOF
    chmod +x bin/tar
    # A session of its own, so that the whole group gets the signal, as from a terminal.
    # (A script's background processes ignore SIGINT, hence env.)
    for signal in INT TERM HUP; do
        PATH=$PWD/bin:$PATH setsid env --default-signal=INT sh "$build" a.tar 3>&- 7>&- &
        pid=$!
        read -r -t 20 _ <&7
        kill -"$signal" -- -"$pid"
        status=0
        wait "$pid" || status=$?
        [ "$status" = $((128 + $(kill -l "$signal"))) ]
        [ "$(cat a.tar)" = old ]
        [ "$(echo *)" = "a.tar begun bin" ]
    done
}

@test "what a killed build left behind is swept by the next one, and a living one's is not" {
    command -v flock >/dev/null || skip "no flock"
    cd "$BATS_TEST_TMPDIR"
    mkdir a.tar.tmp.dead00 bin
    mkfifo begun go
    exec 7<>begun 8<>go
    # The living one: its tar waits, once, until it may go on.
    cat >bin/tar <<EOF
#!/bin/sh
if [ "\$1" != --version ] && [ ! -e waited ]; then
    : >waited
    echo begun >begun
    read -r _ <go
fi
exec $(type -P tar) "\$@"
EOF
    chmod +x bin/tar
    PATH=$PWD/bin:$PATH sh "$build" a.tar 3>&- 7>&- 8>&- &
    pid=$!
    read -r -t 20 _ <&7
    [ ! -e a.tar.tmp.dead00 ]
    living=$(echo a.tar.tmp.*)
    mkdir a.tar.tmp.dead01
    sh "$build" a.tar 7>&- 8>&-
    [ "$(echo a.tar.tmp.*)" = "$living" ]
    first=$(digest a.tar)
    rm a.tar
    echo go >&8
    wait "$pid"
    [ "$(digest a.tar)" = "$first" ]
    [ "$(echo a.tar*)" = a.tar ]
}

@test "wrong use is named" {
    run sh "$build"
    [ "$status" = 2 ]
    run sh "$build" "$BATS_TEST_TMPDIR/no/such/a.tar"
    [ "$status" = 1 ]
    [[ $output == *"no directory"* ]]
    run sh "$build" "$BATS_TEST_TMPDIR"
    [ "$status" = 1 ]
}
