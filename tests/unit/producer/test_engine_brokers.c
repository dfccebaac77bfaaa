/*
 * test_engine_brokers.c - whom the engine connects to, when, and when it lets go.
 */
#include "engine_fixture.h"

static int n_bootstrap_connects(const fx *f)
{
	int n = 0;
	for (int i = FX_NODES; i < FX_PLACES; i++)
		n += f->places[i].n_connects;
	return n;
}

static void engine_connects_to_nobody_before_it_has_to(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_advance(f, 10 * FX_SECOND);
	assert_int_equal(f->n_conns, 0);
	fx_free(f);
}

static void engine_asks_one_bootstrap_server_when_it_answers(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	f->n_servers = 6;
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 10 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(n_bootstrap_connects(f), 1);
	assert_int_equal(f->places[1].n_connects, 1);
	assert_int_equal(f->places[2].n_connects, 0); /* it leads nothing */
	fx_free(f);
}

static void engine_tries_one_bootstrap_server_after_another(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	f->n_servers = 6;
	fx_add_topic(f, "events", 1);
	for (int i = 0; i < 6; i++)
		f->places[FX_NODES + i].is_refusing = true;
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 40 * FX_MS);
	assert_in_range(n_bootstrap_connects(f), 1, 6);
	for (int i = 0; i < 6; i++)
		assert_in_range(f->places[FX_NODES + i].n_connects, 0, 1);
	fx_advance(f, 5 * FX_SECOND);
	for (int i = 0; i < 6; i++)
		assert_true(f->places[FX_NODES + i].n_connects >= 2);
	f->places[FX_NODES + 4].is_refusing = false;
	fx_advance(f, 3 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

/* A server that swallows connections gets company, but never of all at once. */
static void engine_connects_to_few_at_a_time_when_servers_are_slow(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	f->n_servers = 6;
	for (int i = 0; i < 6; i++)
		f->places[FX_NODES + i].is_silent = true;
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 900 * FX_MS);
	assert_int_equal(n_bootstrap_connects(f), 1);
	fx_advance(f, 500 * FX_MS);
	assert_int_equal(n_bootstrap_connects(f), 2);
	fx_advance(f, 20 * (int64_t)FX_SECOND);
	assert_int_equal(n_bootstrap_connects(f), 3);
	for (int i = 0; i < 6; i++) /* one of the three gives up: another has its turn */
		fx_break(f, FX_NODES + i, KP_ERR_CONNECT);
	fx_advance(f, FX_SECOND);
	assert_true(n_bootstrap_connects(f) > 3);
	fx_free(f);
}

/* A server that takes the connection and says nothing is given up after request.timeout.ms. */
static void engine_gives_a_mute_server_up(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.request_timeout_us = 2 * FX_SECOND;
	fx *f = fx_new(&config);
	f->n_servers = 2;
	f->places[FX_NODES].is_mute = true;
	f->places[FX_NODES + 1].is_mute = true;
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 6 * FX_SECOND);
	assert_true(fx_count(f).disconnects >= 2);
	assert_non_null(strstr(kp_engine_last_connection_error(f->engine), "request.timeout.ms"));
	f->places[FX_NODES].is_mute = false;
	fx_advance(f, 10 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_says_once_per_outage_that_all_servers_are_down(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	f->n_servers = 3;
	for (int i = 0; i < 3; i++)
		f->places[FX_NODES + i].is_refusing = true;
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	for (int i = 0; i < 100 && n_bootstrap_connects(f) < 3; i++) {
		assert_int_equal(f->n_errors, 0); /* one that was not tried may be up */
		fx_turn(f);
		f->now_us += FX_MS;
	}
	fx_advance(f, 10 * FX_SECOND);
	assert_int_equal(f->n_errors, 1);
	assert_int_equal(f->last_error, KP_ERR_CONNECT);
	for (int i = 0; i < 3; i++)
		f->places[FX_NODES + i].is_refusing = false;
	fx_advance(f, 3 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(f->n_errors, 1);
	for (int i = 0; i < FX_PLACES; i++) {
		f->places[i].is_refusing = true;
		fx_break(f, i, KP_ERR_TRANSPORT);
	}
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 20 * (int64_t)FX_SECOND);
	assert_int_equal(f->n_errors, 2);
	fx_free(f);
}

static void engine_backs_off_from_a_server_that_refuses(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	int before = f->places[1].n_connects;
	f->places[1].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 20 * (int64_t)FX_SECOND);
	assert_in_range(f->places[1].n_connects - before, 15, 30); /* 50 ms doubling to about a second */
	fx_free(f);
}

static void engine_closes_idle_connections_and_opens_them_again(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.connections_max_idle_us = 10 * FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	int before = f->n_conns;
	fx_advance(f, 9 * FX_SECOND);
	int open = 0;
	for (int i = 0; i < f->n_conns; i++)
		open += f->conns[i].is_open;
	assert_int_equal(open, 2); /* the bootstrap server's, and node 1's */
	fx_advance(f, 2 * FX_SECOND);
	for (int i = 0; i < f->n_conns; i++)
		assert_false(f->conns[i].is_open);
	assert_int_equal(f->n_errors, 0);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(f->n_conns, before + 1);
	fx_free(f);
}

static void engine_does_not_take_a_slow_answer_for_idleness(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.connections_max_idle_us = 5 * FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	f->hold = true;
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 20 * (int64_t)FX_SECOND);
	assert_int_equal(f->n_requests, 1);
	fx_answer(f, fx_held(f, 0), 0);
	fx_run(f);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->attempts, 1);
	fx_free(f);
}

