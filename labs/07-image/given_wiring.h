#pragma once

#include "given/layer.h"

extern const struct layer image_layer;
