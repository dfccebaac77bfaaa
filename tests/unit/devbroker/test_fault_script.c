/*
 * test_fault_script.c - fault scripts as text: every condition and action, and mistakes with their line and column.
 */
#include "db_test.h"

#include <stdlib.h>

#include "base/mem.h"
#include "devbroker/fault_script.h"

static kp_list rules;
static kp_buf errors;

static int setup(void **state)
{
	(void)state;
	kp_list_init(&rules);
	kp_buf_init(&errors, 0);
	return 0;
}

static void forget(void)
{
	for (kp_list *n; (n = kp_list_first(&rules));)
		kp_fault_rule_free(KP_CONTAINER_OF(n, kp_fault_rule, link));
	kp_buf_clear(&errors);
}

static int teardown(void **state)
{
	(void)state;
	forget();
	kp_buf_deinit(&errors);
	return 0;
}

static const kp_fault_rule *rule_at(int i)
{
	kp_list *n = rules.next;
	while (i-- > 0 && n != &rules)
		n = n->next;
	assert_true(n != &rules);
	return KP_CONTAINER_OF(n, kp_fault_rule, link);
}

/* The only rule of a script of one. */
static const kp_fault_rule *parse(const char *text)
{
	forget();
	if (!kp_fault_script_parse(kp_slice_cstr(text), 3, &rules, &errors))
		fail_msg("%s: %s", text, kp_buf_cstr(&errors));
	const kp_fault_rule *r = rule_at(0);
	assert_ptr_equal(&rules, r->link.next);
	return r;
}

static const kp_fault_action *action(const char *text)
{
	return &parse(text)->action;
}

static void assert_mistakes(const char *text, const char *expected)
{
	forget();
	assert_false(kp_fault_script_parse(kp_slice_cstr(text), 3, &rules, &errors));
	assert_string_equal(expected, kp_buf_cstr(&errors));
	assert_true(kp_list_empty(&rules));
}

static void every_condition(void **state)
{
	(void)state;
	const kp_fault_rule *r = parse(
		"on Produce,LIST_OFFSETS topic=ord*s partition=7 node=2 client=\"my app:1\" after=100 first=3 every=2 "
		"times=9 chance=12.5% seed=42 from=1.5s until=2m: drop before");
	assert_false(r->is_timed);
	assert_true(r->apis[0] == ((1u << 0) | (1u << 2)));
	assert_true(r->apis[1] == 0);
	assert_string_equal("ord*s", r->topic);
	assert_string_equal("my app:1", r->client);
	assert_int_equal(7, r->partition);
	assert_int_equal(2, r->node);
	assert_int_equal(101, r->first);
	assert_int_equal(103, r->last);
	assert_int_equal(2, r->every);
	assert_int_equal(9, r->times);
	assert_true(r->chance == 0.125);
	assert_true(r->has_seed);
	assert_int_equal(42, r->seed);
	assert_int_equal(1500000, r->from_us);
	assert_int_equal(120000000, r->until_us);
	r = parse("on any nth=4..6: delay 1ms");
	assert_true(r->apis[0] == UINT64_MAX && r->apis[1] == UINT64_MAX);
	assert_int_equal(4, r->first);
	assert_int_equal(6, r->last);
	r = parse("on 22 nth=4: delay 1ms");
	assert_true(r->apis[0] == 1u << 22);
	assert_int_equal(4, r->first);
	assert_int_equal(4, r->last);
	r = parse("on initproducerid first=2k: delay 1ms");
	assert_true(r->apis[0] == 1u << 22);
	assert_int_equal(1, r->first);
	assert_int_equal(2000, r->last);
	assert_int_equal(-1, r->partition);
	assert_int_equal(0, r->node);
	assert_true(r->until_us == KP_TIME_NEVER && r->times == INT64_MAX && r->chance == 1);
}

