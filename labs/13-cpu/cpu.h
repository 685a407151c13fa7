/*
 * Lab 13: CPU.
 *
 * There are three ways to share out processors, and they answer different questions: a quota says
 * how much at most, whoever else wants it; a weight says how much of what is fought over, and
 * nothing when nobody else is there; a set says which.
 *
 * 0 (or as said) on success, -errno on failure.
 * Documentation/admin-guide/cgroup-v2.rst, "CPU", "Cpuset"; scheduler/sched-bwc.rst
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "11-cgroup/cgroup.h"
#include "given/todo.h"

/* Thousandths of a processor: Kubernetes' unit. */
typedef uint64_t cpu_millis;

/* Reads an amount of CPU: "1", "0.5", "1.25" processors as docker run --cpus takes it (digits, and
 * perhaps a point with one to three digits more), or thousandths as Kubernetes writes them, "250m"
 * (digits, and an m). Nothing else: what is finer is -EINVAL, and so is 0, a sign, a space. More
 * than the machine has is allowed. -ERANGE above 1,000,000 processors. */
int cpu_parse(const char *text, cpu_millis *millis);

/* Allows the group `millis` of CPU in each period of `period` microseconds (0: the usual 100000),
 * 0 millis for no quota. The kernel takes periods from 1000 to 1000000 and quotas from 1000 on,
 * both in microseconds: what it refuses is refused (-EINVAL), nothing is rounded up in silence; a
 * part of a microsecond is dropped. What the group had before does not matter.
 * cpu.max in version 2; cpu.cfs_quota_us and cpu.cfs_period_us in version 1. */
int cpu_limit(const struct cgroup *group, cpu_millis millis, uint64_t period);

/* How often a quota stopped the group: of `periods` in which it wanted to run, in `throttled` it
 * ran out, and waited `throttled_usec` microseconds in all. `usage_usec` is the CPU time it has
 * used. Version 1 counts times in nanoseconds, and the last in another file (cpuacct.usage; 0 where
 * that is not to be had). Kernels differ in what other lines cpu.stat has, and in their order: the
 * names count. -ENOENT for a group without cpu.stat. */
struct cpu_stat {
    uint64_t usage_usec;
    uint64_t periods;
    uint64_t throttled;
    uint64_t throttled_usec;
};
int cpu_stat(const struct cgroup *group, struct cpu_stat *stat);

/* The share of periods between two readings in which the group was throttled, in hundredths of a
 * percent, rounded to the nearest; 0 when no period has passed. */
unsigned cpu_throttled(const struct cpu_stat *before, const struct cpu_stat *after);

/* Gives the group a weight: 1 to 10000, 100 is usual. Only the ratio to those that want the same
 * CPU counts. -ERANGE outside. */
int cpu_weight(const struct cgroup *group, unsigned weight);

/* What Kubernetes makes of a *request* in thousandths: cpu.shares (1024 a processor, 2 at least,
 * 262144 at most), and the weight that it makes of those: 1 + ((shares - 2) * 9999) / 262142. Both
 * are rounded down. */
unsigned cpu_request_shares(cpu_millis millis);
unsigned cpu_request_weight(cpu_millis millis);

/* Restricts the group to these processors and these memory nodes, written as in "0-2,7"; NULL
 * leaves them as they are. Version 1 refuses what the group above has not got. Version 2 takes
 * processors that it will not give: then cpuset.cpus.effective is less than cpuset.cpus, and this
 * is -EINVAL. */
int cpu_set(const struct cgroup *group, const char *cpus, const char *mems);

/* Limits reading and writing of the block device MAJOR:MINOR by the group, in bytes a second (0: no
 * limit). -ENODEV when there is no such device. io.max in version 2; in version 1
 * blkio.throttle.read_bps_device and blkio.throttle.write_bps_device. */
int cpu_io_limit(const struct cgroup *group, unsigned major, unsigned minor, uint64_t read_bytes,
                 uint64_t write_bytes);
