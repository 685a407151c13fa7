#!/bin/sh
# kernel.sh: the kernel that guests boot.
#
#   kernel.sh find    print where one is: "deb FILE", or "host IMAGE MODULES"; exit 1 if nowhere
#   kernel.sh fetch   fetch Debian's cloud kernel package into .guest/, after asking
#
# The package is neither installed nor run on this machine: it is unpacked where a guest needs it,
# and needs no privilege. "find" prefers it: it is the one that the course was tried with.

set -u
unset CDPATH
root=$(cd "$(dirname "$0")/../.." && pwd)
# Not in build/: make clean must not take what only make setup can bring.
store=$root/.guest

die() {
    echo "kernel: $*" >&2
    exit 1
}

# The names that Debian, and QEMU, give to this processor.
case $(uname -m) in
x86_64) debian=amd64 ;;
aarch64) debian=arm64 ;;
*) debian= ;;
esac

newest_package() {
    # shellcheck disable=SC2012 # the names are ours
    ls -t "$store"/*.deb 2>/dev/null | head -n 1
}

find_kernel() {
    package=$(newest_package)
    if [ -n "$package" ] && command -v dpkg-deb >/dev/null; then
        printf 'deb\t%s\n' "$package"
        return
    fi
    # The host's own. Ubuntu lets only root read it.
    for image in "/boot/vmlinuz-$(uname -r)" "/lib/modules/$(uname -r)/vmlinuz" /boot/vmlinuz-*; do
        if [ ! -r "$image" ] || [ ! -f "$image" ]; then
            continue
        fi
        case $image in
        /lib/*) version=$(uname -r) ;;
        *) version=${image#/boot/vmlinuz-} ;;
        esac
        [ -d "/lib/modules/$version/kernel" ] || continue
        printf 'host\t%s\t%s\n' "$image" "/lib/modules/$version"
        return
    done
    return 1
}

fetch() {
    [ -z "$(newest_package)" ] || { echo "setup: the guest's kernel is here."; exit 0; }
    [ -n "$debian" ] || die "no guest kernel is known for $(uname -m)."
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        find_kernel >/dev/null || die "no apt-get here, and no kernel in /boot that you may read:" \
            "guests cannot be made. Steps that this machine lacks something for will be skipped."
        echo "setup: guests boot the kernel of this machine."
        exit 0
    fi
    # The package that has no kernel of its own and depends on the newest that has.
    name=$(apt-cache depends "linux-image-cloud-$debian" 2>/dev/null |
        sed -n 's/^ *Depends: *\(linux-image-[0-9].*\)/\1/p' | head -n 1)
    if [ -z "$name" ]; then
        find_kernel >/dev/null && { echo "setup: guests boot the kernel of this machine."; exit 0; }
        die "apt knows no linux-image-cloud-$debian: its lists may be empty (apt-get update)," \
            "or this is not Debian."
    fi
    echo "For steps that this machine cannot run, a guest: Debian's kernel (27 MB) is fetched into"
    echo ".guest/, and not installed:"
    echo
    echo "  apt-get download $name"
    echo
    if [ "${YES:-}" != 1 ] && [ -t 0 ]; then
        printf 'Fetch it? [Y/n] '
        read -r answer || answer=n
        case $answer in
        '' | [Yy] | [Yy][Ee][Ss]) ;;
        *) die "nothing was fetched." ;;
        esac
    fi
    mkdir -p "$store" || die "cannot write to $store."
    work=$(mktemp -d "$store/fetch.XXXXXX") || die "cannot write to $store."
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP
    # apt has an own user for downloads, which may not reach a clone in somebody's home.
    (cd "$work" && apt-get -o APT::Sandbox::User= download "$name") ||
        die "the package could not be fetched: if it is not found, apt-get update, then again."
    mv "$work"/*.deb "$store/"
    echo "setup: the guest's kernel is here."
}

case ${1:-} in
find) find_kernel ;;
fetch) fetch ;;
*)
    echo "usage: kernel.sh find|fetch" >&2
    exit 2
    ;;
esac
