/*
 * topics.c - topic administration: list, describe, create, delete, add partitions, configuration.
 */
#include <stdio.h>

#include <kproducer/error.h>

#include "base/mem.h"
#include "client/admin.h"
#include "client/topic_info.h"
#include "client/topic_name.h"
#include "wire/msg_create_partitions.h"
#include "wire/msg_create_topics.h"
#include "wire/msg_delete_topics.h"
#include "wire/msg_describe_configs.h"
#include "wire/msg_metadata.h"

#define RESOURCE_TOPIC 2
#define CONFIG_SOURCE_DEFAULT 5
#define CONFIGS_MOST 64

static void put_text(char *text, kp_slice words)
{
	snprintf(text, KP_ADMIN_TEXT, "%.*s", words.ptr ? (int)(words.len < KP_ADMIN_TEXT ? words.len : KP_ADMIN_TEXT - 1) : 0,
	         words.ptr ? (const char *)words.ptr : "");
}

static int bad(int error, const char *text, char *err, size_t err_size)
{
	if (err)
		snprintf(err, err_size, "%s", text);
	return error;
}

static int check_name(const char *topic, char *err, size_t err_size)
{
	if (kp_topic_name_is_valid(topic))
		return KP_OK;
	return bad(KP_ERR_INVALID_TOPIC_EXCEPTION,
	           "a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ - and is not . or ..", err, err_size);
}

/* ------------------------------------------------------------------ metadata */

typedef struct topics_request {
	char name[KP_TOPIC_NAME_MAX + 1]; /* empty: all topics */
} topics_request;

static const void *build_metadata(const void *request, int version, int32_t timeout_ms, kp_arena *arena)
{
	const topics_request *r = request;
	kp_metadata_request *body = kp_arena_alloc(arena, sizeof(*body));
	kp_metadata_request_topic *topic = kp_arena_alloc(arena, sizeof(*topic));
	(void)timeout_ms;
	if (!body || !topic)
		return NULL;
	kp_wire_init(&kp_metadata_request_schema, body, 1);
	kp_wire_init(&kp_metadata_request_topic_schema, topic, 1);
	topic->name = kp_slice_cstr(r->name);
	body->topics.items = topic;
	body->topics.n = r->name[0] ? 1 : version == 0 ? 0 : -1; /* version 0 says "all" with an empty list */
	if (version >= 4)
		body->allow_auto_topic_creation = false;
	return body;
}

static int take_metadata(void *result, const void *answer, int version, char *text)
{
	const kp_metadata_response *a = answer;
	(void)version, (void)text;
	return a->error_code ? a->error_code : kp_topic_infos_take(result, a);
}

static void free_topics(void *result)
{
	kp_topic_infos *r = result;
	kp_topic_infos_free(r->items, r->n);
}

static int fetch_topics(kp_producer *p, const topics_request *request, int timeout_ms, kp_topic_infos *r, char *err,
                        size_t err_size)
{
	kp_admin a = {.api_key = KP_API_METADATA,
	              .max_version = 12, /* 13 only adds an error for the engine */
	              .build = build_metadata,
	              .take = take_metadata,
	              .request = request,
	              .request_size = sizeof(*request),
	              .result_size = sizeof(*r)};
	*r = (kp_topic_infos){0};
	int error = kp_admin_run(p, &a, r, free_topics, timeout_ms, err, err_size);
	if (error)
		free_topics(r);
	return error;
}

int kp_partitions_for(kp_producer *p, const char *topic, int timeout_ms, kp_topic_info **out, char *err, size_t err_size)
{
	if (kp_is_forked(p))
		return kp_forked(err, err_size);
	topics_request request;
	kp_topic_infos r;
	int error = check_name(topic, err, err_size);
	if (error)
		return error;
	snprintf(request.name, sizeof(request.name), "%s", topic);
	error = fetch_topics(p, &request, timeout_ms, &r, err, err_size);
	if (error)
		return error;
	error = r.n == 1 ? r.items[0].error : KP_ERR_PROTOCOL;
	if (error) {
		if (err)
			snprintf(err, err_size, "%s: topic %s: %s", kp_error_name(error), topic, kp_error_text(error));
		kp_topic_infos_free(r.items, r.n);
		return error;
	}
	*out = r.items;
	return KP_OK;
}

