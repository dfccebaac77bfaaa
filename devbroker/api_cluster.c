/*
 * api_cluster.c - ApiVersions, FindCoordinator, DescribeCluster: what this broker is and who else is there.
 */
#include <ctype.h>
#include <stdio.h>

#include "devbroker/internal.h"
#include "kproducer/error.h"
#include "wire/msg_api_versions.h"
#include "wire/msg_describe_cluster.h"
#include "wire/msg_find_coordinator.h"

#define CLUSTER_OPERATIONS 8096 /* as in Metadata */
#define N_FEATURES 7
#define FINALIZED_EPOCH 1
#define OF_OPTION (-1) /* kp_db_options.transaction_version */

/* The features of Apache Kafka 4.3.1 and the levels a new cluster has. */
static const struct {
	const char *name;
	int16_t min, max, level;
} features[N_FEATURES] = {
	{"metadata.version", 7, 30, 30},
	{"group.version", 0, 1, 1},
	{"share.version", 0, 1, 1},
	{"streams.version", 0, 1, 1},
	{"transaction.version", 0, 2, OF_OPTION},
	{"kraft.version", 0, 1, 0},
	{"eligible.leader.replicas.version", 0, 1, 1},
};

static int fill_features(kp_db_ctx *ctx, kp_api_versions_response *r)
{
	r->supported_features.items = kp_db_items(ctx, &kp_api_versions_response_supported_feature_schema, N_FEATURES);
	r->finalized_features.items = kp_db_items(ctx, &kp_api_versions_response_finalized_feature_schema, N_FEATURES);
	if (!r->supported_features.items || !r->finalized_features.items)
		return KP_ERR_NO_MEMORY;
	for (int i = 0; i < N_FEATURES; i++) {
		kp_slice name = kp_slice_cstr(features[i].name);
		/* Before version 4 a client does not expect a minimum of 0 (KAFKA-17011). */
		if (features[i].min > 0 || ctx->to.api_version >= 4)
			r->supported_features.items[r->supported_features.n++] = (kp_api_versions_response_supported_feature){
				name, features[i].min, features[i].max};
		int16_t level = features[i].level == OF_OPTION ? ctx->db->transaction_version : features[i].level;
		if (level > 0)
			r->finalized_features.items[r->finalized_features.n++] = (kp_api_versions_response_finalized_feature){
				name, level, level};
	}
	r->finalized_features_epoch = FINALIZED_EPOCH;
	return 0;
}

/* ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN: letters and digits, in between also '-' and '.'. */
static bool is_software_name(kp_slice s)
{
	if (s.len == 0 || !isalnum(s.ptr[0]) || !isalnum(s.ptr[s.len - 1]))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] > 127 || !(isalnum(s.ptr[i]) || s.ptr[i] == '-' || s.ptr[i] == '.'))
			return false;
	return true;
}

int kp_db_api_api_versions(kp_db_ctx *ctx, const void *request)
{
	const kp_api_versions_request *q = request;
	kp_api_versions_response r;
	kp_wire_init(&kp_api_versions_response_schema, &r, 1);
	r.error_code = kp_db_error_for(ctx, kp_slice_null(), -1);
	if (ctx->to.api_version >= 3 &&
	    !(is_software_name(q->client_software_name) && is_software_name(q->client_software_version)))
		r.error_code = KP_ERR_INVALID_REQUEST;
	if (r.error_code)
		return kp_db_reply(ctx, &r);
	r.api_keys.items = kp_db_items(ctx, &kp_api_versions_response_api_schema, kp_db_n_apis);
	if (!r.api_keys.items)
		return KP_ERR_NO_MEMORY;
	for (size_t i = 0; i < kp_db_n_apis; i++)
		r.api_keys.items[r.api_keys.n++] = (kp_api_versions_response_api){kp_db_apis[i].key, kp_db_apis[i].min,
		                                                                  kp_db_apis[i].max};
	if (ctx->to.api_version >= 3 && fill_features(ctx, &r))
		return KP_ERR_NO_MEMORY;
	return kp_db_reply(ctx, &r);
}

int kp_db_refuse_api_versions(kp_db_ctx *ctx)
{
	kp_api_versions_response_api self = {KP_API_API_VERSIONS, 0, 4};
	kp_api_versions_response r;
	kp_wire_init(&kp_api_versions_response_schema, &r, 1);
	r.error_code = KP_ERR_UNSUPPORTED_VERSION;
	r.api_keys.items = &self;
	r.api_keys.n = 1;
	return kp_db_answer_to(ctx->db, &ctx->to, 0, &r);
}

/* The text Kafka has for a code when the handler gives none. */
#define INVALID_REQUEST_TEXT                                                                                             \
	"This most likely occurs because of a request being malformed by the client library or the message was sent to " \
	"an incompatible broker. See the broker logs for more details."

enum { GROUP = 0, TRANSACTION = 1, SHARE = 2 }; /* FindCoordinatorRequest.CoordinatorType */

