/*
 * test_engine_every_code.c - every code as a partition's answer to Produce and as a topic's metadata error, against lists written from
 * Kafka's sources (Errors.java, Sender.java, the broker's append path), not from our table.
 */
#include "engine_fixture.h"

#define FIRST_CODE (-1)
#define LAST_CODE 133
#define IS_IN(list, code) is_in(list, sizeof(list) / sizeof(list[0]), code)

/* InvalidMetadataException: sent again, with newer metadata. */
static const int refresh[] = {3, 5, 6, 9, 13, 56, 72, 74, 80, 83, 84, 100, 103};
/* The other RetriableExceptions: sent again as it is. */
static const int plain_retry[] = {2, 7, 14, 15, 16, 19, 20, 41, 51, 70, 71, 75, 78, 88, 89, 106, 122, 123, 133};
/* About the sequence: stamped anew by an idempotent producer, final for others. */
static const int sequence[] = {45, 47, 59};
/* Final, and given before the broker appends; so are 2 and 19, which are retried. All others may have appended. */
static const int refused[] = {10, 17, 18, 21, 29, 32, 76, 87};
static const int persisted[] = {0, 46};

static bool is_in(const int *list, size_t n, int code)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == code)
			return true;
	return false;
}

static bool is_retried(int code)
{
	return IS_IN(refresh, code) || IS_IN(plain_retry, code);
}

static bool is_given_before_the_append(int code)
{
	static const int transactions[] = {48, 49, 51, 53, 90, 120};
	return IS_IN(refused, code) || IS_IN(sequence, code) || IS_IN(transactions, code) || code == 2 || code == 19;
}

/* One record; its first request is answered with the code, further ones with 0. */
static void produce_once(int code, bool is_idempotent, int16_t acks)
{
	kp_engine_config config = fx_config();
	config.idempotent = is_idempotent;
	config.acks = acks;
	fx *f = fx_with_topic(&config, 1);
	int n_metadata = f->n_metadata;
	f->codes[0] = code;
	f->n_codes = 1;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 3 * FX_SECOND);
	const fx_report *r = fx_report_of(f, number);
	bool is_again = is_retried(code) || (is_idempotent && IS_IN(sequence, code));
	if (is_again || IS_IN(persisted, code))
		fx_check(f, number, KP_PERSISTED, 0);
	else
		fx_check(f, number, is_given_before_the_append(code) ? KP_NOT_PERSISTED : KP_UNKNOWN, code);
	assert_int_equal(r->attempts, is_again ? 2 : 1);
	assert_int_equal(f->n_requests, is_again ? 2 : 1);
	assert_int_equal(r->last_error, IS_IN(persisted, code) ? 0 : code);
	assert_int_equal(r->stage, KP_STAGE_DONE);
	assert_int_equal(f->n_metadata > n_metadata, IS_IN(refresh, code));
	if (is_again) {
		const kp_batch_header *first = &f->requests[0].parts[0].header, *second = &f->requests[1].parts[0].header;
		bool is_same_stamp = first->producer_id == second->producer_id && first->producer_epoch == second->producer_epoch;
		assert_int_equal(is_same_stamp, !(is_idempotent && IS_IN(sequence, code)));
		if (is_idempotent && code == 47)
			assert_true(first->producer_id != second->producer_id || first->producer_epoch != second->producer_epoch);
	}
	fx_free(f);
}

static void engine_ends_a_batch_by_the_code_of_its_answer(void **state)
{
	(void)state;
	for (int code = FIRST_CODE; code <= LAST_CODE; code++) {
		produce_once(code, true, -1);
		produce_once(code, false, -1);
		produce_once(code, false, 1);
	}
}

/* The code is the answer to every attempt: the deadline, or the number of retries, ends what is retried. */
static void produce_always(int code, int32_t retries)
{
	kp_engine_config config = fx_config();
	config.idempotent = false;
	config.retries = retries;
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	f->n_codes = 64;
	for (int i = 0; i < f->n_codes; i++)
		f->codes[i] = code;
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 5 * FX_SECOND);
	kp_outcome outcome = is_given_before_the_append(code) ? KP_NOT_PERSISTED : KP_UNKNOWN;
	bool is_by_time = is_retried(code) && retries > 2;
	fx_check(f, number, outcome, is_by_time ? KP_ERR_DELIVERY_TIMEOUT : code);
	assert_int_equal(fx_report_of(f, number)->last_error, code);
	if (!is_by_time)
		assert_int_equal(fx_report_of(f, number)->attempts, is_retried(code) ? retries + 1 : 1);
	fx_free(f);
}

static void engine_gives_up_by_the_code_when_no_attempt_succeeds(void **state)
{
	(void)state;
	for (int code = FIRST_CODE; code <= LAST_CODE; code++) {
		if (IS_IN(persisted, code))
			continue;
		produce_always(code, INT32_MAX);
		produce_always(code, 2);
	}
}

/* A refusal speaks of its own attempt only: what an earlier one left open stays open. */
static void engine_never_says_not_persisted_after_an_open_attempt(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		fx *f = fx_with_topic(NULL, 1);
		f->codes[0] = 7;
		f->codes[1] = refused[i];
		f->n_codes = 2;
		int number = fx_send(f, "events", 0, NULL, 10);
		fx_advance(f, 3 * FX_SECOND);
		fx_check(f, number, KP_UNKNOWN, refused[i]);
		assert_int_equal(fx_report_of(f, number)->attempts, 2);
		fx_free(f);
	}
}

/* acks=0 has no answer: the record ends when it is written. */
static void engine_without_acks_waits_for_no_code(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.idempotent = false;
	config.acks = 0;
	fx *f = fx_with_topic(&config, 1);
	int number = fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_check(f, number, KP_UNKNOWN, 0);
	fx_free(f);
}

static void metadata_once(int code)
{
	fx *f = fx_new(NULL);
	fx_topic *t = fx_add_topic(f, "events", 1);
	t->error = code;
	assert_true(fx_start(f));
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, FX_SECOND);
	bool is_waiting = is_retried(code) || code == 129;
	if (is_waiting) {
		assert_int_equal(f->reports[number].n, 0);
	} else if (code) {
		fx_check(f, number, KP_NOT_PERSISTED, code);
		assert_int_equal(fx_report_of(f, number)->last_error, code);
		assert_int_equal(fx_report_of(f, number)->stage, KP_STAGE_NO_METADATA);
		assert_int_equal(fx_report_of(f, number)->attempts, 0);
	}
	t->error = 0; /* somebody mended it */
	int later = fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, later, KP_PERSISTED, 0);
	if (is_waiting || !code)
		fx_check(f, number, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_waits_or_gives_up_by_the_code_of_a_topics_metadata(void **state)
{
	(void)state;
	for (int code = FIRST_CODE; code <= LAST_CODE; code++)
		metadata_once(code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_ends_a_batch_by_the_code_of_its_answer),
		cmocka_unit_test(engine_gives_up_by_the_code_when_no_attempt_succeeds),
		cmocka_unit_test(engine_never_says_not_persisted_after_an_open_attempt),
		cmocka_unit_test(engine_without_acks_waits_for_no_code),
		cmocka_unit_test(engine_waits_or_gives_up_by_the_code_of_a_topics_metadata),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
