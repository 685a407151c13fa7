#!/bin/sh
# system.sh: make what all guests have in common: build/vm/linux, the kernel, and
# build/vm/system.cpio, an archive with BusyBox, libraries, a few tools and the kernel's modules.
# What changes from run to run (the kit's programs, the lab's) is appended by whoever starts one.
#
# Does nothing, quickly, while nothing that it is made of has changed. Exit 1, and a sentence, when
# guests cannot be made here.

set -u
umask 022
unset CDPATH
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build}
out=$build/vm
stamp=$out/stamp

die() {
    echo "$*" >&2
    exit 1
}

# --- is it all as it was? ------------------------------------------------------------------------

now() { # what the stamp says if nothing has changed: the files that it names, as they are
    stat -L -c '%i %s %Y %n' -- "$@" 2>/dev/null
}

stamp_holds() {
    [ -f "$out/linux" ] && [ -f "$out/system.cpio" ] && [ -f "$stamp" ] || return 1
    set --
    while read -r _ _ _ path; do
        set -- "$@" "$path"
    done <"$stamp"
    [ $# -gt 0 ] && [ "$(now "$@")" = "$(cat "$stamp")" ]
}
! stamp_holds || exit 0

mkdir -p "$out" 2>/dev/null
[ -w "$out" ] || die "build/vm cannot be written"
# Whoever comes second waits, and finds it done.
if command -v flock >/dev/null && [ -z "${SYSTEM_LOCKED:-}" ]; then
    SYSTEM_LOCKED=1 exec flock "$out/lock" sh "$0"
fi

for program in pack busybox grade sandbox inside guest-init; do
    [ -x "$build/$program" ] || die "build/$program is missing; run make again"
done
found=$(sh "$root/harness/vm/kernel.sh" find) || die "there is no kernel for a guest"
work=$(mktemp -d "$out/tmp.XXXXXX") || die "build/vm cannot be written"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

tab='	'
source=${found#*"$tab"}
case $found in
deb*)
    mkdir "$work/package"
    dpkg-deb -x "$source" "$work/package" || die "$source cannot be unpacked"
    image=$(ls "$work"/package/boot/vmlinuz-*)
    modules=$(ls -d "$work"/package/lib/modules/*)
    ;;
*)
    image=${source%"$tab"*}
    modules=${source#*"$tab"}
    source=$image
    ;;
esac
version=${modules##*/}

# --- the tree, as a table ------------------------------------------------------------------------
# One /usr, as distributions have it now: what is asked for in /bin or /lib is found through a link.

table=$work/table
cat >"$table" <<'EOF'
dir 0755 .
dir 0755 usr
dir 0755 usr/bin
dir 0755 usr/sbin
dir 0755 usr/lib
dir 0755 usr/lib64
link bin usr/bin
link sbin usr/sbin
link lib usr/lib
link lib64 usr/lib64
dir 0755 dev
dir 0755 proc
dir 0755 sys
dir 0755 mnt
dir 0755 run
dir 0755 var
dir 0700 root
dir 0755 home
dir 1777 tmp
dir 1777 var/tmp
dir 0755 etc
node 0600 dev/console 5 1
EOF

file() { # file MODE PATH SOURCE
    [ -f "$3" ] || return 1
    folder=
    IFS=/
    # shellcheck disable=SC2086 # a path's parts
    set -- "$1" "$3" $2
    unset IFS
    mode=$1 from=$2
    shift 2
    while [ $# -gt 1 ]; do
        folder=$folder$1/
        case $folder in
        usr/ | usr/bin/ | usr/sbin/ | usr/lib/ | usr/lib64/ | etc/) ;;
        *) echo "dir 0755 ${folder%/}" ;;
        esac
        shift
    done
    echo "file $mode $folder$1 $from"
}

merged() { # where a path lies in a tree with one /usr
    case $1 in
    /usr/*) echo "${1#/}" ;;
    *) echo "usr$1" ;;
    esac
}

{
    file 0755 usr/bin/busybox "$build/busybox"
    "$build/busybox" --list-full | while read -r applet; do
        case $applet in
        *bin/busybox) ;;
        usr/bin/* | bin/*) echo "link usr/bin/${applet##*/} busybox" ;;
        usr/sbin/* | sbin/*) echo "link usr/sbin/${applet##*/} ../bin/busybox" ;;
        esac
    done
    for name in passwd group subuid subgid hosts; do
        file 0644 "etc/$name" "$root/harness/vm/etc/$name"
    done
} >>"$table"

