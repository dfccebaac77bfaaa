/*
 * test_topics.c - what is known of topics, and their administration: results, the broker's errors, time-outs.
 */
#include "client/admin.h"
#include "fixture.h"
#include "wire/msg_metadata.h"

static kp_producer *the_producer;
static char err[512];

static int start(void **state)
{
	(void)state;
	the_broker = broker_start(3, 0);
	the_producer = producer_of(broker_servers(the_broker), NULL, NULL, NO_PAIRS);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	close_and_free(the_producer);
	broker_stop(the_broker);
	return 0;
}

static int create(const char *topic, int32_t partitions, int16_t replicas, const char *const *configs)
{
	err[0] = 0;
	return kp_topic_create(the_producer, topic, partitions, replicas, configs, PATIENCE_MS, err, sizeof(err));
}

static void a_created_topic_is_described(void **state)
{
	kp_topic_info *info = NULL;
	(void)state;
	assert_int_equal(create("made", 4, 2, NULL), 0);
	assert_int_equal(kp_partitions_for(the_producer, "made", PATIENCE_MS, &info, err, sizeof(err)), 0);
	assert_int_equal(info->struct_size, sizeof(*info));
	assert_string_equal(info->name, "made");
	assert_int_equal(info->error, 0);
	assert_false(info->is_internal);
	assert_int_equal(info->n_partitions, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(info->partitions[i].n_replicas, 2);
		assert_int_equal(info->partitions[i].n_in_sync, 2);
		assert_in_range(info->partitions[i].leader, 1, 3);
		assert_in_range(info->partitions[i].partition, 0, 3);
	}
	kp_topic_infos_free(info, 1);
}

static void the_brokers_defaults_can_be_asked_for(void **state)
{
	kp_topic_info *info = NULL;
	(void)state;
	assert_int_equal(create("defaults", -1, -1, NULL), 0);
	assert_int_equal(kp_partitions_for(the_producer, "defaults", PATIENCE_MS, &info, NULL, 0), 0);
	assert_int_equal(info->n_partitions, 1);
	kp_topic_infos_free(info, 1);
}

static void a_topics_configuration_is_set_and_read(void **state)
{
	const char *const configs[] = {"retention.ms", "12345", "cleanup.policy", "compact", NULL};
	kp_config_entry *entries = NULL;
	size_t n = 0;
	int found = 0;
	(void)state;
	assert_int_equal(create("configured", 1, 1, configs), 0);
	assert_int_equal(kp_topic_configs(the_producer, "configured", PATIENCE_MS, &entries, &n, err, sizeof(err)), 0);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(entries[i].name, "retention.ms") == 0) {
			assert_string_equal(entries[i].value, "12345");
			assert_false(entries[i].is_default);
			found++;
		} else if (strcmp(entries[i].name, "max.message.bytes") == 0) {
			assert_true(entries[i].is_default);
			found++;
		}
	}
	assert_int_equal(found, 2);
	kp_config_entries_free(entries, n);
}

static void partitions_are_added(void **state)
{
	kp_topic_info *info = NULL;
	(void)state;
	assert_int_equal(create("grows", 1, 1, NULL), 0);
	assert_int_equal(kp_topic_add_partitions(the_producer, "grows", 5, PATIENCE_MS, err, sizeof(err)), 0);
	assert_int_equal(kp_partitions_for(the_producer, "grows", PATIENCE_MS, &info, NULL, 0), 0);
	assert_int_equal(info->n_partitions, 5);
	kp_topic_infos_free(info, 1);
	assert_int_equal(kp_topic_add_partitions(the_producer, "grows", 2, PATIENCE_MS, err, sizeof(err)),
	                 KP_ERR_INVALID_PARTITIONS);
	assert_non_null(strstr(err, "INVALID_PARTITIONS: "));
}

