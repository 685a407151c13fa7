/* Lab 10, step 5: each system call that has a name, under the default profile, and what a filter
 * might do about arguments. None of them is made: the probe only asks what would become of it. */
#include "graders/10-seccomp.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What labs/10-seccomp/given_profile.c allows and refuses, written a second time: a profile that
 * somebody has changed is no measure of itself. A blank on either side of each name. */
static const char allowed[] =
    " "
    "open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock ioctl "
    "read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek "
    "truncate truncate64 ftruncate ftruncate64 fallocate sync syncfs fsync fdatasync "
    "sync_file_range sync_file_range2 arm_sync_file_range fadvise64 fadvise64_64 "
    "arm_fadvise64_64 readahead sendfile sendfile64 splice tee vmsplice copy_file_range "
    "cachestat inotify_init inotify_init1 inotify_add_watch inotify_rm_watch stat stat64 "
    "oldstat lstat lstat64 oldlstat fstat fstat64 oldfstat newfstatat fstatat64 statx statfs "
    "statfs64 fstatfs fstatfs64 access faccessat faccessat2 readlink readlinkat getdents "
    "getdents64 readdir getcwd chdir fchdir chroot umask mkdir mkdirat rmdir mknod mknodat "
    "link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 chmod fchmod "
    "fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown lchown32 utime utimes "
    "futimesat utimensat utimensat_time64 getxattr lgetxattr fgetxattr getxattrat setxattr "
    "lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat removexattr "
    "lremovexattr fremovexattr removexattrat name_to_handle_at brk mmap mmap2 munmap mremap "
    "mprotect msync mincore madvise mlock mlock2 mlockall munlock munlockall mseal "
    "remap_file_pages memfd_create memfd_secret pkey_alloc pkey_free pkey_mprotect "
    "map_shadow_stack membarrier cacheflush fork vfork execve execveat exit exit_group wait4 "
    "waitpid waitid pidfd_open pidfd_send_signal getpid getppid gettid getpgid getpgrp "
    "setpgid getsid setsid getpriority setpriority nice ioprio_get ioprio_set getrlimit "
    "ugetrlimit setrlimit prlimit64 getrusage times prctl arch_prctl process_mrelease "
    "set_tid_address set_thread_area get_thread_area set_tls modify_ldt set_robust_list "
    "get_robust_list rseq futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue "
    "getcpu sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam "
    "sched_getscheduler sched_setscheduler sched_getattr sched_setattr "
    "sched_get_priority_max sched_get_priority_min sched_rr_get_interval "
    "sched_rr_get_interval_time64 getuid getuid32 geteuid geteuid32 getgid getgid32 getegid "
    "getegid32 getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 setuid "
    "setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 "
    "setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 "
    "capget capset seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self "
    "rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait "
    "rt_sigtimedwait_time64 rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn sigreturn "
    "sigaction sigprocmask sigpending sigsuspend signal sgetmask ssetmask sigaltstack "
    "signalfd signalfd4 kill tkill tgkill pause restart_syscall time gettimeofday "
    "clock_gettime clock_gettime64 clock_getres clock_getres_time64 nanosleep "
    "clock_nanosleep clock_nanosleep_time64 alarm getitimer setitimer timer_create "
    "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
    "timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
    "timerfd_settime64 pipe pipe2 eventfd eventfd2 select _newselect pselect6 "
    "pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_wait "
    "epoll_pwait epoll_pwait2 io_setup io_destroy io_submit io_cancel io_getevents "
    "io_pgetevents io_pgetevents_time64 socketcall socket socketpair bind listen accept "
    "accept4 connect shutdown getsockname getpeername getsockopt setsockopt send sendto "
    "sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64 ipc msgget msgctl "
    "msgsnd msgrcv semget semctl semop semtimedop semtimedop_time64 shmget shmctl shmat "
    "shmdt mq_open mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 "
    "mq_timedreceive mq_timedreceive_time64 uname olduname oldolduname sysinfo getrandom "
    "riscv_hwprobe riscv_flush_icache ";
static const char refused[] =
    " "
    "mount umount umount2 pivot_root open_tree open_tree_attr move_mount mount_setattr "
    "fsopen fsconfig fsmount fspick init_module finit_module delete_module create_module "
    "query_module get_kernel_syms kexec_load kexec_file_load reboot swapon swapoff "
    "settimeofday stime clock_settime clock_settime64 adjtimex clock_adjtime clock_adjtime64 "
    "sethostname setdomainname add_key request_key keyctl bpf perf_event_open ptrace "
    "process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd ioperm iopl "
    "pciconfig_iobase pciconfig_read pciconfig_write s390_pci_mmio_read s390_pci_mmio_write "
    "vm86 vm86old quotactl quotactl_fd acct open_by_handle_at fanotify_init lookup_dcookie "
    "io_uring_setup io_uring_enter io_uring_register userfaultfd get_mempolicy set_mempolicy "
    "set_mempolicy_home_node mbind migrate_pages move_pages personality syslog vhangup "
    "uselib _sysctl sysfs ustat nfsservctl bdflush ";

