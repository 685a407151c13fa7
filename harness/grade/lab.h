/*
 * The labs of this kit: every grader puts itself into the linker section `strata_labs`.
 */
#pragma once

#include "grade/grade.h"

/* All labs, sorted by name, in an array that lives as long as the process; *count of them. */
const struct lab *const *labs_all(size_t *count);

/* The lab that "5", "05" or "05-pivot-root" names; NULL if there is none. */
const struct lab *lab_find(const char *name);

/* The lab's number as it stands in its name: "05". */
const char *lab_number(const struct lab *lab, char number[3]);

/* What is wrong with how the lab describes itself (numbers, slugs, points, after), or NULL.
 * The text lives until the next call. */
const char *lab_fault(const struct lab *lab);

/* Marks results[i].selected for step `only` and all that it comes after, or for every step if it
 * is 0. Returns how many, -ENOENT if there is no such step or no step at all. */
int lab_select(const struct lab *lab, int only, struct result *results);

/* The same for several steps: bit n-1 of `steps` for step n; 0: all. */
int lab_select_set(const struct lab *lab, unsigned steps, struct result *results);

/* Reads "2", "1,4" or "1-3,5": bit n-1 of *steps for step n. 0, or -EINVAL. */
int lab_read_steps(const char *text, unsigned *steps);

/* Where the layer's source lies: the one .c of root/src/NAME that has a contract, its .h
 * of the same name in root/labs/NAME.
 * 0, -ENOENT, -ENOTUNIQ, or -errno of opendir(3). */
int lab_layer_path(const char *root, const char *src, const char *name, char *path, size_t size);
