/* test_failed_record.c - what goes into --failed comes out of --input-format json as it was, to the byte. */
#include "cli/failed_record.h"

#include <unistd.h>

#include "cli/reader.h"
#include "unit.h"

#define PATH "test_failed_record.tmp"

static char file[1 << 20];
static size_t file_len;

static void on_lost(void *opaque, uint64_t ordinal)
{
	(void)opaque;
	fail_msg("record %llu was lost", (unsigned long long)ordinal);
}

static cli_failed *open_file(void)
{
	cli_failed *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	unlink(PATH);
	assert_int_equal(cli_failed_open(f, PATH, on_lost, NULL), 0);
	return f;
}

static void close_file(cli_failed *f)
{
	assert_int_equal(cli_failed_close(f), 0);
	free(f);
	FILE *in = fopen(PATH, "rb");
	assert_non_null(in);
	file_len = fread(file, 1, sizeof(file), in);
	fclose(in);
	unlink(PATH);
}

static cli_failed_record of(const kp_record *content)
{
	return (cli_failed_record){.ordinal = 7,
	                           .outcome = "UNKNOWN",
	                           .error = "DELIVERY_TIMEOUT",
	                           .input = "a \"file\" \xff",
	                           .number = 3,
	                           .content = content};
}

static void check_bytes(const void *got, size_t got_len, const void *wanted, size_t wanted_len)
{
	assert_int_equal(got == NULL, wanted == NULL);
	assert_int_equal(got_len, wanted_len);
	if (wanted_len)
		assert_memory_equal(got, wanted, wanted_len);
}

static void check_record(const kp_record *got, const kp_record *wanted)
{
	check_bytes(got->key, got->key_len, wanted->key, wanted->key_len);
	check_bytes(got->value, got->value_len, wanted->value, wanted->value_len);
	assert_int_equal(got->partition, wanted->partition);
	assert_int_equal(got->timestamp_ms, wanted->timestamp_ms);
	assert_int_equal(got->n_headers, wanted->n_headers);
	for (size_t i = 0; i < wanted->n_headers; i++) {
		assert_string_equal(got->headers[i].name, wanted->headers[i].name);
		check_bytes(got->headers[i].value, got->headers[i].value_len, wanted->headers[i].value,
		            wanted->headers[i].value_len);
	}
}

/* The defaults that a line must not leave open, and then what was read. */
static void read_line(cli_reader *r, kp_record *out)
{
	size_t room;
	assert_true(cli_reader_init(r, &cli_formats[4], sizeof(file), 1 << 20));
	memcpy(cli_reader_space(r, &room), file, file_len);
	cli_reader_filled(r, file_len);
	*out = KP_RECORD_INIT;
	out->key = "default";
	out->key_len = 7;
	out->n_headers = 1;
	assert_int_equal(cli_reader_next(r, out), CLI_READ_RECORD);
	assert_int_equal(r->in.start, file_len);
}

static void comes_back(const kp_record *wanted)
{
	cli_reader r;
	kp_record got;
	cli_failed *f = open_file();
	cli_failed_record record = of(wanted);
	assert_true(cli_failed_record_add(f, &record));
	close_file(f);
	read_line(&r, &got);
	check_record(&got, wanted);
	cli_reader_deinit(&r);
}

static void a_failed_record_is_a_line_that_names_outcome_and_origin_first(void **state)
{
	(void)state;
	static const char wanted[] =
		"{\"outcome\":\"UNKNOWN\",\"error\":\"DELIVERY_TIMEOUT\",\"input\":\"a \\\"file\\\" ?\",\"record\":3,"
		"\"key\":null,\"headers\":[],\"value\":\"v\\n\"}\n";
	kp_record r = KP_RECORD_INIT;
	cli_failed *f = open_file();
	cli_failed_record record = of(&r);
	r.value = "v\n";
	r.value_len = 2;
	assert_true(cli_failed_record_add(f, &record));
	close_file(f);
	assert_int_equal(file_len, sizeof(wanted) - 1);
	assert_memory_equal(file, wanted, file_len);
}

static void every_byte_comes_back_in_key_value_and_header(void **state)
{
	(void)state;
	char text[300];
	for (int n = 1; n <= 256; n *= 16)
		for (int first = 0; first < 256; first += n) {
			for (int i = 0; i < n; i++)
				text[i] = (char)(first + i);
			kp_header h = {"h\xc3\xa4\"\\\n", text, (size_t)n};
			kp_record r = KP_RECORD_INIT;
			r.key = r.value = text;
			r.key_len = r.value_len = (size_t)n;
			r.headers = &h;
			r.n_headers = 1;
			comes_back(&r);
		}
}

static void null_and_empty_partition_and_time_come_back(void **state)
{
	(void)state;
	kp_header headers[] = {{"a", NULL, 0}, {"", "", 0}, {"a", "1", 1}};
	for (int i = 0; i < 32; i++) {
		kp_record r = KP_RECORD_INIT;
		r.key = i & 1 ? "" : NULL;
		r.value = i & 2 ? "" : NULL;
		r.headers = i & 4 ? headers : NULL;
		r.n_headers = i & 4 ? 3 : 0;
		r.partition = i & 8 ? 5 : KP_PARTITION_ANY;
		r.timestamp_ms = i & 16 ? 0 : KP_TIMESTAMP_NOW;
		comes_back(&r);
	}
}

static void a_value_in_pieces_comes_back(void **state)
{
	(void)state;
	static char value[200000];
	uint64_t seed = 9;
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (char)unit_random(&seed);
	kp_record wanted = KP_RECORD_INIT, got;
	cli_reader r;
	wanted.key = "k";
	wanted.key_len = 1;
	cli_failed *f = open_file();
	cli_failed_record record = of(&wanted);
	cli_base64 b = {0};
	assert_true(cli_failed_record_begin(f, &record));
	for (size_t done = 0, n; done < sizeof(value); done += n) {
		n = unit_random(&seed) % 7000;
		n = n < sizeof(value) - done ? n : sizeof(value) - done;
		assert_true(cli_failed_record_piece(f, &b, value + done, n, done + n == sizeof(value)));
	}
	close_file(f);
	read_line(&r, &got);
	wanted.value = value;
	wanted.value_len = sizeof(value);
	check_record(&got, &wanted);
	cli_reader_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_record_is_a_line_that_names_outcome_and_origin_first),
		cmocka_unit_test(every_byte_comes_back_in_key_value_and_header),
		cmocka_unit_test(null_and_empty_partition_and_time_come_back),
		cmocka_unit_test(a_value_in_pieces_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
