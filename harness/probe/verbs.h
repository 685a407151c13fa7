#pragma once

#include <stddef.h>

/* Does what `request` asks and writes the reply. A few verbs never return. */
void verb_run(char *request, char *reply, size_t size);
