/*
 * messages.c - the list of messages.
 */
#include "wire/messages.h"

#include "wire/header.h"
#include "wire/msg_add_offsets_to_txn.h"
#include "wire/msg_add_partitions_to_txn.h"
#include "wire/msg_api_versions.h"
#include "wire/msg_create_partitions.h"
#include "wire/msg_create_topics.h"
#include "wire/msg_delete_topics.h"
#include "wire/msg_describe_cluster.h"
#include "wire/msg_describe_configs.h"
#include "wire/msg_end_txn.h"
#include "wire/msg_fetch.h"
#include "wire/msg_find_coordinator.h"
#include "wire/msg_init_producer_id.h"
#include "wire/msg_list_offsets.h"
#include "wire/msg_metadata.h"
#include "wire/msg_offset_commit.h"
#include "wire/msg_offset_fetch.h"
#include "wire/msg_produce.h"
#include "wire/msg_txn_offset_commit.h"
#include "wire/msg_write_txn_markers.h"

#define BOTH(api) &api##_request_message, &api##_response_message

const kp_wire_message *const kp_wire_messages[] = {
	BOTH(kp_produce),
	BOTH(kp_fetch),
	BOTH(kp_list_offsets),
	BOTH(kp_metadata),
	BOTH(kp_offset_commit),
	BOTH(kp_offset_fetch),
	BOTH(kp_find_coordinator),
	BOTH(kp_api_versions),
	BOTH(kp_create_topics),
	BOTH(kp_delete_topics),
	BOTH(kp_init_producer_id),
	BOTH(kp_add_partitions_to_txn),
	BOTH(kp_add_offsets_to_txn),
	BOTH(kp_end_txn),
	BOTH(kp_write_txn_markers),
	BOTH(kp_txn_offset_commit),
	BOTH(kp_describe_configs),
	BOTH(kp_create_partitions),
	BOTH(kp_describe_cluster),
	&kp_request_header_message,
	&kp_response_header_message,
	NULL,
};

const kp_wire_message *kp_wire_find(int16_t api_key, bool is_response)
{
	kp_wire_kind kind = is_response ? KP_WIRE_RESPONSE : KP_WIRE_REQUEST;
	for (const kp_wire_message *const *m = kp_wire_messages; *m; m++) {
		if ((*m)->api_key == api_key && (*m)->kind == kind)
			return *m;
	}
	return NULL;
}