int kp_topics_list(kp_producer *p, int timeout_ms, kp_topic_info **out, size_t *n, char *err, size_t err_size)
{
	if (kp_is_forked(p))
		return kp_forked(err, err_size);
	topics_request request = {.name = ""};
	kp_topic_infos r;
	int error = fetch_topics(p, &request, timeout_ms, &r, err, err_size);
	if (error)
		return error;
	*out = r.items;
	*n = r.n;
	return KP_OK;
}

/* ------------------------------------------------------------------ create, delete, grow */

typedef struct create_request {
	char name[KP_TOPIC_NAME_MAX + 1];
	int32_t partitions;
	int16_t replication_factor;
	size_t n_configs;
	size_t config_at[2 * CONFIGS_MOST]; /* places of names and values in text; SIZE_MAX: null */
	char text[16384];
} create_request;

static kp_slice config_text(const create_request *r, size_t i)
{
	return r->config_at[i] == SIZE_MAX ? kp_slice_null() : kp_slice_cstr(r->text + r->config_at[i]);
}

static const void *build_create(const void *request, int version, int32_t timeout_ms, kp_arena *arena)
{
	const create_request *r = request;
	kp_create_topics_request *body = kp_arena_alloc(arena, sizeof(*body));
	kp_create_topics_request_topic *topic = kp_arena_alloc(arena, sizeof(*topic));
	kp_create_topics_request_config *configs = kp_arena_alloc(arena, r->n_configs * sizeof(*configs));
	(void)version;
	if (!body || !topic || !configs)
		return NULL;
	kp_wire_init(&kp_create_topics_request_schema, body, 1);
	kp_wire_init(&kp_create_topics_request_topic_schema, topic, 1);
	for (size_t i = 0; i < r->n_configs; i++)
		configs[i] = (kp_create_topics_request_config){config_text(r, 2 * i), config_text(r, 2 * i + 1)};
	topic->name = kp_slice_cstr(r->name);
	topic->num_partitions = r->partitions;
	topic->replication_factor = r->replication_factor;
	topic->configs.items = configs;
	topic->configs.n = (int32_t)r->n_configs;
	body->topics.items = topic;
	body->topics.n = 1;
	body->timeout_ms = timeout_ms;
	return body;
}

static int take_create(void *result, const void *answer, int version, char *text)
{
	const kp_create_topics_response *a = answer;
	(void)result, (void)version;
	if (a->topics.n != 1)
		return KP_ERR_PROTOCOL;
	put_text(text, a->topics.items[0].error_message);
	return a->topics.items[0].error_code;
}

/* Copy names and values, so that the loop may look at them after the caller has gone. */
static int copy_configs(create_request *r, const char *const *configs, char *err, size_t err_size)
{
	size_t at = 0;
	for (size_t i = 0; configs && configs[i]; i += 2) {
		for (size_t k = i; k < i + 2; k++) {
			size_t len = configs[k] ? strlen(configs[k]) + 1 : 0;
			if (r->n_configs == CONFIGS_MOST || at + len > sizeof(r->text))
				return bad(KP_ERR_BAD_ARGUMENT, "too many topic configurations: at most 64, 16 KiB together", err,
				           err_size);
			r->config_at[k] = configs[k] ? at : SIZE_MAX;
			memcpy(r->text + at, configs[k] ? configs[k] : "", len);
			at += len;
		}
		r->n_configs++;
		if (!configs[i + 1])
			return bad(KP_ERR_BAD_ARGUMENT,
			           "a topic configuration has no value: give name, value, name, value, ..., NULL", err, err_size);
	}
	return KP_OK;
}

