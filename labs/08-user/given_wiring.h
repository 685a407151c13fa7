#pragma once

#include "given/layer.h"

extern const struct layer user_layer;
