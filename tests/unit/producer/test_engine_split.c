/*
 * test_engine_split.c - batches that are built anew after a refusal: too large (KIP-126), some records to blame (KIP-467).
 */
#include "engine_fixture.h"

#define LINGER_US (10 * FX_MS)
#define N 40

/* A broker that takes batches up to `limit` bytes, in sequence. Answers what is held until nothing comes any more. */
typedef struct strict {
	size_t limit;
	int16_t epoch;
	int32_t next;
} strict;

static int judge(strict *s, const fx_part *part)
{
	if (part->len > s->limit)
		return KP_ERR_MESSAGE_TOO_LARGE;
	if (part->header.producer_epoch > s->epoch)
		*s = (strict){.limit = s->limit, .epoch = part->header.producer_epoch};
	if (part->header.base_sequence >= 0 && part->header.base_sequence != s->next)
		return KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
	s->next = kp_sequence_after(part->header.base_sequence, part->header.n_records);
	return 0;
}

static void answer_all(fx *f, strict *s)
{
	for (int i = 0; i < 500; i++) {
		fx_advance(f, fx_held(f, 0) ? 0 : 2 * FX_SECOND);
		fx_request *r = fx_held(f, 0);
		if (!r)
			return;
		fx_answer(f, r, judge(s, &r->parts[0]));
	}
	fail_msg("it never ends");
}

static fx *lingering(kp_codec_type codec, bool idempotent)
{
	kp_engine_config config = fx_config();
	config.linger_us = LINGER_US;
	config.codec = codec;
	config.idempotent = idempotent;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	return f;
}

static void send_n(fx *f, int n, size_t size)
{
	for (int i = 0; i < n; i++)
		assert_true(fx_send(f, "events", 0, "key", size) > 0);
}

/* All of them, in order, once; the offsets that the reports say are those of the log. */
static void check_all(fx *f, int n)
{
	int numbers[N * 10];
	for (int i = 0; i < n; i++) {
		numbers[i] = i + 1;
		fx_check(f, i + 1, KP_PERSISTED, 0);
		assert_int_equal(fx_report_of(f, i + 1)->offset, i);
		assert_int_equal(fx_report_of(f, i + 1)->order, (uint64_t)fx_report_of(f, 1)->order + (uint64_t)i);
	}
	fx_check_log(f, "events", 0, numbers, n);
}

static void engine_splits_a_batch_that_is_too_large_until_it_fits(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, true);
	send_n(f, N, 200);
	strict s = {.limit = 2500, .next = 1};
	answer_all(f, &s);
	check_all(f, N);
	assert_int_equal(f->requests[0].parts[0].header.n_records, N);
	assert_true(f->n_requests < 12);
	fx_free(f);
}

static void engine_splits_what_stands_before_others_and_sends_those_with_their_stamps(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, true);
	send_n(f, N, 200);
	fx_advance(f, LINGER_US);
	send_n(f, 2, 20);
	fx_advance(f, LINGER_US);
	assert_int_equal(fx_n_held(f), 2);
	fx_part behind = f->requests[1].parts[0];
	strict s = {.limit = 5000, .next = 1};
	answer_all(f, &s);
	check_all(f, N + 2);
	const fx_part *last = &f->requests[f->n_requests - 1].parts[0];
	assert_int_equal(last->len, behind.len);
	assert_memory_equal(last->bytes, behind.bytes, behind.len);
	fx_free(f);
}

static void engine_splits_compressed_batches_by_what_they_were(void **state)
{
	(void)state;
	for (int codec = KP_CODEC_GZIP; codec < KP_CODEC_COUNT; codec++) {
		fx *f = lingering((kp_codec_type)codec, true);
		send_n(f, N, 200);
		fx_advance(f, LINGER_US);
		size_t whole = f->requests[0].parts[0].len;
		strict s = {.limit = whole - 1, .next = 1};
		answer_all(f, &s);
		check_all(f, N);
		assert_int_equal(f->requests[1].parts[0].header.attributes & KP_BATCH_CODEC_MASK, codec);
		fx_free(f);
	}
}

static void engine_splits_without_idempotence_too(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, false);
	send_n(f, N, 200);
	strict s = {.limit = 2500};
	answer_all(f, &s);
	check_all(f, N);
	fx_free(f);
}

