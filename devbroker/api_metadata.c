/*
 * api_metadata.c - Metadata: nodes that are up, topics by name or id, auto-creation.
 */
#include "devbroker/internal.h"
#include "devbroker/names.h"
#include "kproducer/error.h"
#include "wire/msg_metadata.h"

/* Without an authorizer everything is allowed: the bits of AclEntry.supportedOperations for TOPIC and CLUSTER. */
#define TOPIC_OPERATIONS 3576
#define CLUSTER_OPERATIONS 8096

static int fill_brokers(kp_db_ctx *ctx, kp_metadata_response *r)
{
	const kp_db_cluster *c = &ctx->db->cluster;
	r->brokers.items = kp_db_items(ctx, &kp_metadata_response_broker_schema, (size_t)c->n_nodes);
	if (!r->brokers.items)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < c->n_nodes; i++) {
		const kp_db_node *n = &c->nodes[i];
		if (n->is_up)
			r->brokers.items[r->brokers.n++] = (kp_metadata_response_broker){i + 1, kp_slice_cstr(n->host), n->port,
			                                                                 kp_slice_null()};
	}
	return 0;
}

static int fill_partition(kp_db_ctx *ctx, const kp_db_partition *p, kp_metadata_response_partition *a)
{
	const kp_db_cluster *c = &ctx->db->cluster;
	int32_t leader = kp_db_leader_of(c, p), n = p->topic->replication_factor;
	int32_t *nodes = kp_arena_alloc(&ctx->db->arena, 3 * (size_t)n * sizeof(*nodes));
	if (!nodes)
		return KP_ERR_NO_MEMORY;
	a->partition_index = p->index;
	a->error_code = leader ? 0 : KP_ERR_LEADER_NOT_AVAILABLE;
	a->leader_id = leader ? leader : -1;
	a->leader_epoch = p->leader_epoch;
	a->replica_nodes.items = nodes;
	a->isr_nodes.items = nodes + n;
	a->offline_replicas.items = nodes + 2 * n;
	for (int32_t i = 0; i < n; i++) {
		int32_t node = kp_db_replica(c, p, i);
		a->replica_nodes.items[a->replica_nodes.n++] = node;
		if (c->nodes[node - 1].is_up)
			a->isr_nodes.items[a->isr_nodes.n++] = node;
		else
			a->offline_replicas.items[a->offline_replicas.n++] = node;
	}
	return 0;
}

static int fill_topic(kp_db_ctx *ctx, const kp_db_topic *t, kp_metadata_response_topic *a)
{
	a->name = kp_slice_cstr(t->name);
	a->topic_id = t->id;
	a->partitions.items = kp_db_items(ctx, &kp_metadata_response_partition_schema, (size_t)t->n_partitions);
	if (!a->partitions.items)
		return KP_ERR_NO_MEMORY;
	a->partitions.n = t->n_partitions;
	for (int32_t i = 0; i < t->n_partitions; i++)
		if (fill_partition(ctx, t->partitions[i], &a->partitions.items[i]))
			return KP_ERR_NO_MEMORY;
	return 0;
}

static int16_t auto_create(kp_db_ctx *ctx, kp_slice name, bool is_allowed, kp_db_topic **out)
{
	kp_db_cluster *c = &ctx->db->cluster;
	if (kp_db_topic_name_check(name, NULL))
		return KP_ERR_INVALID_TOPIC_EXCEPTION;
	if (!is_allowed || !ctx->db->is_auto_create)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	if (kp_db_topic_collision(c, name)) /* the controller refuses, which Metadata does not tell */
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	kp_db_topic_config config;
	kp_db_topic_config_init(&config, c->max_message_bytes);
	int err = kp_db_topic_create(c, name, c->default_partitions, kp_db_default_replication(c), &config, out);
	if (err && err != KP_ERR_KAFKA_STORAGE_ERROR)
		err = KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	return (int16_t)err;
}

static bool has_id(const kp_metadata_request_topic *t)
{
	static const kp_uuid no_id;
	return memcmp(&t->topic_id, &no_id, sizeof(no_id)) != 0;
}

/* The topic that was asked for, or why there is none. */
static int16_t look_up(kp_db_ctx *ctx, const kp_metadata_request *q, const kp_metadata_request_topic *qt, kp_db_topic **out)
{
	const kp_db_cluster *c = &ctx->db->cluster;
	bool by_id = has_id(qt);
	*out = by_id ? kp_db_topic_by_id(c, &qt->topic_id) : kp_db_topic_by_name(c, qt->name);
	if (*out)
		return 0;
	if (by_id)
		return KP_ERR_UNKNOWN_TOPIC_ID;
	return auto_create(ctx, qt->name, ctx->to.api_version < 4 || q->allow_auto_topic_creation, out);
}

/* As it was asked for, or that of its id. */
static kp_slice name_of(const kp_db_ctx *ctx, const kp_metadata_request_topic *qt)
{
	const kp_db_topic *t = qt->name.ptr ? NULL : kp_db_topic_by_id(&ctx->db->cluster, &qt->topic_id);
	return t ? kp_slice_cstr(t->name) : qt->name;
}

