/* Who started us. */
#pragma once

/* A pidfd of the make among our ancestors (a shell may lie between, so that the death signal of
 * prctl(2) would come from the wrong parent), or -1 when there is none. */
int caller_make(void);
