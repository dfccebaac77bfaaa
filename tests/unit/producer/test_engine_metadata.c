/*
 * test_engine_metadata.c - topics that are unknown, forbidden, without a leader, late; records that waited for them.
 */
#include "engine_fixture.h"

static void engine_ends_records_of_a_topic_that_never_appears(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 1)->error = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	assert_true(fx_start(f));
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, 120 * (int64_t)FX_SECOND - 1);
	assert_int_equal(f->reports[number].n, 0);
	fx_advance(f, 1);
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(fx_report_of(f, number)->stage, KP_STAGE_NO_METADATA);
	assert_int_equal(fx_report_of(f, number)->last_error, KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(fx_report_of(f, number)->partition, -1);
	assert_int_equal(fx_report_of(f, number)->attempts, 0);
	assert_in_range(f->n_metadata, 100, 200); /* about one a second */
	fx_free(f);
}

static void engine_ends_records_in_time_when_no_metadata_comes(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 1);
	f->metadata_is_mute = true;
	assert_true(fx_start(f));
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(fx_report_of(f, number)->stage, KP_STAGE_NO_METADATA);
	fx_free(f);
}

static void engine_sends_when_the_topic_appears_late(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_topic *t = fx_add_topic(f, "events", 2);
	t->error = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	assert_true(fx_start(f));
	for (int i = 0; i < 10; i++)
		fx_send(f, "events", i % 2, NULL, 10);
	fx_advance(f, 10 * FX_SECOND);
	t->error = 0;
	fx_advance(f, 2 * FX_SECOND);
	fx_check_log(f, "events", 0, (int[]){1, 3, 5, 7, 9}, 5);
	fx_check_log(f, "events", 1, (int[]){2, 4, 6, 8, 10}, 5);
	fx_free(f);
}

static void engine_fails_only_the_topic_that_is_forbidden(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_topic *secret = fx_add_topic(f, "secret", 1);
	fx_add_topic(f, "events", 1);
	secret->error = KP_ERR_TOPIC_AUTHORIZATION_FAILED;
	assert_true(fx_start(f));
	int refused = fx_send(f, "secret", KP_PARTITION_ANY, NULL, 10);
	int fine = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, FX_SECOND);
	fx_check(f, refused, KP_NOT_PERSISTED, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(fx_report_of(f, refused)->last_error, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(fx_report_of(f, refused)->stage, KP_STAGE_NO_METADATA);
	fx_check(f, fine, KP_PERSISTED, 0);
	secret->error = 0; /* somebody repaired it: later records ask again */
	int later = fx_send(f, "secret", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, 3 * FX_SECOND);
	fx_check(f, later, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_fails_a_known_topic_that_becomes_forbidden(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	f->places[1].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	f->topics[0].error = KP_ERR_TOPIC_AUTHORIZATION_FAILED;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, number, KP_NOT_PERSISTED, KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	fx_free(f);
}

/* Records before metadata: by key, explicit, keyless; then one with headers. */
static void engine_keeps_the_order_and_partitions_of_records_that_waited(void **state)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g"};
	int next[FX_PARTITIONS] = {0};
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 2000;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 4);
	assert_true(fx_start(f));
	for (int i = 0; i < 700; i++)
		assert_true(fx_send(f, "events", i % 3 ? KP_PARTITION_ANY : i % 4, i % 3 == 1 ? keys[i % 7] : NULL,
		                    (size_t)(i % 90)) > 0);
	assert_int_equal(f->n_metadata, 0);
	fx_run(f);
	for (int i = 0; i < 300; i++) /* those behind them come behind them */
		fx_send(f, "events", i % 4, NULL, 10);
	fx_run(f);
	for (int i = 0; i < 700; i++) {
		const fx_report *r = fx_report_of(f, i + 1);
		assert_int_equal(r->outcome, KP_PERSISTED);
		if (i % 3 == 0)
			assert_int_equal(r->partition, i % 4);
		else if (i % 3 == 1)
			assert_int_equal(r->partition, kp_partitioner_by_key(kp_slice_cstr(keys[i % 7]), 4));
	}
	for (int i = 1; i <= f->n_sent; i++) {
		int32_t p = fx_report_of(f, i)->partition;
		assert_int_equal(f->topics[0].log[p][next[p]], i);
		assert_int_equal(fx_report_of(f, i)->offset, next[p]++);
	}
	assert_int_equal(fx_count(f).accepted, 1000);
	assert_int_equal(fx_count(f).persisted, 1000);
	fx_free(f);
}

static void engine_keeps_headers_and_times_of_records_that_waited(void **state)
{
	enum { N_HEADERS = 100 }; /* more than the mover keeps on its stack */
	kp_record_header headers[N_HEADERS], h;
	kp_record_view v;
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	for (int i = 0; i < N_HEADERS; i++)
		headers[i] = (kp_record_header){kp_slice_cstr("name"), i % 2 ? kp_slice_cstr("value") : kp_slice_null()};
	for (int n = 1; n <= N_HEADERS; n += 99) {
		kp_append_args a = {.partition = KP_PARTITION_ANY,
		                    .timestamp_ms = 1000 * n,
		                    .content = {.headers = headers, .n_headers = (size_t)n}};
		fx_send_args(f, "events", &a);
	}
	fx_run(f);
	const fx_part *part = &f->requests[0].parts[0];
	const uint8_t *p = part->bytes + KP_BATCH_HEADER_SIZE;
	assert_int_equal(part->header.n_records, 2);
	for (int n = 1; n <= N_HEADERS; n += 99) {
		assert_int_equal(kp_record_load(&p, part->bytes + part->len, &v), 0);
		assert_int_equal(part->header.base_timestamp + v.timestamp_delta, 1000 * n);
		assert_int_equal(v.n_headers, n);
		assert_true(kp_slice_is_null(v.key));
		for (int i = 0; i < n; i++) {
			assert_int_equal(kp_record_header_next(&v.headers, &h), 0);
			assert_true(kp_slice_equal(h.value, headers[i].value));
		}
	}
	fx_free(f);
}

static void engine_reports_a_partition_that_turns_out_unknown(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 2);
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_send(f, "events", 7, NULL, 10);
	fx_send(f, "events", 1, NULL, 10);
	fx_send(f, "events", -5, NULL, 10);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_check(f, 2, KP_NOT_PERSISTED, KP_ERR_UNKNOWN_PARTITION);
	fx_check(f, 3, KP_PERSISTED, 0);
	fx_check(f, 4, KP_NOT_PERSISTED, KP_ERR_UNKNOWN_PARTITION);
	assert_int_equal(fx_report_of(f, 2)->stage, KP_STAGE_NO_METADATA);
	assert_int_equal(fx_count(f).not_persisted, 2);
	fx_free(f);
}

