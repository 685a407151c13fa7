/* How layer 13 plugs in. */
#include "13-cpu/given_wiring.h"

#include "13-cpu/cpu.h"

const struct layer cpu_layer = {.name = "cpu"};
