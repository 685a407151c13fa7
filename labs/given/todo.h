/*
 * What a function returns while nobody has written it yet.
 *
 * The kernel's errors are -1 .. -4095 (ENOSYS among them is a real answer), so "not written yet"
 * lies outside of them: a lab program goes on without a layer for this value and for no other.
 */
#pragma once

enum { STRATA_TODO = -0x7000 };
