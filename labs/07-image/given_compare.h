/* An unpacked layer against the archive that it came from. */
#pragma once

#include "07-image/given_fault.h"

/* Is everything that the layer `blob` holds in the open folder, with its kind, content and target?
 * `name` is the folder's, for the fault. Owners, times and what else lies there are not looked at.
 */
int compare_layer(int blob, int folder, const char *name, struct fault *fault);