static void every_action_on_a_request(void **state)
{
	(void)state;
	const kp_fault_action *a = action("on any: delay 200ms..1.5s before");
	assert_int_equal(KP_FAULT_DELAY, a->kind);
	assert_int_equal(200000, a->min_us);
	assert_int_equal(1500000, a->max_us);
	assert_true(a->is_before);
	a = action("on any: delay 20us");
	assert_int_equal(20, a->min_us);
	assert_int_equal(20, a->max_us);
	assert_false(a->is_before);
	a = action("on any: throttle 300ms");
	assert_int_equal(KP_FAULT_THROTTLE, a->kind);
	assert_int_equal(300000, a->max_us);
	a = action("on any: error not_leader_or_follower");
	assert_int_equal(KP_FAULT_ERROR, a->kind);
	assert_int_equal(6, a->error_code);
	assert_int_equal(-1, action("on any: error -1")->error_code);
	assert_int_equal(999, action("on any: error 999")->error_code);
	assert_true(action("on produce: error 7 after")->is_after);
	assert_true(action("on any: drop before")->is_before);
	a = action("on any: drop after");
	assert_int_equal(KP_FAULT_DROP, a->kind);
	assert_false(a->is_before);
	a = action("on any: partial 10");
	assert_int_equal(KP_FAULT_PARTIAL, a->kind);
	assert_int_equal(10, a->n);
	a = action("on any: drip 1k/s");
	assert_int_equal(KP_FAULT_DRIP, a->kind);
	assert_int_equal(1000, a->n);
}

static void every_action_on_the_cluster(void **state)
{
	(void)state;
	const kp_fault_action *a = action("at 0s: leader a.b_c-d/12 = 3");
	assert_int_equal(KP_FAULT_LEADER, a->kind);
	assert_string_equal("a.b_c-d", a->topic);
	assert_int_equal(12, a->partition);
	assert_int_equal(3, a->node);
	assert_int_equal(KP_FAULT_NEXT_NODE, action("at 0s: leader t/0=next")->node);
	assert_int_equal(0, action("at 0s: leader t/0=none")->node);
	a = action("at 0s: cut t/* by 5k");
	assert_int_equal(KP_FAULT_CUT, a->kind);
	assert_int_equal(KP_FAULT_ALL_PARTITIONS, a->partition);
	assert_int_equal(5000, a->n);
	assert_true(a->is_relative);
	a = action("at 0s: cut t/0 to 0");
	assert_int_equal(0, a->n);
	assert_false(a->is_relative);
	assert_int_equal(KP_FAULT_FORGET, action("at 0s: forget producers t/0")->kind);
	a = action("at 0s: replication 2s");
	assert_int_equal(KP_FAULT_REPLICATION, a->kind);
	assert_int_equal(2000000, a->min_us);
	assert_int_equal(0, action("at 0s: replication 0s")->min_us);
	assert_true(action("at 0s: replication stopped")->min_us == KP_TIME_NEVER);
	a = action("at 0s: coordinator transaction pay-1 = 2");
	assert_int_equal(KP_FAULT_COORDINATOR, a->kind);
	assert_int_equal(1, a->key_type);
	assert_string_equal("pay-1", a->key);
	assert_int_equal(2, a->node);
	a = action("at 0s: coordinator group \"a b\" = hash");
	assert_int_equal(0, a->key_type);
	assert_string_equal("a b", a->key);
	assert_int_equal(KP_FAULT_BY_HASH, a->node);
	assert_int_equal(KP_FAULT_NEXT_NODE, action("at 0s: coordinator group g = next")->node);
	assert_int_equal(0, action("at 0s: coordinator group g = none")->node);
	assert_int_equal(200000, action("at 0s: markers 200ms")->min_us);
	assert_string_equal("pay-1", action("at 0s: expire transaction pay-1")->key);
	a = action("at 0s: node 3 down for 2s");
	assert_int_equal(KP_FAULT_NODE_DOWN, a->kind);
	assert_int_equal(3, a->node);
	assert_int_equal(2000000, a->for_us);
	assert_int_equal(0, action("at 0s: node 1 down")->for_us);
	assert_int_equal(KP_FAULT_NODE_UP, action("at 0s: node 1 up")->kind);
	assert_int_equal(KP_FAULT_NODE_STUCK, action("on produce nth=3: node 1 stuck for 1h")->kind);
	assert_int_equal(KP_FAULT_NODE_DISCONNECT, action("at 0s: node 1 disconnect")->kind);
}

static void times(void **state)
{
	(void)state;
	const kp_fault_rule *r = parse("at 3s: node 1 up");
	assert_true(r->is_timed);
	assert_int_equal(3000000, r->at_us);
	assert_int_equal(0, r->every_us);
	assert_int_equal(1, r->times);
	r = parse("at 3s every 10s: node 1 up");
	assert_int_equal(10000000, r->every_us);
	assert_true(r->times == INT64_MAX);
	r = parse("at 3s every=10s times 4: node 1 up");
	assert_int_equal(4, r->times);
}