static void engine_never_closes_idle_connections_when_told_so(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.connections_max_idle_us = -1;
	config.metadata_max_age_us = 10000 * (int64_t)FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	fx_advance(f, 5000 * (int64_t)FX_SECOND);
	assert_int_equal(fx_count(f).disconnects, 0);
	fx_free(f);
}

/* Every node that metadata named is gone; the bootstrap server knows the new ones. */
static void engine_finds_the_cluster_again_through_its_bootstrap_servers(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	int before = f->places[FX_NODES].n_connects;
	fx_break(f, FX_NODES, KP_ERR_TRANSPORT);
	f->places[1].is_refusing = f->places[2].is_refusing = true;
	fx_break(f, 1, KP_ERR_TRANSPORT);
	f->n_nodes = 4;
	f->topics[0].leader[0] = 4;
	f->topics[0].leader_epoch[0] = 2;
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 10 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	assert_int_equal(fx_report_of(f, 1)->node, 4);
	assert_true(f->places[FX_NODES].n_connects > before);
	fx_free(f);
}

/* KIP-1102: the broker itself sends the client back to its bootstrap servers. */
static void engine_bootstraps_again_when_a_broker_asks_for_it(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	int before = f->places[FX_NODES].n_connects;
	fx_break(f, FX_NODES, KP_ERR_TRANSPORT);
	f->metadata_error = KP_ERR_REBOOTSTRAP_REQUIRED;
	fx_advance(f, 301 * (int64_t)FX_SECOND);
	f->metadata_error = 0;
	fx_advance(f, 5 * FX_SECOND);
	assert_true(f->places[FX_NODES].n_connects > before);
	fx_send(f, "events", 0, NULL, 10);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

/* metadata.recovery.rebootstrap.trigger.ms: the nodes are there, but tell nothing. */
static void engine_bootstraps_again_when_metadata_does_not_come(void **state)
{
	(void)state;
	kp_engine_config config = fx_config();
	config.rebootstrap_trigger_us = 5 * FX_SECOND;
	fx *f = fx_with_topic(&config, 1);
	fx_break(f, FX_NODES, KP_ERR_TRANSPORT);
	int before = f->places[FX_NODES].n_connects;
	f->metadata_is_mute = true;
	fx_send(f, "new-topic", KP_PARTITION_ANY, NULL, 10);
	fx_advance(f, 5 * FX_SECOND - 1);
	assert_int_equal(f->places[FX_NODES].n_connects, before);
	fx_advance(f, FX_SECOND);
	assert_true(f->places[FX_NODES].n_connects > before);
	f->metadata_is_mute = false;
	fx_add_topic(f, "new-topic", 1);
	fx_break(f, FX_NODES, KP_ERR_TRANSPORT);
	fx_advance(f, 5 * FX_SECOND);
	fx_check(f, 1, KP_PERSISTED, 0);
	fx_free(f);
}

static void engine_drops_a_peer_that_is_not_kafka(void **state)
{
	(void)state;
	fx *f = fx_new(NULL);
	f->places[FX_NODES].is_mute = true;
	fx_add_topic(f, "events", 1);
	assert_true(fx_start(f));
	fx_send(f, "events", 0, NULL, 10);
	fx_run(f);
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	kp_engine_on_data(f->engine, f->conns[0].id, (const uint8_t *)http, sizeof(http) - 1, f->now_us);
	fx_turn(f);
	assert_false(f->conns[0].is_open);
	assert_non_null(strstr(kp_engine_last_connection_error(f->engine), "HTTP"));
	assert_non_null(strstr(kp_engine_last_connection_error(f->engine), "boot:0"));
	fx_free(f);
}

static void engine_ignores_events_of_connections_that_are_gone(void **state)
{
	(void)state;
	fx *f = fx_with_topic(NULL, 1);
	uint32_t gone = f->conns[0].id;
	struct iovec iov[4];
	fx_break(f, f->conns[0].place, KP_ERR_TRANSPORT);
	kp_engine_on_open(f->engine, gone, f->now_us);
	kp_engine_on_data(f->engine, gone, (const uint8_t *)"abcd", 4, f->now_us);
	kp_engine_written(f->engine, gone, 10, f->now_us);
	kp_engine_on_close(f->engine, gone, KP_ERR_TRANSPORT, "again", f->now_us);
	assert_int_equal(kp_engine_output(f->engine, gone, iov, 4), 0);
	assert_int_equal(kp_engine_output(f->engine, KP_NO_CONN, iov, 4), 0);
	fx_run(f);
	fx_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_connects_to_nobody_before_it_has_to),
		cmocka_unit_test(engine_asks_one_bootstrap_server_when_it_answers),
		cmocka_unit_test(engine_tries_one_bootstrap_server_after_another),
		cmocka_unit_test(engine_connects_to_few_at_a_time_when_servers_are_slow),
		cmocka_unit_test(engine_gives_a_mute_server_up),
		cmocka_unit_test(engine_says_once_per_outage_that_all_servers_are_down),
		cmocka_unit_test(engine_backs_off_from_a_server_that_refuses),
		cmocka_unit_test(engine_closes_idle_connections_and_opens_them_again),
		cmocka_unit_test(engine_does_not_take_a_slow_answer_for_idleness),
		cmocka_unit_test(engine_never_closes_idle_connections_when_told_so),
		cmocka_unit_test(engine_finds_the_cluster_again_through_its_bootstrap_servers),
		cmocka_unit_test(engine_bootstraps_again_when_a_broker_asks_for_it),
		cmocka_unit_test(engine_bootstraps_again_when_metadata_does_not_come),
		cmocka_unit_test(engine_drops_a_peer_that_is_not_kafka),
		cmocka_unit_test(engine_ignores_events_of_connections_that_are_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
