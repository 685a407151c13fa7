/* nettle computes SHA-256; this writes the result as images write it. */
#pragma once

#include <nettle/sha2.h>

/* Ends the sum, and writes "sha256:" and its 64 lower-case hexadecimal digits. sha256_init and
 * sha256_update (nettle/sha2.h) are what comes before. */
void digest_text(struct sha256_ctx *sum, char digest[72]);
