#pragma once

#include "given/layer.h"

extern const struct layer overlay_layer;
