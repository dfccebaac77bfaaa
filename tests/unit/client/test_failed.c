/*
 * test_failed.c - reports of records that were not persisted carry the records: key, value, headers, partition; and where they were.
 */
#include "fixture.h"

static const kp_header one_header = {"trace", "abc", 3};

static kp_record record_with_all(void)
{
	kp_record r = record_of("the key", "the value, the value, the value, the value");
	r.headers = &one_header;
	r.n_headers = 1;
	r.partition = 2;
	return r;
}

static void assert_content(const taken_report *t, int partition)
{
	assert_string_equal(t->key, "the key");
	assert_string_equal(t->value, "the value, the value, the value, the value");
	assert_string_equal(t->header_name, "trace");
	assert_string_equal(t->header_value, "abc");
	assert_int_equal(t->report.n_headers, 1);
	assert_int_equal(t->report.partition, partition);
	assert_int_equal(t->report.offset, -1);
}

static void failed_records_come_back_whole_under_every_codec(void **state)
{
	static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
	kp_record r = record_with_all();
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(codecs); i++) {
		collector c;
		collector_init(&c);
		kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL,
		                             PAIRS("compression.type", codecs[i], "linger.ms", "1000"));
		kp_topic *t = kp_topic_open(p, "codecs");
		assert_int_equal(kp_send(t, &r), 0);
		assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
		broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
		for (int k = 0; k < 200; k++)
			assert_int_equal(kp_send(t, &r), 0);
		close_and_free(p);
		assert_int_equal(c.n, 201);
		assert_null(c.reports[0].value);
		for (size_t k = 1; k < c.n; k++) {
			assert_content(&c.reports[k], 2);
			assert_int_equal(c.reports[k].report.error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
			assert_int_equal(c.reports[k].report.last_error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
			assert_int_equal(c.reports[k].report.stage, KP_STAGE_DONE);
			assert_int_equal(c.reports[k].report.attempts, 1);
			assert_int_equal(c.reports[k].report.node_id, 1);
		}
		collector_deinit(&c);
	}
}

/* Polling a compressed batch in pieces: each piece's pointers hold until the next call. */
static void failed_records_can_be_polled_piece_by_piece(void **state)
{
	kp_report out[7] = {{.struct_size = sizeof(kp_report)}};
	collector c;
	kp_record r = record_with_all();
	(void)state;
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL,
	                             PAIRS("compression.type", "zstd", "linger.ms", "1000", QUEUE_MODE, ""));
	kp_topic *t = kp_topic_open(p, "pieces");
	assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0);
	broker_inject(the_broker, 0, KP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
	for (int k = 0; k < 100; k++)
		assert_int_equal(kp_send(t, &r), 0);
	assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	for (size_t n; (n = kp_reports_poll(p, out, 7, 0));)
		for (size_t i = 0; i < n; i++)
			collector_add(&c, &out[i]);
	close_and_free(p);
	assert_int_equal(c.n, 100);
	for (size_t k = 0; k < c.n; k++)
		assert_content(&c.reports[k], 2);
	collector_deinit(&c);
}

static void null_and_empty_come_back_as_they_were(void **state)
{
	collector c;
	kp_record null_record = record_of(NULL, NULL), empty = record_of("", "");
	(void)state;
	collector_init(&c);
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_of(peer_servers(silent), &c, NULL, NO_PAIRS);
	kp_topic *t = kp_topic_open(p, "t");
	assert_int_equal(kp_send(t, &null_record), 0);
	assert_int_equal(kp_send(t, &empty), 0);
	assert_int_equal(kp_close(p, 0, NULL), KP_ERR_TIMED_OUT);
	kp_producer_free(p);
	assert_null(c.reports[0].key);
	assert_null(c.reports[0].value);
	assert_string_equal(c.reports[1].key, "");
	assert_string_equal(c.reports[1].value, "");
	collector_deinit(&c);
	peer_stop(silent);
}

