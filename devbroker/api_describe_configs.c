/*
 * api_describe_configs.c - DescribeConfigs: topics with all their properties, this broker with the few it has.
 */
#include <stdio.h>
#include <stdlib.h>

#include "devbroker/internal.h"
#include "kproducer/error.h"
#include "wire/msg_describe_configs.h"

enum { RESOURCE_TOPIC = 2, RESOURCE_BROKER = 4 };

#define MAX_BROKER_CONFIGS 8

typedef kp_describe_configs_response_config config;
typedef kp_describe_configs_response_synonym synonym;

/* Where an answer is put together. */
typedef struct describe {
	kp_db_ctx *ctx;
	const kp_describe_configs_request *request;
	const kp_describe_configs_request_resource *resource;
	kp_describe_configs_response_result *result;
	kp_buf *why;
} describe;

static bool is_wanted(const describe *d, kp_slice name)
{
	const kp_describe_configs_request_resource *q = d->resource;
	if (q->configuration_keys.n <= 0) /* null is all, and so is an empty list (ConfigHelper) */
		return true;
	for (int32_t i = 0; i < q->configuration_keys.n; i++)
		if (kp_slice_equal(q->configuration_keys.items[i], name))
			return true;
	return false;
}

/* Append one property: name, value and source in force; `from` tells where values come from. */
static int add(describe *d, const synonym *now, kp_db_config_type type, bool read_only, const synonym *from, int n_from)
{
	if (!is_wanted(d, now->name))
		return 0;
	config *c = &d->result->configs.items[d->result->configs.n++];
	c->name = now->name;
	c->value = now->value;
	c->config_source = now->source;
	c->read_only = read_only;
	c->config_type = (int8_t)type;
	c->documentation = kp_slice_null();
	if (!d->request->include_synonyms)
		return 0;
	c->synonyms.items = kp_arena_alloc(&d->ctx->db->arena, (size_t)n_from * sizeof(*from));
	if (!c->synonyms.items)
		return KP_ERR_NO_MEMORY;
	memcpy(c->synonyms.items, from, (size_t)n_from * sizeof(*from));
	c->synonyms.n = n_from;
	return 0;
}

/* Number i of the topic properties; `t` is NULL for what the cluster says by itself. */
static int add_topic_config(describe *d, const kp_db_topic *t, int i)
{
	static const kp_db_topic_config none;
	const kp_db_config_info *info = &kp_db_config_infos[i];
	const kp_db_topic_config *set = t ? &t->config : &none;
	int32_t max_message_bytes = d->ctx->db->cluster.max_message_bytes;
	char scratch[24];
	synonym from[3], now = {kp_slice_cstr(info->name), kp_slice_null(), (int8_t)kp_db_topic_config_source(set, i)};
	int n = 0;
	now.value = kp_db_copy(d->ctx, kp_slice_cstr(kp_db_topic_config_value(set, i, max_message_bytes, scratch)));
	if (set->values[i])
		from[n++] = now;
	if (info->broker_name) {
		kp_slice name = kp_slice_cstr(info->broker_name);
		kp_slice value = kp_db_copy(d->ctx, kp_slice_cstr(kp_db_topic_config_value(&none, i, max_message_bytes, scratch)));
		if (kp_db_topic_config_source(&none, i) == KP_DB_SOURCE_CLUSTER)
			from[n++] = (synonym){name, value, KP_DB_SOURCE_CLUSTER};
		from[n++] = (synonym){name, value, KP_DB_SOURCE_DEFAULT};
	}
	return add(d, &now, info->type, false, from, n);
}

static int16_t describe_topic(describe *d)
{
	const kp_db_topic *t = kp_db_topic_by_name(&d->ctx->db->cluster, d->resource->resource_name);
	if (kp_db_topic_name_check(d->resource->resource_name, d->why))
		return KP_ERR_INVALID_TOPIC_EXCEPTION;
	if (!t)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	for (int i = 0; i < KP_DB_N_CONFIGS; i++)
		if (add_topic_config(d, t, i))
			return KP_ERR_UNKNOWN_SERVER_ERROR;
	return 0;
}

/* A broker property is as if it stood in the server's file when it is not Kafka's default. */
static int add_broker_config(describe *d, const char *name, kp_db_config_type type, const char *value, const char *kafka_default)
{
	int8_t source = strcmp(value, kafka_default) ? KP_DB_SOURCE_STATIC_BROKER : KP_DB_SOURCE_DEFAULT;
	synonym now = {kp_slice_cstr(name), kp_db_copy(d->ctx, kp_slice_cstr(value)), source};
	return add(d, &now, type, strcmp(name, "message.max.bytes") != 0, &now, 1);
}

