/* Options that call one function of the contract and print what it says: for graders, and for
 * finding out what a step does. */
#pragma once

#include "given/layer.h"

int ask_digest(struct container *container, const char *value);
int ask_check(struct container *container, const char *value);
int ask_place(struct container *container, const char *value);
int ask_unpack(struct container *container, const char *value);
int ask_put(struct container *container, const char *value);
int ask_open(struct container *container, const char *value);
int ask_size(struct container *container, const char *value);
int ask_wasted(struct container *container, const char *value);
int ask_parent(struct container *container, const char *value);
int ask_instruction(struct container *container, const char *value);
int ask_input(struct container *container, const char *value);
int ask_cache_key(struct container *container, const char *value);
