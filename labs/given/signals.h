/* Signals that would end a lab program which has something to clean up. */
#pragma once

#include "given/layer.h"

/* From now on SIGHUP, SIGINT, SIGQUIT and SIGTERM are COMMAND's: they are passed on, and the lab
 * program ends after it. Whoever asks a second time gets SIGKILL: a PID 1 is deaf to what it has no
 * handler for. What the terminal sends (Ctrl-C) COMMAND has got already, being in the same process
 * group. */
void signals_pass_on(const struct container *container);

/* Called once COMMAND runs: a signal that came before ends it now. */
void signals_catch_up(void);
