/*
 * test_topic_info.c - what Metadata says about topics reaches the application in order, whatever the broker's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/topic_info.h"

#define N(array) ((int32_t)(sizeof(array) / sizeof((array)[0])))

static void topics_come_by_name_and_partitions_by_number(void **state)
{
	kp_metadata_response_partition partitions[] = {{.partition_index = 11, .leader_id = 3},
	                                               {.partition_index = 0, .leader_id = 1, .leader_epoch = 7},
	                                               {.partition_index = 2, .leader_id = -1}};
	kp_metadata_response_topic topics[] = {
		{.name = kp_slice_cstr("b"), .partitions = {.items = partitions, .n = N(partitions)}},
		{.name = kp_slice_cstr("a.deleted"), .error_code = 3, .partitions = {.n = -1}},
		{.name = kp_slice_cstr("a"), .is_internal = true},
	};
	kp_metadata_response answer = {.topics = {.items = topics, .n = N(topics)}};
	kp_topic_infos infos;
	(void)state;
	assert_int_equal(kp_topic_infos_take(&infos, &answer), 0);
	assert_int_equal(infos.n, 3);
	assert_string_equal(infos.items[0].name, "a");
	assert_true(infos.items[0].is_internal);
	assert_string_equal(infos.items[1].name, "a.deleted");
	assert_int_equal(infos.items[1].error, 3);
	assert_int_equal(infos.items[1].n_partitions, 0);
	assert_string_equal(infos.items[2].name, "b");
	assert_int_equal(infos.items[2].n_partitions, 3);
	assert_int_equal(infos.items[2].partitions[0].partition, 0);
	assert_int_equal(infos.items[2].partitions[0].leader_epoch, 7);
	assert_int_equal(infos.items[2].partitions[1].partition, 2);
	assert_int_equal(infos.items[2].partitions[1].leader, -1);
	assert_int_equal(infos.items[2].partitions[2].partition, 11);
	assert_int_equal(infos.items[2].partitions[2].leader, 3);
	kp_topic_infos_free(infos.items, infos.n);
}

static void an_answer_without_topics_is_an_empty_list(void **state)
{
	kp_metadata_response answer = {.topics = {.n = -1}};
	kp_topic_infos infos;
	(void)state;
	assert_int_equal(kp_topic_infos_take(&infos, &answer), 0);
	assert_int_equal(infos.n, 0);
	kp_topic_infos_free(infos.items, infos.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics_come_by_name_and_partitions_by_number),
		cmocka_unit_test(an_answer_without_topics_is_an_empty_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
