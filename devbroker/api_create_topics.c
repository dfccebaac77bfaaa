/*
 * api_create_topics.c - CreateTopics and CreatePartitions. Codes and texts are those of Kafka's ReplicationControlManager.
 *
 * Manual assignments are checked as Kafka checks them, but replicas are then placed our way: only their number counts.
 */
#include "devbroker/internal.h"
#include "devbroker/names.h"
#include "kproducer/error.h"
#include "wire/msg_create_partitions.h"
#include "wire/msg_create_topics.h"

/* A topic that passed all checks so far. */
typedef struct plan {
	int32_t n_partitions;
	int16_t replication_factor;
	kp_db_topic_config config;
} plan;

static int16_t check_nodes(const kp_db_cluster *c, const int32_t *nodes, int32_t n, kp_buf *why)
{
	if (n == 0) {
		kp_buf_printf(why, "The manual partition assignment includes an empty replica list.");
		return KP_ERR_INVALID_REPLICA_ASSIGNMENT;
	}
	for (int32_t i = 0; i < n; i++) {
		if (!kp_db_is_node(c, nodes[i])) {
			kp_buf_printf(why, "The manual partition assignment includes broker %d, but no such broker is registered.",
			              (int)nodes[i]);
			return KP_ERR_INVALID_REPLICA_ASSIGNMENT;
		}
		for (int32_t j = 0; j < i; j++) { /* at most n_nodes different ones come this far */
			if (nodes[i] != nodes[j])
				continue;
			kp_buf_printf(why, "The manual partition assignment includes the broker %d more than once.", (int)nodes[i]);
			return KP_ERR_INVALID_REPLICA_ASSIGNMENT;
		}
	}
	return 0;
}

/* Every partition once, from 0 on. `seen` has n places. */
static int16_t check_numbers(const kp_create_topics_request_topic *q, bool *seen, kp_buf *why)
{
	int32_t n = q->assignments.n;
	for (int32_t i = 0; i < n; i++) {
		int32_t p = q->assignments.items[i].partition_index;
		if (p >= 0 && p < n && seen[p]) {
			kp_buf_printf(why, "Found multiple manual partition assignments for partition %d", (int)p);
			return KP_ERR_INVALID_REPLICA_ASSIGNMENT;
		}
		if (p < 0 || p >= n) {
			kp_buf_printf(why, "partitions should be a consecutive 0-based integer sequence");
			return KP_ERR_INVALID_REPLICA_ASSIGNMENT;
		}
		seen[p] = true;
	}
	return 0;
}

static int16_t plan_assigned(kp_db_ctx *ctx, const kp_create_topics_request_topic *q, plan *p, kp_buf *why)
{
	if (q->replication_factor != -1) {
		kp_buf_printf(why, "A manual partition assignment was specified, but replication factor was not set to -1.");
		return KP_ERR_INVALID_REQUEST;
	}
	if (q->num_partitions != -1) {
		kp_buf_printf(why, "A manual partition assignment was specified, but numPartitions was not set to -1.");
		return KP_ERR_INVALID_REQUEST;
	}
	bool *seen = kp_arena_alloc(&ctx->db->arena, (size_t)q->assignments.n);
	if (!seen)
		return KP_ERR_UNKNOWN_SERVER_ERROR;
	int16_t code = check_numbers(q, seen, why);
	for (int32_t i = 0; !code && i < q->assignments.n; i++)
		code = check_nodes(&ctx->db->cluster, q->assignments.items[i].broker_ids.items,
		                   q->assignments.items[i].broker_ids.n, why);
	p->n_partitions = q->assignments.n;
	p->replication_factor = (int16_t)q->assignments.items[0].broker_ids.n;
	return code;
}

static int16_t plan_counted(kp_db_ctx *ctx, const kp_create_topics_request_topic *q, plan *p, kp_buf *why)
{
	const kp_db_cluster *c = &ctx->db->cluster;
	if (q->replication_factor < -1 || q->replication_factor == 0) {
		kp_buf_printf(why, "Replication factor must be larger than 0, or -1 to use the default value.");
		return KP_ERR_INVALID_REPLICATION_FACTOR;
	}
	if (q->num_partitions < -1 || q->num_partitions == 0) {
		kp_buf_printf(why, "Number of partitions was set to an invalid non-positive value.");
		return KP_ERR_INVALID_PARTITIONS;
	}
	p->n_partitions = q->num_partitions == -1 ? c->default_partitions : q->num_partitions;
	p->replication_factor = q->replication_factor == -1 ? kp_db_default_replication(c) : q->replication_factor;
	if (p->replication_factor > c->n_nodes) {
		kp_buf_printf(why,
		              "Unable to replicate the partition %d time(s): The target replication factor of %d cannot be reached "
		              "because only %d broker(s) are registered or some brokers have all their log directories cordoned.",
		              p->replication_factor, p->replication_factor, (int)c->n_nodes);
		return KP_ERR_INVALID_REPLICATION_FACTOR;
	}
	return 0;
}

