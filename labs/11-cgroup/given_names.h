/* What version 1 calls the files of version 2. */
#pragma once

/* The name of `file` in version 1 ("memory.limit_in_bytes" for "memory.max"), or NULL for a file
 * that version 1 has not. */
const char *v1_file(const char *file);
