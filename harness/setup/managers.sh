# shellcheck shell=sh
# managers.sh: what is particular to each package manager. Sourced by setup.sh.

: "${os_release:?}"

# find_manager: sets "manager" to apt, dnf, pacman or apk; 1 if there is none. The distribution's
# own word goes first, since apt and dnf can be installed as mere tools on each other's systems.
find_manager() {
    id=
    [ ! -r "$os_release" ] || id=$(sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' "$os_release" | tr '"\n' '  ')
    for word in $id; do
        case $word in
        debian | ubuntu) manager=apt ;;
        fedora | rhel | centos) manager=dnf ;;
        arch) manager=pacman ;;
        alpine) manager=apk ;;
        *) continue ;;
        esac
        if command -v "$(manager_program)" >/dev/null; then
            return 0
        fi
    done
    for manager in apt dnf pacman apk; do
        if command -v "$(manager_program)" >/dev/null; then
            return 0
        fi
    done
    manager=
    return 1
}

manager_program() {
    case $manager in
    apt) echo apt-get ;;
    *) echo "$manager" ;;
    esac
}

# English messages, which explain() reads, and no questions but ours.
manager_install() { # prints the command; the packages follow
    case $manager in
    apt)
        echo "env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120" \
            "install -y --no-install-recommends"
        ;;
    dnf) echo "env LC_ALL=C dnf install -y --setopt=install_weak_deps=False" ;;
    pacman) echo "env LC_ALL=C pacman -S --needed --noconfirm" ;;
    apk) echo "apk add" ;;
    esac
}

manager_refresh() { # prints the command that fetches the lists of packages anew
    case $manager in
    apt) echo "env LC_ALL=C apt-get update" ;;
    dnf) echo "env LC_ALL=C dnf makecache" ;;
    pacman) echo "env LC_ALL=C pacman -Sy" ;;
    apk) echo "apk update" ;;
    esac
}

# lists_know PACKAGE...: have the lists that are here heard of all of them? (A fresh machine or a
# container image often has no lists at all.) The other managers fetch them by themselves.
lists_know() {
    case $manager in
    # (apt-cache show is content with one of many.)
    apt)
        known=$(LC_ALL=C apt-cache policy "$@" 2>/dev/null | grep -c '^  Candidate: [^(]')
        [ "$known" -ge $# ]
        ;;
    apk) ls /var/cache/apk/APKINDEX.* >/dev/null 2>&1 ;;
    *) true ;;
    esac
}

# stale LOG: would newer lists have helped?
stale() {
    case $1 in
    *"Unable to locate package"* | *"has no installation candidate"* | *" 404 "*) true ;;
    *"target not found"* | *"failed retrieving file"* | *"unable to select packages"*) true ;;
    *) false ;;
    esac
}

# locked LOG: was another package manager at work?
locked() {
    case $1 in
    *"Could not get lock"* | *"Unable to acquire the dpkg frontend lock"*) true ;;
    *"unable to lock database"* | *"Unable to lock database"*) true ;;
    *) false ;;
    esac
}

# explain LOG: one sentence about what went wrong, from the most to the least certain cause.
explain() {
    if locked "$1"; then
        echo "another package manager is at work and did not end within two minutes: when it has" \
            "ended, try again."
        return
    fi
    case $1 in
    *"a password is required"* | *"a terminal is required"*)
        echo "sudo wants a password and there is no terminal to ask on: run this in a terminal, or" \
            "give the command above to an administrator."
        ;;
    *"is not in the sudoers file"* | *"is not allowed to execute"* | *"may not run sudo"*)
        echo "you may not use sudo here: give the command above to an administrator."
        ;;
    *"no new privileges"*)
        echo "sudo can do nothing here, for this process has given up new privileges for good:" \
            "give the command above to an administrator."
        ;;
    *"dpkg was interrupted"*)
        echo "an earlier installation was interrupted: type sudo dpkg --configure -a, and try again."
        ;;
    *"No space left"* | *"enough free space"*)
        echo "the disk is full: make room, and try again."
        ;;
    *"Could not resolve"* | *"emporary failure resolving"* | *"Could not connect"* | \
        *"etwork is unreachable"* | *"onnection timed out"* | *"Unable to connect"* | \
        *"temporary error (try again later)"*)
        echo "the package mirror cannot be reached: without a network nothing can be installed;" \
            "check it (and the mirror's name), and try again."
        ;;
    *"Failed to fetch"* | *"Hash Sum mismatch"* | *"does not have a Release file"* | \
        *"NO_PUBKEY"* | *"failed retrieving file"* | *" 404 "*)
        echo "the package mirror answers, but not with what its lists promise (see above): try" \
            "again later, or name another mirror."
        ;;
    *"Unable to locate package"* | *"has no installation candidate"* | *"target not found"* | \
        *"unable to select packages"* | *"No match for argument"* | *"Unable to find a match"*)
        echo "the package lists of this machine do not have a package (named above): check which" \
            "sources they are fetched from."
        ;;
    *"unmet dependencies"*)
        echo "packages of this machine contradict each other (see above): sudo apt-get -f install" \
            "repairs that, as a rule."
        ;;
    *) echo "the package manager did not succeed; what it said stands above." ;;
    esac
}
