/*
 * test_send.c - handing records over: kp_send, kp_try_send, kp_send_many, kp_send_sync, and what their reports say.
 */
#include "fixture.h"

#include "record/batch.h"

static kp_producer *producer(collector *c, const char *const *pairs)
{
	collector_init(c);
	return producer_of(broker_servers(the_broker), c, NULL, pairs);
}

static void assert_persisted(const kp_report *r)
{
	assert_int_equal(r->error, 0);
	assert_int_equal(r->outcome, KP_PERSISTED);
	assert_int_equal(r->stage, KP_STAGE_DONE);
	assert_int_equal(r->node_id, 1);
	assert_int_equal(r->attempts, 1);
	assert_int_equal(r->last_error, 0);
	assert_null(r->key);
	assert_null(r->value);
	assert_null(r->headers);
	assert_null(r->message);
}

static void every_accepted_record_gets_one_report_in_order(void **state)
{
	enum { N = 1000, PARTITIONS = 3 };
	collector c;
	int64_t next_offset[PARTITIONS] = {0};
	intptr_t last[PARTITIONS] = {0};
	bool seen[N + 1] = {false};
	(void)state;
	kp_producer *p = producer(&c, PAIRS("linger.ms", "1", "batch.size", "500"));
	kp_topic *t = kp_topic_open(p, "in-order");
	for (intptr_t i = 1; i <= N; i++) {
		kp_record r = record_of(NULL, "some value");
		r.partition = (int32_t)(i % PARTITIONS);
		r.timestamp_ms = now_ms() + i;
		r.opaque = (void *)i;
		assert_int_equal(i % 2 ? kp_send(t, &r) : kp_try_send(t, &r), 0);
	}
	close_and_free(p);
	assert_int_equal(c.n, N);
	for (size_t k = 0; k < c.n; k++) {
		const kp_report *r = &c.reports[k].report;
		intptr_t i = (intptr_t)r->opaque;
		assert_persisted(r);
		assert_int_equal(r->partition, i % PARTITIONS);
		assert_int_equal(r->offset, next_offset[r->partition]++);
		assert_true(i > last[r->partition]);
		assert_false(seen[i]);
		last[r->partition] = i;
		seen[i] = true;
	}
	collector_deinit(&c);
}

static void reports_come_on_the_runtimes_thread(void **state)
{
	collector c;
	(void)state;
	kp_producer *p = producer(&c, NO_PAIRS);
	kp_record r = record_of(NULL, "v");
	assert_int_equal(kp_send(kp_topic_open(p, "thread"), &r), 0);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	assert_int_equal(c.n, 1);
	assert_false(pthread_equal(c.thread, pthread_self()));
	close_and_free(p);
	collector_deinit(&c);
}

static void a_report_gives_the_records_time(void **state)
{
	collector c;
	(void)state;
	kp_producer *p = producer(&c, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, "time");
	kp_record r = record_of(NULL, "v");
	int64_t before = kp_time_wall_ms();
	assert_int_equal(kp_send(t, &r), 0);
	r.timestamp_ms = before - 5000;
	assert_int_equal(kp_send(t, &r), 0);
	r.timestamp_ms = before - (INT64_C(40) << 30); /* further than 32 bits of milliseconds: a batch of its own */
	assert_int_equal(kp_send(t, &r), 0);
	close_and_free(p);
	for (size_t i = 0; i < 3; i++) {
		const kp_report *got = &c.reports[i].report;
		if (got->timestamp_ms > before - 4000)
			assert_in_range(got->timestamp_ms, before - 10, kp_time_wall_ms());
		else if (got->timestamp_ms != before - 5000)
			assert_int_equal(got->timestamp_ms, before - (INT64_C(40) << 30));
	}
	collector_deinit(&c);
}

/* ------------------------------------------------------------------ what arrives */