static int16_t plan_topic(kp_db_ctx *ctx, const kp_create_topics_request_topic *q, plan *p, kp_buf *why)
{
	const kp_db_cluster *c = &ctx->db->cluster;
	int err = kp_db_topic_name_check(q->name, why);
	if (err)
		return (int16_t)err;
	if (kp_db_topic_by_name(c, q->name)) {
		kp_buf_printf(why, "Topic '%.*s' already exists.", (int)q->name.len, (const char *)q->name.ptr);
		return KP_ERR_TOPIC_ALREADY_EXISTS;
	}
	const kp_db_topic *other = kp_db_topic_collision(c, q->name);
	if (other) {
		kp_buf_printf(why, "Topic '%.*s' collides with existing topic: %s", (int)q->name.len, (const char *)q->name.ptr,
		              other->name);
		return KP_ERR_INVALID_TOPIC_EXCEPTION;
	}
	for (int32_t i = 0; i < q->configs.n; i++) {
		err = kp_db_topic_config_set(&p->config, q->configs.items[i].name, q->configs.items[i].value, why);
		if (err)
			return err == KP_ERR_NO_MEMORY ? KP_ERR_UNKNOWN_SERVER_ERROR : (int16_t)err;
	}
	return q->assignments.n > 0 ? plan_assigned(ctx, q, p, why) : plan_counted(ctx, q, p, why);
}

/* What the answer tells of a topic that was, or could be, created. */
static int16_t describe(kp_db_ctx *ctx, const plan *p, kp_create_topics_response_topic *a)
{
	char scratch[24];
	a->num_partitions = p->n_partitions;
	a->replication_factor = p->replication_factor;
	a->configs.items = kp_db_items(ctx, &kp_create_topics_response_config_schema, KP_DB_N_CONFIGS);
	if (!a->configs.items)
		return KP_ERR_UNKNOWN_SERVER_ERROR;
	for (int i = 0; i < KP_DB_N_CONFIGS; i++) {
		const char *value = kp_db_topic_config_value(&p->config, i, ctx->db->cluster.max_message_bytes, scratch);
		a->configs.items[i].name = kp_slice_cstr(kp_db_config_infos[i].name);
		a->configs.items[i].value = kp_db_copy(ctx, kp_slice_cstr(value));
		a->configs.items[i].config_source = (int8_t)kp_db_topic_config_source(&p->config, i);
	}
	a->configs.n = KP_DB_N_CONFIGS;
	return 0;
}

static int16_t create(kp_db_ctx *ctx, const kp_create_topics_request_topic *q, bool validate_only,
                      kp_create_topics_response_topic *a, kp_buf *why)
{
	plan p;
	kp_db_topic *t;
	kp_db_topic_config_init(&p.config, ctx->db->cluster.max_message_bytes);
	int16_t code = plan_topic(ctx, q, &p, why);
	if (!code)
		code = describe(ctx, &p, a);
	if (!code && validate_only) {
		kp_db_uuid_make(&ctx->db->cluster.random, &a->topic_id); /* Kafka names the id that it would have had */
	} else if (!code) {
		int err = kp_db_topic_create(&ctx->db->cluster, q->name, p.n_partitions, p.replication_factor, &p.config, &t);
		if (err)
			code = err == KP_ERR_NO_MEMORY ? KP_ERR_UNKNOWN_SERVER_ERROR : (int16_t)err;
		else
			a->topic_id = t->id;
	}
	kp_db_topic_config_deinit(&p.config);
	return code;
}

/* All partitions that the request would make, counting as Kafka counts. */
static bool is_excessive(const kp_db_cluster *c, const kp_create_topics_request *q)
{
	int64_t n = 0;
	for (int32_t i = 0; i < q->topics.n; i++) {
		const kp_create_topics_request_topic *t = &q->topics.items[i];
		n += t->assignments.n > 0 ? t->assignments.n : t->num_partitions == -1 ? c->default_partitions : t->num_partitions;
	}
	return n > KP_DB_PARTITIONS_PER_REQUEST;
}

/* A request that names a topic twice, or wants too much, is refused whatever else it says. */
static int16_t check_request(kp_db_ctx *ctx, const kp_create_topics_request *q, kp_db_mention mention, kp_buf *why)
{
	if (mention == KP_DB_REPEATED) {
		kp_buf_printf(why, "Duplicate topic name.");
		return KP_ERR_INVALID_REQUEST;
	}
	if (is_excessive(&ctx->db->cluster, q)) {
		kp_buf_printf(why, "Excessively large number of partitions per request.");
		return KP_ERR_POLICY_VIOLATION;
	}
	return 0;
}

