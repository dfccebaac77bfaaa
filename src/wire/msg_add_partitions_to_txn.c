/*
 * msg_add_partitions_to_txn.c - the field tables of AddPartitionsToTxn.
 */
#include "wire/msg_add_partitions_to_txn.h"
#include "wire/messages.h"
#include "wire/table.h"

/* One row a field: clang-format would pack them. */
/* clang-format off */

#define SELF kp_add_partitions_to_txn_request_topic
static const kp_wire_field kp_add_partitions_to_txn_request_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	ARRAY(INT32, partitions, "Partitions", SINCE(0)),
};
#undef SELF
SCHEMA(kp_add_partitions_to_txn_request_topic, "AddPartitionsToTxnTopic");

#define SELF kp_add_partitions_to_txn_request_transaction
static const kp_wire_field kp_add_partitions_to_txn_request_transaction_fields[] = {
	FIELD(STRING, transactional_id, "TransactionalId", SINCE(4)),
	FIELD(INT64, producer_id, "ProducerId", SINCE(4)),
	FIELD(INT16, producer_epoch, "ProducerEpoch", SINCE(4)),
	FIELD(BOOL, verify_only, "VerifyOnly", SINCE(4)),
	STRUCTS(kp_add_partitions_to_txn_request_topic, topics, "Topics", SINCE(4)),
};
#undef SELF
SCHEMA(kp_add_partitions_to_txn_request_transaction, "AddPartitionsToTxnTransaction");

#define SELF kp_add_partitions_to_txn_request
static const kp_wire_field kp_add_partitions_to_txn_request_fields[] = {
	STRUCTS(kp_add_partitions_to_txn_request_transaction, transactions, "Transactions", SINCE(4)),
	FIELD(STRING, v3_and_below_transactional_id, "V3AndBelowTransactionalId", BETWEEN(0, 3)),
	FIELD(INT64, v3_and_below_producer_id, "V3AndBelowProducerId", BETWEEN(0, 3)),
	FIELD(INT16, v3_and_below_producer_epoch, "V3AndBelowProducerEpoch", BETWEEN(0, 3)),
	STRUCTS(kp_add_partitions_to_txn_request_topic, v3_and_below_topics, "V3AndBelowTopics", BETWEEN(0, 3)),
};
#undef SELF
SCHEMA(kp_add_partitions_to_txn_request, "AddPartitionsToTxnRequest");

const kp_wire_message kp_add_partitions_to_txn_request_message = {
	.api_key = KP_API_ADD_PARTITIONS_TO_TXN,
	.kind = KP_WIRE_REQUEST,
	.min_version = 0,
	.max_version = 5,
	.flexible_min = 3,
	.root = &kp_add_partitions_to_txn_request_schema,
};

#define SELF kp_add_partitions_to_txn_response_partition
static const kp_wire_field kp_add_partitions_to_txn_response_partition_fields[] = {
	FIELD(INT32, partition_index, "PartitionIndex", SINCE(0)),
	FIELD(INT16, partition_error_code, "PartitionErrorCode", SINCE(0)),
};
#undef SELF
SCHEMA(kp_add_partitions_to_txn_response_partition, "AddPartitionsToTxnPartitionResult");

#define SELF kp_add_partitions_to_txn_response_topic
static const kp_wire_field kp_add_partitions_to_txn_response_topic_fields[] = {
	FIELD(STRING, name, "Name", SINCE(0)),
	STRUCTS(kp_add_partitions_to_txn_response_partition, results_by_partition, "ResultsByPartition", SINCE(0)),
};
#undef SELF
SCHEMA(kp_add_partitions_to_txn_response_topic, "AddPartitionsToTxnTopicResult");

#define SELF kp_add_partitions_to_txn_response_transaction
static const kp_wire_field kp_add_partitions_to_txn_response_transaction_fields[] = {
	FIELD(STRING, transactional_id, "TransactionalId", SINCE(4)),
	STRUCTS(kp_add_partitions_to_txn_response_topic, topic_results, "TopicResults", SINCE(4)),
};
#undef SELF
SCHEMA(kp_add_partitions_to_txn_response_transaction, "AddPartitionsToTxnResult");

#define SELF kp_add_partitions_to_txn_response
static const kp_wire_field kp_add_partitions_to_txn_response_fields[] = {
	FIELD(INT32, throttle_time_ms, "ThrottleTimeMs", SINCE(0)),
	FIELD(INT16, error_code, "ErrorCode", SINCE(4), IGNORABLE),
	STRUCTS(kp_add_partitions_to_txn_response_transaction, results_by_transaction, "ResultsByTransaction", SINCE(4)),
	STRUCTS(kp_add_partitions_to_txn_response_topic, results_by_topic_v3_and_below, "ResultsByTopicV3AndBelow", BETWEEN(0, 3)),
};
#undef SELF
SCHEMA(kp_add_partitions_to_txn_response, "AddPartitionsToTxnResponse");

const kp_wire_message kp_add_partitions_to_txn_response_message = {
	.api_key = KP_API_ADD_PARTITIONS_TO_TXN,
	.kind = KP_WIRE_RESPONSE,
	.min_version = 0,
	.max_version = 5,
	.flexible_min = 3,
	.root = &kp_add_partitions_to_txn_response_schema,
};