static int add_number(describe *d, const char *name, long long value, const char *kafka_default)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", value);
	return add_broker_config(d, name, KP_DB_CONFIG_INT, text, kafka_default);
}

/* Is it this node that is named? *is_all: none is. */
static int16_t check_broker_name(describe *d, bool *is_all)
{
	int32_t self = d->ctx->to.conn->node;
	kp_slice name = d->resource->resource_name;
	char text[24] = "", *end = text;
	if (name.len < sizeof(text) && name.len)
		memcpy(text, name.ptr, name.len);
	long id = strtol(text, &end, 10);
	*is_all = name.len == 0;
	if (name.len >= sizeof(text) || *end || text[0] == ' ') {
		kp_buf_printf(d->why, "Broker id must be an integer, but it is: %.*s", (int)name.len, (const char *)name.ptr);
		return KP_ERR_INVALID_REQUEST;
	}
	if (name.len && id != self) {
		kp_buf_printf(d->why, "Unexpected broker id, expected %d or empty string, but received %ld", (int)self, id);
		return KP_ERR_INVALID_REQUEST;
	}
	return 0;
}

static int16_t describe_broker(describe *d)
{
	const kp_db *db = d->ctx->db;
	const kp_db_cluster *c = &db->cluster;
	bool is_all;
	int err = check_broker_name(d, &is_all);
	if (err)
		return (int16_t)err;
	if (is_all) { /* only what is set for the whole cluster */
		for (int i = 0; !err && i < KP_DB_N_CONFIGS; i++)
			if (kp_db_topic_config_source(&(kp_db_topic_config){0}, i) == KP_DB_SOURCE_CLUSTER)
				err = add_topic_config(d, NULL, i);
		return err ? KP_ERR_UNKNOWN_SERVER_ERROR : 0;
	}
	err = add_broker_config(d, "auto.create.topics.enable", KP_DB_CONFIG_BOOLEAN, db->is_auto_create ? "true" : "false",
	                        "true");
	err = err ? err : add_number(d, "node.id", d->ctx->to.conn->node, "");
	err = err ? err : add_number(d, "num.partitions", c->default_partitions, "1");
	err = err ? err : add_number(d, "default.replication.factor", kp_db_default_replication(c), "1");
	err = err ? err : add_number(d, "message.max.bytes", c->max_message_bytes, "1048588");
	err = err ? err : add_number(d, "socket.request.max.bytes", KP_DB_MAX_FRAME, "104857600");
	return err ? KP_ERR_UNKNOWN_SERVER_ERROR : 0;
}

static int16_t describe_resource(describe *d)
{
	int8_t type = d->resource->resource_type;
	int n = KP_DB_N_CONFIGS > MAX_BROKER_CONFIGS ? KP_DB_N_CONFIGS : MAX_BROKER_CONFIGS;
	int16_t fault = kp_db_error_for(d->ctx, type == RESOURCE_TOPIC ? d->resource->resource_name : kp_slice_null(), -1);
	if (fault)
		return fault;
	if (type == RESOURCE_TOPIC || type == RESOURCE_BROKER) {
		d->result->configs.items = kp_db_items(d->ctx, &kp_describe_configs_response_config_schema, (size_t)n);
		if (!d->result->configs.items)
			return KP_ERR_UNKNOWN_SERVER_ERROR;
		return type == RESOURCE_TOPIC ? describe_topic(d) : describe_broker(d);
	}
	kp_buf_printf(
		d->why,
		"This most likely occurs because of a request being malformed by the client library or the message was sent to "
		"an incompatible broker. See the broker logs for more details.");
	return KP_ERR_INVALID_REQUEST;
}

int kp_db_api_describe_configs(kp_db_ctx *ctx, const void *request)
{
	const kp_describe_configs_request *q = request;
	kp_describe_configs_response r;
	kp_buf why;
	kp_wire_init(&kp_describe_configs_response_schema, &r, 1);
	r.results.items = kp_db_items(ctx, &kp_describe_configs_response_result_schema, (size_t)q->resources.n);
	if (!r.results.items)
		return KP_ERR_NO_MEMORY;
	r.results.n = q->resources.n;
	kp_buf_init(&why, 4096);
	for (int32_t i = 0; i < q->resources.n; i++) {
		describe d = {ctx, q, &q->resources.items[i], &r.results.items[i], &why};
		kp_buf_clear(&why);
		d.result->resource_type = d.resource->resource_type;
		d.result->resource_name = d.resource->resource_name;
		d.result->error_code = describe_resource(&d);
		if (d.result->error_code)
			d.result->configs.n = 0;
		d.result->error_message = kp_db_copy(ctx,
		                                     kp_buf_slice(&why)); /* empty, not null, when all is well: as Kafka does it */
	}
	kp_buf_deinit(&why);
	return kp_db_reply(ctx, &r);
}
