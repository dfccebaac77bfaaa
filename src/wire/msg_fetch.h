/*
 * msg_fetch.h - Fetch (API key 1), versions 4 to 18, flexible from 12.
 *
 * Notes give the versions that have a field (none given: all that have the struct), its tag, and where it may be null.
 */
#ifndef KP_WIRE_MSG_FETCH_H
#define KP_WIRE_MSG_FETCH_H

#include "wire/schema.h"

typedef struct kp_fetch_request_replica_state {
	int32_t replica_id;
	int64_t replica_epoch;
} kp_fetch_request_replica_state;

typedef struct kp_fetch_request_partition {
	int32_t partition;
	int32_t current_leader_epoch; /* 9+ */
	int64_t fetch_offset;
	int32_t last_fetched_epoch; /* 12+ */
	int64_t log_start_offset;   /* 5+ */
	int32_t partition_max_bytes;
	kp_uuid replica_directory_id; /* 17+, tag 0 */
	int64_t high_watermark;       /* 18+, tag 1 */
} kp_fetch_request_partition;

typedef struct kp_fetch_request_topic {
	kp_slice topic;   /* 4-12 */
	kp_uuid topic_id; /* 13+ */
	KP_WIRE_ARRAY(kp_fetch_request_partition) partitions;
} kp_fetch_request_topic;

typedef struct kp_fetch_request_forgotten_topic {
	kp_slice topic;   /* 7-12 */
	kp_uuid topic_id; /* 13+ */
	KP_WIRE_ARRAY(int32_t) partitions;
} kp_fetch_request_forgotten_topic;

typedef struct kp_fetch_request {
	kp_slice cluster_id;                          /* 12+, tag 0, nullable */
	int32_t replica_id;                           /* 4-14; -1: a consumer */
	kp_fetch_request_replica_state replica_state; /* 15+, tag 1; KIP-903 */
	int32_t max_wait_ms;
	int32_t min_bytes;
	int32_t max_bytes;
	int8_t isolation_level; /* 0 read uncommitted, 1 read committed */
	int32_t session_id;     /* 7+ */
	int32_t session_epoch;  /* 7+; -1: no session, 0: a new one (KIP-227) */
	KP_WIRE_ARRAY(kp_fetch_request_topic) topics;
	KP_WIRE_ARRAY(kp_fetch_request_forgotten_topic) forgotten_topics_data; /* 7+ */
	kp_slice rack_id;                                                      /* 11+ */
} kp_fetch_request;

typedef struct kp_fetch_response_diverging_epoch {
	int32_t epoch;
	int64_t end_offset;
} kp_fetch_response_diverging_epoch;

typedef struct kp_fetch_response_leader {
	int32_t leader_id;
	int32_t leader_epoch;
} kp_fetch_response_leader;

typedef struct kp_fetch_response_snapshot {
	int64_t end_offset;
	int32_t epoch;
} kp_fetch_response_snapshot;

typedef struct kp_fetch_response_aborted_transaction {
	int64_t producer_id;
	int64_t first_offset;
} kp_fetch_response_aborted_transaction;

typedef struct kp_fetch_response_partition {
	int32_t partition_index;
	int16_t error_code;
	int64_t high_watermark;
	int64_t last_stable_offset;
	int64_t log_start_offset;                                                  /* 5+ */
	kp_fetch_response_diverging_epoch diverging_epoch;                         /* 12+, tag 0; KIP-595 */
	kp_fetch_response_leader current_leader;                                   /* 12+, tag 1 */
	kp_fetch_response_snapshot snapshot_id;                                    /* 12+, tag 2; KIP-630 */
	KP_WIRE_ARRAY(kp_fetch_response_aborted_transaction) aborted_transactions; /* null: read uncommitted */
	int32_t preferred_read_replica;                                            /* 11+ */
	kp_slice records;                                                          /* nullable */
} kp_fetch_response_partition;

typedef struct kp_fetch_response_topic {
	kp_slice topic;   /* 4-12 */
	kp_uuid topic_id; /* 13+ */
	KP_WIRE_ARRAY(kp_fetch_response_partition) partitions;
} kp_fetch_response_topic;

typedef struct kp_fetch_response_node {
	int32_t node_id;
	kp_slice host;
	int32_t port;
	kp_slice rack; /* nullable */
} kp_fetch_response_node;

typedef struct kp_fetch_response {
	int32_t throttle_time_ms;
	int16_t error_code; /* 7+ */
	int32_t session_id; /* 7+ */
	KP_WIRE_ARRAY(kp_fetch_response_topic) responses;
	KP_WIRE_ARRAY(kp_fetch_response_node) node_endpoints; /* 16+, tag 0; KIP-951 */
} kp_fetch_response;

extern const kp_wire_struct kp_fetch_request_replica_state_schema;
extern const kp_wire_struct kp_fetch_request_partition_schema;
extern const kp_wire_struct kp_fetch_request_topic_schema;
extern const kp_wire_struct kp_fetch_request_forgotten_topic_schema;
extern const kp_wire_struct kp_fetch_request_schema;
extern const kp_wire_struct kp_fetch_response_diverging_epoch_schema;
extern const kp_wire_struct kp_fetch_response_leader_schema;
extern const kp_wire_struct kp_fetch_response_snapshot_schema;
extern const kp_wire_struct kp_fetch_response_aborted_transaction_schema;
extern const kp_wire_struct kp_fetch_response_partition_schema;
extern const kp_wire_struct kp_fetch_response_topic_schema;
extern const kp_wire_struct kp_fetch_response_node_schema;
extern const kp_wire_struct kp_fetch_response_schema;
extern const kp_wire_message kp_fetch_request_message;
extern const kp_wire_message kp_fetch_response_message;

#endif
