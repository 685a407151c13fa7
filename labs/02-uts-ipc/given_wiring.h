#pragma once

#include "given/layer.h"

extern const struct layer uts_layer;
