/* Signals that the probe counts, and orphans that it leaves behind. */
#pragma once

/* Counts every signal that can be caught, from now on and from 0. */
void probe_tally(void);

/* How often this one came. */
int probe_tallied(int number);

/* Makes `count` processes whose parent has ended. They wait for probe_release() and then end with
 * `status`, all at once. Returns 0 or -errno. */
int probe_orphans(int count, int status);
void probe_release(void);

/* Called once the reply is sent: only then may they end, for their end may be ours. */
void probe_after_reply(void);
