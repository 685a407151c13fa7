/*
 * Text that a stranger wrote, made fit to be shown: on a terminal, in JSON, in TAP.
 *
 * A student's program prints what it likes: escape sequences that clear the screen or set the
 * window's title, bytes that are no UTF-8, marks that turn the direction of writing. None of that
 * may reach a terminal or a report, and none of it may disappear either, for it may be the fault
 * that is looked for: it is shown as \xNN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "grade/arena.h"

/* The length in bytes of the harmless character that `text` begins with; 0 when its first byte
 * has to be escaped: control bytes, invalid UTF-8, C1 controls, marks of direction. utf-8(7). */
size_t text_harmless(const char *text, size_t length);

/* Cleans `length` bytes of `text` into `clean` (`size` bytes with the NUL; nothing is cut in the
 * middle of a character or an escape). A tab becomes spaces up to the next multiple of 8; a line
 * feed stays only with `lines`. Returns the length written. */
size_t text_clean(char *clean, size_t size, const char *text, size_t length, bool lines);

/* The same into an arena; NULL stays NULL. Trailing line feeds go. */
const char *text_cleaned(struct arena *arena, const char *text);

/* How many columns `length` bytes of clean text take: one a code point. */
size_t text_columns(const char *text, size_t length);

/* How many bytes of clean text fit into `columns`. */
size_t text_fitting(const char *text, size_t columns);

/* Where to break a clean text so that its first line takes at most `columns`: at a line feed, else
 * at the last space, else anywhere, for a path has no spaces. Returns the line's length in bytes;
 * `*rest` is where the next one begins (at a NUL when there is none). */
size_t text_wrap(const char *text, size_t columns, const char **rest);

/* Clean text in ASCII alone: typographic signs by their nearest, all else as \xNN. */
const char *text_ascii(struct arena *arena, const char *text);

/* Cuts a clean text to `columns`, with `mark` ("…" or "...") at the end if anything went. */
const char *text_cut(struct arena *arena, const char *text, size_t columns, const char *mark);
