/*
 * test_engine_doubts.c - when the engine asks for metadata again, and when it leaves it: leaders in doubt, topics that are missing,
 * servers that are gone.
 */
#include "engine_fixture.h"

static void move_leader(fx *f, int32_t partition, int32_t node)
{
	f->topics[0].leader[partition] = node;
	f->topics[0].leader_epoch[partition]++;
}

static void mark_stale(fx *f, const char *topic)
{
	kp_metadata_stale(f->engine, kp_engine_topic(f->engine, topic));
}

/* ------------------------------------------------------------------ leaders */

/* The refused record is lost, as retries=0 says; those behind it need not be. */
static void engine_doubts_the_leader_although_the_batch_is_given_up(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.retries = 0;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	move_leader(f, 0, 2);
	fx_answer(f, fx_held(f, 0), KP_ERR_NOT_LEADER_OR_FOLLOWER);
	f->hold = false;
	fx_advance(f, FX_SECOND);
	fx_check(f, 1, KP_UNKNOWN, KP_ERR_NOT_LEADER_OR_FOLLOWER);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, FX_SECOND);
	fx_check(f, 2, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 2)->node, 2);
	fx_free(f);
}

/* With acks=0 there is no answer to say who leads: a broker that does not closes the connection. */
static void engine_doubts_the_leader_that_closes_when_nothing_is_acknowledged(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.acks = 0;
	config.idempotent = false;
	fx *f = fx_with_topic(&config, 1);
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	fx_check(f, 1, KP_UNKNOWN, 0);
	move_leader(f, 0, 2);
	fx_break(f, 1, KP_ERR_TRANSPORT);
	fx_advance(f, FX_SECOND);
	assert_int_equal(f->n_metadata, 1);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, FX_SECOND);
	assert_int_equal(f->requests[f->n_requests - 1].place, 2);
	fx_free(f);
}

/* ------------------------------------------------------------------ topics that are not there */

static void engine_leaves_a_missing_topic_alone_when_nothing_waits_for_it(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.delivery_timeout_us = 5 * FX_SECOND;
	fx *f = fx_new(&config);
	fx_topic *t = fx_add_topic(f, "events", 1);
	t->error = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 7 * FX_SECOND);
	fx_check(f, 1, KP_NOT_PERSISTED, KP_ERR_DELIVERY_TIMEOUT);
	int n = f->n_metadata;
	assert_true(n > 5);
	fx_advance(f, 100 * (int64_t)FX_SECOND);
	assert_int_equal(f->n_metadata, n);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 2 * FX_SECOND);
	assert_true(f->n_metadata > n);
	t->error = 0;
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, 2, KP_PERSISTED, 0);
	fx_free(f);
}

/* The leader is lost, then the whole topic for a while: nothing but metadata can tell that it is back. */
static void engine_goes_on_asking_for_a_missing_topic_when_a_partition_has_records(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	move_leader(f, 0, 0);
	mark_stale(f, "events");
	fx_advance(f, FX_SECOND);
	fx_send(f, "events", 0, NULL, 10);
	f->topics[0].error = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	fx_advance(f, 3 * FX_SECOND);
	f->topics[0].error = 0;
	move_leader(f, 0, 2);
	fx_advance(f, 3 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_asks_with_pauses_for_a_topic_it_may_not_write_to(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "secret", 1)->error = KP_ERR_TOPIC_AUTHORIZATION_FAILED;
	assert_true(fx_start(f));
	for (int i = 0; i < 1000; i++) {
		fx_send(f, "secret", 0, NULL, 10);
		fx_advance(f, 10 * FX_MS);
	}
	assert_in_range(f->n_metadata, 8, 20); /* 10 s: from a tenth of a second to a whole one */
	fx_free(f);
}

static void engine_waits_for_the_partitions_of_a_topic_that_has_none_yet(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_topic *t = fx_add_topic(f, "events", 0);
	assert_true(fx_start(f));
	fx_send(f, "events", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, 3 * FX_SECOND);
	assert_in_range(f->n_metadata, 3, 12);
	t->n_partitions = 1;
	fx_advance(f, 2 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

/* ------------------------------------------------------------------ servers that are gone */

/* The bootstrap server is gone for good, and the nodes were dropped: one that serves its partitions again has metadata, too. */
static void engine_asks_a_dropped_node_when_no_bootstrap_server_is_left(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.rebootstrap_trigger_us = 5 * FX_SECOND;
	config.delivery_timeout_us = 60 * (int64_t)FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	f->places[FX_NODES].is_refusing = true;
	fx_break(f, FX_NODES, KP_ERR_TRANSPORT);
	f->places[1].is_refusing = f->places[2].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 10 * FX_SECOND);
	assert_null(kp_cluster_node_find(&f->engine->loop.cluster, 1));
	int before = f->n_metadata;
	f->places[1].is_refusing = false;
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_true(f->n_metadata > before);
	assert_non_null(kp_cluster_node_find(&f->engine->loop.cluster, 1));
	fx_free(f);
}

/* Turns while the time goes on by `us`, as it does for a loop that takes a turn whenever it is told to. */
static int count_turns(fx *f, int64_t us)
{
	int n = 0;
	int64_t until_us = f->now_us + us;
	while (f->now_us < until_us) {
		fx_turn(f);
		n++;
		f->now_us = f->next_us > f->now_us + 20 ? f->next_us : f->now_us + 20;
	}
	return n;
}

static void engine_does_not_spin_when_it_may_bootstrap_again_at_once(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.rebootstrap_trigger_us = 0;
	fx *f = fx_with_topic(&config, 1);
	for (int i = 0; i < FX_PLACES; i++) {
		f->places[i].is_silent = true;
		fx_break(f, i, KP_ERR_TRANSPORT);
	}
	mark_stale(f, "events");
	assert_in_range(count_turns(f, 10 * FX_SECOND), 10, 2000);
	for (int i = 0; i < FX_PLACES; i++) {
		f->places[i].is_silent = false;
		fx_break(f, i, KP_ERR_TRANSPORT);
	}
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 3 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

/* Nothing is idle before it has done what it was connected for. */
static void engine_delivers_although_no_connection_may_be_idle(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.connections_max_idle_us = 0;
	fx *f = fx_new(&config);
	fx_add_topic(f, "events", 2);
	assert_true(fx_start(f));
	for (int i = 0; i < 5; i++) {
		fx_send(f, "events", i % 2, NULL, 10);
		fx_advance(f, FX_SECOND);
		fx_check(f, i + 1, KP_PERSISTED, 0);
	}
	for (int i = 0; i < f->n_conns; i++)
		assert_false(f->conns[i].is_open);
	assert_true(f->n_conns < 30);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_doubts_the_leader_although_the_batch_is_given_up),
		cmocka_unit_test(engine_doubts_the_leader_that_closes_when_nothing_is_acknowledged),
		cmocka_unit_test(engine_leaves_a_missing_topic_alone_when_nothing_waits_for_it),
		cmocka_unit_test(engine_goes_on_asking_for_a_missing_topic_when_a_partition_has_records),
		cmocka_unit_test(engine_asks_with_pauses_for_a_topic_it_may_not_write_to),
		cmocka_unit_test(engine_waits_for_the_partitions_of_a_topic_that_has_none_yet),
		cmocka_unit_test(engine_asks_a_dropped_node_when_no_bootstrap_server_is_left),
		cmocka_unit_test(engine_does_not_spin_when_it_may_bootstrap_again_at_once),
		cmocka_unit_test(engine_delivers_although_no_connection_may_be_idle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
