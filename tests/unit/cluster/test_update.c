/*
 * test_update.c - what an answer changes: nodes, topics, leaders and their epochs.
 */
#include "cluster_fixture.h"

static void cluster_knows_what_the_answer_says(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	assert_true(fixture_asks(&f, 0));
	assert_int_equal(f.request.topics.n, 1);
	assert_true(kp_slice_equal(f.request.topics.items[0].name, kp_slice_cstr("events")));
	assert_true(f.request.allow_auto_topic_creation);
	answer_init(&a, 2);
	kp_metadata_response_partition *p = answer_topic(&a, "events", 1, 3, 1, 5);
	int32_t nodes[] = {1, 2};
	p[1].leader_id = 2;
	p[1].replica_nodes.items = nodes;
	p[1].replica_nodes.n = 2;
	p[1].isr_nodes.items = nodes;
	p[1].isr_nodes.n = 1;
	assert_int_equal(fixture_update(&f, &a, 1000), 0);
	assert_string_equal(f.told, "events ");
	assert_int_equal(t->error, 0);
	assert_int_equal(t->n_partitions, 3);
	assert_int_equal(t->partitions[0].leader, 1);
	assert_int_equal(t->partitions[1].leader, 2);
	assert_int_equal(t->partitions[1].leader_epoch, 5);
	assert_int_equal(t->partitions[1].n_replicas, 2);
	assert_int_equal(t->partitions[1].n_in_sync, 1);
	assert_int_equal(f.cluster.controller_id, 1);
	assert_string_equal(f.cluster.cluster_id, "cluster-of-the-test");
	assert_int_equal(kp_cluster_node_find(&f.cluster, 2)->port, 9093);
	assert_string_equal(kp_cluster_node_find(&f.cluster, 2)->host, "node");
	assert_null(kp_cluster_node_find(&f.cluster, 3));
	assert_ptr_equal(kp_cluster_topic_find(&f.cluster, kp_slice_cstr("events")), t);
	assert_ptr_equal(kp_cluster_topic_find_id(&f.cluster, &t->id), t);
	fixture_deinit(&f);
}

static void cluster_ignores_a_leader_of_an_older_epoch(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 2, 1, 5);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 2, 2, 4)[1].leader_epoch = 6;
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->partitions[0].leader, 1); /* the broker that answered lags behind */
	assert_int_equal(t->partitions[0].leader_epoch, 5);
	assert_int_equal(t->partitions[1].leader, 2);
	assert_int_equal(t->partitions[1].leader_epoch, 6);
	/* the same epoch, and versions that carry none, are taken */
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 2, 2, 5)[1].leader_epoch = -1;
	a.partitions[0][1].leader_id = 1;
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->partitions[0].leader, 2);
	assert_int_equal(t->partitions[1].leader, 1);
	fixture_deinit(&f);
}

static void cluster_accepts_any_epoch_of_a_topic_that_was_created_again(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 4, 1, 50);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 2, 2, 2, 0);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->n_partitions, 2);
	assert_int_equal(t->partitions[0].leader, 2);
	assert_int_equal(t->partitions[0].leader_epoch, 0);
	assert_int_equal(t->id.bytes[0], 2);
	fixture_deinit(&f);
}

/* Two answers that lag behind, the first from before the topic grew. */
static void cluster_remembers_epochs_of_partitions_that_an_older_answer_lacks(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 4, 1, 5);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 2, 2, 3);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->n_partitions, 2);
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 4, 2, 4);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->n_partitions, 4);
	assert_int_equal(t->partitions[3].leader, 1);
	assert_int_equal(t->partitions[3].leader_epoch, 5);
	/* a new topic of that name knows nothing of the old one's, also when it grows later */
	answer_init(&a, 2);
	answer_topic(&a, "events", 2, 1, 2, 0);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 2, 4, 2, 0);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->partitions[3].leader, 2);
	assert_int_equal(t->partitions[3].leader_epoch, 0);
	fixture_deinit(&f);
}

/* A broker of a version without topic ids must not make an old leader look like a new topic's. */
static void cluster_keeps_to_epochs_when_the_answer_has_no_topic_id(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 1, 1, 50);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 0, 1, 2, 49);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->partitions[0].leader, 1);
	fixture_deinit(&f);
}

static void cluster_topic_grows(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	answer_init(&a, 1);
	answer_topic(&a, "events", 1, 2, 1, 3);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	answer_init(&a, 1);
	answer_topic(&a, "events", 1, 8, 1, 3);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_int_equal(t->n_partitions, 8);
	assert_int_equal(t->partitions[7].leader, 1);
	fixture_deinit(&f);
}

static void cluster_tolerates_partitions_that_make_no_sense(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	answer_init(&a, 1);
	kp_metadata_response_partition *p = answer_topic(&a, "events", 1, 3, 1, 3);
	p[0].partition_index = -1;
	p[1].partition_index = 3;
	p[2].partition_index = INT32_MAX;
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(t->partitions[i].leader, -1);
	fixture_deinit(&f);
}

