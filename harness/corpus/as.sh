# shellcheck shell=sh
# Running things as other users; sourced by run.sh and by the tests.
#
# as WHO COMMAND...: WHO is
#   me      whoever runs this (root is another name for it when root does)
#   single  a user of no name, without subordinate ids: one id is mapped (root only)
#   many    the first user that /etc/subuid and /etc/subgid give 65536 ids to (root only)
#   NAME    a user of this machine (root only)
# (guest, the root of a guest, is no user to run things as: guest.sh.)

SINGLE_UID=54321

# The first user, not root, who has enough subordinate ids of both kinds.
user_with_ids() {
    awk -F : '$3 >= 65536 && NR == FNR { users[$1] = 1 }
              $3 >= 65536 && NR != FNR && $1 in users && $1 != "root" { print $1 }' \
        /etc/subuid /etc/subgid 2>/dev/null |
        while read -r user; do
            id -u "$user" >/dev/null 2>&1 && echo "$user" && break
        done
}

as_user() { # NAME COMMAND...
    user=$1
    shift
    setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups env HOME=/nonexistent "$@"
}

as() {
    whom=$1
    shift
    case $whom in
    me) "$@" ;;
    root) [ "$(id -u)" = 0 ] && "$@" ;;
    single)
        setpriv --reuid $SINGLE_UID --regid $SINGLE_UID --clear-groups env HOME=/nonexistent "$@"
        ;;
    many) as_user "$(user_with_ids)" "$@" ;;
    *) as_user "$whom" "$@" ;;
    esac
}

# Why WHO cannot be had here; says nothing when it can.
why_not_as() {
    [ "$1" != me ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "only root can become somebody else"
    elif [ "$1" = many ] && [ -z "$(user_with_ids)" ]; then
        echo "/etc/subuid and /etc/subgid give no user 65536 ids"
    elif ! as "$1" true 2>/dev/null; then
        echo "cannot become $1 by setpriv"
    fi
}

# Why the root of a guest cannot be had as WHO; says nothing when it can.
why_not_guest() {
    if [ "${VM:-0}" = 0 ]; then
        echo "VM=v1, v2 or hybrid says in what guest"
    elif [ "$1" != guest ]; then
        echo "in guests there is nobody but root to grade as"
    else
        build/guest --ready 2>&1
    fi
}