# --- tools and libraries -------------------------------------------------------------------------

# Programs of the host that BusyBox has none of, or lesser ones. newuidmap is set-user-id root, as
# it has to be; all files of the archive are root's.
tools=
for tool in newuidmap newgidmap nft setpriv capsh tar; do
    path=$(command -v "$tool") || continue
    path=$(readlink -f "$path")
    tools="$tools $path"
    case $tool in
    new?idmap) file 4755 "usr/bin/$tool" "$path" ;;
    *) file 0755 "usr/bin/$tool" "$path" ;;
    esac >>"$table"
done

# The locale that programs are run in.
for folder in /usr/lib/locale/C.utf8 /usr/lib/locale/C.UTF-8; do
    [ -d "$folder" ] || continue
    (cd / && find "${folder#/}" -type f) | while read -r path; do
        file 0644 "$path" "/$path"
    done
    break
done >>"$table"

# A program that is linked with all that lab programs are linked with, in place of them.
cat "$root"/labs/*/libs /dev/null | tr -s '[:space:]' '\n' | sort -u >"$work/libs"
cc=${CC:-cc}
command -v "${cc%% *}" >/dev/null || cc=gcc
cc_path=$(command -v "${cc%% *}")
# shellcheck disable=SC2046,SC2086 # libraries are several, a compiler may be two words
echo 'int main(void) { return 0; }' |
    $cc -Wl,--no-as-needed -x c - -o "$work/links" $(cat "$work/libs") ||
    die "no program can be linked with the libraries of the labs"

# libarchive wants libxml2 for a format that no lab has, and libxml2 wants 30 MB about all the
# world's alphabets and a C++ library. Every start of a program that is linked with it pays for
# them, under emulation ten milliseconds. So guests have a stand-in: libarchive finds the names that
# it asks for, with the versions that it wants, and nothing behind them. Where those cannot be told,
# or somebody else needs libxml2, guests have the real one.
instead=$work/instead
mkdir "$instead"
archive=$(ldd "$work/links" | sed -n 's/^[^/]*\(\/[^ ]*libarchive\.so[^ ]*\) (0x.*/\1/p')
xml=$(objdump -p "$archive" 2>/dev/null | sed -n 's/^ *NEEDED *\(libxml2\.so\.[0-9]*\)$/\1/p')
nm -D --undefined-only "$archive" 2>/dev/null |
    sed -n 's/^ *[Uw] *\([A-Za-z_0-9]*\)@*\(LIBXML2_[0-9.]*\)$/\1 \2/p' >"$work/names"
if [ -n "$xml" ] && [ -s "$work/names" ]; then
    awk '{ names[$2] = names[$2] " " $1 ";" }
        END { for (version in names) print version " { global:" names[version] " };" }' \
        "$work/names" >"$work/versions"
    sed 's/\([^ ]*\) .*/void *\1(void) { return 0; }/' "$work/names" |
        $cc -shared -fPIC -fno-builtin -x c - -Wl,-soname,"$xml" \
            -Wl,--version-script="$work/versions" -o "$instead/$xml" ||
        die "a stand-in for libxml2 cannot be made"
fi

libraries() { # those of all programs, where the loader finds them
    # shellcheck disable=SC2086 # tools are several
    LD_LIBRARY_PATH=$1 ldd "$work/links" "$build/grade" "$build/sandbox" "$build/inside" \
        "$build/guest-init" $tools 2>/dev/null |
        sed -n 's/^[^/]*\(\/.*\) (0x[0-9a-f]*)$/\1/p' | sort -u
}
libraries "$instead" >"$work/libraries"
# shellcheck disable=SC2086 # tools are several
users=$(xargs -d '\n' objdump -p "$build/grade" $tools <"$work/libraries" |
    grep -c 'NEEDED *libxml2\.so')
[ "$users" -le 1 ] || libraries "" >"$work/libraries"
# pthread_cancel(3) and backtraces load it when they need it.
libc=$(grep "/libc\.so" "$work/libraries" | head -n 1)
[ ! -f "${libc%/*}/libgcc_s.so.1" ] || echo "${libc%/*}/libgcc_s.so.1" >>"$work/libraries"
while read -r library; do
    case $library in
    "$instead"/*) file 0755 "$(merged "${archive%/*}/${library##*/}")" "$library" ;;
    *) file 0755 "$(merged "$library")" "$(readlink -f "$library")" ;;
    esac
