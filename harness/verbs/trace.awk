# trace.awk: strace's lines of a container's start, each with what it is for.

function quoted(text, n,    part) { # the n-th "..." of a line
    split(text, part, "\"")
    return part[2 * n]
}

function names(flags,    out) { # the namespaces in clone flags
    if (flags ~ /CLONE_NEWUSER/) out = out ", user"
    if (flags ~ /CLONE_NEWPID/) out = out ", pid"
    if (flags ~ /CLONE_NEWNS/) out = out ", mount"
    if (flags ~ /CLONE_NEWUTS/) out = out ", host name"
    if (flags ~ /CLONE_NEWIPC/) out = out ", IPC"
    if (flags ~ /CLONE_NEWNET/) out = out ", network"
    if (flags ~ /CLONE_NEWCGROUP/) out = out ", cgroup"
    if (flags ~ /CLONE_NEWTIME/) out = out ", time"
    return substr(out, 3)
}

function explain_mount(text) {
    if (text ~ /MS_PRIVATE/)
        return (text ~ /MS_REC/ ? "the whole tree" : "this one mount, not those below it,") \
            " becomes private: no mount goes out or comes in"
    if (text ~ /MS_SLAVE/)
        return "the tree becomes a slave: our mounts stay here, the machine's still come in"
    if (text ~ /MS_REMOUNT/)
        return "changes the flags of the mount" (text ~ /MS_RDONLY/ ? ": read-only from now on" : "")
    if (text ~ /MS_MOVE/)
        return "moves a mount to another place"
    if (text ~ /MS_BIND/) {
        if (quoted(text, 1) == quoted(text, 2))
            return "a folder bound onto itself: now it is a mount of its own"
        if (quoted(text, 1) == "/dev/null" && quoted(text, 2) !~ /null$/)
            return "an empty device over a file: hides it"
        if (text ~ /MS_RDONLY/)
            return "a bind; the kernel ignores MS_RDONLY in this call!"
        return "shows " quoted(text, 1) " there as well" \
            (text ~ /MS_REC/ ? ", with all that is mounted below it" : "")
    }
    if (text ~ /"proc"/) return "a fresh /proc, of the pid namespace that we are in"
    if (text ~ /"sysfs"/) return "a fresh /sys, of the network namespace that we are in"
    if (text ~ /"devpts"/) return "terminals of its own"
    if (text ~ /"tmpfs"/ && text ~ /MS_RDONLY/) return "an empty cover: hides what is below"
    if (text ~ /"tmpfs"/) return "an empty file system in memory"
    if (text ~ /"overlay"/) return "folders stacked to one; writes go to the upper one"
    if (text ~ /"mqueue"/) return "the message queues of our IPC namespace, as files"
    return "mounts a file system"
}

function explain(call, text) {
    if (call ~ /^(clone|clone3|unshare)$/) {
        if (names(text) != "")
            return (call == "unshare" ? "the caller gets" : "a new process, with") \
                " namespaces of its own: " names(text)
        return call == "unshare" ? "leaves something shared behind" : "a new process, nothing else new"
    }
    if (call == "setns") return "enters a namespace that exists already"
    if (call == "sethostname") return "the host name, in the UTS namespace we are in"
    if (call == "setdomainname") return "the NIS domain name, in the same namespace"
    if (call ~ /^(msgget|shmget|semget)$/) return "a System V object, in the IPC namespace we are in"
    if (call == "mq_open") return "a POSIX message queue, in the IPC namespace we are in"
    if (call == "mount") return explain_mount(text)
    if (call == "umount2" && text ~ /"[^"]*\/?\."?,.*MNT_DETACH/ && quoted(text, 1) == ".")
        return "the old root goes: what is not mounted cannot be reached"
    if (call == "umount2")
        return text ~ /MNT_DETACH/ ? "out of the tree now; gone when nobody uses it any more" : "unmounts"
    if (call == "pivot_root") return "swaps the root of the whole mount namespace"
    if (call == "chroot") return "path lookups of this process begin here; the mounts stay as they are"
    if (call ~ /^f?chdir$/) return "the working directory: it must not stay outside"
    if (call == "mount_setattr") return "changes flags of a mount" (text ~ /AT_RECURSIVE/ ? " and of all below it" : "")
    if (call ~ /^(open_tree|move_mount|fsopen|fsconfig|fsmount)$/) return "the newer way to mount, in several calls"
    if (call == "close_range")
        return text ~ /CLOEXEC/ ? "every fd from the first on closes at exec" : "closes every fd from the first on"
    if (call ~ /^(setuid|setgid|setresuid|setresgid|setgroups)$/) return "who it is from now on"
    if (call == "capset" || call == "prctl") return "which powers it has from now on"
    if (call == "seccomp") return "which system calls it may make from now on"
    if (call == "execve") return "becomes another program; namespaces, root and cwd stay"
    if (call ~ /^(waitid|wait4)$/) return "waits for a child, and takes it off the process table"
    if (call ~ /^(pidfd_send_signal|kill)$/) return "sends a signal"
    return ""
}

