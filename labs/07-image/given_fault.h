/* Why something failed, as a sentence: what, why, and what can be done. */
#pragma once

struct fault {
    char text[640];
};

/* Writes the sentence and returns `error` (-errno). Whatever came from an archive or from JSON is
 * made harmless: no control character gets to a terminal. A fault that is there already stays: the
 * first, the innermost, knows most. */
int fault_set(struct fault *fault, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* strerror(3), for STRATA_TODO too. */
const char *fault_reason(int error);
