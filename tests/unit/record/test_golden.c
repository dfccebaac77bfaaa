/*
 * test_golden.c - batches of the Java client and librdkafka (tests/golden/records, made by tests/golden/generate.sh): read as
 * Java's reader reads them, and written again byte for byte.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

#include "support.h"

#define FOLDER KP_SOURCE_DIR "/tests/golden/records"
#define MAX_RAW ((size_t)1 << 20)
#define SHORT_BYTES 64 /* longer bytes are printed as length and hash, as CheckBatches.java does */

static void read_file(const char *name, const char *suffix, kp_buf *out)
{
	char path[512], chunk[4096];
	size_t n;
	snprintf(path, sizeof(path), "%s/%s%s", FOLDER, name, suffix);
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("cannot open %s", path);
	kp_buf_init(out, 0);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		kp_buf_append(out, chunk, n);
	fclose(f);
}

static void print_bytes(kp_buf *out, kp_slice s)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	if (!s.ptr) {
		kp_buf_printf(out, "null");
		return;
	}
	if (s.len <= SHORT_BYTES) {
		kp_buf_printf(out, "x");
		for (size_t i = 0; i < s.len; i++)
			kp_buf_printf(out, "%02x", s.ptr[i]);
		return;
	}
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ s.ptr[i]) * 0x100000001b3;
	kp_buf_printf(out, "%zu#%016" PRIx64, s.len, hash);
}

static void print_record(kp_buf *out, const kp_batch_header *h, const kp_record_view *v)
{
	kp_slice headers = v->headers;
	kp_buf_printf(out, "record offset=%" PRId64 " timestamp=%" PRId64 " key=", h->base_offset + v->offset_delta,
	              h->base_timestamp + v->timestamp_delta);
	print_bytes(out, v->key);
	kp_buf_printf(out, " value=");
	print_bytes(out, v->value);
	kp_buf_printf(out, " headers=%d", v->n_headers);
	for (int32_t i = 0; i < v->n_headers; i++) {
		kp_record_header header;
		assert_int_equal(kp_record_header_next(&headers, &header), 0);
		kp_buf_printf(out, " ");
		print_bytes(out, header.name);
		kp_buf_printf(out, "=");
		print_bytes(out, header.value);
	}
	kp_buf_printf(out, "\n");
}

static void print_batch(kp_buf *out, kp_slice batch, const kp_batch_header *h)
{
	kp_buf scratch;
	kp_slice records;
	kp_record_view v;
	kp_buf_init(&scratch, MAX_RAW);
	kp_buf_printf(out,
	              "batch offset=%" PRId64 "..%" PRId64 " leader_epoch=%d codec=%s transactional=%s control=%s"
	              " max_timestamp=%" PRId64 " producer=%" PRId64 "/%d/%d count=%d\n",
	              h->base_offset, h->base_offset + h->last_offset_delta, h->partition_leader_epoch,
	              kp_codec_info_get(h->attributes & KP_BATCH_CODEC_MASK)->name,
	              h->attributes & KP_BATCH_TRANSACTIONAL ? "true" : "false",
	              h->attributes & KP_BATCH_CONTROL ? "true" : "false", h->max_timestamp, h->producer_id, h->producer_epoch,
	              h->base_sequence, h->n_records);
	assert_int_equal(kp_batch_records(batch, &scratch, &records), 0);
	const uint8_t *p = records.ptr;
	for (int32_t i = 0; i < h->n_records; i++) {
		assert_int_equal(kp_record_load(&p, records.ptr + records.len, &v), 0);
		print_record(out, h, &v);
	}
	assert_ptr_equal(p, records.ptr + records.len);
	kp_buf_deinit(&scratch);
}

