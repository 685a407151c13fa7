#pragma once

#include "given/layer.h"

extern const struct layer capabilities_layer;