/* Arguments that filters elsewhere have an opinion about; this profile has none. */
static const struct {
    const char *name, *arguments;
    int error; /* 0: let through */
} opinions[] = {
    {"ioctl", "0,0x5412,0", 0}, /* TIOCSTI: types into the terminal */
    {"ioctl", "0,0x541c,0", 0}, /* TIOCLINUX */
    {"socket", "1,1,0", 0},     /* AF_UNIX */
    {"socket", "10,2,0", 0},    /* AF_INET6 */
    {"socket", "16,3,0", 0},    /* AF_NETLINK */
    {"socket", "17,3,0", 0},    /* AF_PACKET: capabilities decide */
    {"socket", "38,5,0", 0},    /* AF_ALG */
    {"socket", "40,1,0", 0},    /* AF_VSOCK */
    {"mprotect", "0,4096,7", 0},
    {"mmap", "0,4096,7,0x22,-1,0", 0},
    {"chmod", "0,04755", 0},
    {"fchmodat", "-100,0,04755", 0}, /* a set-user-ID file */
    {"mknodat", "-100,0,020666,259", 0},
    {"prctl", "23,0", 0},
    {"kill", "-1,9", 0},
    {"personality", "0", EPERM},
    {"personality", "8", EPERM},
    {"personality", "0x20008", EPERM},
    {"personality", "0xffffffff", EPERM},
};
enum { OPINIONS = sizeof opinions / sizeof *opinions, NUMBERS = 512 };

static bool among(const char *names, const char *name)
{
    char text[64];

    snprintf(text, sizeof text, " %s ", name);
    return strstr(names, text) != NULL;
}

/* 0: let through. */
static int error_of(const char *name)
{
    return among(allowed, name) ? 0 : among(refused, name) ? EPERM : ENOSYS;
}

/* The four of step 4 are in no group, and getuid32 is refused by an option (see profile.c). */
static bool judged(const char *name)
{
    return !among(" clone clone3 unshare setns getuid32 ", name);
}

static void check_answer(struct grade *g, int bits, const char *call, int error,
                         const struct attempt *answer)
{
    const char *because = error == 0                  ? "profile-refuses"
                          : error == ENOSYS           ? "unknown-allowed"
                          : answer->result == -ENOSYS ? "told-unknown"
                                                      : "profile-not-refused";

    expect(g, answer->signal == 0 && answer->result == (error == 0 ? FILTER_LETS : -error),
           .because = because,
           .expected = say(g, "%s%s: %s", bits == 32 ? "32-bit " : "", call,
                           error == 0        ? "the profile allows it"
                           : error == ENOSYS ? "in no group, so ENOSYS"
                                             : "a group of the profile refuses it: EPERM"),
           .kernel = say(g, "%s: %s", call, filter_attempt_text(g, answer)),
           .see = "labs/10-seccomp/given_profile.c");
}

/* A call is judged only if it would be let through without the filter: the room that we are in may
 * have filters of its own. */
static void check_names(struct run *without, struct run *with, int bits)
{
    uint32_t arch = bits == 32 ? SCMP_ARCH_X86 : seccomp_arch_native();
    static struct attempt before[NUMBERS], after[NUMBERS];
    struct grade *g = run_grade(with);
    struct filter_calls calls = {0};
    const char *names[NUMBERS];
    size_t count = 0;

    for (int number = 0; number < NUMBERS; number++) {
        char *name = seccomp_syscall_resolve_num_arch(arch, number);
        /* 32-bit sockets have two ways each, and libseccomp may name but one (socketcall). */
        if (name != NULL && filter_number_of(bits, name) == number) {
            names[count++] = say(g, "%s", name);
            filter_add(&calls, "%d", number);
        }
        free(name);
    }
    if (!filter_ask(without, bits, &calls, before, count) ||
        !filter_ask(with, bits, &calls, after, count))
        return;
    for (size_t i = 0; i < count; i++)
        if (before[i].result == FILTER_LETS && judged(names[i]))
            check_answer(g, bits, names[i], error_of(names[i]), &after[i]);
}

static void check_arguments(struct run *without, struct run *with, int bits)
{
    struct attempt before[OPINIONS], after[OPINIONS];
    struct grade *g = run_grade(with);
    struct filter_calls calls = {0};

    for (size_t i = 0; i < OPINIONS; i++)
        filter_add(&calls, "%d,%s", filter_number_of(bits, opinions[i].name),
                   opinions[i].arguments);
    if (!filter_ask(without, bits, &calls, before, OPINIONS) ||
        !filter_ask(with, bits, &calls, after, OPINIONS))
        return;
    for (size_t i = 0; i < OPINIONS; i++)
        if (before[i].result == FILTER_LETS && filter_number_of(bits, opinions[i].name) >= 0)
            check_answer(g, bits, say(g, "%s(%s)", opinions[i].name, opinions[i].arguments),
                         opinions[i].error, &after[i]);
}

static void check_asked(struct run *without, struct run *with)
{
    static const struct filter_reasons because = {.no_process = "profile-namespaces",
                                                  .no_unshare = "profile-namespaces"};
    struct attempt known = filter_try(with, "call32 %d", filter_number_32("getuid32"));

    for (int bits = 64; bits >= 32; bits -= 32) {
        if (bits == 32 && known.result != -EDOM)
            continue;
        check_names(without, with, bits);
        check_arguments(without, with, bits);
        filter_check_doors(with, bits, &because);
    }
}

/* Another profile, whose word for what is in no group is not ENOSYS. */
static void check_unknown_word(struct grade *g, struct run *room)
{
    int error = grade_between(g, 600, 3999);
    const char *const arguments[] = {"--unlimited", "--seccomp-unknown", say(g, "%d", error), NULL};
    struct run *run = filter_start(g, room, arguments);
    struct attempt attempt =
        filter_try(run, "call %d -1 -1 -1 -1 -1", filter_number("fanotify_mark"));

    expect(g, attempt.result == -error, .because = "unknown-word",
           .expected =
               say(g, "fanotify_mark, in no group: %d where that is profile->unknown", error),
           .kernel = say(g, "fanotify_mark: %s", filter_attempt_text(g, &attempt)),
           .see = "filter.h: struct filter_profile, unknown");
}

void filter_check_names(struct run *room, struct run *without, struct run *with)
{
    check_asked(without, with);
    check_unknown_word(run_grade(with), room);
}
