#include "grade/seed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

int seed_parse(const char *text, uint32_t *seed)
{
    if (strncmp(text, "0x", 2) == 0)
        text += 2;
    size_t length = strlen(text);
    if (length < 1 || length > 8 || strspn(text, "0123456789abcdefABCDEF") != length)
        return -EINVAL;
    *seed = (uint32_t)strtoul(text, NULL, 16);
    return 0;
}

int seed_fresh(uint32_t *seed)
{
    ssize_t got;

    do {
        got = getrandom(seed, sizeof(*seed), 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    return got == (ssize_t)sizeof(*seed) ? 0 : -EIO;
}

uint64_t seed_state(uint32_t seed, const char *lab, int step)
{
    /* FNV-1a spreads the name; two rounds of the generator part neighbouring seeds and steps. */
    uint64_t state = 0xcbf29ce484222325;

    for (; *lab; lab++)
        state = (state ^ (unsigned char)*lab) * 0x100000001b3;
    state ^= seed;
    state = seed_next(&state) ^ (uint64_t)(unsigned)step;
    return seed_next(&state);
}

uint64_t seed_next(uint64_t *state)
{
    uint64_t mixed = *state += 0x9e3779b97f4a7c15;

    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
}

uint32_t seed_below(uint64_t *state, uint32_t below)
{
    uint64_t range = below ? below : UINT64_C(1) << 32;
    uint64_t value;

    /* The last, incomplete stretch of 2^32 would favour small values: draw again. */
    uint64_t whole = (UINT64_C(1) << 32) / range * range;
    do {
        value = seed_next(state) >> 32;
    } while (value >= whole);
    return (uint32_t)(value % range);
}
