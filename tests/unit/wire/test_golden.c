/*
 * test_golden.c - the bytes the Java client writes (tests/golden/wire, made by WireGolden.java), and a few messages spelt out by
 * hand from the protocol guide.
 */
#include "sample.h"

#include "wire/msg_api_versions.h"
#include "wire/msg_metadata.h"
#include "wire/msg_produce.h"

typedef struct golden {
	kp_arena arena;
	kp_buf bytes; /* what is expected */
	kp_buf out;
} golden;

static void golden_init(golden *g)
{
	kp_arena_init(&g->arena, 0);
	kp_buf_init(&g->bytes, 0);
	kp_buf_init(&g->out, 0);
}

static void golden_deinit(golden *g)
{
	kp_arena_deinit(&g->arena);
	kp_buf_deinit(&g->bytes);
	kp_buf_deinit(&g->out);
}

static void append_hex(kp_buf *out, const char *hex)
{
	unsigned byte;
	for (; *hex; hex += *hex == ' ' ? 1 : 2) {
		if (*hex != ' ' && sscanf(hex, "%2x", &byte) == 1)
			kp_buf_append_u8(out, (uint8_t)byte);
	}
}

static sample_profile profile_of(const char *name)
{
	if (strcmp(name, "sample") == 0)
		return SAMPLE_PLAIN;
	if (strcmp(name, "nulls") == 0)
		return SAMPLE_NULLS;
	return strcmp(name, "empty") == 0 ? SAMPLE_EMPTY : SAMPLE_LONG;
}

/* message -> expected bytes -> message -> expected bytes */
static void check_both_ways(golden *g, const kp_wire_message *m, int version, const void *message)
{
	kp_slice expected = kp_buf_slice(&g->bytes);
	assert_int_equal(kp_wire_write(m, version, message, &g->out, NULL), KP_OK);
	assert_int_equal(g->out.len, expected.len);
	if (expected.len)
		assert_memory_equal(g->out.data, expected.ptr, expected.len);

	size_t consumed;
	void *root = kp_arena_alloc(&g->arena, m->root->size);
	assert_non_null(root);
	kp_slice in = sample_exact_copy(expected.ptr, expected.len);
	assert_int_equal(kp_wire_read(m, version, in, &g->arena, root, &consumed), KP_OK);
	assert_int_equal(consumed, expected.len);
	kp_buf_clear(&g->out);
	assert_int_equal(kp_wire_write(m, version, root, &g->out, NULL), KP_OK);
	assert_int_equal(g->out.len, expected.len);
	if (expected.len)
		assert_memory_equal(g->out.data, expected.ptr, expected.len);
	free((void *)in.ptr);
}

static FILE *open_golden(const char *message)
{
	const char *dir = getenv("KP_GOLDEN");
	char path[4096];
	const char *slash = strrchr(__FILE__, '/');
	if (dir)
		snprintf(path, sizeof(path), "%s/wire/%s.hex", dir, message);
	else
		snprintf(path, sizeof(path), "%.*s/../../golden/wire/%s.hex", (int)(slash - __FILE__), __FILE__, message);
	FILE *file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s", path);
	return file;
}

static void check_file(const kp_wire_message *m)
{
	FILE *file = open_golden(m->root->name);
	int version, n_lines = 0, expected = (m->max_version - m->min_version + 1) * 3 + 1;
	char profile[8];
	static char hex[1 << 16];
	while (fscanf(file, "%d %7s %65535s", &version, profile, hex) == 3) {
		golden g;
		golden_init(&g);
		append_hex(&g.bytes, strcmp(hex, "-") == 0 ? "" : hex);
		const void *message = sample_message(m, version, profile_of(profile), 0, &g.arena);
		check_both_ways(&g, m, version, message);
		golden_deinit(&g);
		n_lines++;
	}
	assert_int_equal(n_lines, expected);
	fclose(file);
}

static void bytes_are_those_of_the_java_client(void **state)
{
	(void)state;
	for (const kp_wire_message *const *m = kp_wire_messages; *m; m++)
		check_file(*m);
}

static void check_hand(const kp_wire_message *m, int version, const void *message, const char *hex)
{
	golden g;
	golden_init(&g);
	append_hex(&g.bytes, hex);
	check_both_ways(&g, m, version, message);
	golden_deinit(&g);
}

static void api_versions_request_by_hand(void **state)
{
	(void)state;
	kp_api_versions_request r = {kp_slice_cstr("kproducer"), kp_slice_cstr("0.1")};
	check_hand(&kp_api_versions_request_message, 0, &r, "");
	const char *flexible = "0a 6b70726f6475636572" /* compact string: 9 + 1 */
			       "04 302e31"
			       "00"; /* no tagged fields */
	check_hand(&kp_api_versions_request_message, 3, &r, flexible);
	check_hand(&kp_api_versions_request_message, 4, &r, flexible);
}