function refusal(text) {
    if (text ~ /EPERM/) return "refused: not allowed here"
    if (text ~ /EINVAL/) return "refused: that makes no sense to the kernel (see ERRORS in the man page)"
    if (text ~ /EBUSY/) return "refused: in use"
    if (text ~ /ENOENT/) return "there is no such thing: often just a look whether it is there"
    if (text ~ /ECHILD/) return "no child is left"
    return "refused"
}

# A line as wide as the screen; what does not fit is cut, for the flags stand first.
function show(pid, text) {
    gsub(/, sizeof\(struct [a-z_]*\)/, "", text)
    gsub(/ => \{[^}]*\}/, "", text)
    gsub(/pidfd=0x[0-9a-f]*, |, stack=NULL, stack_size=0|, parent_tid=[0-9x]*/, "", text)
    gsub(/, 0x[0-9a-f]+ \/\* [0-9]+ vars? \*\//, "", text)
    gsub(/si_signo=SIGCHLD, |, si_uid=[0-9]*|, si_utime=[0-9]*|, si_stime=[0-9]*/, "", text)
    if (length(text) > 74) {
        result = match(text, / = [-0-9][^=]*$/) ? substr(text, RSTART) : ""
        text = substr(text, 1, 71 - length(result)) "..." result
    }
    printf "%-4s %s\n", pid, text
}

function say(text) {
    if (text != "") printf "     %s-> %s%s\n", dim, text, plain
}

{
    pid = $1
    sub(/^[0-9]+ +/, "")
    if (!(pid in number)) number[pid] = ++processes
    who = "[" number[pid] "]"
}
/^\+\+\+ exited with/ { printf "%-4s ends with status %s\n", who, $4; next }
/^\+\+\+ killed by/ { printf "%-4s is ended by %s\n", who, $4; next }
/^(---|\+\+\+)/ { next }
/<unfinished \.\.\.>$/ { sub(/ *<unfinished \.\.\.>$/, ""); begun[pid] = $0; next }
/^<\.\.\. [a-z0-9_]+ resumed>/ { sub(/^<\.\.\. [a-z0-9_]+ resumed>/, ""); $0 = begun[pid] $0 }
{
    call = $0
    sub(/\(.*/, "", call)
    sub(/\) +=/, ") =")
    failed = / = -1 /
    if (call ~ /^(waitid|wait4)$/ && / = -1 ECHILD| = 0$/ && /WNOHANG/ && !/si_pid/) next # only a look
    key = call (failed ? " failed" : "")
    if (call == "execve" && !started++) { show(who, $0); say("the lab's program begins"); next }
    show(who, $0)
    sentence = explain(call, $0)
    if (failed) sentence = refusal($0)
    if (sentence != last) say(sentence)
    last = sentence
    calls++
}
END {
    if (!calls) { print "no call of a container was seen"; exit 1 }
    printf "%d processes, %d calls. [1] is the lab's program; [2] is the container.\n", processes, calls
}