int kp_db_api_create_topics(kp_db_ctx *ctx, const void *request)
{
	const kp_create_topics_request *q = request;
	kp_create_topics_response r;
	kp_db_names names;
	kp_buf why;
	kp_wire_init(&kp_create_topics_response_schema, &r, 1);
	r.topics.items = kp_db_items(ctx, &kp_create_topics_response_topic_schema, (size_t)q->topics.n);
	if (!r.topics.items || kp_db_names_init(&names, &ctx->db->arena, q->topics.items, q->topics.n, sizeof(*q->topics.items),
	                                        offsetof(kp_create_topics_request_topic, name)))
		return KP_ERR_NO_MEMORY;
	kp_buf_init(&why, 4096);
	for (int32_t i = 0; i < q->topics.n; i++) {
		const kp_create_topics_request_topic *qt = &q->topics.items[i];
		kp_db_mention mention = kp_db_names_take(&names, qt->name);
		if (mention == KP_DB_ANSWERED)
			continue;
		kp_create_topics_response_topic *a = &r.topics.items[r.topics.n++];
		a->name = qt->name;
		a->num_partitions = a->replication_factor = -1;
		a->error_message = kp_slice_null();
		kp_buf_clear(&why);
		a->error_code = kp_db_error_for(ctx, qt->name, -1);
		if (!a->error_code)
			a->error_code = check_request(ctx, q, mention, &why);
		if (!a->error_code)
			a->error_code = create(ctx, qt, q->validate_only, a, &why);
		if (why.len)
			a->error_message = kp_db_copy(ctx, kp_buf_slice(&why));
	}
	kp_buf_deinit(&why);
	kp_db_names_deinit(&names);
	return kp_db_reply(ctx, &r);
}

static int16_t check_growth(kp_db_ctx *ctx, const kp_db_topic *t, const kp_create_partitions_request_topic *q, kp_buf *why)
{
	if (q->count == t->n_partitions) {
		kp_buf_printf(why, "Topic already has %d partition(s).", (int)t->n_partitions);
		return KP_ERR_INVALID_PARTITIONS;
	}
	if (q->count < t->n_partitions) {
		kp_buf_printf(why, "The topic %s currently has %d partition(s); %d would not be an increase.", t->name,
		              (int)t->n_partitions, (int)q->count);
		return KP_ERR_INVALID_PARTITIONS;
	}
	int32_t added = q->count - t->n_partitions;
	if (q->assignments.n >= 0 && q->assignments.n != added) {
		kp_buf_printf(why, "Attempted to add %d additional partition(s), but only %d assignment(s) were specified.",
		              (int)added, (int)q->assignments.n);
		return KP_ERR_INVALID_REPLICA_ASSIGNMENT;
	}
	for (int32_t i = 0; i < q->assignments.n; i++) {
		int16_t code = check_nodes(&ctx->db->cluster, q->assignments.items[i].broker_ids.items,
		                           q->assignments.items[i].broker_ids.n, why);
		if (code)
			return code;
	}
	return added > KP_DB_PARTITIONS_PER_REQUEST ? KP_ERR_UNKNOWN_SERVER_ERROR : 0; /* Kafka's controller breaks off so */
}

static int16_t grow(kp_db_ctx *ctx, const kp_create_partitions_request_topic *q, bool validate_only, kp_buf *why)
{
	kp_db_topic *t = kp_db_topic_by_name(&ctx->db->cluster, q->name);
	int16_t fault = kp_db_error_for(ctx, q->name, -1);
	if (fault)
		return fault;
	if (!t)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	int16_t code = check_growth(ctx, t, q, why);
	if (code || validate_only)
		return code;
	int err = kp_db_topic_grow(&ctx->db->cluster, t, q->count);
	return err == KP_ERR_NO_MEMORY ? KP_ERR_UNKNOWN_SERVER_ERROR : (int16_t)err;
}

int kp_db_api_create_partitions(kp_db_ctx *ctx, const void *request)
{
	const kp_create_partitions_request *q = request;
	kp_create_partitions_response r;
	kp_db_names names;
	kp_buf why;
	kp_wire_init(&kp_create_partitions_response_schema, &r, 1);
	r.results.items = kp_db_items(ctx, &kp_create_partitions_response_topic_schema, (size_t)q->topics.n);
	if (!r.results.items || kp_db_names_init(&names, &ctx->db->arena, q->topics.items, q->topics.n, sizeof(*q->topics.items),
	                                         offsetof(kp_create_partitions_request_topic, name)))
		return KP_ERR_NO_MEMORY;
	kp_buf_init(&why, 4096);
	for (int32_t i = 0; i < q->topics.n; i++) {
		const kp_create_partitions_request_topic *qt = &q->topics.items[i];
		kp_db_mention mention = kp_db_names_take(&names, qt->name);
		if (mention == KP_DB_ANSWERED)
			continue;
		kp_create_partitions_response_topic *a = &r.results.items[r.results.n++];
		a->name = qt->name;
		kp_buf_clear(&why);
		if (mention == KP_DB_REPEATED) {
			kp_buf_printf(&why, "Duplicate topic name.");
			a->error_code = KP_ERR_INVALID_REQUEST;
		} else {
			a->error_code = grow(ctx, qt, q->validate_only, &why);
		}
		if (why.len)
			a->error_message = kp_db_copy(ctx, kp_buf_slice(&why));
	}
	kp_buf_deinit(&why);
	kp_db_names_deinit(&names);
	return kp_db_reply(ctx, &r);
}