static void api_versions_response_by_hand(void **state)
{
	(void)state;
	kp_api_versions_response_api api = {.api_key = 18, .min_version = 0, .max_version = 4};
	kp_api_versions_response_finalized_feature feature = {kp_slice_cstr("transaction.version"), 2, 2};
	kp_api_versions_response r;
	kp_wire_init(&kp_api_versions_response_schema, &r, 1);
	r.error_code = 35;
	r.api_keys.items = &api;
	r.api_keys.n = 1;
	check_hand(&kp_api_versions_response_message, 0, &r, "0023 00000001 0012 0000 0004");
	r.finalized_features_epoch = 5;
	r.finalized_features.items = &feature;
	r.finalized_features.n = 1;
	const char *flexible = "0023"
			       "02 0012 0000 0004 00" /* one API, its tagged fields */
			       "00000000"             /* throttle time */
			       "02"                   /* two tagged fields */
			       "01 08 0000000000000005"
			       "02 1a 02 14 7472616e73616374696f6e2e76657273696f6e 0002 0002 00";
	check_hand(&kp_api_versions_response_message, 3, &r, flexible);
	check_hand(&kp_api_versions_response_message, 4, &r, flexible);
}

static void metadata_request_by_hand(void **state)
{
	(void)state;
	kp_metadata_request_topic topic = {.name = kp_slice_cstr("orders")};
	kp_metadata_request r;
	kp_wire_init(&kp_metadata_request_schema, &r, 1);
	r.topics.n = -1;
	check_hand(&kp_metadata_request_message, 1, &r, "ffffffff");
	check_hand(&kp_metadata_request_message, 12, &r, "00 01 00 00");
	r.topics.items = &topic;
	r.topics.n = 1;
	check_hand(&kp_metadata_request_message, 1, &r, "00000001 0006 6f7264657273");
	check_hand(&kp_metadata_request_message, 12, &r,
	           "02 00000000000000000000000000000000 07 6f7264657273 00"
	           "01" /* allow_auto_topic_creation */
	           "00 00");
}

static void produce_request_by_hand(void **state)
{
	(void)state;
	kp_produce_request_partition partition = {.index = 7, .records = kp_slice_of("\xab\xcd\xef", 3)};
	kp_produce_request_topic topic = {.name = kp_slice_cstr("t"), .partition_data = {&partition, 1}};
	kp_produce_request r = {.acks = -1, .timeout_ms = 30000, .topic_data = {&topic, 1}};
	check_hand(&kp_produce_request_message, 3, &r,
	           "ffff ffff 00007530" /* no transactional id, acks, timeout */
	           "00000001 0001 74"
	           "00000001 00000007 00000003 abcdef");
	check_hand(&kp_produce_request_message, 9, &r,
	           "00 ffff 00007530"
	           "02 02 74"
	           "02 00000007 04 abcdef 00" /* a partition ends with its tagged fields, */
	           "00"                       /* so does the topic, */
	           "00");                     /* and the request */
	for (int i = 0; i < 16; i++)
		topic.topic_id.bytes[i] = (uint8_t)i;
	check_hand(&kp_produce_request_message, 13, &r,
	           "00 ffff 00007530"
	           "02 000102030405060708090a0b0c0d0e0f"
	           "02 00000007 04 abcdef 00 00 00");
}

static void produce_response_by_hand(void **state)
{
	(void)state;
	kp_produce_response_partition partition;
	kp_wire_init(&kp_produce_response_partition_schema, &partition, 1);
	partition.error_code = 6;
	partition.base_offset = -1;
	kp_produce_response_topic topic = {.name = kp_slice_cstr("t"), .partition_responses = {&partition, 1}};
	kp_produce_response r = {.responses = {&topic, 1}};
	check_hand(&kp_produce_response_message, 3, &r,
	           "00000001 0001 74"
	           "00000001 00000000 0006 ffffffffffffffff ffffffffffffffff"
	           "00000000");
	partition.current_leader = (kp_produce_response_leader){2, 9};
	kp_produce_response_node node = {2, kp_slice_cstr("b2"), 9092, kp_slice_null()};
	r.node_endpoints.items = &node;
	r.node_endpoints.n = 1;
	check_hand(&kp_produce_response_message, 10, &r,
	           "02 02 74"
	           "02 00000000 0006 ffffffffffffffff ffffffffffffffff ffffffffffffffff"
	           "01 00"                         /* no record errors, no error message */
	           "01 00 09 00000002 00000009 00" /* CurrentLeader */
	           "00"
	           "00000000"
	           "01 00 0e 02 00000002 03 6232 00002384 00 00"); /* NodeEndpoints */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_those_of_the_java_client),
		cmocka_unit_test(api_versions_request_by_hand),
		cmocka_unit_test(api_versions_response_by_hand),
		cmocka_unit_test(metadata_request_by_hand),
		cmocka_unit_test(produce_request_by_hand),
		cmocka_unit_test(produce_response_by_hand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
