#!/bin/sh
# doctor.sh: what this machine can grade, tried out; before the kit is built, what sh can try.
. harness/verbs/lib.sh

status=0
echo "What is installed:"
sh harness/setup/setup.sh --check | sed 's/^/  /'
sh harness/setup/setup.sh --check --quiet >/dev/null || status=1

echo "What this machine can do:"
if [ -x build/grade ]; then
    build/grade --doctor || status=1
    exit "$status"
fi

missing() { # missing NAME PURPOSE CURE
    printf 'missing   %-16s  %s\n          cure: %s\n' "$1" "$2" "$3"
}

ok() {
    printf 'ok        %-16s  %s\n' "$1" "$2"
}

setting() { # setting PATH VALUE: is it that?
    [ "$(cat "$1" 2>/dev/null)" = "$2" ]
}

userns_cure() {
    if setting /proc/sys/kernel/apparmor_restrict_unprivileged_userns 1 && [ "$(id -u)" != 0 ]; then
        echo "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    elif setting /proc/sys/kernel/unprivileged_userns_clone 0; then
        echo "sudo sysctl kernel.unprivileged_userns_clone=1"
    elif setting /proc/sys/user/max_user_namespaces 0; then
        echo "sudo sysctl user.max_user_namespaces=15000"
    else
        echo "in a container: --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    fi
}

# One after another: each has what the one before it has, and something more.
if unshare --user --map-root-user --mount mount -t tmpfs none /tmp 2>/dev/null; then
    ok "user namespaces" "the sandbox: everything runs in one"
    if unshare --user --map-root-user --mount --pid --fork mount -t proc proc /proc 2>/dev/null; then
        ok "a fresh /proc" "the sandbox, labs 03 and 05"
    else
        missing "a fresh /proc" "the sandbox, labs 03 and 05" \
            "in a container: --security-opt systempaths=unconfined"
        status=1
    fi
else
    missing "user namespaces" "the sandbox: everything runs in one" "$(userns_cure)"
    status=1
fi
if [ "$(id -u)" = 0 ] || grep -Eq "^($(id -un)|$(id -u)):" /etc/subuid 2>/dev/null; then
    ok "65536 ids" "owners and groups: labs 05 and 08"
else
    missing "65536 ids" "owners and groups: labs 05 and 08" \
        "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
fi
echo
echo "This was the short look: the kit is not built yet. After make lab01 there is more to try."
exit "$status"
