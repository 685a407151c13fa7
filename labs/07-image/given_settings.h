/* The options that hold for the options after them, and how a question fails. */
#pragma once

#include "07-image/given_fault.h"
#include "07-image/image.h"

extern const char *settings_store;
extern struct image_limits settings_limits;

/* Splits "A=B" at the last '='. Both stay until the end of the program. -EINVAL without '='. */
int settings_split(const char *value, char **a, char **b);

/* Prints the fault, or else what `error` means, and ends the program with 125. */
void settings_refuse(const struct fault *fault, int error) __attribute__((noreturn));
