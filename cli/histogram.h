/*
 * histogram.h - a log-linear histogram: every power of two is divided into 128 equal buckets, so a value is known to 0.8 % and its
 * bucket's middle to 0.4 %. Covers all of uint64_t in 64 KiB; values below 128 are exact. One thread at a time.
 *
 *    0 .. 127 | 128 .. 255 | 256, 258, .. 510 | 512, 516, .. 1020 | …
 *    width 1  | width 1    | width 2          | width 4           |
 */
#ifndef KP_CLI_HISTOGRAM_H
#define KP_CLI_HISTOGRAM_H

#include <stdint.h>

#define CLI_HISTOGRAM_SUB_BITS 7
#define CLI_HISTOGRAM_BUCKETS ((64 - CLI_HISTOGRAM_SUB_BITS + 1) << CLI_HISTOGRAM_SUB_BITS)

typedef struct cli_histogram {
	uint64_t n, min, max; /* min and max are exact; of no meaning while n is 0 */
	uint64_t buckets[CLI_HISTOGRAM_BUCKETS];
} cli_histogram;

void cli_histogram_init(cli_histogram *h);
void cli_histogram_add(cli_histogram *h, uint64_t value);
void cli_histogram_merge(cli_histogram *into, const cli_histogram *from);
/* How many values lie below `limit`; those of the bucket that holds the limit count by the bucket's middle. */
uint64_t cli_histogram_count_below(const cli_histogram *h, uint64_t limit);
/* The value of rank ceil(q * n), 0 <= q <= 1, within 0.4 %; the exact minimum and maximum at the ends. 0 when nothing was added. */
uint64_t cli_histogram_quantile(const cli_histogram *h, double q);

#endif
