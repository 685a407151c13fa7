/* The options that do something with the store and end the program. */
#pragma once

#include "given/layer.h"

int verb_import(struct container *container, const char *value);
int verb_export(struct container *container, const char *value);
int verb_images(struct container *container, const char *value);
int verb_verify(struct container *container, const char *value);
int verb_history(struct container *container, const char *value);
int verb_waste(struct container *container, const char *value);
int verb_rmi(struct container *container, const char *value);
