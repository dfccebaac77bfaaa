/*
 * test_engine_ends.c - purge, drop-oldest, the end of everything, calls of the client, counters.
 */
#include "engine_fixture.h"
#include "wire/messages.h"
#include "wire/msg_describe_cluster.h"

/* Two records in flight, one that waits to be sent again, one queued behind it. */
static fx *mixed(void)
{
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 2);
	f->hold = true;
	fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	fx_send(f, "events", 1, NULL, 900);
	fx_run(f);
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_ENOUGH_REPLICAS);
	fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(fx_n_held(f), 1);
	return f;
}

static void engine_purges_what_is_queued(void **state)
{
	(void)state;
	fx *f = mixed();
	kp_engine_purge(f->engine, KP_PURGE_QUEUED, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_PURGED); /* every attempt was refused for sure */
	fx_check(f, 3, KP_NOT_PERSISTED, KP_ERR_PURGED);
	assert_int_equal(fx_report_of(f, 3)->stage, KP_STAGE_QUEUED);
	assert_int_equal(fx_report_of(f, 3)->attempts, 0);
	assert_int_equal(f->reports[2].n, 0);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 2, KP_PERSISTED, 0);
	int next = fx_send(f, "events", 0, NULL, 10); /* no gap is left */
	fx_advance(f, FX_SECOND);
	assert_int_equal(fx_held(f, 0)->parts[0].header.base_sequence, 1);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, next, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_purges_what_is_in_flight(void **state)
{
	(void)state;
	fx *f = mixed();
	kp_engine_purge(f->engine, KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	fx_check(f, 2, KP_UNKNOWN, KP_ERR_PURGED);
	assert_int_equal(fx_report_of(f, 2)->stage, KP_STAGE_IN_FLIGHT);
	assert_int_equal(f->reports[1].n + f->reports[3].n, 0);
	fx_answer(f, fx_held(f, 0), 0);
	for (int i = 0; i < 2; i++) {
		fx_advance(f, FX_SECOND);
		fx_answer(f, fx_held(f, 0), 0);
	}
	fx_run(f);
	fx_check_log(f, "events", 0, (int[]){1, 3}, 2);
	fx_free(f);
}

static void engine_purges_records_that_wait_for_metadata(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	assert_true(fx_start(f));
	fx_send(f, "nowhere", KP_PARTITION_ANY, NULL, 10);
	fx_run(f);
	kp_engine_purge(f->engine, KP_PURGE_QUEUED, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_PURGED);
	assert_int_equal(fx_report_of(f, 1)->stage, KP_STAGE_NO_METADATA);
	fx_free(f);
}

static void engine_purge_may_be_called_at_any_time(void **state)
{
	(void)state;
	fx *f = mixed();
	for (int i = 0; i < 3; i++)
		kp_engine_purge(f->engine, KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	for (int i = 1; i <= 3; i++)
		fx_check(f, i, i == 2 ? KP_UNKNOWN : KP_NOT_PERSISTED, KP_ERR_PURGED);
	fx_free(f);
}

static void engine_drops_the_oldest_that_was_never_sent(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.batch_size = 1000;
	config.linger_us = 100 * (int64_t)FX_SECOND;
	fx *f = fx_with_topic(&config, 2);
	f->places[1].is_silent = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	for (int i = 0; i < 3; i++) {
		fx_send(f, "events", i % 2, NULL, 900);
		f->now_us += FX_MS;
	}
	for (int i = 1; i <= 3; i++) {
		assert_true(kp_engine_drop_oldest(f->engine, f->now_us));
		fx_run(f);
		fx_check(f, i, KP_NOT_PERSISTED, KP_ERR_QUEUE_EVICTED);
		assert_int_equal(f->reports[i + 1].n, 0);
	}
	assert_false(kp_engine_drop_oldest(f->engine, f->now_us));
	f->places[1].is_silent = false;
	fx_break(f, 1, KP_ERR_CONNECT);
	int next = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, config.linger_us + FX_SECOND);
	fx_check(f, next, KP_PERSISTED, 0);
	assert_int_equal(f->requests[0].parts[0].header.base_sequence, 1); /* no sequence was spent on them */
	fx_free(f);
}

static void engine_does_not_drop_what_was_sent(void **state)
{
	(void)state;
	fx *f = mixed();
	assert_true(kp_engine_drop_oldest(f->engine, f->now_us));
	assert_false(kp_engine_drop_oldest(f->engine, f->now_us));
	fx_run(f);
	fx_check(f, 3, KP_NOT_PERSISTED, KP_ERR_QUEUE_EVICTED);
	assert_int_equal(f->reports[1].n + f->reports[2].n, 0);
	fx_free(f);
}

static void engine_drops_records_that_wait_for_metadata(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	assert_true(fx_start(f));
	fx_send(f, "nowhere", KP_PARTITION_ANY, NULL, 10);
	fx_run(f);
	assert_true(kp_engine_drop_oldest(f->engine, f->now_us));
	assert_false(kp_engine_drop_oldest(f->engine, f->now_us));
	fx_take_ended(f);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_QUEUE_EVICTED);
	fx_free(f);
}

