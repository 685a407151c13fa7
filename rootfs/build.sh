#!/bin/sh
# build.sh OUT.tar: make the root filesystem that every lab starts its containers in.
#
# The table "files" says what is in it. The same BusyBox gives the same bytes, whoever builds it,
# wherever and whenever: sorted names, time 0, numeric owners, and modes that no umask touches.

set -eu
umask 022
# GNU tar reads TAR_OPTIONS as if they stood on its command line; CDPATH would make cd talk.
unset TAR_OPTIONS CDPATH || true
export LC_ALL=C TZ=UTC0

here=$(cd "$(dirname "$0")" && pwd)

die() {
    echo "rootfs: $*" >&2
    exit 1
}

if [ $# != 1 ] || [ -z "$1" ]; then
    echo "usage: build.sh OUT.tar" >&2
    exit 2
fi
case $1 in
/*) out=$1 ;;
*) out=$PWD/$1 ;;
esac
[ ! -d "$out" ] || die "$out is a directory, and the root filesystem is written to a file."
[ -d "$(dirname "$out")" ] || die "there is no directory $(dirname "$out") to write to."
tar --version 2>/dev/null | grep -q 'GNU tar' ||
    die "GNU tar is needed (it can set owners, times and order): make setup installs it."
busybox=$("$here/find-busybox.sh")

# --- a place to work, which does not stay ------------------------------------------------------
# It lies beside OUT, so that the last rename is atomic. A trap cannot help against SIGKILL; so
# the place is locked as long as its owner lives, and whoever builds next removes unlocked ones.

locked() { # locked DIRECTORY COMMAND...: run COMMAND only if nobody holds DIRECTORY
    command -v flock >/dev/null && flock -n "$@"
}

for old in "$out".tmp.??????; do
    [ ! -d "$old" ] || locked "$old" rm -rf "$old" || true
done

work=
clean() {
    [ -z "$work" ] || rm -rf "$work"
}
trap clean EXIT
for signal in HUP INT TERM; do
    # Die of the same signal, so that make and the shell see an interrupt and no plain failure.
    # shellcheck disable=SC2064 # the name of the signal is meant to be expanded now
    trap "clean; trap - EXIT $signal; kill -$signal \$\$" "$signal"
done

while :; do
    work=$(mktemp -d "$out.tmp.XXXXXX") || die "cannot write to $(dirname "$out")."
    command -v flock >/dev/null || break
    exec 9<"$work"
    # Another build may have swept it between the two lines above: then take a new one.
    flock -n 9 && [ -d "$work" ] && break
done
# A directory inherits set-group-id from its parent, and chmod with digits would let it stay.
chmod g-s "$work"
tree=$work/tree
mkdir "$tree"

# --- the whole list: the table, BusyBox, and a link for every applet ---------------------------
# A relative link works under any root: from outside, in a chroot and after pivot_root.

list() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$here/files"
    echo "file 0755 0:0 bin/busybox"
    "$busybox" --list-full | awk '
        $0 != "bin/busybox" {
            up = $0
            gsub("[^/]", "", up)
            gsub("/", "../", up)
            print "link 0777 0:0", $0, up "bin/busybox"
        }'
}

# Sorted by path, a directory comes before what it holds.
list | sort -k 4b,4 >"$work/list"
twice=$(awk '{ print $4 }' "$work/list" | uniq -d)
[ -z "$twice" ] || die "listed twice:" "$twice"

while read -r kind mode _ path target; do
    case $kind in
    dir) mkdir -p "$tree/$path" ;;
    link) ln -s "$target" "$tree/$path" ;;
    file)
        if [ "$path" = bin/busybox ]; then
            cat "$busybox" >"$tree/$path"
        else
            cat "$here/$path" >"$tree/$path"
        fi
        ;;
    *) die "the table \"files\" has a line of unknown kind: $kind $mode $path" ;;
    esac || die "cannot make $path"
    [ "$kind" = link ] || chmod "$mode" "$tree/$path"
done <"$work/list"

# --- the archive -------------------------------------------------------------------------------
# tar gives one owner to all that it adds. So neighbours of one owner are added together, and the
# order of the whole stays the sorted one.

awk -v work="$work" '
    $3 != owner { owner = $3; part = sprintf("%s/part.%03d", work, ++parts); print owner >part }
    { print $4 >part }' "$work/list"

for part in "$work"/part.*; do
    owner=$(head -n 1 "$part")
    sed 1d "$part" >"$work/names"
    tar --append --file "$work/tar" --format=ustar --directory "$tree" \
        --no-recursion --no-acls --no-selinux --no-xattrs --hard-dereference \
        --mtime=@0 --numeric-owner --owner="${owner%:*}" --group="${owner#*:}" \
        --verbatim-files-from --files-from "$work/names"
done

chmod 0644 "$work/tar"
mv -f "$work/tar" "$out"