int kp_topic_create(kp_producer *p, const char *topic, int32_t partitions, int16_t replication_factor, const char *const *configs,
                    int timeout_ms, char *err, size_t err_size)
{
	if (kp_is_forked(p))
		return kp_forked(err, err_size);
	int error = check_name(topic, err, err_size);
	create_request *r = error ? NULL : kp_mem_calloc(1, sizeof(*r));
	if (!r)
		return error ? error : KP_ERR_NO_MEMORY;
	snprintf(r->name, sizeof(r->name), "%s", topic);
	r->partitions = partitions;
	r->replication_factor = replication_factor;
	error = copy_configs(r, configs, err, err_size);
	kp_admin a = {.api_key = KP_API_CREATE_TOPICS,
	              .min_version = partitions < 0 || replication_factor < 0 ? 4 : 2, /* KIP-464: defaults from version 4 */
	              .max_version = 7,
	              .to_controller = true,
	              .build = build_create,
	              .take = take_create,
	              .request = r,
	              .request_size = sizeof(*r)};
	if (!error)
		error = kp_admin_run(p, &a, NULL, NULL, timeout_ms, err, err_size);
	kp_mem_free(r);
	return error;
}

static const void *build_delete(const void *request, int version, int32_t timeout_ms, kp_arena *arena)
{
	const topics_request *r = request;
	kp_delete_topics_request *body = kp_arena_alloc(arena, sizeof(*body));
	kp_delete_topics_request_topic *topic = kp_arena_alloc(arena, sizeof(*topic));
	kp_slice *name = kp_arena_alloc(arena, sizeof(*name));
	if (!body || !topic || !name)
		return NULL;
	kp_wire_init(&kp_delete_topics_request_schema, body, 1);
	kp_wire_init(&kp_delete_topics_request_topic_schema, topic, 1);
	topic->name = *name = kp_slice_cstr(r->name);
	if (version >= 6) {
		body->topics.items = topic;
		body->topics.n = 1;
	} else {
		body->topic_names.items = name;
		body->topic_names.n = 1;
	}
	body->timeout_ms = timeout_ms;
	return body;
}

static int take_delete(void *result, const void *answer, int version, char *text)
{
	const kp_delete_topics_response *a = answer;
	(void)result, (void)version;
	if (a->responses.n != 1)
		return KP_ERR_PROTOCOL;
	put_text(text, a->responses.items[0].error_message);
	return a->responses.items[0].error_code;
}

int kp_topic_delete(kp_producer *p, const char *topic, int timeout_ms, char *err, size_t err_size)
{
	if (kp_is_forked(p))
		return kp_forked(err, err_size);
	topics_request r;
	int error = check_name(topic, err, err_size);
	if (error)
		return error;
	snprintf(r.name, sizeof(r.name), "%s", topic);
	kp_admin a = {.api_key = KP_API_DELETE_TOPICS,
	              .min_version = 1,
	              .max_version = 6,
	              .to_controller = true,
	              .build = build_delete,
	              .take = take_delete,
	              .request = &r,
	              .request_size = sizeof(r)};
	return kp_admin_run(p, &a, NULL, NULL, timeout_ms, err, err_size);
}

typedef struct grow_request {
	char name[KP_TOPIC_NAME_MAX + 1];
	int32_t total;
} grow_request;

static const void *build_grow(const void *request, int version, int32_t timeout_ms, kp_arena *arena)
{
	const grow_request *r = request;
	kp_create_partitions_request *body = kp_arena_alloc(arena, sizeof(*body));
	kp_create_partitions_request_topic *topic = kp_arena_alloc(arena, sizeof(*topic));
	(void)version;
	if (!body || !topic)
		return NULL;
	kp_wire_init(&kp_create_partitions_request_schema, body, 1);
	kp_wire_init(&kp_create_partitions_request_topic_schema, topic, 1);
	topic->name = kp_slice_cstr(r->name);
	topic->count = r->total;
	topic->assignments.n = -1;
	body->topics.items = topic;
	body->topics.n = 1;
	body->timeout_ms = timeout_ms;
	return body;
}

static int take_grow(void *result, const void *answer, int version, char *text)
{
	const kp_create_partitions_response *a = answer;
	(void)result, (void)version;
	if (a->results.n != 1)
		return KP_ERR_PROTOCOL;
	put_text(text, a->results.items[0].error_message);
	return a->results.items[0].error_code;
}