static void rules_are_separated_by_lines_and_semicolons(void **state)
{
	(void)state;
	static const char text[] = "# what goes wrong\n\n ; on any: drop after;;at 1s: node 1 up # and up again; on nonsense\n"
				   "\ton produce   client=\"a;b#c\" :\tdrop   before\r\n#\n";
	assert_true(kp_fault_script_parse(kp_slice_cstr(text), 3, &rules, &errors));
	assert_string_equal("on any: drop after", rule_at(0)->text);
	assert_string_equal("at 1s: node 1 up", rule_at(1)->text);
	assert_string_equal("on produce client=\"a;b#c\" : drop before", rule_at(2)->text);
	assert_string_equal("a;b#c", rule_at(2)->client);
	forget();
	assert_true(kp_fault_script_parse(kp_slice_cstr(""), 3, &rules, &errors));
	assert_true(kp_fault_script_parse(kp_slice_null(), 3, &rules, &errors));
	assert_true(kp_fault_script_parse(kp_slice_cstr(" \n;# x"), 3, &rules, &errors));
	assert_true(kp_list_empty(&rules));
}

static void mistakes_have_line_column_and_what_was_expected(void **state)
{
	(void)state;
	assert_mistakes("\n\non produce: delay abc", "line 3, column 19: expected a duration such as 200ms, found 'abc'\n");
	assert_mistakes("on produce: delay", "line 1, column 18: expected a duration such as 200ms, found the end of the rule\n");
	assert_mistakes("on produce: delay 200", "line 1, column 19: expected a duration such as 200ms, found '200'\n");
	assert_mistakes("on produce: delay 25h", "line 1, column 19: expected a duration from 1us to 24h, found '25h'\n");
	assert_mistakes("on produce: delay 99999999999999999999h", "line 1, column 19: expected a duration from 1us to 24h, found "
	                                                           "'99999999999999999999h'\n");
	assert_mistakes("on produce: delay 2s..1s",
	                "line 1, column 19: expected a shorter and a longer duration from 1us to 24h, found '2s..1s'\n");
	assert_mistakes("on produce: delay 2s..", "line 1, column 19: expected durations such as 200ms..500ms, found '2s..'\n");
	assert_mistakes("on produce: throttle 5us", "line 1, column 22: expected a duration from 1ms to 24h, found '5us'\n");
	assert_mistakes("on produce first=0: drop after",
	                "line 1, column 18: expected a number of requests from 1 to 1000000000000, found '0'\n");
	assert_mistakes("on produce first 3: drop after", "line 1, column 18: expected '=' and a value, found '3'\n");
	assert_mistakes("on produce first=1 first=2: drop after", "line 1, column 20: 'first' stands twice\n");
	assert_mistakes("on produce nth=3 every=2: drop after", "line 1, column 25: nth cannot stand with first, after or every\n");
	assert_mistakes("on produce nth=6..4: drop after",
	                "line 1, column 16: expected the number of a request such as 4, or a range such "
	                "as 4..6, from 1 to 1000000000000, found '6..4'\n");
	assert_mistakes("on produce seed=3: drop after", "line 1, column 18: seed means nothing without chance\n");
	assert_mistakes("on produce from=3s until=3s: drop after", "line 1, column 28: from must be earlier than until\n");
	assert_mistakes("on produce chance=5: drop after",
	                "line 1, column 19: expected a percentage from 0.000001% to 100% such as 5%, found '5'\n");
	assert_mistakes("on produce chance=101%: drop after",
	                "line 1, column 19: expected a percentage from 0.000001% to 100% such as 5%, found '101%'\n");
	assert_mistakes("on produce node=4: drop after", "line 1, column 17: expected a node from 1 to 3, found '4'\n");
	assert_mistakes("on init_producer_id topic=t: drop after",
	                "line 1, column 28: topic is given, but requests of this API name no topic\n");
	assert_mistakes("on metadata partition=1: drop after",
	                "line 1, column 24: partition is given, but requests of this API name no partition\n");
	assert_mistakes("on produce client=\"x: drop after",
	                "line 1, column 19: expected a '\"' that ends the text, found 'x: drop after'\n");
	assert_mistakes("on produce: drop",
	                "line 1, column 17: expected 'before' or 'after': is the request carried out before the "
	                "connection is closed?, found the end of the rule\n");
	assert_mistakes("on produce: drop after 3",
	                "line 1, column 24: expected the end of the rule (';' or a new line), found '3'\n");
	assert_mistakes("on produce: partial 0", "line 1, column 21: expected a number of bytes from 1 to 1000000000, found '0'\n");
	assert_mistakes("on produce: drip 100",
	                "line 1, column 18: expected bytes a second such as 1k/s, from 1/s to 1G/s, found '100'\n");
	assert_mistakes("on produce: error 0", "line 1, column 19: expected an error code from -1 to 32767, not 0, found '0'\n");
	assert_mistakes("on fetch: error 6 after",
	                "line 1, column 11: an error after the request was carried out is for produce, "
	                "offset_commit, add_partitions_to_txn, add_offsets_to_txn, end_txn and txn_offset_commit alone\n");
	assert_mistakes("on 99: drop after", "line 1, column 4: this broker has no API with number 99\n");
	assert_mistakes("at 3s: drop after", "line 1, column 8: 'drop' acts on a request: it wants a rule that begins with 'on'\n");
	assert_mistakes("at 3s node 1 up", "line 1, column 7: expected ':' or 'every', and an action, found 'node'\n");
	assert_mistakes("at soon: node 1 up", "line 1, column 4: expected a duration such as 200ms, found 'soon'\n");
	assert_mistakes("at 0s: leader t = 1",
	                "line 1, column 15: expected a partition such as orders/0, or orders/* for all of a topic, "
	                "found 't'\n");
	assert_mistakes("at 0s: leader t/x = 1",
	                "line 1, column 15: expected the number of a partition, or *, behind the '/', found 't/x'\n");
	assert_mistakes("at 0s: leader /1 = 1", "line 1, column 15: expected a topic's name in front of the '/', found '/1'\n");
	assert_mistakes("at 0s: leader t/1 = 9", "line 1, column 21: expected a node from 1 to 3, found '9'\n");
	assert_mistakes("at 0s: leader t/1 =", "line 1, column 20: expected a node, 'next' or 'none', found the end of the rule\n");
	assert_mistakes("at 0s: leader t/1 2", "line 1, column 19: expected '=' and the new leader, found '2'\n");
	assert_mistakes("at 0s: cut t/1 3",
	                "line 1, column 16: expected 'by' and a number of records, or 'to' and an offset, found '3'\n");
	assert_mistakes("at 0s: forget t/1", "line 1, column 15: expected 'producers' and a partition, found 't/1'\n");
	assert_mistakes("at 0s: node 1",
	                "line 1, column 14: expected 'down', 'up', 'stuck' or 'disconnect', found the end of the rule\n");
	assert_mistakes("at 0s: node 1 up for 3s",
	                "line 1, column 18: expected the end of the rule (';' or a new line), found 'for'\n");
	assert_mistakes("\x01\xff on", "line 1, column 1: expected 'on' or 'at', with which a rule begins, found '?\?'\n");
}

