#pragma once

#include "given/layer.h"

extern const struct layer seccomp_layer;
