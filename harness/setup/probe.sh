# shellcheck shell=sh
# probe.sh: does a need of the table hold? Found out by doing it. Sourced by setup.sh.
#
# prove NEED... returns 0 if the need holds, and prints the files that prove it, one a line.
# They go into a stamp, so that the next time one stat(1) is enough, as long as every one of them
# is where it was, as it was.

: "${root:?}" "${here:?}" "${newline:?}" "${level:?}" "${stamp:?}" "${CC:?}"

prove() {
    kind=$1
    shift
    case $kind in
    cc) prove_run "${CC%% *}" ;;
    run) prove_run "$@" ;;
    says) prove_run "$1" && "$1" --version 2>/dev/null | grep -q "$2" ;;
    link) prove_link "$CC" "$@" ;;
    clang-link) prove_link clang "$@" ;;
    perl) perl "-M$1" -e 'print map { "$_\n" } $^X, values %INC' 2>/dev/null ;;
    on)
        [ "$(uname -m)" = "$1" ] || return 0
        shift
        prove "$@"
        ;;
    busybox) sh "$root/rootfs/find-busybox.sh" 2>/dev/null ;;
    *)
        echo "setup: the table names an unknown proof: $kind" >&2
        return 1
        ;;
    esac
}

prove_run() { # prove_run COMMAND...
    for command; do
        path=$(command -v "$command") || return 1
        printf '%s\n' "$path"
    done
}

# The program is never run, and is written nowhere. -H makes the compiler name the headers that it
# opened, and -t the linker its libraries: those are the proof. (Some headers, such as cmocka's,
# want others before them.)
prove_link() { # prove_link COMPILER HEADER SYMBOL [FLAG...]
    compiler=$1 header=$2 symbol=$3
    shift 3
    prove_run "${compiler%% *}" || return 1
    # shellcheck disable=SC2086 # a compiler may be two words, such as "ccache gcc"
    trace=$(
        printf '#include <%s>\n' stdarg.h stddef.h stdint.h setjmp.h stdio.h "$header"
        printf 'void *used;\nint main(void)\n{\n    used = (void *)%s;\n    return 0;\n}\n' "$symbol"
    ) && trace=$(
        printf '%s\n' "$trace" |
            LC_ALL=C $compiler -w -x c - -o /dev/null -H -Wl,-t "$@" 2>&1
    ) || return 1
    # "... /usr/include/x.h", "/usr/lib/libx.so", "(/usr/lib/libx.a)x.o"; without the temporary
    # object file, which is gone by now.
    printf '%s\n' "$trace" | sed -n 's,^[^/]*\(/[^)]*\).*,\1,p' | sort -u |
        while IFS= read -r path; do
            if [ -f "$path" ]; then
                printf '%s\n' "$path"
            fi
        done
}

# --- the table ---------------------------------------------------------------------------------

# table LEVEL [COLUMN]: its lines for LEVEL without blanks around the bars, or one column of it.
table() {
    sed -e '/^ *#/d' -e '/^ *$/d' -e 's/ *| */|/g' -e 's/ *$//' "$here/packages" |
        case $1 in
        test) cat ;;
        guest) grep '^base|\|^guest|' ;;
        *) grep '^base|' ;;
        esac
}

# probe LEVEL: sets "missing", the lines of the table whose need does not hold, and "proofs".
probe() {
    missing=
    proofs=
    while IFS='|' read -r _ need rest; do
        # shellcheck disable=SC2086 # a need is several words
        if files=$(prove $need); then
            proofs=$proofs$files$newline
        else
            missing=$missing$need'|'$rest$newline
        fi
    done <<EOF
$(table "$1")
EOF
}

# --- the stamp ---------------------------------------------------------------------------------
# build/setup.LEVEL says: with this table and this PATH, nothing was missing, and these files proved
# it. It counts only while each of them has the same inode, size and time. The databases of the
# package managers are among them: whatever is installed or removed, the stamp is void.

databases='/var/lib/dpkg/status /var/lib/rpm /usr/lib/sysimage/rpm /var/lib/pacman/local
/lib/apk/db/installed'

stamp_key() {
    {
        printf '%s\n' "$level" "$CC" "${BUSYBOX:-}" "$PATH"
        cat "$here/packages" "$here/probe.sh"
    } | cksum
}

stamp_holds() {
    [ -f "$stamp" ] || return 1
    set --
    {
        IFS= read -r key
        while read -r _ _ _ path; do
            set -- "$@" "$path"
        done
    } <"$stamp"
    [ $# -gt 0 ] && [ "$key" = "$(stamp_key)" ] &&
        [ "$(stat -L -c '%i %s %Y %n' "$@" 2>/dev/null)" = "$(sed 1d "$stamp")" ]
}

# Only in a checkout of one's own: a file of root's in build/ would be in a student's way.
stamp_write() {
    [ "$(stat -c %u "$root")" = "$(id -u)" ] && mkdir -p "${stamp%/*}" 2>/dev/null || return 0
    set --
    for path in $databases; do
        if [ -e "$path" ]; then
            set -- "$@" "$path"
        fi
    done
    while IFS= read -r path; do
        # A file may have gone since: then the stamp has to be void from the start.
        [ -z "$path" ] || set -- "$@" "$path"
    done <<EOF
$(printf '%s\n' "$proofs" | sort -u)
EOF
    {
        stamp_key && stat -L -c '%i %s %Y %n' "$@"
    } 2>/dev/null >"$stamp.$$" && mv -f "$stamp.$$" "$stamp" && return
    rm -f "$stamp.$$" 2>/dev/null
}