static void a_deleted_topic_is_gone(void **state)
{
	kp_topic_info *info = NULL;
	(void)state;
	assert_int_equal(create("goes", 1, 1, NULL), 0);
	assert_int_equal(kp_topic_delete(the_producer, "goes", PATIENCE_MS, err, sizeof(err)), 0);
	assert_int_equal(kp_topic_delete(the_producer, "goes", PATIENCE_MS, err, sizeof(err)), KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(kp_partitions_for(the_producer, "goes", PATIENCE_MS, &info, err, sizeof(err)),
	                 KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_null(info);
	assert_non_null(strstr(err, "goes"));
}

static void all_topics_are_listed(void **state)
{
	kp_topic_info *infos = NULL;
	size_t n = 0;
	int found = 0;
	(void)state;
	assert_int_equal(create("list-a", 2, 1, NULL), 0);
	assert_int_equal(create("list-b", 3, 1, NULL), 0);
	assert_int_equal(kp_topics_list(the_producer, PATIENCE_MS, &infos, &n, err, sizeof(err)), 0);
	for (size_t i = 0; i < n; i++) {
		found += strcmp(infos[i].name, "list-a") == 0 && infos[i].n_partitions == 2;
		found += strcmp(infos[i].name, "list-b") == 0 && infos[i].n_partitions == 3;
	}
	assert_int_equal(found, 2);
	kp_topic_infos_free(infos, n);
}

/* ------------------------------------------------------------------ errors */

static void the_brokers_refusals_come_with_its_words(void **state)
{
	const char *const bad_config[] = {"retention.ms", "soon", NULL};
	(void)state;
	assert_int_equal(create("twice", 1, 1, NULL), 0);
	assert_int_equal(create("twice", 1, 1, NULL), KP_ERR_TOPIC_ALREADY_EXISTS);
	assert_non_null(strstr(err, "twice"));
	assert_int_equal(create("none", 0, 1, NULL), KP_ERR_INVALID_PARTITIONS);
	assert_int_equal(create("replicas", 1, 9, NULL), KP_ERR_INVALID_REPLICATION_FACTOR);
	assert_int_equal(create("config", 1, 1, bad_config), KP_ERR_INVALID_CONFIG);
	assert_non_null(strstr(err, "retention.ms"));
}

static void bad_arguments_never_leave(void **state)
{
	const char *const odd[] = {"retention.ms", NULL};
	static const char *many[200];
	kp_topic_info *info;
	kp_config_entry *entries;
	size_t n;
	(void)state;
	for (size_t i = 0; i < 160; i++)
		many[i] = "retention.ms";
	assert_int_equal(create("a b", 1, 1, NULL), KP_ERR_INVALID_TOPIC_EXCEPTION);
	assert_non_null(strstr(err, "1 to 249"));
	assert_int_equal(create("odd", 1, 1, odd), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(create("many", 1, 1, many), KP_ERR_BAD_ARGUMENT);
	assert_int_equal(kp_topic_delete(the_producer, "", PATIENCE_MS, err, sizeof(err)), KP_ERR_INVALID_TOPIC_EXCEPTION);
	assert_int_equal(kp_topic_add_partitions(the_producer, "..", 1, PATIENCE_MS, NULL, 0), KP_ERR_INVALID_TOPIC_EXCEPTION);
	assert_int_equal(kp_partitions_for(the_producer, NULL, PATIENCE_MS, &info, NULL, 0), KP_ERR_INVALID_TOPIC_EXCEPTION);
	assert_int_equal(kp_topic_configs(the_producer, "/", PATIENCE_MS, &entries, &n, NULL, 0), KP_ERR_INVALID_TOPIC_EXCEPTION);
}

static void an_answer_that_says_later_is_asked_for_again(void **state)
{
	(void)state;
	broker_inject(the_broker, 19, KP_ERR_NOT_CONTROLLER, 2); /* CreateTopics */
	assert_int_equal(create("later", 1, 1, NULL), 0);
}

static void looking_never_creates(void **state)
{
	kp_topic_info *info = NULL;
	(void)state;
	broker *b = broker_start(1, 1); /* which would create */
	kp_producer *p = producer_of(broker_servers(b), NULL, NULL, NO_PAIRS);
	assert_int_equal(kp_partitions_for(p, "nope", PATIENCE_MS, &info, err, sizeof(err)), KP_ERR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(broker_count(b, "nope"), 0);
	size_t n = 9;
	assert_int_equal(kp_topics_list(p, PATIENCE_MS, &info, &n, NULL, 0), 0);
	assert_int_equal(n, 0);
	kp_topic_infos_free(info, n);
	close_and_free(p);
	broker_stop(b);
}

/* ------------------------------------------------------------------ time */

static void a_silent_server_costs_no_more_than_the_time_out(void **state)
{
	kp_topic_info *info;
	kp_config_entry *entries;
	size_t n;
	(void)state;
	peer *silent = peer_start(PEER_SILENT);
	kp_producer *p = producer_of(peer_servers(silent), NULL, NULL, NO_PAIRS);
	int64_t start_ms = now_ms();
	assert_int_equal(kp_partitions_for(p, "t", 100, &info, err, sizeof(err)), KP_ERR_TIMED_OUT);
	assert_int_equal(kp_topics_list(p, 100, &info, &n, NULL, 0), KP_ERR_TIMED_OUT);
	assert_int_equal(kp_topic_create(p, "t", 1, 1, NULL, 100, NULL, 0), KP_ERR_TIMED_OUT);
	assert_int_equal(kp_topic_delete(p, "t", 100, NULL, 0), KP_ERR_TIMED_OUT);
	assert_int_equal(kp_topic_configs(p, "t", 100, &entries, &n, NULL, 0), KP_ERR_TIMED_OUT);
	assert_in_range(now_ms() - start_ms, 499, 1000);
	assert_int_equal(kp_topics_list(p, 0, &info, &n, NULL, 0), KP_ERR_TIMED_OUT);
	(void)kp_close(p, 0, NULL);
	kp_producer_free(p);
	peer_stop(silent);
}

static void a_server_that_refuses_is_named_when_time_is_over(void **state)
{
	kp_topic_info *info;
	(void)state;
	kp_producer *p = producer_of("127.0.0.1:1", NULL, NULL, NO_PAIRS);
	assert_int_equal(kp_partitions_for(p, "t", 300, &info, err, sizeof(err)), KP_ERR_TIMED_OUT);
	assert_non_null(strstr(err, "127.0.0.1:1"));
	assert_non_null(strstr(err, "refused"));
	close_and_free(p);
}

static bool has_sent(void *arg)
{
	return counters_of(arg).requests >= 2;
}

/* An impatient question must not cost the connection on which records wait for their answer. */
static void a_question_out_of_time_leaves_the_connection_alone(void **state)
{
	collector c;
	kp_record r = record_of(NULL, "v");
	(void)state;
	broker *b = broker_start(1, 1);
	collector_init(&c);
	kp_producer *p = producer_of(broker_servers(b), &c, NULL, PAIRS("linger.ms", "0"));
	kp_topic *t = kp_topic_open(p, "t");
	assert_int_equal(kp_send_sync(t, &r, PATIENCE_MS, NULL), 0);
	broker_hold_answers(b, true);
	assert_int_equal(kp_send(t, &r), 0);
	assert_true(eventually(has_sent, p));
	/* for the controller: it stands behind the record's request */
	assert_int_equal(kp_topic_create(p, "u", 1, 1, NULL, 50, err, sizeof(err)), KP_ERR_TIMED_OUT);
	assert_int_equal(counters_of(p).disconnects, 0);
	broker_hold_answers(b, false);
	close_and_free(p);
	assert_int_equal(collector_count_outcome(&c, KP_PERSISTED, 0), 1);
	assert_int_equal(c.reports[0].report.attempts, 1);
	collector_deinit(&c);
	broker_stop(b);
}

/* ------------------------------------------------------------------ the broker's own time-out */

static int32_t timeout_given_ms; /* by the loop, read when the call is over */

static const void *build_and_note(const void *request, int version, int32_t timeout_ms, kp_arena *arena)
{
	kp_metadata_request *body = kp_arena_alloc(arena, sizeof(*body));
	(void)request, (void)version;
	timeout_given_ms = timeout_ms;
	if (body)
		kp_wire_init(&kp_metadata_request_schema, body, 1);
	return body;
}

static int take_nothing(void *result, const void *answer, int version, char *text)
{
	(void)result, (void)answer, (void)version, (void)text;
	return 0;
}

/* It has to give up, and say so, before the connection is given up. */
static void a_broker_is_given_less_time_than_the_connection(void **state)
{
	static const int timeouts_ms[] = {PATIENCE_MS, 500, KP_FOREVER};
	kp_admin a = {.api_key = KP_API_METADATA, .max_version = 12, .request = "", .build = build_and_note, .take = take_nothing};
	(void)state;
	kp_producer *p = producer_of(broker_servers(the_broker), NULL, NULL,
	                             PAIRS("request.timeout.ms", "1000", "delivery.timeout.ms", "5000"));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(kp_admin_run(p, &a, NULL, NULL, timeouts_ms[i], err, sizeof(err)), 0);
		assert_in_range(timeout_given_ms, 1, timeouts_ms[i] == 500 ? 500 : 999);
	}
	close_and_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_created_topic_is_described),
		cmocka_unit_test(the_brokers_defaults_can_be_asked_for),
		cmocka_unit_test(a_topics_configuration_is_set_and_read),
		cmocka_unit_test(partitions_are_added),
		cmocka_unit_test(a_deleted_topic_is_gone),
		cmocka_unit_test(all_topics_are_listed),
		cmocka_unit_test(the_brokers_refusals_come_with_its_words),
		cmocka_unit_test(bad_arguments_never_leave),
		cmocka_unit_test(an_answer_that_says_later_is_asked_for_again),
		cmocka_unit_test(looking_never_creates),
		cmocka_unit_test(a_silent_server_costs_no_more_than_the_time_out),
		cmocka_unit_test(a_server_that_refuses_is_named_when_time_is_over),
		cmocka_unit_test(a_question_out_of_time_leaves_the_connection_alone),
		cmocka_unit_test(a_broker_is_given_less_time_than_the_connection),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
