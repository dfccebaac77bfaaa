/*
 * args.h - the command lines of the measuring programs: numbers with limits, a clear line and exit code 2 when they are wrong.
 */
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static inline long long arg_number(const char *what, const char *text, long long min, long long max)
{
	char *end;
	errno = 0;
	long long v = text ? strtoll(text, &end, 10) : 0;
	if (!text || end == text || *end || errno || v < min || v > max) {
		fprintf(stderr, "%s wants a number from %lld to %lld, not '%.100s'\n", what, min, max, text ? text : "");
		exit(2);
	}
	return v;
}

/* Memory that is there: a measuring program without memory has nothing to say. */
static inline void *must(void *p)
{
	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return p;
}

#endif
