#pragma once

#include "given/layer.h"

extern const struct layer pid_layer;
