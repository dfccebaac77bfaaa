/*
 * test_engine_basics.c - from append to report when nothing goes wrong.
 */
#include "engine_fixture.h"

static void engine_delivers_a_record_of_an_unknown_topic(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 3);
	assert_true(fx_start(f));
	int number = fx_send(f, "events", KP_PARTITION_ANY, NULL, 100);
	fx_run(f);
	fx_check(f, number, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, number)->offset, 0);
	assert_int_equal(fx_report_of(f, number)->attempts, 1);
	assert_int_equal(f->n_metadata, 1);
	assert_int_equal(f->n_id, 1);
	assert_int_equal(f->n_requests, 1);
	assert_int_equal(f->requests[0].version, 13);
	assert_int_equal(f->requests[0].parts[0].header.producer_id, 5000);
	assert_int_equal(f->requests[0].parts[0].header.base_sequence, 0);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(engine_delivers_a_record_of_an_unknown_topic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