/* Their times may lie far apart; what is moved and what is not must keep its own content. */
static void engine_reports_unknown_partitions_with_what_was_sent(void **state)
{
	static const int64_t times[] = {5, INT64_MAX, 5, INT64_MAX, 7};
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 2);
	f->hold_ended = true;
	assert_true(fx_start(f));
	for (int i = 0; i < 40; i++) {
		char value[120];
		memset(value, 'a' + i % 26, sizeof(value));
		memcpy(value, "0       ", 8);
		kp_append_args a = {
			.partition = i % 2 ? 1 : 50, .timestamp_ms = times[i % 5], .content = {.value = kp_slice_of(value, 120)}};
		fx_send_args(f, "events", &a);
	}
	fx_run(f);
	int n_rejected = 0;
	for (kp_batch *b; (b = kp_engine_next_ended(f->engine)); kp_engine_release(f->engine, b)) {
		const kp_entry *en = b->entries;
		for (int i = 0; i < b->n_entries; i++, en++) {
			int number = (int)(intptr_t)en->opaque;
			f->reports[number].n++;
			assert_int_equal(b->outcome, number % 2 ? KP_NOT_PERSISTED : KP_PERSISTED);
			if (b->outcome == KP_PERSISTED)
				continue;
			const uint8_t *p = b->data + KP_BATCH_HEADER_SIZE + (en->place & KP_ENTRY_PLACE);
			kp_record_view v;
			assert_int_equal(b->error, KP_ERR_UNKNOWN_PARTITION);
			assert_int_equal(kp_record_load(&p, b->data + b->len, &v), 0);
			assert_int_equal(v.value.ptr[100], 'a' + (number - 1) % 26);
			assert_int_equal(b->base_timestamp_ms + en->timestamp_delta, times[(number - 1) % 5]);
			n_rejected++;
		}
	}
	assert_int_equal(n_rejected, 20);
	fx_free(f);
}

/* Waiting records may fill the whole budget: they move as room comes back, and later ones stay behind them. */
static void engine_moves_waiting_records_within_the_budget(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	int topic_of[1000];
	(void)state;
	kp_engine_config config = fx_config();
	config.buffer_memory = 64 << 10;
	config.batch_size = 4000;
	fx *f = fx_new(&config);
	for (int i = 0; i < 4; i++)
		fx_add_topic(f, names[i], 1);
	assert_true(fx_start(f));
	for (int i = 0; i < 4; i++)
		while (fx_send(f, names[i], 0, NULL, 500) > 0)
			topic_of[f->n_sent] = i;
	assert_true(kp_budget_free(&f->engine->shared.budget) < 4096);
	fx_turn(f);
	int64_t most = config.buffer_memory + 2 * 8192; /* the first of a topic may exceed it by a batch */
	while (f->n_sent < 500) {
		int i = f->n_sent % 4, number = fx_send(f, names[i], 0, NULL, 500);
		if (number > 0)
			topic_of[number] = i;
		assert_true(kp_budget_used(&f->engine->shared.budget) <= most);
		fx_run(f);
	}
	for (int i = 0; i < 4; i++) {
		int next = 0;
		for (int number = 1; number <= f->n_sent; number++)
			if (topic_of[number] == i)
				assert_int_equal(f->topics[i].log[0][next++], number);
	}
	fx_free(f);
}

