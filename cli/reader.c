/*
 * reader.c - see reader.h. The formats themselves are in lines.c, frames.c and json_record.c.
 */
#include "cli/reader.h"

const cli_format cli_formats[] = {
	{.name = "lines", .noun = "line", .end_byte = '\n', .is_text = true, .next = cli_lines_next},
	{.name = "nul", .noun = "record", .end_byte = 0, .is_text = true, .next = cli_lines_next},
	{.name = "length", .noun = "record", .next = cli_frames_next},
	{.name = "length-kv", .noun = "record", .next = cli_frames_next_pair},
	{.name = "json", .noun = "line", .end_byte = '\n', .is_raw = true, .next = cli_json_next},
	{0},
};

/* A JSON line may need twelve bytes for one of the record (headers without name and value), and some for what is around it. */
static size_t most_of(const cli_format *format, size_t max_bytes)
{
	return format->is_raw ? 12 * max_bytes + 65536 : max_bytes;
}

bool cli_reader_init(cli_reader *r, const cli_format *format, size_t block, size_t max_bytes)
{
	*r = (cli_reader){.format = format, .max_bytes = most_of(format, max_bytes)};
	return cli_window_init(&r->in, block);
}

void cli_reader_deinit(cli_reader *r)
{
	cli_window_deinit(&r->in);
	cli_json_parser_deinit(&r->json);
}

void cli_reader_restart(cli_reader *r)
{
	cli_window_restart(&r->in);
	r->n_scanned = 0;
	r->long_bytes = r->long_left = 0;
	r->is_long = false;
	r->given = 0;
}

char *cli_reader_space(cli_reader *r, size_t *room)
{
	cli_json_parser_reset(&r->json);
	return cli_window_space(&r->in, room);
}

void cli_reader_filled(cli_reader *r, size_t n)
{
	cli_window_filled(&r->in, n);
}

uint64_t cli_reader_pending(const cli_reader *r)
{
	return cli_window_left(&r->in) + (r->is_long ? 1 : 0);
}
