/*
 * chart.h - a histogram as rows of 1, 2, 5, 10, 20, 50, …, and these as text with bars or as JSON.
 */
#ifndef KP_CLI_CHART_H
#define KP_CLI_CHART_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/histogram.h"
#include "cli/json.h"

#define CLI_CHART_ROWS 61 /* 0, then three edges a decade up to 5 * 10^19, which is beyond a uint64_t */

typedef struct cli_chart_row {
	uint64_t from, to; /* from <= value < to */
	uint64_t n;
} cli_chart_row;

/* From the first row that holds a value to the last; their number, 0 when there are no values. Edges are off by 0.4 % at most. */
size_t cli_chart_rows(const cli_histogram *h, cli_chart_row rows[CLI_CHART_ROWS]);
/* Values are nanoseconds. A line a row, at most `width` columns wide. */
void cli_chart_print(const cli_histogram *h, int width, FILE *out);
/* An array of {"from", "to", "count"}, in microseconds. */
void cli_chart_json(const cli_histogram *h, const char *name, cli_json *j);

#endif
