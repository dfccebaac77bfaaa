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

static bool is_wanted(const describe *d, const char *name)
{
	const kp_describe_configs_request_resource *q = d->resource;
	if (q->configuration_keys.n <= 0) /* null is all, and so is an empty list (ConfigHelper) */
		return true;
	for (int32_t i = 0; i < q->configuration_keys.n; i++)
		if (kp_slice_equal(q->configuration_keys.items[i], kp_slice_cstr(name)))
			return true;
	return false;
}

/* Append one property; `from` tells where values come from, the one in force first. */
static int add(describe *d, const char *name, kp_db_config_type type, bool read_only, const synonym *from, int n_from)
{
	if (!is_wanted(d, name))
		return 0;
	config *c = &d->result->configs.items[d->result->configs.n++];
	c->name = kp_slice_cstr(name);
	c->value = from[0].value;
	c->config_source = from[0].source;
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

static int16_t describe_topic(describe *d)
{
	kp_db_ctx *ctx = d->ctx;
	const kp_db_cluster *c = &ctx->db->cluster;
	const kp_db_topic *t = kp_db_topic_by_name(c, d->resource->resource_name);
	if (kp_db_topic_name_check(d->resource->resource_name, d->why))
		return KP_ERR_INVALID_TOPIC_EXCEPTION;
	if (!t)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	for (int i = 0; i < KP_DB_N_CONFIGS; i++) {
		const kp_db_config_info *info = &kp_db_config_infos[i];
		char scratch[24];
		kp_db_topic_config none = {0};
		synonym from[2];
		int n = 0;
		if (t->config.values[i])
			from[n++] = (synonym){kp_slice_cstr(info->name), kp_slice_cstr(t->config.values[i]), KP_DB_SOURCE_TOPIC};
		if (info->broker_name || n == 0) {
			const char *value = kp_db_topic_config_value(&none, i, c->max_message_bytes, scratch);
			kp_slice name = kp_slice_cstr(info->broker_name ? info->broker_name : info->name);
			from[n++] = (synonym){name, kp_db_copy(ctx, kp_slice_cstr(value)), KP_DB_SOURCE_DEFAULT};
		}
		if (add(d, info->name, info->type, false, from, n))
			return KP_ERR_UNKNOWN_SERVER_ERROR;
	}
	return 0;
}

static int add_number(describe *d, const char *name, bool read_only, long long value)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", value);
	synonym from = {kp_slice_cstr(name), kp_db_copy(d->ctx, kp_slice_cstr(text)), KP_DB_SOURCE_STATIC_BROKER};
	return add(d, name, KP_DB_CONFIG_INT, read_only, &from, 1);
}

static int16_t describe_broker(describe *d)
{
	kp_db_ctx *ctx = d->ctx;
	const kp_db_cluster *c = &ctx->db->cluster;
	int32_t self = ctx->to.conn->node;
	kp_slice name = d->resource->resource_name;
	char text[24] = "", *end = text;
	if (name.len < sizeof(text) && name.len)
		memcpy(text, name.ptr, name.len);
	long id = strtol(text, &end, 10);
	if (name.len >= sizeof(text) || *end) {
		kp_buf_printf(d->why, "Broker id must be an integer, but it is: %.*s", (int)name.len, (const char *)name.ptr);
		return KP_ERR_INVALID_REQUEST;
	}
	if (name.len && id != self) {
		kp_buf_printf(d->why, "Unexpected broker id, expected %d or empty string, but received %ld", (int)self, id);
		return KP_ERR_INVALID_REQUEST;
	}
	synonym creates = {kp_slice_cstr("auto.create.topics.enable"), kp_slice_cstr(ctx->db->is_auto_create ? "true" : "false"),
	                   KP_DB_SOURCE_STATIC_BROKER};
	int err = add(d, "auto.create.topics.enable", KP_DB_CONFIG_BOOLEAN, true, &creates, 1);
	err = err ? err : add_number(d, "node.id", true, self);
	err = err ? err : add_number(d, "num.partitions", true, c->default_partitions);
	err = err ? err : add_number(d, "default.replication.factor", true, kp_db_default_replication(c));
	err = err ? err : add_number(d, "message.max.bytes", false, c->max_message_bytes);
	err = err ? err : add_number(d, "socket.request.max.bytes", true, KP_DB_MAX_FRAME);
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