done <"$work/libraries" >>"$table"

# --- the kernel's modules ------------------------------------------------------------------------
# Loaded by the kernel itself when somebody asks for what is in them, as on every machine: it runs
# /sbin/modprobe.

if [ -f "$modules/modules.dep" ]; then
    cp "$modules/modules.dep" "$work/all"
else
    # An unpacked package has no list of who needs whom.
    "$build/busybox" depmod -n -b "${modules%/lib/modules/*}" "$version" >"$work/all"
fi
# Modules by name, and those that they need.
sed -e '/^#/d' -e '/^$/d' "$root/harness/vm/modules" >"$work/wanted"
awk -v wanted="$work/wanted" '
    BEGIN { while ((getline line < wanted) > 0) pattern[line] = 1 }
    /^kernel\/.*\.ko[.a-z0-9]*:/ {
        path = $1
        sub(/:$/, "", path)
        needs[path] = substr($0, length($1) + 1)
        name = path
        sub(/.*\//, "", name)
        sub(/\.ko.*/, "", name)
        gsub(/-/, "_", name)
        for (p in pattern)
            if (name == p || (p ~ /\*$/ && index(name, substr(p, 1, length(p) - 1)) == 1))
                queue[++last] = path
    }
    END {
        for (at = 1; at <= last; at++) {
            if (queue[at] in seen)
                continue
            seen[queue[at]] = 1
            print queue[at]
            n = split(needs[queue[at]], more, " ")
            for (i = 1; i <= n; i++)
                queue[++last] = more[i]
        }
    }' "$work/all" | sort -u >"$work/chosen"
[ -s "$work/chosen" ] || die "the kernel $version has none of the modules that are wanted"

small=$work/small/lib/modules/$version
while read -r module; do
    to=$small/${module%.ko*}.ko
    mkdir -p "${to%/*}"
    case $module in
    *.ko) ln -s "$modules/$module" "$to" ;;
    *.zst) zstd -dqf "$modules/$module" -o "$to" ;;
    *.xz) xz -dc "$modules/$module" >"$to" ;;
    *.gz) gzip -dc "$modules/$module" >"$to" ;;
    esac || die "$module cannot be unpacked"
done <"$work/chosen"
for list in modules.builtin modules.builtin.modinfo modules.order; do
    [ ! -f "$modules/$list" ] || cp "$modules/$list" "$small/"
done
"$build/busybox" depmod -b "$work/small" "$version" || die "depmod failed"

{
    echo "dir 0755 usr/lib/modules"
    (cd "$work/small/lib" && find modules -mindepth 1 -type d | sort | sed 's,^,dir 0755 usr/lib/,')
    (cd "$work/small/lib" && find modules -mindepth 1 ! -type d | sort) | while read -r path; do
        echo "file 0644 usr/lib/$path $work/small/lib/$path"
    done
} >>"$table"

# --- put it together -----------------------------------------------------------------------------

awk '!seen[$0]++' "$table" | "$build/pack" --tree "$work/system.cpio" || die "pack failed"
# Without the kernel proper in it (no PVH entry, another processor) QEMU gets the image as it is.
"$build/pack" --kernel "$image" "$work/linux" 2>/dev/null || cp "$image" "$work/linux"
chmod 644 "$work/linux"

# shellcheck disable=SC2046,SC2086 # files are several, and their names have no blanks
set -- "$root"/harness/vm/*.sh "$root"/harness/vm/modules "$root"/harness/vm/etc/* \
    "$root/Makefile" "$source" "$modules" "$build/busybox" "$build/pack" "$cc_path" \
    $(grep -v "^$work/" "$work/libraries") $tools "$root"/labs/*/libs
for path; do
    shift
    [ ! -e "$path" ] || set -- "$@" "$path"
done
case $found in deb*) gone=$modules ;; *) gone= ;; esac
for path; do
    shift
    [ "$path" = "$gone" ] || set -- "$@" "$path"
done
now "$@" >"$work/stamp"
mv -f "$work/linux" "$out/linux"
mv -f "$work/system.cpio" "$out/system.cpio"
mv -f "$work/stamp" "$stamp"
