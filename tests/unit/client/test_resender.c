/*
 * test_resender.c - failed records are sent again: how often, when, as what; and what is refused, bounded, told in the end.
 */
#include "fixture.h"

#include "devbroker/core.h"
#include "record/batch.h"
#include "record/record.h"

static kp_producer *producer(void)
{
	return producer_with_failures(broker_servers(the_broker), NULL, PAIRS("delivery.reports", "none", "linger.ms", "0"));
}

static kp_resender *resender(kp_producer *p, int max_attempts, int flags, const char *count_header)
{
	char err[256] = "";
	kp_resend_options o = KP_RESEND_OPTIONS_INIT;
	o.max_attempts = max_attempts;
	o.delay_ms = 1;
	o.delay_max_ms = 4;
	o.flags = flags;
	o.count_header = count_header;
	kp_resender *r = kp_resender_new(p, &o, err, sizeof(err));
	if (!r)
		fail_msg("%s", err);
	return r;
}

static void refuse(int error, int times)
{
	broker_inject(the_broker, 0, (int16_t)error, times);
}

/* Send one record and take its failure. */
static kp_report fail_one(kp_producer *p, const char *topic, const kp_record *record)
{
	kp_report out = {.struct_size = sizeof(out)};
	assert_int_equal(kp_send(kp_topic_open(p, topic), record), 0);
	assert_int_equal(kp_failures_poll(p, &out, 1, PATIENCE_MS), 1);
	return out;
}

static kp_report end_of(kp_resender *r)
{
	kp_report out = {.struct_size = sizeof(out)};
	assert_int_equal(kp_resender_poll(r, &out, 1, PATIENCE_MS), 1);
	return out;
}

static void end(kp_producer *p, kp_resender *r)
{
	kp_report out = {.struct_size = sizeof(out)};
	assert_int_equal(kp_resender_pending(r), 0);
	assert_int_equal(kp_failures_poll(p, &out, 1, 0), 0);
	kp_resender_free(r);
	close_and_free(p);
}

/* ------------------------------------------------------------------ what stands in the log */

typedef struct stored {
	const char *topic;
	int partition;
	char text[1024]; /* timestamp key=value name=value... of every record, a line each */
} stored;

static void add(char *text, const char *format, kp_slice s)
{
	size_t len = strlen(text);
	snprintf(text + len, 1024 - len, format, s.ptr ? (int)s.len : 4, s.ptr ? (const char *)s.ptr : "null");
}

static void add_record(stored *s, const kp_record_view *v, int64_t base_timestamp)
{
	kp_slice rest = v->headers;
	kp_record_header h;
	size_t len = strlen(s->text);
	snprintf(s->text + len, sizeof(s->text) - len, "%lld ", (long long)(base_timestamp + v->timestamp_delta));
	add(s->text, "%.*s=", v->key);
	add(s->text, "%.*s", v->value);
	for (int32_t i = 0; i < v->n_headers && kp_record_header_next(&rest, &h) == 0; i++) {
		add(s->text, " %.*s", h.name);
		add(s->text, "=%.*s", h.value);
	}
	add(s->text, "%.*s", kp_slice_cstr("\n"));
}

static void walk(kp_db *db, void *arg)
{
	stored *s = arg;
	kp_slice batch, records;
	kp_batch_header h;
	kp_buf raw;
	kp_buf_init(&raw, 0);
	int64_t at = 0;
	while (kp_db_log_walk(db, s->topic, s->partition, &at, &batch)) {
		kp_record_view v;
		if (kp_batch_header_load(batch, &h) || kp_batch_records(batch, &raw, &records))
			break;
		const uint8_t *p = records.ptr, *past = records.ptr + records.len;
		while (p < past && kp_record_load(&p, past, &v) == 0)
			add_record(s, &v, h.base_timestamp);
	}
	kp_buf_deinit(&raw);
}

static void assert_log(const char *topic, int partition, const char *expected)
{
	stored s = {.topic = topic, .partition = partition};
	broker_do(the_broker, walk, &s);
	assert_string_equal(s.text, expected);
}

/* ------------------------------------------------------------------ sent again */

