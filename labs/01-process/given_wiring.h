#pragma once

#include "given/layer.h"

extern const struct layer process_layer;
