/*
 * test_engine_forgotten.c - brokers that forget: the state of a producer that was idle or whose records retention removed, and the end of
 * the log after an unclean election. What was acknowledged stays so; what follows goes on under a stamp that the broker takes, in order.
 */
#include "engine_fixture.h"

#define TIMEOUT_US (5 * (int64_t)FX_SECOND)

static const int codes_of_forgetting[] = {KP_ERR_UNKNOWN_PRODUCER_ID, KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER};

/* Two partitions at node 1, of which a record each is acknowledged. */
static fx *with_history(void)
{
	kp_engine_config config = fx_config();
	config.batch_size = 1000; /* one record each, as they are sent here */
	config.delivery_timeout_us = TIMEOUT_US;
	return fx_with_topic(&config, 2);
}

static void send_three(fx *f)
{
	for (int i = 0; i < 3; i++)
		assert_true(fx_send(f, "events", 0, NULL, 900) > 0);
	fx_run(f);
}

static void assert_stamp(fx *f, int request, int16_t epoch, int32_t sequence)
{
	assert_true(request < f->n_requests);
	const kp_batch_header *h = &f->requests[request].parts[0].header;
	assert_int_equal(h->producer_id, 5000);
	assert_int_equal(h->producer_epoch, epoch);
	assert_int_equal(h->base_sequence, sequence);
}

/* ------------------------------------------------------------------ producer state */

static void engine_goes_on_with_the_next_epoch_when_the_broker_forgot_it_in_a_pause(void **state)
{
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(codes_of_forgetting); i++) {
		fx *f = with_history();
		fx_advance(f, 24 * 3600 * (int64_t)FX_SECOND);
		f->n_codes = 1;
		f->codes[0] = codes_of_forgetting[i];
		send_three(f);
		fx_advance(f, FX_SECOND);
		assert_int_equal(f->n_requests, 4);
		assert_stamp(f, 0, 0, 1); /* alone: were the second taken and the first refused, the first could never follow */
		for (int k = 0; k < 3; k++)
			assert_stamp(f, 1 + k, 1, k);
		for (int number = 1; number <= 3; number++)
			fx_check(f, number, KP_PERSISTED, 0);
		fx_check_log(f, "events", 0, (int[]){1, 2, 3}, 3);
		fx_send(f, "events", 1, NULL, 10);
		fx_run(f);
		assert_stamp(f, 4, 0, 1); /* the other partition has no part in it */
		assert_int_equal(f->n_id, 0);
		fx_free(f);
	}
}

/* Retention took the records, and the state with them, while batches were under way. */
static void engine_keeps_the_order_of_what_is_in_flight_when_the_broker_forgets_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(codes_of_forgetting); i++) {
		fx *f = with_history();
		f->hold = true;
		send_three(f);
		assert_int_equal(fx_n_held(f), 3);
		f->hold = false;
		for (int k = 0; k < 3; k++)
			fx_answer(f, fx_held(f, 0), codes_of_forgetting[i]);
		fx_advance(f, FX_SECOND);
		for (int k = 0; k < 3; k++)
			assert_stamp(f, 3 + k, 1, k);
		for (int number = 1; number <= 3; number++)
			fx_check(f, number, KP_PERSISTED, 0);
		fx_check_log(f, "events", 0, (int[]){1, 2, 3}, 3);
		fx_free(f);
	}
}

/* It was appended, the answer was lost: under another stamp it would stand twice. */
static void engine_does_not_stamp_anew_what_may_stand_in_the_log_that_the_broker_forgot(void **state)
{
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(codes_of_forgetting); i++) {
		fx *f = with_history();
		f->hold = true;
		int open = fx_send(f, "events", 0, NULL, 900);
		fx_run(f);
		fx_append(f, fx_held(f, 0));
		fx_held(f, 0)->is_answered = true;
		fx_break(f, 1, KP_ERR_TRANSPORT);
		f->hold = false;
		f->n_codes = 1;
		f->codes[0] = codes_of_forgetting[i];
		int next = fx_send(f, "events", 0, NULL, 900);
		fx_advance(f, 2 * FX_SECOND);
		fx_check(f, open, KP_UNKNOWN, codes_of_forgetting[i]);
		fx_check(f, next, KP_PERSISTED, 0);
		assert_stamp(f, 1, 0, 1);
		assert_stamp(f, 2, 1, 0);
		fx_check_log(f, "events", 0, (int[]){open, next}, 2);
		fx_free(f);
	}
}