static void a_mistyped_word_gets_the_nearest_as_a_guess(void **state)
{
	(void)state;
	assert_mistakes("on prodcue: drop after",
	                "line 1, column 4: expected an API that this broker offers (produce, fetch, metadata, "
	                "...) or any, found 'prodcue'; did you mean 'Produce'?\n");
	assert_mistakes("on produce: error NOT_LEADER_FOLLOWER",
	                "line 1, column 19: expected one of Kafka's errors by name or number, "
	                "found 'NOT_LEADER_FOLLOWER'; did you mean 'NOT_LEADER_OR_FOLLOWER'?\n");
	assert_mistakes(
		"on produce: throtle 1s",
		"line 1, column 13: expected an action (delay, throttle, error, drop, partial, drip, "
		"leader, cut, forget, replication, node, coordinator, markers, expire), found 'throtle'; did you mean 'throttle'?\n");
	assert_mistakes("on produce: error QUEUE_FULL",
	                "line 1, column 19: expected one of Kafka's errors by name or number, found 'QUEUE_FULL'\n");
}

static void all_mistakes_are_told_up_to_twenty(void **state)
{
	(void)state;
	assert_mistakes(
		"on x: y; at z\non any: drop after\nfoo bar baz",
		"line 1, column 4: expected an API that this broker offers (produce, fetch, metadata, ...) or any, found 'x'\n"
		"line 1, column 13: expected a duration such as 200ms, found 'z'\n"
		"line 3, column 1: expected 'on' or 'at', with which a rule begins, found 'foo'\n");
	char text[25 * 4 + 1];
	for (size_t i = 0; i < 25; i++)
		memcpy(text + 4 * i, "bad;", 5);
	forget();
	assert_false(kp_fault_script_parse(kp_slice_cstr(text), 3, &rules, &errors));
	const char *last = strstr(kp_buf_cstr(&errors), "column 77:");
	assert_non_null(last);
	assert_non_null(strstr(last, "\n5 more errors\n"));
	assert_null(strstr(last, "column 81:"));
}

