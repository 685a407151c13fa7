#pragma once

#include "given/layer.h"

extern const struct layer cpu_layer;