static void assert_reads_as_java_does(const char *name)
{
	kp_buf bytes, expected, got;
	read_file(name, ".bin", &bytes);
	read_file(name, ".txt", &expected);
	kp_buf_init(&got, 0);
	for (size_t at = 0, size; at < bytes.len; at += size) {
		kp_batch_header h;
		kp_slice rest = kp_slice_of(bytes.data + at, bytes.len - at);
		assert_int_equal(kp_batch_check(rest, true, MAX_RAW, &h, &size), KP_BATCH_OK);
		print_batch(&got, kp_slice_of(rest.ptr, size), &h);
	}
	if (strcmp(kp_buf_cstr(&got), kp_buf_cstr(&expected)) != 0)
		fail_msg("%s: ours\n%s\nJava's\n%s", name, kp_buf_cstr(&got), kp_buf_cstr(&expected));
	kp_buf_deinit(&bytes);
	kp_buf_deinit(&expected);
	kp_buf_deinit(&got);
}

static int walk(const char *prefix, void (*f)(const char *name))
{
	DIR *d = opendir(FOLDER);
	int n = 0;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		char *dot = strrchr(e->d_name, '.');
		if (!dot || strcmp(dot, ".bin") != 0 || strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		*dot = '\0';
		f(e->d_name);
		n++;
	}
	closedir(d);
	return n;
}

static void java_batches_read_as_java_reads_them(void **state)
{
	(void)state;
	assert_int_equal(walk("java-", assert_reads_as_java_does), 15);
}

static void rdkafka_batches_read_as_java_reads_them(void **state)
{
	(void)state;
	assert_int_equal(walk("rdkafka-", assert_reads_as_java_does), 9);
}

/* Read each record and header of `records` and encode it anew. */
static void encode_again(kp_slice records, int32_t n, kp_buf *out)
{
	const uint8_t *p = records.ptr;
	for (int32_t i = 0; i < n; i++) {
		kp_record_view v;
		kp_record_header headers[8];
		assert_int_equal(kp_record_load(&p, records.ptr + records.len, &v), 0);
		assert_true(v.n_headers <= 8);
		for (int32_t k = 0; k < v.n_headers; k++)
			assert_int_equal(kp_record_header_next(&v.headers, &headers[k]), 0);
		append_record(out,
		              &(test_record){{v.key, v.value, headers, (size_t)v.n_headers}, v.timestamp_delta, v.offset_delta});
	}
}

static void assert_writes_the_same(const char *name)
{
	kp_buf bytes, raw, scratch, ours;
	kp_slice records;
	kp_batch_header h;
	read_file(name, ".bin", &bytes);
	kp_buf_init(&raw, 0);
	kp_buf_init(&scratch, MAX_RAW);
	kp_buf_init(&ours, 0);
	assert_int_equal(kp_batch_header_load(kp_buf_slice(&bytes), &h), 0);
	assert_int_equal(kp_batch_records(kp_buf_slice(&bytes), &scratch, &records), 0);
	encode_again(records, h.n_records, &raw);
	assert_true(kp_slice_equal(kp_buf_slice(&raw), records));
	if ((h.attributes & KP_BATCH_CODEC_MASK) == KP_CODEC_NONE) {
		h.crc = 0;
		h.batch_length = 0;
		seal_batch(&ours, &h, kp_buf_slice(&raw));
		assert_true(bytes.len >= ours.len); /* java-three.bin goes on */
		assert_memory_equal(ours.data, bytes.data, ours.len);
	}
	kp_buf_deinit(&bytes);
	kp_buf_deinit(&raw);
	kp_buf_deinit(&scratch);
	kp_buf_deinit(&ours);
}

static void java_batches_are_written_again_byte_for_byte(void **state)
{
	(void)state;
	walk("java-", assert_writes_the_same);
}

static void rdkafka_batches_are_written_again_byte_for_byte(void **state)
{
	(void)state;
	walk("rdkafka-", assert_writes_the_same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(java_batches_read_as_java_reads_them),
		cmocka_unit_test(rdkafka_batches_read_as_java_reads_them),
		cmocka_unit_test(java_batches_are_written_again_byte_for_byte),
		cmocka_unit_test(rdkafka_batches_are_written_again_byte_for_byte),
	};
	return cmocka_run_group_tests_name("golden batches", tests, NULL, NULL);
}
