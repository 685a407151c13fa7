/*
 * Grading one lab from end to end: digests, the run, the record, the reports, the verdict.
 */
#pragma once

#include <stddef.h>

#include "grade/grade.h"
#include "grade/report.h"

/* The program that is run for `lab`: the caller's choice, or that of the kit. */
void session_program(const struct lab *lab, const struct grade_options *options, char *path,
                     size_t size);

/* Grades `lab` and prints the verdict to `out` (`brief`: one line). Faults of the harness go to
 * `errors`, a line each. Returns what to exit with; 128 + n if signal n stopped the run: nothing
 * is printed or written then. */
int session_grade(const struct lab *lab, const struct grade_options *options,
                  const struct style *style, bool brief, FILE *out, FILE *errors);
