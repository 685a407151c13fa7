/* How layer 12 plugs in. */
#include "12-memory/given_wiring.h"

#include "12-memory/memory.h"

const struct layer memory_layer = {.name = "memory"};
