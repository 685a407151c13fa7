/*
 * What `make doctor` tries. Every probe does the thing it is about, in a child that is gone
 * afterwards; none asks for a version.
 */
#pragma once

/* One probe: 0, or -errno of what was refused. Runs in a child of its own. */
typedef int doctor_probe(void);

/* Namespaces, in a user namespace as the sandbox has it. doctor_probes.c */
doctor_probe doctor_userns, doctor_ids, doctor_helper, doctor_proc, doctor_sysfs, doctor_overlay,
    doctor_mqueue, doctor_veth;

/* What the kernel and the machine have. doctor_machine.c */
doctor_probe doctor_clone3, doctor_pidfd, doctor_mount_setattr, doctor_seccomp, doctor_cgroup1,
    doctor_cgroup2, doctor_busybox, doctor_guest, doctor_kvm, doctor_disk, doctor_inotify;

/* The cure for user namespaces that are refused, after a look at what forbids them here. */
const char *doctor_userns_cure(void);