static kp_find_coordinator_response_coordinator coordinator_of(kp_db_ctx *ctx, const kp_find_coordinator_request *q, kp_slice key)
{
	const kp_db_cluster *c = &ctx->db->cluster;
	kp_find_coordinator_response_coordinator a = {.key = key, .node_id = -1, .port = -1};
	int32_t node = kp_db_coordinator_of(&ctx->db->coordinators, c, q->key_type, key);
	a.error_code = kp_db_error_for(ctx, kp_slice_null(), -1);
	if (!a.error_code && q->key_type != GROUP && q->key_type != TRANSACTION)
		a.error_code = KP_ERR_INVALID_REQUEST; /* share groups: no share coordinator here */
	if (!a.error_code && !node)
		a.error_code = KP_ERR_COORDINATOR_NOT_AVAILABLE;
	if (a.error_code)
		return a;
	a.node_id = node;
	a.host = kp_slice_cstr(c->nodes[node - 1].host);
	a.port = c->nodes[node - 1].port;
	return a;
}

bool kp_db_is_coordinator(const kp_db_ctx *ctx, int8_t key_type, kp_slice key)
{
	return kp_db_coordinator_of(&ctx->db->coordinators, &ctx->db->cluster, key_type, key) == ctx->to.conn->node;
}

int kp_db_api_find_coordinator(kp_db_ctx *ctx, const void *request)
{
	const kp_find_coordinator_request *q = request;
	kp_find_coordinator_response r;
	kp_wire_init(&kp_find_coordinator_response_schema, &r, 1);
	if (ctx->to.api_version < 4) {
		kp_find_coordinator_response_coordinator a = coordinator_of(ctx, q, q->key);
		r.error_code = a.error_code;
		r.node_id = a.node_id;
		r.host = a.host;
		r.port = a.port;
		r.error_message = kp_slice_cstr("NONE");
		if (a.error_code == KP_ERR_INVALID_REQUEST)
			r.error_message = kp_slice_cstr(INVALID_REQUEST_TEXT);
		else if (a.error_code)
			r.error_message = kp_slice_cstr("The coordinator is not available.");
		return kp_db_reply(ctx, &r);
	}
	size_t n = (size_t)q->coordinator_keys.n;
	r.coordinators.items = kp_db_items(ctx, &kp_find_coordinator_response_coordinator_schema, n);
	if (!r.coordinators.items)
		return KP_ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		r.coordinators.items[i] = coordinator_of(ctx, q, q->coordinator_keys.items[i]);
		bool is_bad = r.coordinators.items[i].error_code == KP_ERR_INVALID_REQUEST && q->key_type != SHARE;
		r.coordinators.items[i].error_message = is_bad ? kp_slice_cstr(INVALID_REQUEST_TEXT) : kp_slice_of("", 0);
	}
	r.coordinators.n = q->coordinator_keys.n;
	return kp_db_reply(ctx, &r);
}

int kp_db_api_describe_cluster(kp_db_ctx *ctx, const void *request)
{
	const kp_describe_cluster_request *q = request;
	const kp_db_cluster *c = &ctx->db->cluster;
	kp_describe_cluster_response r;
	char text[48];
	kp_wire_init(&kp_describe_cluster_response_schema, &r, 1);
	r.error_code = kp_db_error_for(ctx, kp_slice_null(), -1);
	if (!r.error_code && ctx->to.api_version >= 1 && q->endpoint_type != 1) {
		r.error_code = q->endpoint_type == 2 ? KP_ERR_MISMATCHED_ENDPOINT_TYPE : KP_ERR_UNSUPPORTED_ENDPOINT_TYPE;
		snprintf(text, sizeof(text), "Unsupported endpoint type %d", q->endpoint_type);
		r.error_message = kp_slice_cstr(q->endpoint_type == 2
		                                        ? "The request was sent to an endpoint of type BROKER, but we wanted an "
		                                          "endpoint of type CONTROLLER"
		                                        : text);
	}
	if (r.error_code)
		return kp_db_reply(ctx, &r);
	r.brokers.items = kp_db_items(ctx, &kp_describe_cluster_response_broker_schema, (size_t)c->n_nodes);
	if (!r.brokers.items)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < c->n_nodes; i++) {
		const kp_db_node *n = &c->nodes[i];
		if (n->is_up)
			r.brokers.items[r.brokers.n++] = (kp_describe_cluster_response_broker){
				.broker_id = i + 1, .host = kp_slice_cstr(n->host), .port = n->port, .rack = kp_slice_null()};
	}
	int32_t controller = kp_db_controller(c);
	r.controller_id = controller ? controller : -1;
	r.cluster_id = kp_slice_cstr(c->id);
	if (q->include_cluster_authorized_operations)
		r.cluster_authorized_operations = CLUSTER_OPERATIONS;
	return kp_db_reply(ctx, &r);
}