static void records_that_never_got_metadata_say_so(void **state)
{
	collector c;
	kp_record r = record_with_all(), any = record_with_all();
	(void)state;
	any.partition = KP_PARTITION_ANY;
	any.opaque = &any;
	collector_init(&c);
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_of(peer_servers(silent), &c, NULL,
	                             PAIRS("delivery.timeout.ms", "100", "request.timeout.ms", "50", "linger.ms", "0"));
	kp_topic *t = kp_topic_open(p, "t");
	assert_int_equal(kp_send(t, &r), 0);
	assert_int_equal(kp_send(t, &any), 0);
	assert_true(collector_wait(&c, 2));
	assert_content(&c.reports[0], 2); /* the partition that was asked for */
	assert_content(&c.reports[1], -1);
	assert_ptr_equal(c.reports[1].report.opaque, &any);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(c.reports[i].report.error, KP_ERR_DELIVERY_TIMEOUT);
		assert_int_equal(c.reports[i].report.outcome, KP_NOT_PERSISTED);
		assert_int_equal(c.reports[i].report.stage, KP_STAGE_NO_METADATA);
		assert_int_equal(c.reports[i].report.attempts, 0);
		assert_int_equal(c.reports[i].report.node_id, -1);
	}
	close_and_free(p);
	collector_deinit(&c);
	peer_stop(silent);
}

static void records_in_flight_end_unknown(void **state)
{
	collector c;
	kp_record r = record_with_all();
	(void)state;
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL,
	                             PAIRS("delivery.timeout.ms", "300", "request.timeout.ms", "250", "linger.ms", "0"));
	kp_topic *t = kp_topic_open(p, "in-flight");
	assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0);
	broker_hold_answers(the_broker, true);
	assert_int_equal(kp_send(t, &r), 0);
	assert_true(collector_wait(&c, 1));
	assert_int_equal(c.reports[0].report.error, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(c.reports[0].report.outcome, KP_UNKNOWN);
	assert_true(c.reports[0].report.attempts >= 1);
	assert_content(&c.reports[0], 2);
	broker_hold_answers(the_broker, false);
	close_and_free(p);
	collector_deinit(&c);
}

/* ------------------------------------------------------------------ purge */

static bool has_sent(void *arg)
{
	return counters_of(arg).requests >= 2;
}

static void purge_ends_what_it_is_told_to(void **state)
{
	collector c;
	kp_record r = record_with_all();
	(void)state;
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(the_broker), &c, NULL,
	                             PAIRS("linger.ms", "0", "max.in.flight.requests.per.connection", "1"));
	kp_topic *t = kp_topic_open(p, "purge");
	assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0);
	broker_hold_answers(the_broker, true);
	assert_int_equal(kp_send(t, &r), 0);
	assert_true(eventually(has_sent, p));
	assert_int_equal(kp_send(t, &r), 0); /* waits behind it */
	assert_int_equal(kp_purge(p, KP_PURGE_QUEUED), 0);
	assert_true(collector_wait(&c, 1));
	assert_int_equal(c.reports[0].report.error, KP_ERR_PURGED);
	assert_int_equal(c.reports[0].report.outcome, KP_NOT_PERSISTED);
	assert_int_equal(c.reports[0].report.stage, KP_STAGE_QUEUED);
	assert_content(&c.reports[0], 2);
	assert_int_equal(kp_purge(p, KP_PURGE_IN_FLIGHT), 0);
	assert_true(collector_wait(&c, 2));
	assert_int_equal(c.reports[1].report.error, KP_ERR_PURGED);
	assert_int_equal(c.reports[1].report.outcome, KP_UNKNOWN);
	assert_int_equal(c.reports[1].report.stage, KP_STAGE_IN_FLIGHT);
	assert_content(&c.reports[1], 2);
	broker_hold_answers(the_broker, false);
	assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0); /* the partition goes on */
	close_and_free(p);
	assert_int_equal(c.n, 2);
	collector_deinit(&c);
}

static void purge_refuses_what_it_does_not_know(void **state)
{
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	assert_int_equal(kp_purge(p, 0), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_purge(p, 4), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_purge(p, KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT), 0);
	close_and_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failed_records_come_back_whole_under_every_codec),
		cmocka_unit_test(failed_records_can_be_polled_piece_by_piece),
		cmocka_unit_test(null_and_empty_come_back_as_they_were),
		cmocka_unit_test(records_that_never_got_metadata_say_so),
		cmocka_unit_test(records_in_flight_end_unknown),
		cmocka_unit_test(purge_ends_what_it_is_told_to),
		cmocka_unit_test(purge_refuses_what_it_does_not_know),
	};
	return RUN_WITH_BROKER(tests, 1, 3);
}
