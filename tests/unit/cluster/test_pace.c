/*
 * test_pace.c - each topic waits for itself: what one is refused, or misses, does not slow the others down.
 */
#include "cluster_fixture.h"

static bool asks_for(const fixture *f, const char *name)
{
	for (int32_t i = 0; i < f->request.topics.n; i++)
		if (kp_slice_equal(f->request.topics.items[i].name, kp_slice_cstr(name)))
			return true;
	return false;
}

/* Answer what was asked for: events is there, missing is not. */
static void answer_request(fixture *f, int64_t now_us)
{
	answer a;
	answer_init(&a, 2);
	if (asks_for(f, "events"))
		answer_topic(&a, "events", 1, 2, 1, 5);
	if (asks_for(f, "missing"))
		answer_error(&a, "missing", KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(fixture_update(f, &a, now_us), 0);
}

/* Both were asked for once, at `now_us`. */
static void know_one_of_two(fixture *f, int64_t now_us)
{
	fixture_init(f);
	fixture_topic(f, "events", now_us);
	fixture_topic(f, "missing", now_us);
	assert_true(fixture_asks(f, now_us));
	answer_request(f, now_us);
}

/* Ask and answer whatever is due up to `until_us`; how often events was asked for. */
static int run_until(fixture *f, int64_t now_us, int64_t until_us)
{
	int n = 0;
	for (int turns = 0; now_us <= until_us; turns++) {
		assert_true(turns < 10000);
		if (fixture_asks(f, now_us)) {
			n += asks_for(f, "events");
			answer_request(f, now_us);
		}
		now_us = fixture_next_us(f, now_us);
	}
	return n;
}

static void cluster_refreshes_what_it_knows_although_another_topic_is_missing(void **state)
{
	fixture f;
	(void)state;
	know_one_of_two(&f, 0);
	assert_int_equal(run_until(&f, fixture_next_us(&f, 0), config.max_age_us - 1), 0);
	assert_int_equal(run_until(&f, config.max_age_us, 3 * config.max_age_us + SECOND), 3);
	fixture_deinit(&f);
}

static void cluster_does_not_make_a_stale_topic_wait_for_a_missing_one(void **state)
{
	fixture f;
	(void)state;
	know_one_of_two(&f, 0);
	int64_t now_us = 10 * (int64_t)SECOND;
	(void)run_until(&f, fixture_next_us(&f, 0), now_us); /* its pause is about a second by now */
	assert_true(fixture_next_us(&f, now_us) > now_us);
	kp_cluster_mark_stale(&f.cluster, fixture_topic(&f, "events", now_us));
	assert_true(fixture_asks(&f, now_us));
	assert_true(asks_for(&f, "events"));
	fixture_deinit(&f);
}

/* A producer that goes on sending to a topic it may not write to: each record makes it stale again. */
static void cluster_asks_with_pauses_for_a_topic_that_is_refused_again_and_again(void **state)
{
	fixture f;
	answer a;
	int64_t now_us = 0, pause_us = 0;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "secret", 0);
	for (int i = 0; i < 8; i++) {
		assert_true(fixture_asks(&f, now_us));
		answer_init(&a, 1);
		answer_error(&a, "secret", KP_ERR_TOPIC_AUTHORIZATION_FAILED);
		assert_int_equal(fixture_update(&f, &a, now_us), 0);
		kp_cluster_mark_stale(&f.cluster, t);
		pause_us = fixture_next_us(&f, now_us) - now_us;
		assert_true(pause_us >= config.retry_backoff_us * 8 / 10);
		now_us += pause_us;
	}
	assert_true(pause_us >= config.retry_backoff_max_us * 8 / 10 - 1);
	assert_true(fixture_asks(&f, now_us)); /* it was permitted: no more pauses */
	answer_init(&a, 1);
	answer_topic(&a, "secret", 1, 1, 1, 1);
	assert_int_equal(fixture_update(&f, &a, now_us), 0);
	kp_cluster_mark_stale(&f.cluster, t);
	assert_true(fixture_asks(&f, now_us));
	fixture_deinit(&f);
}

static void cluster_does_not_ask_for_a_missing_topic_that_nobody_waits_for(void **state)
{
	fixture f;
	(void)state;
	know_one_of_two(&f, 0);
	kp_cluster_unmark_stale(fixture_topic(&f, "missing", 0));
	assert_int_equal(fixture_next_us(&f, 0), config.max_age_us);
	kp_cluster_mark_stale(&f.cluster, fixture_topic(&f, "missing", 0));
	assert_true(fixture_next_us(&f, 0) < SECOND);
	fixture_deinit(&f);
}

/* A broker that knows of a new topic before it knows its partitions. */
static void cluster_asks_again_for_a_topic_without_partitions(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	fixture_topic(&f, "events", 0);
	assert_true(fixture_asks(&f, 0));
	answer_init(&a, 1);
	answer_topic(&a, "events", 1, 0, 1, 0);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	int64_t next_us = fixture_next_us(&f, 0);
	assert_true(next_us >= config.retry_backoff_us * 8 / 10 && next_us < SECOND);
	assert_true(fixture_asks(&f, next_us));
	answer_request(&f, next_us);
	assert_true(fixture_next_us(&f, next_us) > config.max_age_us / 2);
	fixture_deinit(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster_refreshes_what_it_knows_although_another_topic_is_missing),
		cmocka_unit_test(cluster_does_not_make_a_stale_topic_wait_for_a_missing_one),
		cmocka_unit_test(cluster_asks_with_pauses_for_a_topic_that_is_refused_again_and_again),
		cmocka_unit_test(cluster_does_not_ask_for_a_missing_topic_that_nobody_waits_for),
		cmocka_unit_test(cluster_asks_again_for_a_topic_without_partitions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
