#pragma once

#include "given/layer.h"

extern const struct layer memory_layer;
