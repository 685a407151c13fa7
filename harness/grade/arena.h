/*
 * Memory that is given back all at once: the texts of one step, or of one lab.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena {
    struct arena_block *newest;
};

/* Takes `size` zeroed bytes, aligned for any type; NULL without memory. */
void *arena_take(struct arena *arena, size_t size);

/* Copies `length` bytes of `text` and ends them with a NUL; "" without memory. */
const char *arena_copy(struct arena *arena, const char *text, size_t length);

/* printf(3) into the arena; "(no memory)" without memory. */
const char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *arena_vformat(struct arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Gives everything back; the arena can be used again. */
void arena_clear(struct arena *arena);
