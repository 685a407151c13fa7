#pragma once

#include "given/layer.h"

extern const struct layer root_layer;
