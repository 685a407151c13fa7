#pragma once

#include "given/layer.h"

extern const struct layer mount_layer;
