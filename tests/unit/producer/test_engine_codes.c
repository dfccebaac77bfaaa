/*
 * test_engine_codes.c - what becomes of a batch, for every code that a Produce answer can carry.
 */
#include "engine_fixture.h"

#define FIRST_CODE (-1)
#define LAST_CODE 133

static bool is_about_sequence(int code)
{
	return code == KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER || code == KP_ERR_UNKNOWN_PRODUCER_ID ||
	       code == KP_ERR_INVALID_PRODUCER_EPOCH;
}

/* The batch comes again, with its stamp or a new one; it is persisted then. */
static void check_sent_again(fx *f, int code, bool is_stamped_anew)
{
	fx_advance(f, 2 * FX_SECOND);
	assert_int_equal(f->n_requests, 2);
	const fx_part *first = &f->requests[0].parts[0], *second = &f->requests[1].parts[0];
	if (is_stamped_anew) {
		bool is_other_id = second->header.producer_id != first->header.producer_id;
		assert_true(is_other_id || second->header.producer_epoch == first->header.producer_epoch + 1);
		assert_int_equal(second->header.base_sequence, 0);
		assert_int_equal(second->len, first->len);
		assert_memory_equal(second->bytes + KP_BATCH_HEADER_SIZE, first->bytes + KP_BATCH_HEADER_SIZE,
		                    first->len - KP_BATCH_HEADER_SIZE);
	} else {
		assert_int_equal(second->len, first->len);
		assert_memory_equal(second->bytes, first->bytes, first->len);
	}
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->last_error, code);
	fx_check_log(f, "events", 0, (int[]){1}, 1);
}

/* The next batch follows a sequence that was certainly not used, or may have been. */
static void check_next(fx *f, int32_t sequence)
{
	int next = fx_send(f, "events", 0, NULL, 10);
	int sent = f->n_requests;
	fx_advance(f, 2 * FX_SECOND);
	assert_int_equal(f->n_requests, sent + 1);
	assert_int_equal(fx_held(f, 0)->parts[0].header.base_sequence, f->config.idempotent ? sequence : -1);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, next, KP_PERSISTED, 0);
}

static void check_code(int code, bool idempotent)
{
	kp_engine_config config = fx_config();
	config.idempotent = idempotent;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_answer(f, fx_held(f, 0), code);
	fx_run(f);
	if (code == 0 || code == KP_ERR_DUPLICATE_SEQUENCE_NUMBER) {
		fx_check(f, 1, KP_PERSISTED, 0);
		assert_int_equal(fx_report_of(f, 1)->offset, code ? -1 : 0);
		check_next(f, 2);
	} else if (idempotent && is_about_sequence(code)) {
		check_sent_again(f, code, true);
		check_next(f, 1);
	} else if (kp_error_is_retriable(code)) {
		check_sent_again(f, code, false);
		check_next(f, 2);
	} else {
		fx_check(f, 1, kp_error_may_append(code) ? KP_UNKNOWN : KP_NOT_PERSISTED, code);
		assert_int_equal(fx_report_of(f, 1)->last_error, code);
		assert_int_equal(fx_report_of(f, 1)->stage, KP_STAGE_DONE);
		assert_int_equal(f->n_requests, 1);
		check_next(f, kp_error_may_append(code) ? 2 : 1);
	}
	fx_free(f);
}

static void engine_acts_on_every_code_by_its_class_and_whether_it_may_have_appended(void **state)
{
	(void)state;
	for (int code = FIRST_CODE; code <= LAST_CODE; code++)
		check_code(code, true);
}

static void engine_without_idempotence_acts_on_every_code_as_well(void **state)
{
	(void)state;
	for (int code = FIRST_CODE; code <= LAST_CODE; code++)
		check_code(code, false);
}

static void engine_takes_a_code_that_nobody_knows_as_final_and_open(void **state)
{
	(void)state;
	check_code(134, true);
	check_code(-2, true);
	check_code(INT16_MAX, true);
	check_code(INT16_MIN, true);
}

/* What is retried until the deadline ends by what the codes say of the log. */
static void engine_gives_each_retriable_code_its_outcome_when_time_is_over(void **state)
{
	(void)state;
	for (int code = FIRST_CODE; code <= LAST_CODE; code++) {
		if (!kp_error_is_retriable(code))
			continue;
		kp_engine_config config = fx_config();
		config.delivery_timeout_us = 5 * FX_SECOND;
		fx *f = fx_with_topic(&config, 1);
		for (int i = 0; i < 60; i++)
			f->codes[i] = code;
		f->n_codes = 60;
		fx_send(f, "events", 0, NULL, 10);
		fx_advance(f, 5 * FX_SECOND);
		fx_check(f, 1, kp_error_may_append(code) ? KP_UNKNOWN : KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
		assert_int_equal(fx_report_of(f, 1)->last_error, code);
		assert_in_range(fx_report_of(f, 1)->attempts, 5, 12);
		fx_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_acts_on_every_code_by_its_class_and_whether_it_may_have_appended),
		cmocka_unit_test(engine_without_idempotence_acts_on_every_code_as_well),
		cmocka_unit_test(engine_takes_a_code_that_nobody_knows_as_final_and_open),
		cmocka_unit_test(engine_gives_each_retriable_code_its_outcome_when_time_is_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
