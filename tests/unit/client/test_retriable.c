/*
 * test_retriable.c - which failed records are worth sending again: every code, by hand, with every outcome.
 */
#include "fixture.h"

/* Apart from the classes in the table: what a person says who reads the code's text. */
static const int worth_it[] = {
	/* these pass by themselves */
	KP_ERR_CORRUPT_MESSAGE, KP_ERR_UNKNOWN_TOPIC_OR_PARTITION, KP_ERR_LEADER_NOT_AVAILABLE, KP_ERR_NOT_LEADER_OR_FOLLOWER,
	KP_ERR_REQUEST_TIMED_OUT, KP_ERR_REPLICA_NOT_AVAILABLE, KP_ERR_NETWORK_EXCEPTION, KP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
	KP_ERR_COORDINATOR_NOT_AVAILABLE, KP_ERR_NOT_COORDINATOR, KP_ERR_NOT_ENOUGH_REPLICAS,
	KP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, KP_ERR_NOT_CONTROLLER, KP_ERR_CONCURRENT_TRANSACTIONS, KP_ERR_KAFKA_STORAGE_ERROR,
	KP_ERR_FETCH_SESSION_ID_NOT_FOUND, KP_ERR_INVALID_FETCH_SESSION_EPOCH, KP_ERR_LISTENER_NOT_FOUND,
	KP_ERR_FENCED_LEADER_EPOCH, KP_ERR_UNKNOWN_LEADER_EPOCH, KP_ERR_OFFSET_NOT_AVAILABLE, KP_ERR_PREFERRED_LEADER_NOT_AVAILABLE,
	KP_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE, KP_ERR_ELECTION_NOT_NEEDED, KP_ERR_UNSTABLE_OFFSET_COMMIT,
	KP_ERR_THROTTLING_QUOTA_EXCEEDED, KP_ERR_UNKNOWN_TOPIC_ID, KP_ERR_INCONSISTENT_TOPIC_ID,
	KP_ERR_FETCH_SESSION_TOPIC_ID_ERROR, KP_ERR_SHARE_SESSION_NOT_FOUND, KP_ERR_INVALID_SHARE_SESSION_EPOCH,
	KP_ERR_SHARE_SESSION_LIMIT_REACHED, KP_ERR_UNKNOWN_SERVER_ERROR, KP_ERR_QUEUE_FULL, KP_ERR_TIMED_OUT,
	KP_ERR_DELIVERY_TIMEOUT, KP_ERR_NO_MEMORY, KP_ERR_RESOLVE, KP_ERR_CONNECT, KP_ERR_TRANSPORT, KP_ERR_WOULD_BLOCK,
	KP_ERR_QUEUE_EVICTED, KP_ERR_REQUEST_TIMEOUT, KP_ERR_RESENDER_FULL,
	/* these when somebody puts them right */
	KP_ERR_TOPIC_AUTHORIZATION_FAILED, KP_ERR_CLUSTER_AUTHORIZATION_FAILED, KP_ERR_SASL_AUTHENTICATION_FAILED,
	/* and these were the stamp's */
	KP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, KP_ERR_INVALID_PRODUCER_EPOCH, KP_ERR_UNKNOWN_PRODUCER_ID};

#define CODE(name, code, ...) code,
static const int codes[] = {KP_ERROR_LIST(CODE)};

static bool is_worth_it(int code)
{
	for (size_t i = 0; i < KP_ARRAY_LEN(worth_it); i++)
		if (worth_it[i] == code)
			return true;
	return false;
}

static void each_code_is_retriable_or_not(void **state)
{
	size_t n = 0;
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(codes); i++) {
		kp_report r = {.struct_size = sizeof(r), .error = codes[i], .outcome = KP_NOT_PERSISTED};
		if (kp_report_is_retriable(&r) != is_worth_it(codes[i]))
			fail_msg("%s", kp_error_name(codes[i]));
		n += is_worth_it(codes[i]);
	}
	assert_int_equal(n, KP_ARRAY_LEN(worth_it));
}

static void only_what_was_not_persisted_cannot_be_doubled(void **state)
{
	(void)state;
	for (size_t i = 0; i < KP_ARRAY_LEN(codes); i++) {
		kp_report r = {.struct_size = sizeof(r), .error = codes[i], .outcome = KP_UNKNOWN};
		assert_int_equal(kp_report_is_retriable(&r), 0);
		r.outcome = KP_PERSISTED;
		assert_int_equal(kp_report_is_retriable(&r), 0);
	}
	assert_int_equal(kp_report_is_retriable(NULL), 0);
}

static void a_bystander_of_a_rejected_record_is_retriable(void **state)
{
	kp_report r = {.struct_size = sizeof(r), .error = KP_ERR_INVALID_RECORD, .outcome = KP_NOT_PERSISTED};
	(void)state;
	assert_int_equal(kp_report_is_retriable(&r), 0);
	r.flags = KP_REPORT_BYSTANDER;
	assert_int_equal(kp_report_is_retriable(&r), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_is_retriable_or_not),
		cmocka_unit_test(only_what_was_not_persisted_cannot_be_doubled),
		cmocka_unit_test(a_bystander_of_a_rejected_record_is_retriable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