static void a_refused_record_is_sent_again_as_it_was(void **state)
{
	int tag;
	kp_header h[2] = {{"h", "1", 1}, {"empty", NULL, 0}};
	(void)state;
	kp_producer *p = producer();
	kp_resender *r = resender(p, 3, 0, NULL);
	kp_record record = record_of("k", "v");
	record.headers = h;
	record.n_headers = 2;
	record.timestamp_ms = 1234;
	record.partition = 1;
	record.opaque = &tag;
	refuse(KP_ERR_TOPIC_AUTHORIZATION_FAILED, 3);
	kp_report failed = fail_one(p, "again", &record);
	assert_int_equal(kp_resender_offer(r, &failed), 0);
	assert_int_equal(kp_resender_pending(r), 1);
	kp_report out = end_of(r);
	assert_int_equal(out.outcome, KP_PERSISTED);
	assert_int_equal(out.error, 0);
	assert_int_equal(out.offset, 0);
	assert_int_equal(out.partition, 1);
	assert_int_equal(out.attempts, 4);
	assert_int_equal(out.resends, 3);
	assert_ptr_equal(out.opaque, &tag);
	assert_string_equal(out.topic, "again");
	assert_log("again", 1, "1234 k=v h=1 empty=null\n");
	end(p, r);
}

static void the_count_replaces_the_header_of_its_name(void **state)
{
	kp_header h[3] = {{"retry_count", "seven", 5}, {"h", "1", 1}, {"retry_count", "8", 1}};
	(void)state;
	kp_producer *p = producer();
	kp_resender *r = resender(p, 3, 0, "retry_count");
	kp_record record = record_of("k", "v");
	record.timestamp_ms = 1;
	record.partition = 0;
	for (int n = 0; n < 2; n++) {
		record.headers = n ? h : NULL;
		record.n_headers = n ? 3 : 0;
		refuse(KP_ERR_TOPIC_AUTHORIZATION_FAILED, n ? 1 : 3);
		kp_report failed = fail_one(p, "count", &record);
		assert_int_equal(kp_resender_offer(r, &failed), 0);
		kp_report out = end_of(r);
		assert_int_equal(out.outcome, KP_PERSISTED);
		assert_int_equal(out.n_headers, record.n_headers); /* the report's are the record's own */
	}
	assert_log("count", 0, "1 k=v retry_count=3\n1 k=v retry_count=1 h=1\n");
	end(p, r);
}

