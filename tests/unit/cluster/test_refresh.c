/*
 * test_refresh.c - when the cluster is asked, and for what.
 */
#include "cluster_fixture.h"

static void cluster_without_topics_asks_nothing(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	assert_int_equal(fixture_next_us(&f, 0), KP_TIME_NEVER);
	fixture_deinit(&f);
}

static void cluster_asks_one_request_at_a_time(void **state)
{
	fixture f;
	(void)state;
	fixture_init(&f);
	fixture_topic(&f, "events", 0);
	assert_true(fixture_asks(&f, 0));
	fixture_topic(&f, "orders", 0);
	assert_int_equal(fixture_next_us(&f, 1000 * (int64_t)SECOND), KP_TIME_NEVER);
	fixture_deinit(&f);
}

/* events and orders are known at `now_us`, and nothing is stale. */
static void know_two_topics(fixture *f, int64_t now_us)
{
	answer a;
	fixture_init(f);
	fixture_topic(f, "events", now_us);
	fixture_topic(f, "orders", now_us);
	assert_true(fixture_asks(f, now_us));
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 2, 1, 5);
	answer_topic(&a, "orders", 2, 2, 2, 5);
	assert_int_equal(fixture_update(f, &a, now_us), 0);
}

static void cluster_asks_for_all_topics_when_they_are_too_old(void **state)
{
	fixture f;
	(void)state;
	know_two_topics(&f, SECOND);
	assert_int_equal(fixture_next_us(&f, SECOND), SECOND + config.max_age_us);
	assert_false(fixture_asks(&f, SECOND + config.max_age_us - 1));
	assert_true(fixture_asks(&f, SECOND + config.max_age_us));
	assert_int_equal(f.request.topics.n, 2);
	fixture_deinit(&f);
}

static void cluster_asks_for_a_stale_topic_alone(void **state)
{
	fixture f;
	(void)state;
	know_two_topics(&f, SECOND);
	kp_cluster_topic *t = fixture_topic(&f, "orders", SECOND);
	kp_cluster_mark_stale(&f.cluster, t);
	kp_cluster_mark_stale(&f.cluster, t);
	assert_true(fixture_asks(&f, SECOND));
	assert_int_equal(f.request.topics.n, 1);
	assert_true(kp_slice_equal(f.request.topics.items[0].name, kp_slice_cstr("orders")));
	fixture_deinit(&f);
}

/* An answer about one topic must not make the others look young. */
static void cluster_answer_about_a_stale_topic_does_not_put_off_the_rest(void **state)
{
	fixture f;
	answer a;
	(void)state;
	know_two_topics(&f, 0);
	kp_cluster_mark_stale(&f.cluster, fixture_topic(&f, "orders", 0));
	assert_true(fixture_asks(&f, 200 * (int64_t)SECOND));
	answer_init(&a, 2);
	answer_topic(&a, "orders", 2, 2, 1, 6);
	assert_int_equal(fixture_update(&f, &a, 200 * (int64_t)SECOND), 0);
	assert_int_equal(fixture_next_us(&f, 200 * (int64_t)SECOND), config.max_age_us);
	fixture_deinit(&f);
}

static void cluster_leaves_idle_topics_out_of_the_refresh(void **state)
{
	fixture f;
	(void)state;
	know_two_topics(&f, 0);
	fixture_topic(&f, "orders", 0)->is_idle = true;
	assert_true(fixture_asks(&f, config.max_age_us));
	assert_int_equal(f.request.topics.n, 1);
	assert_true(kp_slice_equal(f.request.topics.items[0].name, kp_slice_cstr("events")));
	fixture_deinit(&f);
}

static void cluster_forgets_topics_nobody_uses(void **state)
{
	fixture f;
	int user;
	(void)state;
	know_two_topics(&f, 0);
	fixture_topic(&f, "orders", 0)->user = &user;
	kp_cluster_forget_idle(&f.cluster, config.max_idle_us);
	assert_non_null(kp_cluster_topic_find(&f.cluster, kp_slice_cstr("events")));
	kp_cluster_forget_idle(&f.cluster, config.max_idle_us + 1);
	assert_null(kp_cluster_topic_find(&f.cluster, kp_slice_cstr("events")));
	assert_non_null(kp_cluster_topic_find(&f.cluster, kp_slice_cstr("orders")));
	fixture_deinit(&f);
}

static void cluster_ignores_an_answer_about_a_topic_it_forgot(void **state)
{
	fixture f;
	answer a;
	(void)state;
	know_two_topics(&f, 0);
	kp_cluster_forget_idle(&f.cluster, config.max_idle_us + 1);
	answer_init(&a, 1);
	answer_topic(&a, "events", 1, 2, 1, 5);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_string_equal(f.told, "");
	fixture_deinit(&f);
}

