/*
 * Steps that do not run here: the machine lacks what they need, or the caller wants it so (VM=1).
 * They run in guests (vm/guest.h), one for each kind of control group hierarchy that is asked for,
 * and one boot serves all labs of a run. The results are fetched when their turn comes.
 *
 *   VM=0              never a guest
 *   VM=1              every step in a guest
 *   VM=v1|v2|hybrid   the same, with these control groups
 *   (not set)         the steps that need it
 */
#pragma once

#include "grade/grade.h"

struct elsewhere;

/* Looks at what the selected steps of these labs need, and starts the guests that they want. NULL
 * when everything runs here. `fault` (`size` bytes) is for a VM= that makes no sense: *usage then
 * becomes true. */
struct elsewhere *elsewhere_open(const struct lab *const *labs, size_t count,
                                 const struct grade_options *options, bool *usage, char *fault,
                                 size_t size);

/* Does this step run elsewhere? `e` may be NULL. */
bool elsewhere_takes(const struct elsewhere *e, const struct lab *lab, size_t index);

/* Where it runs then: "in the guest (cgroup v2, TCG)". */
const char *elsewhere_where(const struct elsewhere *e, const struct lab *lab, size_t index);

/* The same for a whole run: "here", "in the guest (…)", "here and in a guest". */
const char *elsewhere_summary(const struct elsewhere *e);

/* Waits for the result of that step and puts it into g->results. A guest that ended badly makes an
 * ERROR of each of its steps, whatever it said before. */
void elsewhere_fetch(struct elsewhere *e, struct grade *g, size_t index);

/* Ends the guests. NULL is allowed. */
void elsewhere_close(struct elsewhere *e);
