/* A cursor over bytes that need not end in NUL, and the few moves that every parser here makes.
 *
 * Nothing here trusts its input: a number that does not fit is an error, never a wrapped value,
 * because strtoul() would take "-1", leading blanks and a locale for granted.
 */
#ifndef KERNEL_TEXT_H
#define KERNEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel_text {
    const char *at;  /* the next byte */
    const char *end; /* one past the last */
};

/* Makes a cursor over len bytes. */
struct kernel_text kernel_text(const char *text, size_t len);

/* Cuts the next piece off `from`: up to `separator` (eaten, not in the piece) or to the end.
 * Returns false when `from` was empty. "a\n" is one line, "a\n\nb" three, the second empty. */
bool kernel_text_cut(struct kernel_text *from, char separator, struct kernel_text *piece);

/* Skips blanks and tabs. */
void kernel_text_blank(struct kernel_text *text);

/* Is the piece exactly this word? */
bool kernel_text_is(struct kernel_text piece, const char *word);

/* Does the piece begin with `prefix`? If so, it is skipped. */
bool kernel_text_skip(struct kernel_text *text, const char *prefix);

/* Reads one unsigned number in base 8, 10 or 16 (no sign, no prefix, no blanks) and moves past it.
 * Returns 0, or -EBADMSG when there is no digit or the value exceeds `max`. */
int kernel_text_unsigned(struct kernel_text *text, unsigned base, uint64_t max, uint64_t *value);

/* The same in base 10 with an optional '-'; -EBADMSG outside of min..max. */
int kernel_text_signed(struct kernel_text *text, int64_t min, int64_t max, int64_t *value);

/* Copies the piece into a fixed buffer, NUL terminated. -EBADMSG when it does not fit. */
int kernel_text_copy(struct kernel_text piece, char *buffer, size_t size);

/* Undoes in place what the kernel's seq_escape() and mangle() do: every \ooo becomes its byte.
 * A backslash that begins no such triple stays as it is (overlayfs prints some raw).
 * Returns 0, or -EBADMSG for \000, which no kernel writes and which would cut the string short. */
int kernel_text_unescape(char *string);

/* Makes room for one more element of `size` bytes in a growable array that holds *count of
 * *capacity. Returns the array, perhaps moved, or NULL when memory is out (then it is unchanged).
 */
void *kernel_grow(void *list, size_t count, size_t *capacity, size_t size);

#endif