static void engine_fails_only_the_record_that_is_too_large_alone(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, true);
	send_n(f, 3, 100);
	send_n(f, 1, 4000);
	send_n(f, 3, 100);
	strict s = {.limit = 2000, .next = 1};
	answer_all(f, &s);
	for (int i = 1; i <= 7; i++)
		fx_check(f, i, i == 4 ? KP_NOT_PERSISTED : KP_PERSISTED, i == 4 ? KP_ERR_MESSAGE_TOO_LARGE : 0);
	fx_check_log(f, "events", 0, (int[]){1, 2, 3, 5, 6, 7}, 6);
	fx_free(f);
}

static void engine_never_splits_a_batch_of_open_fate(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, true);
	send_n(f, 5, 100);
	fx_advance(f, LINGER_US);
	fx_answer(f, fx_held(f, 0), KP_ERR_REQUEST_TIMED_OUT);
	fx_advance(f, 2 * FX_SECOND);
	fx_answer(f, fx_held(f, 0), KP_ERR_MESSAGE_TOO_LARGE);
	fx_advance(f, 2 * FX_SECOND);
	for (int i = 1; i <= 5; i++)
		fx_check(f, i, KP_UNKNOWN, KP_ERR_MESSAGE_TOO_LARGE);
	assert_int_equal(f->n_requests, 2);
	fx_free(f);
}

static void engine_closes_the_next_batches_smaller_and_tries_larger_ones_again_later(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, true);
	kp_topic *t = kp_engine_topic(f->engine, "events");
	send_n(f, N, 200);
	strict s = {.limit = 2500, .next = 1};
	answer_all(f, &s);
	int32_t limit = kp_topic_batch_size(t);
	assert_true(limit <= 2500);
	int before = f->n_requests;
	send_n(f, N, 200);
	answer_all(f, &s);
	check_all(f, 2 * N);
	for (int i = before; i < f->n_requests; i++)
		assert_true(f->requests[i].parts[0].len <= 2500); /* none is refused any more */
	for (int i = 0; i < 10; i++) {
		fx_advance(f, f->config.metadata_max_age_us + FX_SECOND);
		send_n(f, 1, 200);
		answer_all(f, &s);
		if (i == 0)
			assert_int_equal(kp_topic_batch_size(t), 2 * limit);
	}
	assert_int_equal(kp_topic_batch_size(t), f->config.batch_size);
	fx_free(f);
}

/* The flush ends when the last of what has come of the batch is through. */
static void engine_flushes_all_pieces(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, true);
	send_n(f, N, 200);
	uint64_t serial = kp_engine_flush_begin(f->engine, f->now_us);
	fx_run(f);
	strict s = {.limit = 5000, .next = 1};
	fx_answer(f, fx_held(f, 0), KP_ERR_MESSAGE_TOO_LARGE);
	fx_run(f);
	fx_answer(f, fx_held(f, 0), judge(&s, &fx_held(f, 0)->parts[0]));
	fx_run(f);
	assert_false(kp_engine_flushed(f->engine, serial));
	answer_all(f, &s);
	assert_true(kp_engine_flushed(f->engine, serial));
	kp_engine_flush_end(f->engine);
	check_all(f, N);
	fx_free(f);
}

/* The new batches live beside the old one, in an empty budget or a full one. */
static void engine_splits_although_the_budget_is_full(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = LINGER_US;
	config.buffer_memory = 16384 + 4096;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	int n = 0;
	while (fx_send(f, "events", 0, NULL, 200) > 0)
		n++;
	strict s = {.limit = 2500, .next = 1};
	answer_all(f, &s);
	check_all(f, n);
	fx_free(f);
}

/* All that could make room is pieces that wait behind the first one, which is too large itself. */
static void engine_splits_the_first_piece_further_although_the_pieces_exceed_the_budget(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = LINGER_US;
	config.buffer_memory = 8192 + 4096 + 2048;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	int n = 0;
	while (fx_send(f, "events", 0, NULL, 200) > 0)
		n++;
	strict s = {.limit = 1000, .next = 1};
	answer_all(f, &s);
	check_all(f, n);
	fx_free(f);
}

