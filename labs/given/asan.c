/* How AddressSanitizer behaves in lab programs (make asan05); without it nobody calls this. */

const char *
__asan_default_options(void); /* NOLINT(bugprone-reserved-identifier): its name for us */

/* No report of leaks: a lab program is about to end, and the kernel takes all of it back. Looking
 * for leaks would also change the exit status, which steps grade, and needs ptrace(2), which a
 * container may forbid. And no legend: a verdict has room for the last lines only. */
const char *__asan_default_options(void) /* NOLINT(bugprone-reserved-identifier) */
{
    return "detect_leaks=0:print_legend=0";
}
