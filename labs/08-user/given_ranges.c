#include "08-user/given_ranges.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

int ranges_number(const char *text, char end, uint32_t *number, const char **rest)
{
    char *stop;

    if (text[0] < '0' || text[0] > '9')
        return -EINVAL;
    errno = 0;
    unsigned long value = strtoul(text, &stop, 10);
    if (errno != 0 || value > UINT32_MAX || *stop != end)
        return -EINVAL;
    *number = (uint32_t)value;
    if (rest != NULL)
        *rest = stop + 1;
    return 0;
}

int ranges_parse(struct ranges *ranges, const char *text)
{
    for (;;) {
        struct user_range *range = &ranges->list[ranges->count];
        if (ranges->count == RANGES_MAX)
            return -E2BIG;
        if (ranges_number(text, ':', &range->inside, &text) < 0 ||
            ranges_number(text, ':', &range->outside, &text) < 0)
            return -EINVAL;
        bool more = ranges_number(text, ',', &range->count, &text) == 0;
        if (!more && ranges_number(text, '\0', &range->count, NULL) < 0)
            return -EINVAL;
        ranges->count++;
        if (!more)
            return 0;
    }
}

int ranges_all(struct ranges *ranges, const char *file)
{
    struct user_range range;
    FILE *lines = fopen(file, "re");

    if (lines == NULL)
        return -errno;
    while (ranges->count < RANGES_MAX &&
           fscanf(lines, "%u %u %u", &range.inside, &range.outside, &range.count) == 3) {
        range.outside = range.inside; /* what it is outside of *this* namespace: itself */
        ranges->list[ranges->count++] = range;
    }
    fclose(lines);
    return 0;
}