/* Records that waited for metadata exceed the budget, too, and go on doing so when the pieces of another partition are through. */
static void engine_splits_when_the_pieces_that_exceeded_the_budget_are_gone(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.linger_us = LINGER_US;
	config.buffer_memory = 8192 + 4096 + 2048;
	fx *f = fx_with_topic(&config, 2);
	f->hold = true;
	for (int i = 0; i < 10; i++)
		assert_true(fx_send(f, "events", i % 2, NULL, 200) > 0);
	fx_advance(f, LINGER_US);
	assert_int_equal(f->requests[0].n_parts, 2);
	assert_int_equal(kp_budget_reserve(&f->engine->shared.budget, 16384, true), 0);
	fx_reply_each(f, fx_held(f, 0), (fx_reply[]){{.error = KP_ERR_MESSAGE_TOO_LARGE}, {.error = KP_ERR_MESSAGE_TOO_LARGE}});
	for (int i = 0; i < 100; i++) {
		fx_advance(f, config.retry_backoff_us);
		fx_request *r = fx_held(f, 0);
		fx_reply replies[2] = {{0}};
		for (int k = 0; r && k < r->n_parts; k++)
			replies[k].error = r->parts[k].header.n_records > 4 ? KP_ERR_MESSAGE_TOO_LARGE : 0;
		if (r)
			fx_reply_each(f, r, replies);
	}
	for (int i = 0; i < 10; i++)
		fx_check(f, i + 1, KP_PERSISTED, 0);
	kp_budget_unreserve(&f->engine->shared.budget, 16384);
	fx_free(f);
}

static void engine_sends_the_records_that_were_not_to_blame(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_LZ4, true);
	send_n(f, 3, 50);
	fx_advance(f, LINGER_US);
	send_n(f, 2, 50);
	fx_advance(f, LINGER_US);
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_INVALID_RECORD, .names_culprit = true});
	fx_run(f);
	fx_check(f, 2, KP_NOT_PERSISTED, KP_ERR_INVALID_RECORD);
	strict s = {.limit = SIZE_MAX, .next = 1};
	answer_all(f, &s);
	fx_check_log(f, "events", 0, (int[]){1, 3, 4, 5}, 4);
	for (int i = 1; i <= 5; i++)
		if (i != 2)
			fx_check(f, i, KP_PERSISTED, 0);
	assert_int_equal(s.epoch, 1); /* those behind had to be stamped anew */
	fx_free(f);
}

/* Nothing stands behind: the numbers that were not used are used by the next. */
static void engine_wastes_no_numbers_on_records_to_blame(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, true);
	send_n(f, 3, 50);
	fx_advance(f, LINGER_US);
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_INVALID_RECORD, .names_culprit = true});
	send_n(f, 3, 50);
	strict s = {.limit = SIZE_MAX, .next = 1};
	answer_all(f, &s);
	fx_check_log(f, "events", 0, (int[]){1, 3, 4, 5, 6}, 5);
	assert_int_equal(f->n_requests, 3);
	assert_int_equal(s.epoch, 0);
	fx_free(f);
}

static void engine_blames_the_whole_batch_when_its_fate_is_open(void **state)
{
	(void)state;
	fx *f = lingering(KP_CODEC_NONE, true);
	send_n(f, 3, 50);
	fx_advance(f, LINGER_US);
	fx_answer(f, fx_held(f, 0), KP_ERR_REQUEST_TIMED_OUT);
	fx_advance(f, 2 * FX_SECOND);
	fx_reply_each(f, fx_held(f, 0), &(fx_reply){.error = KP_ERR_INVALID_RECORD, .names_culprit = true});
	fx_advance(f, 2 * FX_SECOND);
	for (int i = 1; i <= 3; i++)
		fx_check(f, i, KP_UNKNOWN, KP_ERR_INVALID_RECORD);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_splits_a_batch_that_is_too_large_until_it_fits),
		cmocka_unit_test(engine_splits_what_stands_before_others_and_sends_those_with_their_stamps),
		cmocka_unit_test(engine_splits_compressed_batches_by_what_they_were),
		cmocka_unit_test(engine_splits_without_idempotence_too),
		cmocka_unit_test(engine_fails_only_the_record_that_is_too_large_alone),
		cmocka_unit_test(engine_never_splits_a_batch_of_open_fate),
		cmocka_unit_test(engine_closes_the_next_batches_smaller_and_tries_larger_ones_again_later),
		cmocka_unit_test(engine_flushes_all_pieces),
		cmocka_unit_test(engine_splits_although_the_budget_is_full),
		cmocka_unit_test(engine_splits_the_first_piece_further_although_the_pieces_exceed_the_budget),
		cmocka_unit_test(engine_splits_when_the_pieces_that_exceeded_the_budget_are_gone),
		cmocka_unit_test(engine_sends_the_records_that_were_not_to_blame),
		cmocka_unit_test(engine_wastes_no_numbers_on_records_to_blame),
		cmocka_unit_test(engine_blames_the_whole_batch_when_its_fate_is_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
