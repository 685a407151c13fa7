#!/bin/sh
# trace.sh NN: the system calls that make a container, as they happen, each with what it is for.
# ARGS="--hostname x /bin/true" runs something else; RAW=1 shows strace's own lines.
. harness/verbs/lib.sh

whose_program
command -v strace >/dev/null || die "there is no strace here: make setup installs it."
lab_arguments
calls=clone,clone3,unshare,setns,mount,umount2,pivot_root,chroot,chdir,fchdir,mount_setattr
calls=$calls,open_tree,move_mount,fsopen,fsconfig,fsmount,sethostname,setdomainname,msgget,shmget
calls=$calls,semget,mq_open,close_range,execve,waitid,wait4,setgroups,setresuid,setresgid,capset
calls=$calls,pidfd_send_signal

echo "lab$lab $arguments"
# The trace goes to a file, so that what the command prints cannot get in between.
traced() {
    # shellcheck disable=SC2016 # for the shell in the sandbox
    sandbox -- sh -c 'calls=$1; shift
        strace -f -q -o /tmp/.trace -s 64 -e "trace=$calls" -e signal=none -- "$@" >/tmp/.said 2>&1
        status=$?
        sed "s/^/     it said: /" /tmp/.said
        cat /tmp/.trace
        [ -s /tmp/.trace ] || exit 125
        echo "status $status"' sh "$calls" "lab$lab" "$@"
}
# shellcheck disable=SC2086 # the arguments are several words
trace=$(traced $arguments) || die "nothing could be traced here: $trace"
if [ "${RAW:-}" = 1 ]; then
    printf '%s\n' "$trace"
    exit
fi
printf '%s\n' "$trace" | grep '^     it said: '
printf '%s\n' "$trace" | grep '^[0-9]' | awk -v dim="$dim" -v plain="$plain" -f harness/verbs/trace.awk
printf '%s\n' "$trace" | sed -n 's/^status \(.*\)/exit status \1/p' | tail -n 1