typedef struct arrived {
	const char *topic;
	int n;
	struct {
		int64_t timestamp_ms;
		bool has_key, has_value;
		char key[32], value[32], header[3][32];
		bool header_is_null[3];
		int n_headers;
	} records[8];
} arrived;

static void copy_text(char *to, kp_slice s)
{
	snprintf(to, 32, "%.*s", (int)s.len, s.ptr ? (const char *)s.ptr : "");
}

static void note_record(arrived *a, int64_t base_ms, const kp_record_view *v)
{
	kp_slice rest = v->headers;
	kp_record_header h;
	a->records[a->n].timestamp_ms = base_ms + v->timestamp_delta;
	a->records[a->n].has_key = v->key.ptr;
	a->records[a->n].has_value = v->value.ptr;
	a->records[a->n].n_headers = v->n_headers;
	copy_text(a->records[a->n].key, v->key);
	copy_text(a->records[a->n].value, v->value);
	for (int i = 0; i < v->n_headers && i < 3 && kp_record_header_next(&rest, &h) == 0; i++) {
		snprintf(a->records[a->n].header[i], 32, "%.*s=%.*s", (int)h.name.len, (const char *)h.name.ptr, (int)h.value.len,
		         h.value.ptr ? (const char *)h.value.ptr : "");
		a->records[a->n].header_is_null[i] = !h.value.ptr;
	}
	a->n++;
}

static void read_log(kp_db *db, void *arg)
{
	arrived *a = arg;
	int64_t offset = 0;
	kp_slice batch, records;
	kp_batch_header h;
	while (kp_db_log_walk(db, a->topic, 0, &offset, &batch)) {
		if (kp_batch_header_load(batch, &h) || kp_batch_records(batch, NULL, &records))
			return;
		const uint8_t *at = records.ptr;
		kp_record_view v;
		while (a->n < 8 && at < records.ptr + records.len && kp_record_load(&at, records.ptr + records.len, &v) == 0)
			note_record(a, h.base_timestamp, &v);
	}
}

static void send_keyed(kp_topic *t, const char *key, const char *value)
{
	kp_record r = record_of(key, value);
	r.partition = 0;
	assert_int_equal(kp_send(t, &r), 0);
}

static void null_and_empty_arrive_as_they_were_sent(void **state)
{
	arrived a = {.topic = "null-empty"};
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, a.topic);
	send_keyed(t, NULL, NULL);
	send_keyed(t, "", "");
	send_keyed(t, "k", "v");
	close_and_free(p);
	broker_do(the_broker, read_log, &a);
	assert_int_equal(a.n, 3);
	assert_false(a.records[0].has_key || a.records[0].has_value);
	assert_true(a.records[1].has_key && a.records[1].has_value);
	assert_string_equal(a.records[1].key, "");
	assert_string_equal(a.records[1].value, "");
	assert_string_equal(a.records[2].key, "k");
	assert_string_equal(a.records[2].value, "v");
}

static void headers_arrive_in_order(void **state)
{
	enum { MANY = 100 };
	const kp_header three[] = {{"a", "1", 1}, {"a", "", 0}, {"b", NULL, 0}};
	kp_header many[MANY];
	arrived a = {.topic = "headers"};
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, a.topic);
	kp_record r = record_of(NULL, "v");
	r.partition = 0;
	r.headers = three;
	r.n_headers = 3;
	assert_int_equal(kp_send(t, &r), 0);
	for (size_t i = 0; i < MANY; i++)
		many[i] = (kp_header){"name", "value", 5};
	r.headers = many;
	r.n_headers = MANY;
	assert_int_equal(kp_send(t, &r), 0);
	close_and_free(p);
	broker_do(the_broker, read_log, &a);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.records[0].n_headers, 3);
	assert_string_equal(a.records[0].header[0], "a=1");
	assert_string_equal(a.records[0].header[1], "a=");
	assert_string_equal(a.records[0].header[2], "b=");
	assert_false(a.records[0].header_is_null[1]);
	assert_true(a.records[0].header_is_null[2]);
	assert_int_equal(a.records[1].n_headers, MANY);
}

