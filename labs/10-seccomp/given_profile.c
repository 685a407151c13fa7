/* The default profile, group by group, each with its reason. The calls of all architectures stand
 * side by side: every kernel has some of them. */
#include "10-seccomp/given_profile.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int error;
    const char *reason;
    const char *calls; /* separated by spaces */
} table[] = {
    {"files", 0, "open files; what may be opened, owners and the mount tree decide",
     "open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock ioctl read "
     "readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek truncate "
     "truncate64 ftruncate ftruncate64 fallocate sync syncfs fsync fdatasync sync_file_range "
     "sync_file_range2 arm_sync_file_range fadvise64 fadvise64_64 arm_fadvise64_64 readahead "
     "sendfile sendfile64 splice tee vmsplice copy_file_range cachestat inotify_init "
     "inotify_init1 inotify_add_watch inotify_rm_watch"},
    {"paths", 0, "names, owners, modes; for chroot and mknod capabilities are asked (lab 09)",
     "stat stat64 oldstat lstat lstat64 oldlstat fstat fstat64 oldfstat newfstatat fstatat64 "
     "statx statfs statfs64 fstatfs fstatfs64 access faccessat faccessat2 readlink readlinkat "
     "getdents getdents64 readdir getcwd chdir fchdir chroot umask mkdir mkdirat rmdir mknod "
     "mknodat link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 chmod "
     "fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 utime "
     "utimes futimesat utimensat utimensat_time64 getxattr lgetxattr fgetxattr getxattrat "
     "setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat "
     "removexattr lremovexattr fremovexattr removexattrat name_to_handle_at"},
    {"memory", 0, "a process's own",
     "brk mmap mmap2 munmap mremap mprotect msync mincore madvise mlock mlock2 mlockall munlock "
     "munlockall mseal remap_file_pages memfd_create memfd_secret pkey_alloc pkey_free "
     "pkey_mprotect map_shadow_stack membarrier cacheflush"},
    {"processes", 0, "fork is clone without flags: filter_deny_namespaces allows that one",
     "fork vfork execve execveat exit exit_group wait4 waitpid waitid pidfd_open "
     "pidfd_send_signal getpid getppid gettid getpgid getpgrp setpgid getsid setsid getpriority "
     "setpriority nice ioprio_get ioprio_set getrlimit ugetrlimit setrlimit prlimit64 getrusage "
     "times prctl arch_prctl process_mrelease"},
    {"threads", 0, "what libc needs for them, and who runs where",
     "set_tid_address set_thread_area get_thread_area set_tls modify_ldt set_robust_list "
     "get_robust_list rseq futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue "
     "getcpu sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam "
     "sched_getscheduler sched_setscheduler sched_getattr sched_setattr sched_get_priority_max "
     "sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64"},
    {"identity", 0, "su and daemons change ids; capabilities decide to which",
     "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 "
     "getresgid getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid "
     "setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 setfsuid "
     "setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset"},
    {"restraint", 0, "a program may always take more away from itself",
     "seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self"},
    {"signals", 0, "to those that the PID namespace shows",
     "rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait "
     "rt_sigtimedwait_time64 rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn sigreturn sigaction "
     "sigprocmask sigpending sigsuspend signal sgetmask ssetmask sigaltstack signalfd signalfd4 "
     "kill tkill tgkill pause restart_syscall"},
    {"time", 0, "reading clocks, sleeping, timers",
     "time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 nanosleep "
     "clock_nanosleep clock_nanosleep_time64 alarm getitimer setitimer timer_create timer_delete "
     "timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create "
     "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64"},
    {"polling", 0, "waiting for many things at once",
     "pipe pipe2 eventfd eventfd2 select _newselect pselect6 pselect6_time64 poll ppoll "
     "ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
     "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64"},
    {"sockets", 0, "the network namespace decides whom they reach",
     "socketcall socket socketpair bind listen accept accept4 connect shutdown getsockname "
     "getpeername getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg "
     "recvmmsg recvmmsg_time64"},
    {"queues", 0, "the IPC namespace has its own (lab 02)",
     "ipc msgget msgctl msgsnd msgrcv semget semctl semop semtimedop semtimedop_time64 shmget "
     "shmctl shmat shmdt mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend "
     "mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64"},
    {"machine", 0, "questions that do no harm",
     "uname olduname oldolduname sysinfo getrandom riscv_hwprobe riscv_flush_icache"},

    {"mounting", EPERM, "the tree is finished; a mount could uncover what lab 05 has hidden",
     "mount umount umount2 pivot_root open_tree open_tree_attr move_mount mount_setattr fsopen "
     "fsconfig fsmount fspick"},
    {"modules", EPERM, "code for the kernel itself",
     "init_module finit_module delete_module create_module query_module get_kernel_syms"},
    {"restart", EPERM, "another kernel, or none", "kexec_load kexec_file_load reboot"},
    {"swap", EPERM, "the memory of the whole machine", "swapon swapoff"},
    {"clocks", EPERM, "the machine's time; adjtimex reads it too, but so does clock_gettime",
     "settimeofday stime clock_settime clock_settime64 adjtimex clock_adjtime clock_adjtime64"},
    {"names", EPERM, "set before COMMAND came (lab 02)", "sethostname setdomainname"},
    {"keys", EPERM, "key rings belong to a user id of the machine, not to a container",
     "add_key request_key keyctl"},
    {"programs", EPERM, "bpf puts programs into the kernel, perf looks into everything",
     "bpf perf_event_open"},
    {"others", EPERM, "the memory and the fds of other processes",
     "ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd"},
    {"ports", EPERM, "the hardware, past the kernel",
     "ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read "
     "s390_pci_mmio_write vm86 vm86old"},
    {"quota", EPERM, "accounts of whole file systems", "quotactl quotactl_fd acct"},
    {"handles", EPERM, "files by number, past every path: the way out of early Docker",
     "open_by_handle_at fanotify_init lookup_dcookie"},
    {"uring", EPERM, "makes most other calls by itself, where no filter looks",
     "io_uring_setup io_uring_enter io_uring_register"},
    {"faults", EPERM, "holds the kernel in the middle of a copy: half of many an exploit",
     "userfaultfd"},
    {"nodes", EPERM, "which of the machine's memory banks pages lie in",
     "get_mempolicy set_mempolicy set_mempolicy_home_node mbind migrate_pages move_pages"},
    {"personality", EPERM, "switches protections off, such as random addresses", "personality"},
    {"leftovers", EPERM, "the kernel's log, and what programs gave up decades ago",
     "syslog vhangup uselib _sysctl sysfs ustat nfsservctl bdflush"},
};
enum { GROUPS = sizeof table / sizeof *table, CALLS_MAX = 1024 };

/* Cuts the text into names; they and the list are kept until the program ends. */
static const char *const *split(const char *text, const char **list, size_t *count)
{
    const char **first = list + *count;
    char *names = strdup(text);

    if (names == NULL)
        abort();
    for (char *rest = NULL, *name = strtok_r(names, " ", &rest); name != NULL;
         name = strtok_r(NULL, " ", &rest))
        list[(*count)++] = name;
    list[(*count)++] = NULL;
    return first;
}

const struct filter_profile *profile_default(void)
{
    static struct filter_group groups[GROUPS + 1];
    static const char *calls[CALLS_MAX];
    static const struct filter_profile profile = {.groups = groups, .unknown = ENOSYS};
    size_t count = 0;

    for (size_t i = 0; i < GROUPS && groups[i].name == NULL; i++)
        groups[i] = (struct filter_group){.name = table[i].name,
                                          .reason = table[i].reason,
                                          .error = table[i].error,
                                          .calls = split(table[i].calls, calls, &count)};
    return &profile;
}