static void engine_end_ends_everything(void **state)
{
	(void)state;
	fx *f = mixed();
	fx_send(f, "nowhere", KP_PARTITION_ANY, NULL, 10);
	fx_send(f, "events", 1, NULL, 10);
	kp_engine_stop_accepting(f->engine);
	kp_engine_end_all(f->engine, KP_ERR_CLOSED, f->now_us);
	fx_take_ended(f);
	for (int i = 1; i <= 5; i++)
		fx_check(f, i, i == 2 ? KP_UNKNOWN : KP_NOT_PERSISTED, KP_ERR_CLOSED);
	fx_turn(f); /* the transport hears of it */
	for (int i = 0; i < f->n_conns; i++)
		assert_false(f->conns[i].is_open);
	assert_int_equal(kp_budget_used(&f->engine->shared.budget), 0);
	fx_free(f);
}

/* ------------------------------------------------------------------ calls */

typedef struct test_call {
	kp_call call;
	int n_done, error, n_refused; /* n_refused: how often `done` asks for another try */
	bool has_text;
} test_call;

static const void *build_call(kp_call *call, int version, kp_arena *arena)
{
	(void)call;
	(void)version;
	kp_describe_cluster_request *body = kp_arena_alloc(arena, sizeof(*body));
	if (body)
		kp_wire_init(&kp_describe_cluster_request_schema, body, 1);
	return body;
}

static bool call_done(kp_call *call, int error, const char *text, int version, kp_slice body)
{
	test_call *t = KP_CONTAINER_OF(call, test_call, call);
	(void)version;
	(void)body;
	t->n_done++;
	t->error = error;
	t->has_text = text != NULL;
	return t->n_refused-- > 0;
}

static void start_call(fx *f, test_call *t, int64_t timeout_us)
{
	*t = (test_call){.call = {.api_key = KP_API_DESCRIBE_CLUSTER,
	                          .max_version = 1,
	                          .deadline_us = f->now_us + timeout_us,
	                          .build = build_call,
	                          .done = call_done}};
	kp_engine_call(f->engine, &t->call);
	fx_run(f);
}

static void engine_call_ends_by_its_deadline(void **state)
{
	test_call t;
	(void)state;
	fx *f = fx_new(NULL);
	f->places[FX_NODES].is_refusing = true;
	assert_true(fx_start(f));
	start_call(f, &t, 5 * FX_SECOND);
	fx_advance(f, 5 * FX_SECOND - 1);
	assert_int_equal(t.n_done, 0);
	fx_advance(f, 1);
	assert_int_equal(t.n_done, 1);
	assert_int_equal(t.error, KP_ERR_TIMED_OUT);
	assert_true(t.has_text);
	fx_free(f);
	assert_int_equal(t.n_done, 1);
}

static void engine_call_is_tried_again_on_another_connection(void **state)
{
	test_call t;
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	start_call(f, &t, 30 * (int64_t)FX_SECOND);
	assert_int_equal(f->n_other, 1);
	for (int i = 0; i < FX_PLACES; i++)
		fx_break(f, i, KP_ERR_TRANSPORT);
	fx_advance(f, 2 * FX_SECOND);
	assert_int_equal(t.n_done, 0);
	assert_int_equal(f->n_other, 2);
	fx_advance(f, 30 * (int64_t)FX_SECOND);
	assert_int_equal(t.n_done, 1);
	fx_free(f);
}

static void engine_call_for_the_controller_goes_there(void **state)
{
	test_call t;
	(void)state;
	fx *f = fx_with_topic(NULL, 1); /* node 1 is the controller; the bootstrap server's connection is as good for others */
	for (int i = 0; i < 8; i++) {
		fx_break(f, 1, KP_ERR_TRANSPORT);
		f->now_us += FX_SECOND;
		t = (test_call){.call = {.api_key = KP_API_DESCRIBE_CLUSTER,
		                         .max_version = 1,
		                         .to_controller = true,
		                         .deadline_us = f->now_us + FX_SECOND,
		                         .build = build_call,
		                         .done = call_done}};
		kp_broker_find(f->engine, 1)->n_failures =
			0; /* a controller that fails is left for another: KRaft passes requests on */
		kp_engine_call(f->engine, &t.call);
		fx_advance(f, 2 * FX_SECOND);
		assert_int_equal(f->other_place, 1);
		assert_int_equal(t.n_done, 1);
	}
	fx_free(f);
}