static void check_pause(int64_t pause_us, int n_failures)
{
	double us = (double)config.retry_backoff_us;
	for (int i = 0; i < n_failures; i++)
		us *= 2;
	if (us > (double)config.retry_backoff_max_us)
		us = (double)config.retry_backoff_max_us;
	assert_true((double)pause_us >= us * 0.8 - 1 && (double)pause_us <= us * 1.2 + 1);
}

static void cluster_backs_off_while_a_topic_stays_unknown(void **state)
{
	fixture f;
	answer a;
	int64_t now_us = SECOND;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	for (int i = 0; i < 6; i++) {
		assert_true(fixture_asks(&f, now_us));
		answer_init(&a, 1);
		answer_error(&a, "events", i % 2 ? KP_ERR_UNKNOWN_TOPIC_OR_PARTITION : KP_ERR_LEADER_NOT_AVAILABLE);
		assert_int_equal(fixture_update(&f, &a, now_us), 0);
		assert_int_equal(t->error, i % 2 ? KP_ERR_UNKNOWN_TOPIC_OR_PARTITION : KP_ERR_LEADER_NOT_AVAILABLE);
		assert_string_equal(f.told, "events ");
		int64_t next_us = fixture_next_us(&f, now_us);
		check_pause(next_us - now_us, i);
		now_us = next_us;
	}
	assert_true(fixture_asks(&f, now_us));
	answer_init(&a, 1);
	answer_topic(&a, "events", 1, 1, 1, 0);
	assert_int_equal(fixture_update(&f, &a, now_us), 0);
	assert_int_equal(t->error, 0);
	assert_true(fixture_next_us(&f, now_us) > now_us + config.max_age_us / 2);
	kp_cluster_mark_stale(&f.cluster, t); /* the pauses are over with the success */
	assert_true(fixture_asks(&f, now_us));
	fixture_deinit(&f);
}

static void cluster_backs_off_while_a_partition_has_no_leader(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	assert_true(fixture_asks(&f, 0));
	answer_init(&a, 1);
	kp_metadata_response_partition *p = answer_topic(&a, "events", 1, 2, 1, 4);
	p[1].error_code = KP_ERR_LEADER_NOT_AVAILABLE;
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->partitions[0].leader, 1);
	assert_int_equal(t->partitions[1].leader, -1);
	check_pause(fixture_next_us(&f, 0), 0);
	fixture_deinit(&f);
}