static void engine_flush_follows_records_that_wait_for_metadata(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = 100 * (int64_t)FX_SECOND;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 4);
	f->metadata_is_mute = true;
	assert_true(fx_start(f));
	for (int32_t i = 0; i < 4; i++)
		fx_send(f, "events", i, NULL, 10);
	fx_run(f);
	uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
	fx_run(f);
	assert_false(kp_engine_flushed(f->engine, serial));
	f->hold = true;
	f->metadata_is_mute = false;
	fx_break(f, FX_NODES, KP_ERR_TRANSPORT);
	fx_advance(f, FX_SECOND);
	assert_true(fx_n_held(f) > 0);
	assert_false(kp_engine_flushed(f->engine, serial));
	while (fx_held(f, 0)) {
		fx_answer(f, fx_held(f, 0), 0);
		fx_run(f);
	}
	assert_true(kp_engine_flushed(f->engine, serial));
	kp_engine_flush_end(f->engine);
	fx_free(f);
}

static void engine_waits_for_a_leader(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_topic *t = fx_add_topic(f, "events", 2);
	t->leader[1] = -1;
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_send(f, "events", 1, NULL, 10);
	fx_advance(f, 3 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(f->reports[2].n, 0);
	assert_in_range(f->n_metadata, 4, 12);
	t->leader[1] = 2;
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, 2, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_says_that_there_was_no_leader(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 1)->leader[0] = -1;
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	assert_int_equal(fx_report_of(f, 1)->stage, KP_STAGE_NO_LEADER);
	fx_free(f);
}

/* Metadata may name a leader that its list of brokers lacks. */
static void engine_asks_with_pauses_for_a_leader_that_no_broker_describes(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_topic *t = fx_add_topic(f, "events", 1);
	t->leader[0] = 7;
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 3 * FX_SECOND);
	assert_in_range(f->n_metadata, 4, 12);
	t->leader[0] = 2;
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_takes_partitions_that_are_added(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 2);
	f->topics[0].n_partitions = 16;
	assert_int_equal(fx_send(f, "events", 15, NULL, 10), KP_ERR_UNKNOWN_PARTITION);
	fx_advance(f, 301 * (int64_t)FX_SECOND);
	int number = fx_send(f, "events", 15, NULL, 10);
	fx_advance(f, FX_SECOND);
	fx_check(f, number, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_leaves_idle_topics_out_of_the_refresh(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.metadata_max_idle_us = 400 * (int64_t)FX_SECOND;
	config.connections_max_idle_us = -1;
	fx *f = fx_new(&config);
	fx_add_topic(f, "busy", 1);
	fx_add_topic(f, "idle", 1);
	assert_true(fx_start(f));
	fx_warm(f);
	for (int i = 0; i < 8; i++) {
		fx_send(f, "busy", 0, NULL, 10);
		fx_advance(f, 100 * (int64_t)FX_SECOND);
		if (f->n_metadata == 1)
			assert_int_equal(f->n_metadata_topics, 2);
	}
	assert_int_equal(f->n_metadata, 2); /* at 300 s with both, at 600 s with one */
	assert_int_equal(f->n_metadata_topics, 1);
	int number = fx_send(f, "idle", 0, NULL, 10);
	fx_advance(f, FX_SECOND);
	fx_check(f, number, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_serves_a_topic_that_was_created_again(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	fx_topic *t = &f->topics[0];
	t->former_id = t->id;
	memset(&t->id, 0x77, sizeof(t->id));
	t->leader[0] = 2;
	t->leader_epoch[0] = 0; /* older than the former topic's */
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->last_error, KP_ERR_UNKNOWN_TOPIC_ID);
	assert_int_equal(f->requests[0].place, 1);
	assert_int_equal(f->requests[1].place, 2);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_ends_records_of_a_topic_that_never_appears),
		cmocka_unit_test(engine_ends_records_in_time_when_no_metadata_comes),
		cmocka_unit_test(engine_sends_when_the_topic_appears_late),
		cmocka_unit_test(engine_fails_only_the_topic_that_is_forbidden),
		cmocka_unit_test(engine_fails_a_known_topic_that_becomes_forbidden),
		cmocka_unit_test(engine_keeps_the_order_and_partitions_of_records_that_waited),
		cmocka_unit_test(engine_keeps_headers_and_times_of_records_that_waited),
		cmocka_unit_test(engine_reports_a_partition_that_turns_out_unknown),
		cmocka_unit_test(engine_reports_unknown_partitions_with_what_was_sent),
		cmocka_unit_test(engine_moves_waiting_records_within_the_budget),
		cmocka_unit_test(engine_flush_follows_records_that_wait_for_metadata),
		cmocka_unit_test(engine_waits_for_a_leader),
		cmocka_unit_test(engine_says_that_there_was_no_leader),
		cmocka_unit_test(engine_asks_with_pauses_for_a_leader_that_no_broker_describes),
		cmocka_unit_test(engine_takes_partitions_that_are_added),
		cmocka_unit_test(engine_leaves_idle_topics_out_of_the_refresh),
		cmocka_unit_test(engine_serves_a_topic_that_was_created_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
