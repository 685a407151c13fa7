/* The command line of a lab program: the options of all its layers, then COMMAND. */
#pragma once

#include "given/layer.h"

/* Fills `container` from the command line. Returns -1 to go on, else the exit status to end with:
 * 0 after --help or a question that an option answered, 125 for a mistake (told on stderr). */
int options_parse(const struct lab_program *program, struct container *container, int argc,
                  char **argv);

/* True when --without= names this layer. */
bool option_without(const char *layer);
