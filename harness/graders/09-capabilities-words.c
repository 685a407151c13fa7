/* Lab 09: capabilities by their names, for verdicts and for options. */
#include "graders/09-capabilities.h"

#include "grade/step.h"

const char *caps_name(int capability)
{
    static const char *const names[] = {
        "chown",
        "dac_override",
        "dac_read_search",
        "fowner",
        "fsetid",
        "kill",
        "setgid",
        "setuid",
        "setpcap",
        "linux_immutable",
        "net_bind_service",
        "net_broadcast",
        "net_admin",
        "net_raw",
        "ipc_lock",
        "ipc_owner",
        "sys_module",
        "sys_rawio",
        "sys_chroot",
        "sys_ptrace",
        "sys_pacct",
        "sys_admin",
        "sys_boot",
        "sys_nice",
        "sys_resource",
        "sys_time",
        "sys_tty_config",
        "mknod",
        "lease",
        "audit_write",
        "audit_control",
        "setfcap",
        "mac_override",
        "mac_admin",
        "syslog",
        "wake_alarm",
        "block_suspend",
        "audit_read",
        "perfmon",
        "bpf",
        "checkpoint_restore",
    };
    return (size_t)capability < sizeof names / sizeof *names ? names[capability] : NULL;
}

const char *caps_text(struct grade *g, uint64_t set)
{
    return say(g, "%016llx", (unsigned long long)set);
}

const char *caps_names(struct grade *g, uint64_t set)
{
    const char *text = "";
    int shown = 0, more = 0;

    for (int n = 0; n < 64; n++) {
        if ((set & bit(n)) == 0)
            continue;
        const char *name = caps_name(n);
        if (shown == 2)
            more++;
        else if (name != NULL)
            text = say(g, "%s%scap_%s", text, shown++ > 0 ? ", " : "", name);
        else
            text = say(g, "%s%snumber %d", text, shown++ > 0 ? ", " : "", n);
    }
    return more > 0 ? say(g, "%s and %d more", text, more) : text;
}