static void cluster_hint_moves_a_leader_only_forward_and_only_to_a_known_node(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	kp_cluster_topic *t = fixture_topic(&f, "events", 0);
	answer_init(&a, 2);
	answer_topic(&a, "events", 1, 1, 1, 5);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_false(kp_cluster_leader_hint(&f.cluster, t, 0, 2, 5));
	assert_false(kp_cluster_leader_hint(&f.cluster, t, 0, 2, 4));
	assert_false(kp_cluster_leader_hint(&f.cluster, t, 0, 9, 6)); /* nobody described node 9 */
	assert_false(kp_cluster_leader_hint(&f.cluster, t, 0, -1, 6));
	assert_false(kp_cluster_leader_hint(&f.cluster, t, 1, 2, 6));
	assert_false(kp_cluster_leader_hint(&f.cluster, t, -1, 2, 6));
	assert_int_equal(t->partitions[0].leader, 1);
	assert_true(kp_cluster_leader_hint(&f.cluster, t, 0, 2, 6));
	assert_int_equal(t->partitions[0].leader, 2);
	assert_int_equal(t->partitions[0].leader_epoch, 6);
	assert_non_null(kp_cluster_node_put(&f.cluster, 9, kp_slice_cstr("nine"), 1));
	assert_true(kp_cluster_leader_hint(&f.cluster, t, 0, 9, 7));
	fixture_deinit(&f);
}

static void cluster_forgets_nodes_that_are_gone_and_takes_them_back(void **state)
{
	fixture f;
	answer a;
	(void)state;
	fixture_init(&f);
	answer_init(&a, 3);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_non_null(kp_cluster_node_find(&f.cluster, 3));
	answer_init(&a, 2);
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_null(kp_cluster_node_find(&f.cluster, 3));
	assert_int_equal(f.cluster.n_nodes, 3);
	answer_init(&a, 3);
	a.brokers[2].host = kp_slice_cstr("moved");
	assert_int_equal(fixture_update(&f, &a, 0), 0);
	assert_string_equal(kp_cluster_node_find(&f.cluster, 3)->host, "moved");
	assert_int_equal(f.cluster.n_nodes, 3);
	fixture_deinit(&f);
}

static void cluster_refuses_nodes_with_impossible_addresses(void **state)
{
	fixture f;
	char name[300];
	(void)state;
	fixture_init(&f);
	memset(name, 'x', sizeof(name));
	assert_null(kp_cluster_node_put(&f.cluster, 1, kp_slice_of(name, 256), 9092));
	assert_non_null(kp_cluster_node_put(&f.cluster, 1, kp_slice_of(name, 255), 9092));
	assert_null(kp_cluster_node_put(&f.cluster, 2, kp_slice_cstr(""), 9092));
	assert_null(kp_cluster_node_put(&f.cluster, 2, kp_slice_cstr("node"), 0));
	assert_null(kp_cluster_node_put(&f.cluster, 2, kp_slice_cstr("node"), 65536));
	assert_null(kp_cluster_node_put(&f.cluster, 2, kp_slice_cstr("node"), -1));
	fixture_deinit(&f);
}

static void cluster_update_survives_want_of_memory(void **state)
{
	bool done = false;
	answer a;
	(void)state;
	answer_init(&a, 3);
	answer_topic(&a, "events", 1, 8, 1, 3);
	answer_topic(&a, "orders", 2, 4, 2, 3);
	for (int fail_at = 1; !done; fail_at++) {
		fixture f;
		unit_allocator u;
		unit_allocator_install(&u, fail_at);
		fixture_init(&f);
		kp_cluster_topic *events = kp_cluster_topic_get(&f.cluster, kp_slice_cstr("events"), 0);
		kp_cluster_topic *orders = kp_cluster_topic_get(&f.cluster, kp_slice_cstr("orders"), 0);
		bool built = events && orders && kp_cluster_build_request(&f.cluster, 12, &f.arena, &f.request);
		int err = fixture_update(&f, &a, 0);
		assert_true(err == 0 || err == KP_ERR_NO_MEMORY);
		assert_false(f.cluster.is_asking);
		done = !err && built && f.cluster.n_nodes == 3;
		if (done)
			assert_int_equal(orders->n_partitions, 4);
		else if (err)
			assert_true(f.cluster.next_us > 0); /* asked for again, after a pause */
		fixture_deinit(&f);
		unit_allocator_remove(&u);
		assert_true(fail_at < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cluster_knows_what_the_answer_says),
		cmocka_unit_test(cluster_ignores_a_leader_of_an_older_epoch),
		cmocka_unit_test(cluster_accepts_any_epoch_of_a_topic_that_was_created_again),
		cmocka_unit_test(cluster_remembers_epochs_of_partitions_that_an_older_answer_lacks),
		cmocka_unit_test(cluster_keeps_to_epochs_when_the_answer_has_no_topic_id),
		cmocka_unit_test(cluster_topic_grows),
		cmocka_unit_test(cluster_tolerates_partitions_that_make_no_sense),
		cmocka_unit_test(cluster_hint_moves_a_leader_only_forward_and_only_to_a_known_node),
		cmocka_unit_test(cluster_forgets_nodes_that_are_gone_and_takes_them_back),
		cmocka_unit_test(cluster_refuses_nodes_with_impossible_addresses),
		cmocka_unit_test(cluster_update_survives_want_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