static void scripts_are_bounded(void **state)
{
	(void)state;
	kp_buf text;
	kp_buf_init(&text, 0);
	for (int i = 0; i <= KP_FAULT_RULES_MAX; i++)
		kp_buf_printf(&text, "on any: drop after\n");
	assert_mistakes(kp_buf_cstr(&text), "line 1001, column 1: more than 1000 rules\n");
	kp_buf_clear(&text);
	for (size_t i = 0; i <= KP_FAULT_TEXT_MAX; i++)
		kp_buf_append_u8(&text, ' ');
	assert_mistakes(kp_buf_cstr(&text), "line 1, column 1: the script is larger than 1048576 bytes\n");
	kp_buf_deinit(&text);
}

static void single_actions(void **state)
{
	(void)state;
	kp_fault_action a;
	assert_true(kp_fault_action_parse(kp_slice_cstr("leader t/1 = next"), 3, &a, &errors));
	assert_string_equal("t", a.topic);
	kp_fault_action_deinit(&a);
	static const struct {
		const char *text, *expected;
	} bad[] = {
		{"   drop after", "line 1, column 4: this acts on a request: add a rule that begins with 'on'\n"},
		{"node 1 up; node 2 up", "line 1, column 12: expected the end of the action, found 'node'\n"},
		{"node 1 up up", "line 1, column 11: expected the end of the action, found 'up'\n"},
		{"leader t/1 = 7", "line 1, column 14: expected a node from 1 to 3, found '7'\n"},
	};
	for (size_t i = 0; i < KP_ARRAY_LEN(bad); i++) {
		kp_buf_clear(&errors);
		assert_false(kp_fault_action_parse(kp_slice_cstr(bad[i].text), 3, &a, &errors));
		assert_non_null(strstr(kp_buf_cstr(&errors), bad[i].expected));
	}
}

static int failing_at;

static void *failing_realloc(void *ptr, size_t size, void *opaque)
{
	(void)opaque;
	return failing_at-- == 0 ? NULL : realloc(ptr, size);
}

static void failing_free(void *ptr, void *opaque)
{
	(void)opaque;
	free(ptr);
}

static void memory_that_is_out_is_an_error(void **state)
{
	(void)state;
	static const char text[] = "on produce topic=a client=b first=1: drop after; at 1s: cut t/0 by 1; at 2s: leader t/0 = none";
	bool is_good = false;
	int n = 0;
	for (; !is_good && n < 100; n++) {
		kp_list_init(&rules);
		kp_buf_deinit(&errors);
		kp_buf_init(&errors, 0);
		failing_at = n;
		kp_mem_set_allocator(&(kp_allocator){failing_realloc, failing_free, NULL});
		is_good = kp_fault_script_parse(kp_slice_cstr(text), 3, &rules, &errors);
		kp_mem_set_allocator(NULL);
		assert_true(is_good || kp_list_empty(&rules));
	}
	assert_true(n > 5 && n < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_condition, setup, teardown),
		cmocka_unit_test_setup_teardown(every_action_on_a_request, setup, teardown),
		cmocka_unit_test_setup_teardown(every_action_on_the_cluster, setup, teardown),
		cmocka_unit_test_setup_teardown(times, setup, teardown),
		cmocka_unit_test_setup_teardown(rules_are_separated_by_lines_and_semicolons, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_have_line_column_and_what_was_expected, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mistyped_word_gets_the_nearest_as_a_guess, setup, teardown),
		cmocka_unit_test_setup_teardown(all_mistakes_are_told_up_to_twenty, setup, teardown),
		cmocka_unit_test_setup_teardown(scripts_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(single_actions, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_that_is_out_is_an_error, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
