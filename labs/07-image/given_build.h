/* --build: an image by a Stratafile (given_stratafile.h), instruction by instruction, each taken
 * from the cache when image_cache_key says that it was carried out before. */
#pragma once

#include "given/layer.h"

int build_ask(struct container *container, const char *value);           /* FOLDER=NAME */
int build_without_cache(struct container *container, const char *value); /* a setting   */
int build_prune(struct container *container, const char *value);
