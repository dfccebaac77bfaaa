/*
 * test_engine_modes.c - old brokers, acks=0, acks=1, no idempotence, codecs.
 */
#include "engine_fixture.h"

/* A broker before 4.0 takes topics by name; one before 2.8 gives them no id. */
static void engine_names_topics_to_brokers_that_want_it(void **state)
{
	(void)state;
	for (int no_id = 0; no_id < 2; no_id++) {
		fx *f = fx_new(NULL);
		fx_topic *t = fx_add_topic(f, "events", 1);
		f->produce_version = no_id ? 13 : 9;
		if (no_id)
			memset(&t->id, 0, sizeof(t->id));
		assert_true(fx_start(f));
		fx_send(f, "events", KP_PARTITION_ANY, NULL, 1);
		fx_run(f);
		fx_check(f, 1, KP_PERSISTED, 0);
		assert_int_equal(f->requests[0].version, no_id ? 12 : 9);
		fx_free(f);
	}
}

static void engine_says_when_the_broker_is_too_old(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 1);
	f->produce_version = 2;
	assert_true(fx_start(f));
	fx_send(f, "events", KP_PARTITION_ANY, NULL, 1);
	fx_run(f);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_UNSUPPORTED_VERSION);
	fx_free(f);
}

static void engine_without_acks_reports_when_the_request_is_written(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.acks = 0;
	config.idempotent = false;
	config.batch_size = 1000;
	fx *f = fx_with_topic(&config, 1);
	for (int i = 0; i < 20; i++)
		fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(f->n_id, 0);
	for (int i = 1; i <= 20; i++) {
		fx_check(f, i, KP_UNKNOWN, 0);
		assert_int_equal(fx_report_of(f, i)->offset, -1);
	}
	assert_int_equal(f->requests[0].acks, 0);
	assert_int_equal(f->requests[0].parts[0].header.producer_id, -1);
	assert_int_equal(f->requests[0].parts[0].header.base_sequence, -1);
	f->write_budget = 10; /* the rest never goes */
	int half = fx_send(f, "events", 0, NULL, 900);
	fx_run(f);
	assert_int_equal(f->reports[half].n, 0);
	fx_break(f, 1, KP_ERR_TRANSPORT);
	f->write_budget = SIZE_MAX;
	fx_advance(f, 10 * FX_SECOND);
	fx_check(f, half, KP_UNKNOWN, 0);
	assert_int_equal(fx_report_of(f, half)->attempts, 2);
	fx_free(f);
}

/* Reported while its request is half written: the bytes stay until the rest is, then nothing more is said. */
static void engine_without_acks_ends_in_time_what_cannot_be_written(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.acks = 0;
	config.idempotent = false;
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	f->write_budget = 60;
	int number = fx_send(f, "events", 0, NULL, 900);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, number, KP_UNKNOWN, KP_ERR_DELIVERY_TIMEOUT);
	assert_true(kp_budget_used(&f->engine->shared.budget) > 0);
	fx_unblock(f, SIZE_MAX);
	fx_run(f);
	assert_int_equal(f->reports[number].n, 1);
	assert_int_equal(kp_budget_used(&f->engine->shared.budget), 0);
	fx_check_log(f, "events", 0, (int[]){number}, 1);
	fx_free(f);
}

static void engine_without_idempotence_stamps_nothing(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.idempotent = false;
	config.acks = 1;
	fx *f = fx_with_topic(&config, 1);
	int number = fx_send(f, "events", 0, NULL, 1);
	fx_run(f);
	fx_check(f, number, KP_PERSISTED, 0);
	assert_int_equal(f->n_id, 0);
	assert_int_equal(f->requests[0].acks, 1);
	assert_int_equal(f->requests[0].parts[0].header.producer_id, -1);
	fx_free(f);
}

static void engine_compresses_with_each_codec(void **state)
{
	(void)state;
	for (int codec = KP_CODEC_GZIP; codec < KP_CODEC_COUNT; codec++) {
		kp_engine_config config = fx_config();
		config.codec = (kp_codec_type)codec;
		config.linger_us = 10 * FX_MS;
		fx *f = fx_with_topic(&config, 1);
		for (int i = 0; i < 50; i++)
			fx_send(f, "events", 0, NULL, 200);
		fx_advance(f, 10 * FX_MS);
		assert_int_equal(f->requests[0].parts[0].header.attributes, codec);
		assert_true(f->requests[0].parts[0].len < 5000);
		for (int i = 1; i <= 50; i++)
			fx_check(f, i, KP_PERSISTED, 0);
		fx_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_names_topics_to_brokers_that_want_it),
		cmocka_unit_test(engine_says_when_the_broker_is_too_old),
		cmocka_unit_test(engine_without_acks_reports_when_the_request_is_written),
		cmocka_unit_test(engine_without_acks_ends_in_time_what_cannot_be_written),
		cmocka_unit_test(engine_without_idempotence_stamps_nothing),
		cmocka_unit_test(engine_compresses_with_each_codec),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
