/*
 * Random values that can be had again: every one comes from the seed that the verdict prints.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads a seed: 1 to 8 hexadecimal digits, "0x" allowed. 0 or -EINVAL. */
int seed_parse(const char *text, uint32_t *seed);

/* A new seed from the kernel, getrandom(2). 0 or -errno. */
int seed_fresh(uint32_t *seed);

/* The state that one step of one lab starts its sequence with. */
uint64_t seed_state(uint32_t seed, const char *lab, int step);

/* The next 64 bits (Steele, Lea, Flood: splitmix64). */
uint64_t seed_next(uint64_t *state);

/* The next value below `below`, each equally likely; 0 stands for 2^32. */
uint32_t seed_below(uint64_t *state, uint32_t below);
