/*
 * histogram.c - see histogram.h.
 */
#include "cli/histogram.h"

#include <string.h>

#define SUB ((uint64_t)1 << CLI_HISTOGRAM_SUB_BITS)

static unsigned bucket_of(uint64_t value)
{
	if (value < SUB)
		return (unsigned)value;
	unsigned exponent = 63 - (unsigned)__builtin_clzll(value), shift = exponent - CLI_HISTOGRAM_SUB_BITS;
	return (shift + 1) * (unsigned)SUB + (unsigned)(value >> shift & (SUB - 1));
}

static uint64_t middle_of(unsigned bucket)
{
	if (bucket < SUB)
		return bucket;
	unsigned shift = bucket / (unsigned)SUB - 1;
	uint64_t low = (SUB + bucket % SUB) << shift;
	return low + (((uint64_t)1 << shift) >> 1);
}

void cli_histogram_init(cli_histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

void cli_histogram_add(cli_histogram *h, uint64_t value)
{
	h->buckets[bucket_of(value)]++;
	h->n++;
	if (value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
}

void cli_histogram_merge(cli_histogram *into, const cli_histogram *from)
{
	for (unsigned i = 0; i < CLI_HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->n += from->n;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t cli_histogram_count_below(const cli_histogram *h, uint64_t limit)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < CLI_HISTOGRAM_BUCKETS && middle_of(i) < limit; i++)
		n += h->buckets[i];
	return n;
}

uint64_t cli_histogram_quantile(const cli_histogram *h, double q)
{
	double exact_rank = q * (double)h->n;
	uint64_t rank = (uint64_t)exact_rank, seen = 0;
	rank += (double)rank < exact_rank;
	if (!h->n)
		return 0;
	if (rank <= 1)
		return h->min;
	if (rank >= h->n)
		return h->max;
	for (unsigned i = 0; i < CLI_HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= rank) {
			uint64_t value = middle_of(i);
			return value < h->min ? h->min : value > h->max ? h->max : value;
		}
	}
	return h->max;
}