/* ------------------------------------------------------------------ refusals */

static void assert_refused(kp_topic *t, const kp_record *r, int error)
{
	assert_int_equal(kp_send(t, r), error);
	assert_int_equal(kp_try_send(t, r), error);
	assert_int_equal(kp_send_sync(t, r, PATIENCE_MS, NULL), error);
}

static void what_contradicts_itself_is_refused(void **state)
{
	const kp_header nameless = {NULL, "v", 1};
	collector c;
	(void)state;
	kp_producer *p = producer(&c, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, "refused");
	kp_record bad[6];
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++)
		bad[i] = record_of(NULL, "v");
	bad[0].struct_size = 8;
	bad[1].key_len = 1;
	bad[2].value = NULL;
	bad[3].n_headers = 1;
	bad[4].partition = -2;
	bad[5].headers = &nameless;
	bad[5].n_headers = 1;
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++)
		assert_refused(t, &bad[i], KP_ERR_BAD_ARGUMENT);
	bad[4].partition = KP_PARTITION_ANY;
	bad[4].timestamp_ms = -2;
	assert_refused(t, &bad[4], KP_ERR_BAD_ARGUMENT);
	assert_int_equal(counters_of(p).accepted, 0);
	close_and_free(p);
	assert_int_equal(c.n, 0);
	collector_deinit(&c);
}

static void a_record_above_max_request_size_is_refused(void **state)
{
	static char value[70000];
	collector c;
	(void)state;
	kp_producer *p = producer(&c, PAIRS("max.request.size", "66000", "batch.size", "1000"));
	kp_topic *t = kp_topic_open(p, "large");
	kp_record r = record_of(NULL, NULL);
	r.value = value;
	r.value_len = sizeof(value);
	assert_refused(t, &r, KP_ERR_RECORD_TOO_LARGE);
	r.value_len = 65000; /* above batch.size: it travels alone */
	assert_int_equal(kp_send(t, &r), 0);
	close_and_free(p);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), 1);
	collector_deinit(&c);
}

static void an_unknown_partition_is_refused_or_reported(void **state)
{
	collector c;
	(void)state;
	kp_producer *p = producer(&c, NO_PAIRS);
	kp_topic *t;
	kp_record r = record_of("k", "v");
	r.partition = 3;
	/* while the partitions are not known (the loop may be quicker, then another topic is tried): accepted, and reported with all it had */
	char name[] = "partitions-a";
	while ((t = kp_topic_open(p, name)) && kp_send(t, &r) == KP_ERR_UNKNOWN_PARTITION)
		assert_true(++name[sizeof(name) - 2] <= 'z');
	assert_true(collector_wait(&c, 1));
	assert_int_equal(c.reports[0].report.error, KP_ERR_UNKNOWN_PARTITION);
	assert_int_equal(c.reports[0].report.outcome, KP_NOT_PERSISTED);
	assert_int_equal(c.reports[0].report.partition, 3);
	assert_string_equal(c.reports[0].key, "k");
	assert_string_equal(c.reports[0].value, "v");
	assert_refused(t, &r, KP_ERR_UNKNOWN_PARTITION);
	close_and_free(p);
	collector_deinit(&c);
}

static void a_topics_handle_is_the_same_for_the_same_name(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a b", "a/b", "\xc3\xa4"};
	char name[251];
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	memset(name, 'a', sizeof(name) - 1);
	name[250] = 0;
	assert_null(kp_topic_open(p, name));
	name[249] = 0;
	assert_non_null(kp_topic_open(p, name));
	assert_null(kp_topic_open(p, NULL));
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++)
		assert_null(kp_topic_open(p, bad[i]));
	kp_topic *t = kp_topic_open(p, "a.b_c-9");
	assert_string_equal(kp_topic_name(t), "a.b_c-9");
	assert_ptr_equal(t, kp_topic_open(p, "a.b_c-9"));
	close_and_free(p);
}