static int fill_asked(kp_db_ctx *ctx, const kp_metadata_request *q, kp_metadata_response *r)
{
	r->topics.items = kp_db_items(ctx, &kp_metadata_response_topic_schema, (size_t)q->topics.n);
	if (!r->topics.items)
		return KP_ERR_NO_MEMORY;
	kp_db_names names;
	if (kp_db_names_init(&names, &ctx->db->arena, q->topics.items, q->topics.n, sizeof(*q->topics.items),
	                     offsetof(kp_metadata_request_topic, name)))
		return KP_ERR_NO_MEMORY;
	uint64_t request = ctx->db->stats.n_requests;
	int err = 0;
	for (int32_t i = 0; !err && i < q->topics.n; i++) {
		const kp_metadata_request_topic *qt = &q->topics.items[i];
		kp_metadata_response_topic *a = &r->topics.items[r->topics.n];
		kp_db_topic *t;
		int16_t code = kp_db_error_for(ctx, name_of(ctx, qt), -1);
		if (!has_id(qt) && kp_db_names_take(&names, qt->name) == KP_DB_ANSWERED)
			continue;
		if (!code)
			code = look_up(ctx, q, qt, &t);
		if (!code && t->last_metadata == request)
			continue; /* named twice, answered once */
		r->topics.n++;
		a->error_code = code;
		a->name = qt->name;
		if (code == KP_ERR_UNKNOWN_TOPIC_ID && has_id(qt)) {
			a->name = ctx->to.api_version < 12 ? kp_slice_of("", 0) : kp_slice_null();
			a->topic_id = qt->topic_id;
		}
		if (code)
			continue;
		t->last_metadata = request;
		err = fill_topic(ctx, t, a);
	}
	kp_db_names_deinit(&names);
	return err;
}

/* Topics may be named by id from version 12 on, and every one in one way at least. */
static int16_t check_request(const kp_db_ctx *ctx, const kp_metadata_request *q)
{
	for (int32_t i = 0; i < q->topics.n; i++) {
		const kp_metadata_request_topic *t = &q->topics.items[i];
		if (ctx->to.api_version < 12 && (!t->name.ptr || has_id(t)))
			return KP_ERR_INVALID_REQUEST;
		if (!t->name.ptr && !has_id(t))
			return KP_ERR_UNKNOWN_SERVER_ERROR;
	}
	return 0;
}

/* MetadataRequest.getErrorResponse: what was named, and nothing of the cluster. */
static int refuse_all(kp_db_ctx *ctx, const kp_metadata_request *q, kp_metadata_response *r, int16_t code)
{
	r->topics.items = kp_db_items(ctx, &kp_metadata_response_topic_schema, (size_t)q->topics.n);
	if (!r->topics.items)
		return KP_ERR_NO_MEMORY;
	for (int32_t i = 0; i < q->topics.n; i++) {
		kp_slice name = q->topics.items[i].name;
		r->topics.items[i].error_code = code;
		r->topics.items[i].name = name.ptr ? name : kp_slice_of("", 0);
		r->topics.items[i].topic_id = q->topics.items[i].topic_id;
	}
	r->topics.n = q->topics.n;
	r->error_code = code;
	return kp_db_reply(ctx, r);
}

static int fill_all(kp_db_ctx *ctx, kp_metadata_response *r)
{
	kp_db_cluster *c = &ctx->db->cluster;
	r->topics.items = kp_db_items(ctx, &kp_metadata_response_topic_schema, c->n_topics);
	if (!r->topics.items)
		return KP_ERR_NO_MEMORY;
	for (kp_list *n = c->topics.next; n != &c->topics; n = n->next) {
		const kp_db_topic *t = KP_CONTAINER_OF(n, kp_db_topic, in_order);
		kp_metadata_response_topic *a = &r->topics.items[r->topics.n++];
		a->name = kp_slice_cstr(t->name);
		a->error_code = kp_db_error_for(ctx, a->name, -1);
		if (!a->error_code && fill_topic(ctx, t, a))
			return KP_ERR_NO_MEMORY;
	}
	return 0;
}

int kp_db_api_metadata(kp_db_ctx *ctx, const void *request)
{
	const kp_metadata_request *q = request;
	kp_metadata_response r;
	kp_wire_init(&kp_metadata_response_schema, &r, 1);
	int16_t code = check_request(ctx, q);
	if (code)
		return refuse_all(ctx, q, &r, code);
	bool is_all = q->topics.n < 0 || (ctx->to.api_version == 0 && q->topics.n == 0);
	if (fill_brokers(ctx, &r))
		return KP_ERR_NO_MEMORY;
	if (is_all ? fill_all(ctx, &r) : fill_asked(ctx, q, &r))
		return KP_ERR_NO_MEMORY;
	int32_t controller = kp_db_controller(&ctx->db->cluster);
	r.controller_id = controller ? controller : -1;
	r.cluster_id = kp_slice_cstr(ctx->db->cluster.id);
	if (ctx->to.api_version <= 10 && q->include_cluster_authorized_operations)
		r.cluster_authorized_operations = CLUSTER_OPERATIONS;
	if (q->include_topic_authorized_operations)
		for (int32_t i = 0; i < r.topics.n; i++)
			r.topics.items[i].topic_authorized_operations = TOPIC_OPERATIONS;
	return kp_db_reply(ctx, &r);
}
