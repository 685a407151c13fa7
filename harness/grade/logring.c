#include "grade/logring.h"

#include <string.h>

#include "grade/text.h"

void logring_clear(struct logring *ring)
{
    ring->total = 0;
    ring->raw_length = 0;
}

static void end_line(struct logring *ring)
{
    size_t length = ring->raw_length;
    bool cut = length > sizeof(ring->raw);

    if (cut) {
        length = sizeof(ring->raw);
        /* A character that the cut went through is not the student's fault: drop what is left. */
        while (length > 0 && (ring->raw[length - 1] & 0xc0) == 0x80)
            length--;
        if (length > 0 && (ring->raw[length - 1] & 0xc0) == 0xc0)
            length--;
    } else if (length > 0 && ring->raw[length - 1] == '\r') {
        length--; /* a terminal's line ends */
    }
    text_clean(ring->lines[ring->total % LOGRING_LINES], LOGRING_BYTES + 1, ring->raw, length,
               false);
    ring->total++;
    ring->raw_length = 0;
}

void logring_add(struct logring *ring, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            end_line(ring);
            continue;
        }
        if (ring->raw_length < sizeof(ring->raw))
            ring->raw[ring->raw_length] = text[i];
        ring->raw_length++;
    }
}

void logring_finish(struct logring *ring)
{
    if (ring->raw_length > 0)
        end_line(ring);
}

size_t logring_count(const struct logring *ring)
{
    return ring->total < LOGRING_LINES ? ring->total : LOGRING_LINES;
}

const char *logring_line(const struct logring *ring, size_t index)
{
    return ring->lines[(ring->total - logring_count(ring) + index) % LOGRING_LINES];
}
