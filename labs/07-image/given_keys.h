/* --cache-keys FILE: image_cache_key asked many times by one program. */
#pragma once

#include "given/layer.h"

/* FILE is JSON: [{"parent": "", "instruction": "COPY a /", "inputs": [["a", 493, "68690a"]]}, ...],
 * an input being its name, its mode and its content in hexadecimal. Prints a key a line, or
 * "error N". */
int keys_ask(struct container *container, const char *value);
