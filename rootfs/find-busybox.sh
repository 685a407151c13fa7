#!/bin/sh
# find-busybox.sh: print the path of a statically linked BusyBox, or say why there is none (exit 1).
#
# The root filesystem holds no C library, so a dynamically linked BusyBox would start nowhere in
# it: execve(2) would answer ENOENT, for the interpreter that it names. $BUSYBOX, if set, is the
# only candidate; otherwise the names under which distributions install a static one are tried.

set -u

# is_static FILE: an ELF executable without a PT_INTERP program header asks for no dynamic linker.
# elf(5) has the offsets; they depend on the class (32 or 64 bits), and numbers on the byte order.
is_static() {
    od -An -v -tu1 -N4096 "$1" 2>/dev/null | awk '
        function number(at, size,    i, n) {
            for (i = 0; i < size; i++)
                n = n * 256 + byte[little ? at + size - 1 - i : at + i]
            return n
        }
        { for (i = 1; i <= NF; i++) byte[count++] = $i }
        END {
            if (count < 52 || byte[0] != 127 || byte[1] != 69 || byte[2] != 76 || byte[3] != 70)
                exit 1
            wide = byte[4] == 2
            little = byte[5] == 1
            table = wide ? number(32, 8) : number(28, 4)
            size = wide ? number(54, 2) : number(42, 2)
            headers = wide ? number(56, 2) : number(44, 2)
            if (headers == 0 || table + headers * size > count)
                exit 1
            for (i = 0; i < headers; i++)
                if (number(table + i * size, 4) == 3)
                    exit 1
        }'
}

if [ -n "${BUSYBOX:-}" ]; then
    set -- "$BUSYBOX"
else
    set -- "$(command -v busybox)" /bin/busybox /bin/busybox.static /sbin/busybox \
        "$(command -v busybox.static)"
fi

dynamic=
for candidate; do
    # Its own applet list is needed anyway, and shows that it runs on this processor at all.
    if [ ! -f "$candidate" ] || [ ! -x "$candidate" ]; then
        continue
    fi
    if is_static "$candidate" && "$candidate" --list-full >/dev/null 2>&1; then
        printf '%s\n' "$candidate"
        exit 0
    fi
    dynamic=${dynamic:-$candidate}
done

if [ -n "$dynamic" ]; then
    echo "rootfs: $dynamic is not a statically linked BusyBox that runs here, and the root" \
        "filesystem needs one because it holds no library: make setup installs it." >&2
elif [ -n "${BUSYBOX:-}" ]; then
    echo "rootfs: BUSYBOX names $BUSYBOX, which is no program; the root filesystem is made of a" \
        "statically linked BusyBox: unset BUSYBOX, and make setup installs one." >&2
else
    echo "rootfs: there is no busybox here, and the root filesystem is made of a statically" \
        "linked one: make setup installs it." >&2
fi
exit 1
