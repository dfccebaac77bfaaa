/*
 * unit.h - cmocka's includes, for the tests of `cli`.
 */
#ifndef KP_TEST_CLI_UNIT_H
#define KP_TEST_CLI_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The same numbers in every run; not the library's generator, for these tests link with public headers only. */
static inline uint64_t unit_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