/* ------------------------------------------------------------------ the end of the log */

/* Four records are acknowledged, then node 2 leads without being in sync: it has the first n_left. */
static fx *after_an_unclean_election(int n_left)
{
	fx *f = with_history();
	for (int i = 1; i <= 4; i++) {
		fx_send(f, "events", 0, NULL, 900);
		fx_run(f);
		assert_int_equal(fx_report_of(f, i)->offset, i - 1);
	}
	f->topics[0].n_log[0] = n_left;
	f->topics[0].leader[0] = 2;
	f->topics[0].leader_epoch[0]++;
	return f;
}

static void assert_first_four_stay_persisted(fx *f)
{
	for (int i = 1; i <= 4; i++)
		fx_check(f, i, KP_PERSISTED, 0);
}

static void engine_goes_on_after_acknowledged_records_were_cut_off(void **state)
{
	(void)state;
	fx *f = after_an_unclean_election(2);
	fx_break(f, 1, KP_ERR_TRANSPORT); /* node 1 died of it */
	fx_advance(f, FX_SECOND);
	f->n_codes = 1;
	f->codes[0] = KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER; /* the last that it knows is the second record's */
	int next = fx_send(f, "events", 0, NULL, 900);
	fx_advance(f, FX_SECOND);
	fx_check(f, next, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, next)->offset, 2); /* the third record's, before */
	assert_int_equal(fx_report_of(f, next)->node, 2);
	assert_stamp(f, f->n_requests - 2, 0, 5);
	assert_stamp(f, f->n_requests - 1, 1, 0);
	assert_first_four_stay_persisted(f);
	fx_check_log(f, "events", 0, (int[]){1, 2, next}, 3);
	fx_free(f);
}

/* NOT_LEADER_OR_FOLLOWER may be said of what was appended: to the log that is left, or to what was cut off. */
static void engine_does_not_know_of_what_was_under_way_when_the_log_was_cut(void **state)
{
	(void)state;
	fx *f = after_an_unclean_election(2);
	f->hold = true;
	int first = fx_send(f, "events", 0, NULL, 900), second = fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(fx_n_held(f), 2);
	f->hold = false;
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_LEADER_OR_FOLLOWER);
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_LEADER_OR_FOLLOWER);
	f->n_codes = 1;
	f->codes[0] = KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	int next = fx_send(f, "events", 0, NULL, 900);
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, first, KP_UNKNOWN, KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
	fx_check(f, second, KP_UNKNOWN, KP_ERR_NOT_LEADER_OR_FOLLOWER);
	fx_check(f, next, KP_PERSISTED, 0);
	assert_stamp(f, f->n_requests - 1, 1, 0);
	assert_first_four_stay_persisted(f);
	fx_check_log(f, "events", 0, (int[]){1, 2, next}, 3);
	fx_free(f);
}

/* A leader without any state takes every sequence: the stamp needs no change. */
static void engine_goes_on_with_its_stamp_at_a_leader_that_has_lost_everything(void **state)
{
	(void)state;
	fx *f = after_an_unclean_election(0);
	fx_break(f, 1, KP_ERR_TRANSPORT);
	int next = fx_send(f, "events", 0, NULL, 900);
	fx_advance(f, FX_SECOND);
	fx_check(f, next, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, next)->offset, 0);
	assert_stamp(f, f->n_requests - 1, 0, 5);
	assert_first_four_stay_persisted(f);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_goes_on_with_the_next_epoch_when_the_broker_forgot_it_in_a_pause),
		cmocka_unit_test(engine_keeps_the_order_of_what_is_in_flight_when_the_broker_forgets_it),
		cmocka_unit_test(engine_does_not_stamp_anew_what_may_stand_in_the_log_that_the_broker_forgot),
		cmocka_unit_test(engine_goes_on_after_acknowledged_records_were_cut_off),
		cmocka_unit_test(engine_does_not_know_of_what_was_under_way_when_the_log_was_cut),
		cmocka_unit_test(engine_goes_on_with_its_stamp_at_a_leader_that_has_lost_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