int kp_topic_add_partitions(kp_producer *p, const char *topic, int32_t total, int timeout_ms, char *err, size_t err_size)
{
	if (kp_is_forked(p))
		return kp_forked(err, err_size);
	grow_request r = {.total = total};
	int error = check_name(topic, err, err_size);
	if (error)
		return error;
	snprintf(r.name, sizeof(r.name), "%s", topic);
	kp_admin a = {.api_key = KP_API_CREATE_PARTITIONS,
	              .min_version = 0,
	              .max_version = 3,
	              .to_controller = true,
	              .build = build_grow,
	              .take = take_grow,
	              .request = &r,
	              .request_size = sizeof(r)};
	return kp_admin_run(p, &a, NULL, NULL, timeout_ms, err, err_size);
}

/* ------------------------------------------------------------------ configuration of a topic */

typedef struct configs_result {
	kp_config_entry *entries;
	size_t n;
} configs_result;

static const void *build_configs(const void *request, int version, int32_t timeout_ms, kp_arena *arena)
{
	const topics_request *r = request;
	kp_describe_configs_request *body = kp_arena_alloc(arena, sizeof(*body));
	kp_describe_configs_request_resource *resource = kp_arena_alloc(arena, sizeof(*resource));
	(void)version, (void)timeout_ms;
	if (!body || !resource)
		return NULL;
	kp_wire_init(&kp_describe_configs_request_schema, body, 1);
	kp_wire_init(&kp_describe_configs_request_resource_schema, resource, 1);
	resource->resource_type = RESOURCE_TOPIC;
	resource->resource_name = kp_slice_cstr(r->name);
	resource->configuration_keys.n = -1;
	body->resources.items = resource;
	body->resources.n = 1;
	return body;
}

static int take_configs(void *result, const void *answer, int version, char *text)
{
	const kp_describe_configs_response *a = answer;
	configs_result *r = result;
	(void)version;
	if (a->results.n != 1)
		return KP_ERR_PROTOCOL;
	const kp_describe_configs_response_result *one = &a->results.items[0];
	put_text(text, one->error_message);
	if (one->error_code)
		return one->error_code;
	r->entries = kp_mem_calloc((size_t)one->configs.n + 1, sizeof(*r->entries));
	for (int32_t i = 0; r->entries && i < one->configs.n; i++) {
		const kp_describe_configs_response_config *c = &one->configs.items[i];
		kp_config_entry *en = &r->entries[r->n++];
		en->name = kp_mem_strndup((const char *)c->name.ptr, c->name.len);
		en->value = c->value.ptr ? kp_mem_strndup((const char *)c->value.ptr, c->value.len) : NULL;
		en->is_default = c->config_source == CONFIG_SOURCE_DEFAULT;
		en->is_read_only = c->read_only;
		if (!en->name || (c->value.ptr && !en->value))
			return KP_ERR_NO_MEMORY;
	}
	return r->entries ? KP_OK : KP_ERR_NO_MEMORY;
}

static void free_configs(void *result)
{
	configs_result *r = result;
	kp_config_entries_free(r->entries, r->n);
}

void kp_config_entries_free(kp_config_entry *entries, size_t n)
{
	for (size_t i = 0; entries && i < n; i++) {
		kp_mem_free(entries[i].name);
		kp_mem_free(entries[i].value);
	}
	kp_mem_free(entries);
}

int kp_topic_configs(kp_producer *p, const char *topic, int timeout_ms, kp_config_entry **out, size_t *n, char *err,
                     size_t err_size)
{
	if (kp_is_forked(p))
		return kp_forked(err, err_size);
	topics_request request;
	configs_result r = {0};
	int error = check_name(topic, err, err_size);
	if (error)
		return error;
	snprintf(request.name, sizeof(request.name), "%s", topic);
	kp_admin a = {.api_key = KP_API_DESCRIBE_CONFIGS,
	              .min_version = 1,
	              .max_version = 4,
	              .build = build_configs,
	              .take = take_configs,
	              .request = &request,
	              .request_size = sizeof(request),
	              .result_size = sizeof(r)};
	error = kp_admin_run(p, &a, &r, free_configs, timeout_ms, err, err_size);
	if (error) {
		free_configs(&r);
		return error;
	}
	*out = r.entries;
	*n = r.n;
	return KP_OK;
}
