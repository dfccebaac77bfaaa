/*
 * chart.c - see chart.h.
 */
#include "cli/chart.h"

#include <inttypes.h>
#include <string.h>

#include "cli/talk.h"

#define BAR_MIN 10

/* The edge behind `from`: 0, 1, 2, 5, 10, …; the last one is UINT64_MAX. */
static uint64_t next_edge(uint64_t from, int *step)
{
	static const uint64_t tenths[] = {20, 25, 20};
	if (!from)
		return 1;
	uint64_t factor = tenths[(*step)++ % 3];
	return from > UINT64_MAX / factor * 10 ? UINT64_MAX : from < 10 ? from * factor / 10 : from / 10 * factor;
}

size_t cli_chart_rows(const cli_histogram *h, cli_chart_row rows[CLI_CHART_ROWS])
{
	size_t n = 0;
	uint64_t below = 0;
	int step = 0;
	for (uint64_t from = 0; below < h->n && n < CLI_CHART_ROWS;) {
		uint64_t to = next_edge(from, &step), upto = to == UINT64_MAX ? h->n : cli_histogram_count_below(h, to);
		if (n || upto > below)
			rows[n++] = (cli_chart_row){from, to, upto - below};
		below = upto;
		from = to;
	}
	return n;
}

static void print_row(const cli_chart_row *row, double percent, double percent_so_far, int bar, FILE *out)
{
	static const char marks[] = "################################################################";
	char from[CLI_NUMBER_SIZE], to[CLI_NUMBER_SIZE];
	fprintf(out, "%7s - %-7s %12" PRIu64 " %6.2f %7.3f%s", cli_format_ns(from, (double)row->from),
	        cli_format_ns(to, (double)row->to), row->n, percent, percent_so_far, bar ? "  " : "");
	for (int left = bar; left > 0; left -= (int)sizeof(marks) - 1)
		fprintf(out, "%.*s", left, marks);
	putc('\n', out);
}

void cli_chart_print(const cli_histogram *h, int width, FILE *out)
{
	cli_chart_row rows[CLI_CHART_ROWS];
	size_t n = cli_chart_rows(h, rows);
	uint64_t most = 1, so_far = 0;
	int head = fprintf(out, "%-17s %12s %6s %7s\n", "latency", "records", "%", "up to %") - 1;
	int bar = width - head - 2 > BAR_MIN ? width - head - 2 : BAR_MIN;
	for (size_t i = 0; i < n; i++)
		most = rows[i].n > most ? rows[i].n : most;
	for (size_t i = 0; i < n; i++) {
		so_far += rows[i].n;
		/* A row with values shows, be there ever so few. */
		double exact = (double)rows[i].n * bar / (double)most;
		int marks = rows[i].n && exact < 1 ? 1 : (int)(exact + 0.5);
		print_row(&rows[i], 100.0 * (double)rows[i].n / (double)h->n, 100.0 * (double)so_far / (double)h->n, marks, out);
	}
}

void cli_chart_json(const cli_histogram *h, const char *name, cli_json *j)
{
	cli_chart_row rows[CLI_CHART_ROWS];
	size_t n = cli_chart_rows(h, rows);
	cli_json_open(j, name, '[');
	for (size_t i = 0; i < n; i++) {
		cli_json_open(j, NULL, '{');
		cli_json_real(j, "from", (double)rows[i].from / 1000, 3);
		cli_json_real(j, "to", (double)rows[i].to / 1000, 3);
		cli_json_uint(j, "count", rows[i].n);
		cli_json_close(j, '}');
	}
	cli_json_close(j, ']');
}