static void cluster_does_not_ask_again_for_what_is_forbidden(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	fixture_topic(&f, "events", 0);
	assert_true(fixture_asks(&f, 0));
	answer_init(&a, 1);
	answer_error(&a, "events", KP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(fixture_next_us(&f, 0), config.max_age_us);
	fixture_deinit(&f);
}

static void cluster_keeps_known_partitions_through_an_error(void **state)
{
	fixture f;
	answer a;
	(void)state;
	know_two_topics(&f, 0);
	answer_init(&a, 2);
	answer_error(&a, "events", KP_ERR_LEADER_NOT_AVAILABLE);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(fixture_topic(&f, "events", 0)->n_partitions, 2);
	fixture_deinit(&f);
}

static void cluster_backs_off_after_requests_without_an_answer(void **state)
{
	fixture f;
	int64_t now_us = 0;
	(void)state;
	fixture_init(&f);
	fixture_topic(&f, "events", 0);
	for (int i = 0; i < 5; i++) {
		assert_true(fixture_asks(&f, now_us));
		kp_cluster_request_failed(&f.cluster, now_us);
		int64_t next_us = fixture_next_us(&f, now_us);
		check_pause(next_us - now_us, i);
		now_us = next_us;
	}
	/* a topic that is new meanwhile waits with the others */
	fixture_topic(&f, "orders", now_us);
	assert_true(fixture_asks(&f, now_us));
	assert_int_equal(f.request.topics.n, 2);
	fixture_deinit(&f);
}

static void cluster_passes_the_top_level_error_on(void **state)
{
	fixture f;
	answer a;
	(void)state;
	know_two_topics(&f, 0);
	kp_cluster_mark_stale(&f.cluster, fixture_topic(&f, "events", 0));
	assert_true(fixture_asks(&f, 0));
	answer_init(&a, 0);
	a.body.error_code = KP_ERR_REBOOTSTRAP_REQUIRED;
	assert_int_equal(fixture_update(&f, &a, 0), KP_ERR_REBOOTSTRAP_REQUIRED);
	assert_non_null(kp_cluster_node_find(&f.cluster, 1)); /* nothing of such an answer is taken */
	check_pause(fixture_next_us(&f, 0), 0);
	fixture_deinit(&f);
}

/* The owner may find, while it takes a topic over, that something is still missing (a leader that no node describes). */
static void mark_stale_again(void *opaque, kp_cluster_topic *t)
{
	fixture *f = opaque;
	kp_cluster_mark_stale(&f->cluster, t);
}

static void cluster_backs_off_when_its_owner_is_not_served_by_the_answer(void **state)
{
	fixture f;
	answer a;
	int64_t now_us = 0;
	(void)state;
	fixture_init(&f);
	fixture_topic(&f, "events", 0);
	for (int i = 0; i < 3; i++) {
		assert_true(fixture_asks(&f, now_us));
		answer_init(&a, 1);
		answer_topic(&a, "events", 1, 1, 7, 0);
		assert_int_equal(kp_cluster_update(&f.cluster, &a.body, now_us, mark_stale_again, &f), 0);
		int64_t next_us = fixture_next_us(&f, now_us);
		check_pause(next_us - now_us, i);
		now_us = next_us;
	}
	fixture_deinit(&f);
}

static void cluster_backs_off_when_the_answer_leaves_a_topic_out(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	fixture_topic(&f, "events", 0);
	assert_true(fixture_asks(&f, 0));
	answer_init(&a, 1);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	check_pause(fixture_next_us(&f, 0), 0);
	fixture_deinit(&f);
}

static void cluster_asks_at_once_for_a_topic_made_while_a_request_was_under_way(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	fixture_topic(&f, "events", 0);
	assert_true(fixture_asks(&f, 0));
	fixture_topic(&f, "orders", 0);
	answer_init(&a, 1);
	answer_topic(&a, "events", 1, 1, 1, 0);
	assert_int_equal(fixture_update(&f, &a, 1000), 0);
	assert_true(fixture_asks(&f, 1000));
	assert_int_equal(f.request.topics.n, 1);
	assert_true(kp_slice_equal(f.request.topics.items[0].name, kp_slice_cstr("orders")));
	fixture_deinit(&f);
}

static void backoff_doubles_up_to_its_bound_and_jitters_by_a_fifth(void **state)
{
	kp_random random;
	int64_t least = INT64_MAX, most = 0;
	(void)state;
	kp_random_init(&random, 3);
	for (int i = 0; i < 20; i++)
		check_pause(kp_backoff_us(config.retry_backoff_us, config.retry_backoff_max_us, i, &random), i);
	for (int i = 0; i < 1000; i++) {
		int64_t us = kp_backoff_us(1000, 100000, 3, &random);
		least = us < least ? us : least;
		most = us > most ? us : most;
	}
	assert_true(least >= 6400 && least < 6600);
	assert_true(most <= 9600 && most > 9400);
	assert_int_equal(kp_backoff_us(0, 0, 1000000, &random), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster_without_topics_asks_nothing),
		cmocka_unit_test(cluster_asks_one_request_at_a_time),
		cmocka_unit_test(cluster_asks_for_all_topics_when_they_are_too_old),
		cmocka_unit_test(cluster_asks_for_a_stale_topic_alone),
		cmocka_unit_test(cluster_answer_about_a_stale_topic_does_not_put_off_the_rest),
		cmocka_unit_test(cluster_leaves_idle_topics_out_of_the_refresh),
		cmocka_unit_test(cluster_forgets_topics_nobody_uses),
		cmocka_unit_test(cluster_ignores_an_answer_about_a_topic_it_forgot),
		cmocka_unit_test(cluster_backs_off_while_a_topic_stays_unknown),
		cmocka_unit_test(cluster_backs_off_while_a_partition_has_no_leader),
		cmocka_unit_test(cluster_does_not_ask_again_for_what_is_forbidden),
		cmocka_unit_test(cluster_keeps_known_partitions_through_an_error),
		cmocka_unit_test(cluster_backs_off_after_requests_without_an_answer),
		cmocka_unit_test(cluster_passes_the_top_level_error_on),
		cmocka_unit_test(cluster_backs_off_when_its_owner_is_not_served_by_the_answer),
		cmocka_unit_test(cluster_backs_off_when_the_answer_leaves_a_topic_out),
		cmocka_unit_test(cluster_asks_at_once_for_a_topic_made_while_a_request_was_under_way),
		cmocka_unit_test(backoff_doubles_up_to_its_bound_and_jitters_by_a_fifth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