/* ------------------------------------------------------------------ many, sync */

static void send_many_takes_all_up_to_the_first_bad_one(void **state)
{
	collector c;
	kp_record r[5];
	int error = -1;
	(void)state;
	kp_producer *p = producer(&c, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, "many");
	for (size_t i = 0; i < 5; i++)
		r[i] = record_of(NULL, "v");
	assert_int_equal(kp_send_many(t, r, 5, &error), 5);
	assert_int_equal(error, 0);
	r[3].partition = -7;
	assert_int_equal(kp_send_many(t, r, 5, &error), 3);
	assert_int_equal(error, KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_send_many(t, r, 5, NULL), 3);
	assert_int_equal(kp_send_many(t, NULL, 0, &error), 0);
	assert_int_equal(error, 0);
	close_and_free(p);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), 11);
	collector_deinit(&c);
}

static void send_sync_waits_for_the_records_own_end(void **state)
{
	collector c;
	kp_report out = {.struct_size = sizeof(out)};
	int mark;
	(void)state;
	kp_producer *p = producer(&c, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, "sync");
	kp_record r = record_of("k", "v");
	r.opaque = &mark;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, &out), 0);
		assert_persisted(&out);
		assert_int_equal(out.struct_size, sizeof(out));
		assert_int_equal(out.offset, i);
		assert_ptr_equal(out.opaque, &mark);
		assert_string_equal(out.topic, "sync");
	}
	assert_int_equal(kp_send_sync(t, &r, KP_FOREVER, NULL), 0);
	close_and_free(p);
	assert_int_equal(c.n, 0); /* it was told already */
	collector_deinit(&c);
}

static void send_sync_gives_the_error_of_a_failed_record(void **state)
{
	collector c;
	kp_report out = {.struct_size = sizeof(out)};
	int mark;
	(void)state;
	kp_producer *p = producer(&c, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, "sync-error");
	kp_record r = record_of("k", "v");
	r.opaque = &mark;
	assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0);
	broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
	assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, &out), KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(out.error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(out.outcome, KP_NOT_PERSISTED);
	assert_ptr_equal(out.opaque, &mark);
	assert_null(out.value);
	close_and_free(p);
	collector_deinit(&c);
}

static void send_sync_gives_up_in_time_and_the_record_goes_on(void **state)
{
	collector c;
	(void)state;
	kp_producer *p = producer(&c, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, "sync-late");
	kp_record r = record_of(NULL, "v");
	broker_hold_answers(the_broker, true);
	int64_t start_ms = now_ms();
	assert_int_equal(kp_send_sync(t, &r, 100, NULL), KP_ERR_TIMED_OUT);
	assert_on_time(start_ms, 100);
	broker_hold_answers(the_broker, false);
	close_and_free(p);
	assert_int_equal(broker_count(the_broker, "sync-late"), 1);
	assert_int_equal(c.n, 0);
	collector_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_accepted_record_gets_one_report_in_order),
		cmocka_unit_test(reports_come_on_the_runtimes_thread),
		cmocka_unit_test(a_report_gives_the_records_time),
		cmocka_unit_test(null_and_empty_arrive_as_they_were_sent),
		cmocka_unit_test(headers_arrive_in_order),
		cmocka_unit_test(what_contradicts_itself_is_refused),
		cmocka_unit_test(a_record_above_max_request_size_is_refused),
		cmocka_unit_test(an_unknown_partition_is_refused_or_reported),
		cmocka_unit_test(a_topics_handle_is_the_same_for_the_same_name),
		cmocka_unit_test(send_many_takes_all_up_to_the_first_bad_one),
		cmocka_unit_test(send_sync_waits_for_the_records_own_end),
		cmocka_unit_test(send_sync_gives_the_error_of_a_failed_record),
		cmocka_unit_test(send_sync_gives_up_in_time_and_the_record_goes_on),
	};
	return RUN_WITH_BROKER(tests, 1, 3);
}