static void attempts_come_to_an_end_and_the_record_back(void **state)
{
	kp_header h = {"h", "1", 1};
	int tag;
	(void)state;
	kp_producer *p = producer();
	kp_resender *r = resender(p, 2, 0, "n");
	kp_record record = record_of("key", "value");
	record.headers = &h;
	record.n_headers = 1;
	record.timestamp_ms = 99;
	record.opaque = &tag;
	refuse(KP_ERR_TOPIC_AUTHORIZATION_FAILED, 3);
	kp_report failed = fail_one(p, "ends", &record);
	assert_int_equal(kp_resender_offer(r, &failed), 0);
	kp_report out = end_of(r);
	assert_int_equal(out.outcome, KP_NOT_PERSISTED);
	assert_int_equal(out.error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(out.last_error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(out.attempts, 3);
	assert_int_equal(out.resends, 2);
	assert_int_equal(out.node_id, 1);
	assert_int_equal(out.timestamp_ms, 99);
	assert_ptr_equal(out.opaque, &tag);
	assert_memory_equal(out.key, "key", 3);
	assert_memory_equal(out.value, "value", 5);
	assert_int_equal(out.n_headers, 1);
	assert_string_equal(out.headers[0].name, "h");
	assert_int_equal(broker_count(the_broker, "ends"), 0);
	end(p, r);
}

static void the_delay_doubles(void **state)
{
	kp_resend_options o = KP_RESEND_OPTIONS_INIT;
	kp_record record = record_of("k", "v");
	(void)state;
	kp_producer *p = producer();
	o.delay_ms = 20;
	o.delay_max_ms = 40;
	kp_resender *r = kp_resender_new(p, &o, NULL, 0);
	refuse(KP_ERR_TOPIC_AUTHORIZATION_FAILED, 4);
	kp_report failed = fail_one(p, "delay", &record);
	int64_t start_ms = now_ms();
	assert_int_equal(kp_resender_offer(r, &failed), 0);
	(void)end_of(r);
	assert_on_time(start_ms, 20 + 40 + 40);
	end(p, r);
}

static void what_is_sent_again_comes_behind_what_was_sent_meanwhile(void **state)
{
	(void)state;
	kp_producer *p = producer();
	kp_resender *r = resender(p, 1, 0, NULL);
	kp_record record = record_of("k", "first");
	record.partition = 0;
	record.timestamp_ms = 1;
	refuse(KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
	kp_report failed = fail_one(p, "order", &record);
	record.value = "second";
	record.value_len = 6;
	assert_int_equal(kp_resender_offer(r, &failed), 0);
	assert_int_equal(kp_send_sync(kp_topic_open(p, "order"), &record, PATIENCE_MS, NULL), 0);
	(void)end_of(r);
	assert_log("order", 0, "1 k=second\n1 k=first\n");
	end(p, r);
}

/* ------------------------------------------------------------------ refused */

static void what_would_fail_again_or_double_is_refused(void **state)
{
	(void)state;
	kp_producer *p = producer();
	kp_resender *careful = resender(p, 3, 0, NULL), *bold = resender(p, 3, KP_RESEND_UNKNOWN, NULL);
	kp_report ended = {.struct_size = sizeof(ended), .topic = "t", .partition = 0, .timestamp_ms = 1};
	struct {
		kp_outcome outcome;
		int error, flags, careful, bold;
	} rows[] = {
		{KP_PERSISTED, 0, 0, KP_ERR_BAD_ARGUMENT, KP_ERR_BAD_ARGUMENT},
		{KP_UNKNOWN, 0, 0, KP_ERR_BAD_ARGUMENT, KP_ERR_BAD_ARGUMENT},
		{KP_NOT_PERSISTED, KP_ERR_MESSAGE_TOO_LARGE, 0, KP_ERR_NOT_RETRIABLE, KP_ERR_NOT_RETRIABLE},
		{KP_NOT_PERSISTED, KP_ERR_PURGED, 0, KP_ERR_NOT_RETRIABLE, KP_ERR_NOT_RETRIABLE},
		{KP_UNKNOWN, KP_ERR_PURGED, 0, KP_ERR_MAY_DOUBLE, KP_ERR_NOT_RETRIABLE},
		{KP_UNKNOWN, KP_ERR_DELIVERY_TIMEOUT, 0, KP_ERR_MAY_DOUBLE, 0},
		{KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT, KP_REPORT_NO_CONTENT, KP_ERR_NO_MEMORY, KP_ERR_NO_MEMORY},
	};
	for (size_t i = 0; i < KP_ARRAY_LEN(rows); i++) {
		ended.outcome = rows[i].outcome;
		ended.error = rows[i].error;
		ended.flags = (uint16_t)rows[i].flags;
		assert_int_equal(kp_resender_offer(careful, &ended), rows[i].careful);
		assert_int_equal(kp_resender_offer(bold, &ended), rows[i].bold);
	}
	assert_int_equal(kp_resender_offer(careful, NULL), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_resender_pending(careful), 0);
	assert_int_equal(kp_resender_pending(bold), 1);
	kp_resender_free(careful);
	kp_resender_free(bold);
	close_and_free(p);
}

static void bad_options_are_named(void **state)
{
	char err[256];
	(void)state;
	kp_producer *p = producer();
	static const struct {
		int max_attempts, delay_ms, delay_max_ms, flags;
		const char *header;
		size_t max_bytes;
		const char *says;
	} rows[] = {
		{0, 1, 1, 0, NULL, 4096, "max_attempts is 0: 1 .. 1000 are allowed"},
		{1001, 1, 1, 0, NULL, 4096, "max_attempts is 1001"},
		{1, 0, 1, 0, NULL, 4096, "delay_ms is 0"},
		{1, 10, 9, 0, NULL, 4096, "delay_max_ms is 9: 10 (delay_ms) .."},
		{1, 1, 1, 2, NULL, 4096, "flags is 0x2"},
		{1, 1, 1, 0, "", 4096, "count_header is empty"},
		{1, 1, 1, 0, NULL, 1023, "max_bytes is 1023: 1024 or more"},
	};
	for (size_t i = 0; i < KP_ARRAY_LEN(rows); i++) {
		kp_resend_options o = {sizeof(o),     rows[i].max_attempts, rows[i].delay_ms, rows[i].delay_max_ms,
		                       rows[i].flags, rows[i].header,       rows[i].max_bytes};
		assert_null(kp_resender_new(p, &o, err, sizeof(err)));
		assert_non_null(strstr(err, rows[i].says));
	}
	kp_resender_free(NULL);
	close_and_free(p);
}

static void memory_is_bounded_and_comes_back(void **state)
{
	char value[200] = "";
	kp_resend_options o = KP_RESEND_OPTIONS_INIT;
	kp_report failed = {.struct_size = sizeof(failed), .topic = "bounded", .outcome = KP_NOT_PERSISTED};
	kp_report out[16] = {{.struct_size = sizeof(kp_report)}};
	size_t n = 0, ended = 0, got;
	int err;
	(void)state;
	kp_producer *p = producer();
	o.max_bytes = 4096;
	o.delay_ms = 1;
	kp_resender *r = kp_resender_new(p, &o, NULL, 0);
	failed.error = KP_ERR_DELIVERY_TIMEOUT;
	failed.value = value;
	failed.value_len = sizeof(value);
	for (int round = 0; round < 2; round++) {
		while ((err = kp_resender_offer(r, &failed)) == 0)
			n++;
		assert_int_equal(err, KP_ERR_RESENDER_FULL);
		assert_in_range(n, 3 * (round + 1), 20 * (round + 1));
		while (kp_resender_pending(r) && (got = kp_resender_poll(r, out, 16, PATIENCE_MS)))
			ended += got;
		assert_int_equal(kp_resender_poll(r, out, 16, 0), 0);
		assert_int_equal(ended, n);
	}
	assert_int_equal(broker_count(the_broker, "bounded"), (int64_t)n);
	end(p, r);
}

/* ------------------------------------------------------------------ unknown */

/* An attempt that ended unknown stays in doubt, whatever a later one says. */
static void a_doubt_stays(void **state)
{
	kp_record record = record_of("k", "v");
	(void)state;
	kp_producer *p = producer();
	kp_resender *r = resender(p, 2, KP_RESEND_UNKNOWN, NULL);
	kp_report failed = {.struct_size = sizeof(failed), .topic = "doubt", .outcome = KP_UNKNOWN, .attempts = 5};
	failed.error = KP_ERR_DELIVERY_TIMEOUT;
	failed.value = record.value;
	failed.value_len = 1;
	refuse(KP_ERR_TOPIC_AUTHORIZATION_FAILED, 2);
	assert_int_equal(kp_resender_offer(r, &failed), 0);
	kp_report out = end_of(r);
	assert_int_equal(out.outcome, KP_UNKNOWN);
	assert_int_equal(out.error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(out.attempts, 7);
	assert_int_equal(out.resends, 2);
	end(p, r);
}

/* ------------------------------------------------------------------ the end */

static void after_the_close_all_of_it_comes_out(void **state)
{
	kp_report out[8] = {{.struct_size = sizeof(kp_report)}},
		  failed = {.struct_size = sizeof(failed), .topic = "close", .outcome = KP_NOT_PERSISTED};
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_with_failures(peer_servers(silent), NULL, NO_PAIRS);
	kp_resend_options o = KP_RESEND_OPTIONS_INIT;
	o.delay_ms = 1;
	kp_resender *r = kp_resender_new(p, &o, NULL, 0);
	failed.error = KP_ERR_DELIVERY_TIMEOUT;
	failed.last_error = KP_ERR_CONNECT;
	assert_int_equal(kp_resender_offer(r, &failed), 0);
	assert_int_equal(kp_resender_poll(r, out, 8, 50), 0); /* now it is under way */
	o.delay_ms = o.delay_max_ms = 86400000;
	kp_resender *slow = kp_resender_new(p, &o, NULL, 0);
	assert_int_equal(kp_resender_offer(slow, &failed), 0);
	assert_int_equal(kp_close(p, 0, NULL), KP_ERR_TIMED_OUT);
	assert_int_equal(kp_resender_offer(r, &failed), KP_ERR_CLOSED);
	assert_int_equal(kp_resender_poll(r, out, 8, KP_FOREVER), 1);
	assert_int_equal(out[0].error, KP_ERR_CLOSED);
	assert_int_equal(out[0].resends, 1);
	assert_int_equal(kp_resender_poll(slow, out, 8, KP_FOREVER), 1);
	assert_int_equal(out[0].error, KP_ERR_CLOSED);
	assert_int_equal(out[0].last_error, KP_ERR_CONNECT);
	assert_int_equal(out[0].resends, 0);
	assert_int_equal(kp_resender_poll(r, out, 8, KP_FOREVER), 0); /* nothing will come: it does not wait */
	kp_resender_free(r);
	kp_resender_free(slow);
	kp_producer_free(p);
	peer_stop(silent);
}

static void freed_with_records_under_way_it_leaves_nothing(void **state)
{
	kp_report out = {.struct_size = sizeof(out)},
		  failed = {.struct_size = sizeof(failed), .topic = "orphans", .outcome = KP_NOT_PERSISTED};
	(void)state;
	kp_producer *p = producer();
	kp_resender *r = resender(p, 3, 0, NULL);
	failed.error = KP_ERR_DELIVERY_TIMEOUT;
	broker_hold_answers(the_broker, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(kp_resender_offer(r, &failed), 0);
	assert_int_equal(kp_resender_poll(r, &out, 1, 100), 0);
	assert_int_equal(kp_resender_offer(r, &failed), 0);
	kp_resender_free(r);
	broker_hold_answers(the_broker, false);
	close_and_free(p);
	assert_int_equal(broker_count(the_broker, "orphans"), 3);
}

/* ------------------------------------------------------------------ from a callback, with threads */

typedef struct offerer {
	kp_resender *resender;
	_Atomic size_t n_persisted, n_offered, n_refused;
} offerer;

static void offer_failures(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	offerer *o = opaque;
	(void)p;
	for (size_t i = 0; i < n; i++) {
		const kp_report *r = kp_report_at(reports, i);
		if (r->outcome == KP_PERSISTED)
			o->n_persisted++;
		else if (kp_resender_offer(o->resender, r) == 0)
			o->n_offered++;
		else
			o->n_refused++;
	}
}

static void *send_all(void *opaque)
{
	kp_record r = record_of("k", "a value of some length, that is not too long");
	for (int i = 0; i < 500; i++)
		if (kp_send(opaque, &r))
			return opaque;
	return NULL;
}

static void records_from_many_threads_are_offered_in_the_callback_and_each_ends_once(void **state)
{
	enum { THREADS = 4, N = THREADS * 500 };
	pthread_t threads[THREADS];
	kp_report out[16] = {{.struct_size = sizeof(kp_report)}};
	offerer o = {0};
	size_t n_ended = 0, n;
	void *result;
	(void)state;
	kp_config *c = config_of(broker_servers(the_broker),
	                         PAIRS("linger.ms", "0", "batch.size", "1000", "buffer.memory", "200000"));
	kp_config_set_report_cb(c, offer_failures, &o);
	kp_producer *p = kp_producer_new(c, NULL, NULL, 0);
	kp_config_free(c);
	o.resender = resender(p, 10, 0, "n");
	refuse(KP_ERR_TOPIC_AUTHORIZATION_FAILED, 10);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_all, kp_topic_open(p, "many")), 0);
	int64_t until_ms = now_ms() + PATIENCE_MS;
	while (o.n_persisted + n_ended < N && now_ms() < until_ms) {
		n = kp_resender_poll(o.resender, out, 16, 10);
		for (size_t i = 0; i < n; i++)
			n_ended += out[i].outcome == KP_PERSISTED && out[i].resends > 0;
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		assert_null(result);
	}
	assert_int_equal(o.n_refused, 0);
	assert_true(o.n_offered > 0);
	assert_int_equal(n_ended, o.n_offered);
	assert_int_equal(kp_resender_pending(o.resender), 0);
	kp_resender_free(o.resender);
	close_and_free(p);
	assert_int_equal(broker_count(the_broker, "many"), N);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_record_is_sent_again_as_it_was),
		cmocka_unit_test(the_count_replaces_the_header_of_its_name),
		cmocka_unit_test(attempts_come_to_an_end_and_the_record_back),
		cmocka_unit_test(the_delay_doubles),
		cmocka_unit_test(what_is_sent_again_comes_behind_what_was_sent_meanwhile),
		cmocka_unit_test(what_would_fail_again_or_double_is_refused),
		cmocka_unit_test(bad_options_are_named),
		cmocka_unit_test(memory_is_bounded_and_comes_back),
		cmocka_unit_test(a_doubt_stays),
		cmocka_unit_test(after_the_close_all_of_it_comes_out),
		cmocka_unit_test(freed_with_records_under_way_it_leaves_nothing),
		cmocka_unit_test(records_from_many_threads_are_offered_in_the_callback_and_each_ends_once),
	};
	return RUN_WITH_BROKER(tests, 1, 2);
}