static void engine_call_the_broker_does_not_know_is_refused(void **state)
{
	test_call t;
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	t = (test_call){.call = {.api_key = KP_API_DELETE_TOPICS,
	                         .max_version = 6,
	                         .deadline_us = f->now_us + FX_SECOND,
	                         .build = build_call,
	                         .done = call_done}};
	kp_engine_call(f->engine, &t.call);
	fx_run(f);
	assert_int_equal(t.n_done, 1);
	assert_int_equal(t.error, KP_ERR_NOT_SUPPORTED);
	fx_free(f);
}

/* `done` may free the call: nothing may look at it afterwards, nor call it twice. */
static void engine_end_ends_calls_once(void **state)
{
	(void)state;
	for (int is_flying = 0; is_flying < 2; is_flying++) {
		test_call *t = malloc(sizeof(*t));
		assert_non_null(t);
		fx *f = fx_with_topic(NULL, 1);
		if (!is_flying)
			for (int i = 0; i < FX_PLACES; i++) {
				f->places[i].is_refusing = true;
				fx_break(f, i, KP_ERR_TRANSPORT);
			}
		start_call(f, t, 30 * (int64_t)FX_SECOND);
		assert_int_equal(f->n_other, is_flying);
		kp_engine_stop_accepting(f->engine);
		kp_engine_end_all(f->engine, KP_ERR_CLOSED, f->now_us);
		assert_int_equal(t->n_done, 1);
		assert_int_equal(t->error, KP_ERR_CLOSED);
		free(t);
		fx_free(f);
	}
}

static void engine_cancelled_calls_are_not_called_by_late_answers(void **state)
{
	(void)state;
	test_call *t = malloc(sizeof(*t));
	assert_non_null(t);
	fx *f = fx_with_topic(NULL, 1);
	start_call(f, t, 30 * (int64_t)FX_SECOND);
	kp_engine_cancel_calls(f->engine, KP_ERR_CLOSED);
	assert_int_equal(t->n_done, 1);
	free(t);
	for (int i = 0; i < FX_PLACES; i++)
		fx_break(f, i, KP_ERR_TRANSPORT);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 3 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

/* ------------------------------------------------------------------ counters */

static void engine_counts(void **state)
{
	(void)state;
	fx *f = mixed(); /* after two records of the fixture itself, one per partition */
	kp_engine_counters c = fx_count(f);
	assert_int_equal(c.accepted, 5);
	assert_true(c.accepted_bytes > 2700 && c.accepted_bytes < 2900);
	assert_int_equal(c.persisted, 2);
	assert_int_equal(c.not_persisted + c.unknown, 0);
	assert_int_equal(c.retries, 1);
	assert_int_equal(c.connects, 2);
	assert_int_equal(c.disconnects, 0);
	assert_true(c.sent_bytes > 2000 && c.received_bytes > 100);
	assert_int_equal(c.budget_used, kp_budget_used(&f->engine->shared.budget));
	kp_engine_purge(f->engine, KP_PURGE_QUEUED | KP_PURGE_IN_FLIGHT, KP_ERR_PURGED, f->now_us);
	fx_run(f);
	c = fx_count(f);
	assert_int_equal(c.not_persisted, 2);
	assert_int_equal(c.unknown, 1);
	assert_int_equal(c.accepted, c.persisted + c.not_persisted + c.unknown);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_purges_what_is_queued),
		cmocka_unit_test(engine_purges_what_is_in_flight),
		cmocka_unit_test(engine_purges_records_that_wait_for_metadata),
		cmocka_unit_test(engine_purge_may_be_called_at_any_time),
		cmocka_unit_test(engine_drops_the_oldest_that_was_never_sent),
		cmocka_unit_test(engine_does_not_drop_what_was_sent),
		cmocka_unit_test(engine_drops_records_that_wait_for_metadata),
		cmocka_unit_test(engine_end_ends_everything),
		cmocka_unit_test(engine_call_ends_by_its_deadline),
		cmocka_unit_test(engine_call_is_tried_again_on_another_connection),
		cmocka_unit_test(engine_call_for_the_controller_goes_there),
		cmocka_unit_test(engine_call_the_broker_does_not_know_is_refused),
		cmocka_unit_test(engine_end_ends_calls_once),
		cmocka_unit_test(engine_cancelled_calls_are_not_called_by_late_answers),
		cmocka_unit_test(engine_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
