/*
 * reading.h - what a reader makes of an input that comes in blocks of a given size, as text that tests can compare.
 */
#ifndef KP_TEST_CLI_READING_H
#define KP_TEST_CLI_READING_H

#include "cli/reader.h"
#include "unit.h"

#define READING_MAX 262144

/* Records as "key=value h:v @2 t5|" with what there is, null as ~, overlong ones as "key=<length>!", others as "blank|", "bad: …|". */
typedef struct reading {
	char text[READING_MAX];
	size_t len;
} reading;

void reading_put(reading *r, const void *bytes, size_t n);

/* The input in blocks of at most `feed` bytes; 0: a random size each time. */
void reading_of(reading *r, const char *format, size_t max_bytes, const void *in, size_t len, size_t feed);
/* The same for every size from 1 to len + 1 (at most 300), and random ones: all must give `expected`. */
void reading_is(const char *format, size_t max_bytes, const void *in, size_t len, const void *expected, size_t expected_len);

#endif
