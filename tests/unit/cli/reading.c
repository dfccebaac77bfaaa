/*
 * reading.c - see reading.h.
 */
#include "reading.h"

void reading_put(reading *r, const void *bytes, size_t n)
{
	assert_true(r->len + n < sizeof(r->text));
	if (n)
		memcpy(r->text + r->len, bytes, n);
	r->len += n;
}

static void put_text(reading *r, const char *text)
{
	reading_put(r, text, strlen(text));
}

static void put_field(reading *r, const void *bytes, size_t n)
{
	if (bytes)
		reading_put(r, bytes, n);
	else
		put_text(r, "~");
}

static void put_record(reading *r, const cli_reader *reader, const kp_record *record)
{
	char text[64];
	if (reader->given & CLI_GIVEN_KEY) {
		put_field(r, record->key, record->key_len);
		put_text(r, "=");
	}
	put_field(r, record->value, record->value_len);
	for (size_t i = 0; reader->given & CLI_GIVEN_HEADERS && i < record->n_headers; i++) {
		put_text(r, " ");
		put_text(r, record->headers[i].name);
		put_text(r, ":");
		put_field(r, record->headers[i].value, record->headers[i].value_len);
	}
	if (reader->given & CLI_GIVEN_PARTITION)
		reading_put(r, text, (size_t)snprintf(text, sizeof(text), " @%d", record->partition));
	if (reader->given & CLI_GIVEN_TIMESTAMP)
		reading_put(r, text, (size_t)snprintf(text, sizeof(text), " t%lld", (long long)record->timestamp_ms));
	put_text(r, "|");
}

typedef struct long_state {
	uint64_t bytes;
	bool is_open;
} long_state;

static void put_long(reading *r, const cli_reader *reader, const kp_record *piece, bool is_last, long_state *state)
{
	char text[32];
	if (!state->is_open && reader->given & CLI_GIVEN_KEY) {
		put_field(r, piece->key, piece->key_len);
		put_text(r, "=");
		state->bytes = piece->key_len;
	}
	state->is_open = true;
	state->bytes += piece->value_len;
	if (!is_last)
		return;
	assert_int_equal(state->bytes, reader->long_bytes);
	reading_put(r, text, (size_t)snprintf(text, sizeof(text), "%llu!", (unsigned long long)state->bytes));
	*state = (long_state){0};
}

/* false: the input is over. */
static bool drain(reading *r, cli_reader *reader, long_state *state)
{
	for (;;) {
		kp_record record = KP_RECORD_INIT;
		cli_read_event event = cli_reader_next(reader, &record);
		switch (event) {
		case CLI_READ_MORE: return true;
		case CLI_READ_END: return false;
		case CLI_READ_RECORD: put_record(r, reader, &record); break;
		case CLI_READ_BLANK: put_text(r, "blank|"); break;
		case CLI_READ_PIECE:
		case CLI_READ_LONG_END: put_long(r, reader, &record, event == CLI_READ_LONG_END, state); break;
		case CLI_READ_BAD:
		case CLI_READ_BROKEN:
			put_text(r, event == CLI_READ_BAD ? "bad: " : "broken: ");
			put_text(r, reader->problem);
			put_text(r, "|");
			if (event == CLI_READ_BROKEN)
				return false;
		}
	}
}

static const cli_format *format_of(const char *name)
{
	const cli_format *f = cli_formats;
	while (f->name && strcmp(f->name, name))
		f++;
	assert_non_null(f->name);
	return f;
}

void reading_of(reading *r, const char *format, size_t max_bytes, const void *in, size_t len, size_t feed)
{
	cli_reader reader;
	long_state state = {0};
	uint64_t seed = len + 1;
	r->len = 0;
	assert_true(cli_reader_init(&reader, format_of(format), feed ? feed : 64, max_bytes));
	cli_reader_restart(&reader);
	for (size_t done = 0, n = 1; n;) {
		size_t room;
		char *space = cli_reader_space(&reader, &room);
		assert_non_null(space);
		n = feed ? feed : 1 + unit_random(&seed) % 64;
		n = n < len - done ? n : len - done;
		assert_true(room >= n);
		if (n)
			memcpy(space, (const char *)in + done, n);
		cli_reader_filled(&reader, n);
		done += n;
		if (!drain(r, &reader, &state))
			break;
		assert_true(n > 0); /* at the end there is an end */
	}
	cli_reader_deinit(&reader);
}

void reading_is(const char *format, size_t max_bytes, const void *in, size_t len, const void *expected, size_t expected_len)
{
	static reading got;
	for (size_t feed = 0; feed <= len + 1 && feed <= 300; feed++) {
		reading_of(&got, format, max_bytes, in, len, feed);
		if (got.len != expected_len || memcmp(got.text, expected, expected_len))
			fail_msg("in blocks of %zu: '%.*s' instead of '%.*s'", feed, (int)got.len, got.text, (int)expected_len,
			         (const char *)expected);
	}
}
