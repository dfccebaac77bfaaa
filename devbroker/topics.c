/*
 * topics.c - topics and partitions come and go; see topics.h.
 */
#include "devbroker/partition_txn.h"

#include <ctype.h>
#include <stdio.h>

#include "base/mem.h"
#include "kproducer/error.h"

void kp_db_uuid_make(kp_random *r, kp_uuid *id)
{
	do {
		uint64_t high = kp_random_next(r), low = kp_random_next(r);
		memcpy(id->bytes, &high, 8);
		memcpy(id->bytes + 8, &low, 8);
		id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0f) | 0x40);
		id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80);
	} while (id->bytes[0] >> 2 == 62); /* its text would begin with '-': Kafka avoids that (Uuid.randomUuid) */
}

/* URL-safe base64 without padding: 22 characters, as Kafka writes ids. */
static void uuid_text(const kp_uuid *id, char out[23])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	int n_bits = 0, n = 0;
	for (int i = 0; i < 16; i++) {
		bits = bits << 8 | id->bytes[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			out[n++] = digits[bits >> (n_bits - 6) & 63];
	}
	out[n++] = digits[bits << (6 - n_bits) & 63];
	out[n] = 0;
}

static int nodes_init(kp_db_cluster *c, const kp_db_options *o)
{
	c->nodes = kp_mem_calloc((size_t)o->n_nodes, sizeof(*c->nodes));
	if (!c->nodes)
		return KP_ERR_NO_MEMORY;
	c->n_nodes = o->n_nodes;
	for (int32_t i = 0; i < o->n_nodes; i++) {
		kp_db_endpoint e = {"127.0.0.1", (uint16_t)(9092 + i)};
		if (o->endpoints)
			e = o->endpoints[i];
		c->nodes[i] = (kp_db_node){kp_mem_strdup(e.host), e.port, true};
		if (!c->nodes[i].host)
			return KP_ERR_NO_MEMORY;
	}
	return 0;
}

int kp_db_cluster_init(kp_db_cluster *c, const kp_db_options *o)
{
	*c = (kp_db_cluster){.default_partitions = o->default_partitions, .max_message_bytes = o->max_message_bytes};
	kp_map_init(&c->by_name);
	kp_map_init(&c->by_id);
	kp_map_init(&c->by_metric);
	kp_list_init(&c->topics);
	kp_list_init(&c->replicating);
	kp_list_init(&c->bounded);
	c->retention_due_us = KP_TIME_NEVER;
	c->storage = o->storage;
	kp_db_log_pool_init(&c->logs, o->log_bytes_max);
	kp_db_producer_pool_init(&c->producers, KP_DB_PRODUCERS_MAX);
	kp_random_init(&c->random, o->seed);
	kp_uuid id;
	kp_db_uuid_make(&c->random, &id);
	uuid_text(&id, c->id);
	if (o->cluster_id)
		snprintf(c->id, sizeof(c->id), "%s", o->cluster_id);
	return nodes_init(c, o);
}

/* What Topic.validate refuses, in its words; NULL when the name is fine. */
static const char *name_fault(kp_slice name)
{
	if (name.len == 0)
		return "the empty string is not allowed";
	if (name.len == 1 && name.ptr[0] == '.')
		return "'.' is not allowed";
	if (name.len == 2 && memcmp(name.ptr, "..", 2) == 0)
		return "'..' is not allowed";
	if (name.len > KP_DB_TOPIC_NAME_MAX)
		return "the length of '%.*s' is longer than the max allowed length 249";
	for (size_t i = 0; i < name.len; i++) {
		uint8_t ch = name.ptr[i];
		if (ch > 127 || !(isalnum(ch) || ch == '.' || ch == '_' || ch == '-'))
			return "'%.*s' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
	}
	return NULL;
}

int kp_db_topic_name_check(kp_slice name, kp_buf *why)
{
	const char *fault = name_fault(name);
	if (!fault)
		return 0;
	if (why) {
		const char *hole = strstr(fault, "%.*s");
		size_t before = hole ? (size_t)(hole - fault) : strlen(fault);
		kp_buf_printf(why, "Topic name is invalid: ");
		kp_buf_append(why, fault, before);
		if (hole) {
			kp_buf_append(why, name.ptr, name.len);
			kp_buf_append(why, hole + 4, strlen(hole + 4));
		}
	}
	return KP_ERR_INVALID_TOPIC_EXCEPTION;
}

kp_db_topic *kp_db_topic_by_name(const kp_db_cluster *c, kp_slice name)
{
	return kp_map_get(&c->by_name, name);
}

kp_db_topic *kp_db_topic_by_id(const kp_db_cluster *c, const kp_uuid *id)
{
	return kp_map_get(&c->by_id, kp_slice_of(id->bytes, sizeof(id->bytes)));
}

/* The name that metrics would have: '.' becomes '_'. False when it is too long to be a name. */
static bool metric_name(kp_slice name, char out[KP_DB_TOPIC_NAME_MAX + 1])
{
	if (name.len > KP_DB_TOPIC_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		out[i] = name.ptr[i] == '.' ? '_' : (char)name.ptr[i];
	out[name.len] = 0;
	return true;
}

static char *metric_copy(kp_slice name)
{
	char metric[KP_DB_TOPIC_NAME_MAX + 1];
	return metric_name(name, metric) ? kp_mem_strdup(metric) : NULL;
}

kp_db_topic *kp_db_topic_collision(const kp_db_cluster *c, kp_slice name)
{
	char metric[KP_DB_TOPIC_NAME_MAX + 1];
	if (!memchr(name.ptr, '.', name.len) && !memchr(name.ptr, '_', name.len))
		return NULL;
	return metric_name(name, metric) ? kp_map_get(&c->by_metric, kp_slice_of(metric, name.len)) : NULL;
}

kp_db_partition *kp_db_partition_of(const kp_db_topic *t, int32_t index)
{
	return index >= 0 && index < t->n_partitions ? t->partitions[index] : NULL;
}

static void partition_free(kp_db_partition *p)
{
	kp_list_remove(&p->replicating);
	kp_db_log_forget(&p->log);
	kp_db_producers_deinit(&p->producers);
	kp_db_aborted_deinit(&p->aborted);
	kp_mem_free(p);
}

static void topic_shrink(kp_db_cluster *c, kp_db_topic *t, int32_t n_partitions)
{
	while (t->n_partitions > n_partitions) {
		partition_free(t->partitions[--t->n_partitions]);
		c->n_partitions--;
	}
}

static void topic_free(kp_db_cluster *c, kp_db_topic *t)
{
	topic_shrink(c, t, 0);
	kp_mem_free(t->partitions);
	c->config_text -= kp_db_topic_config_text(&t->config);
	kp_db_topic_config_deinit(&t->config);
	if (t->metric_name != t->name)
		kp_mem_free(t->metric_name);
	kp_mem_free(t->name);
	kp_mem_free(t);
}

static kp_db_partition *partition_new(kp_db_cluster *c, kp_db_topic *t)
{
	kp_db_partition *p = kp_mem_calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->topic = t;
	p->index = t->n_partitions;
	p->leader = 1 + (t->first_node + p->index) % c->n_nodes;
	p->leader_epoch = c->first_epoch;
	kp_list_init(&p->replicating);
	kp_db_log_init(&p->log, &c->logs);
	kp_db_log_keep_in(&p->log, c->storage, &(kp_db_log_name){t->name, p->index});
	kp_db_producers_init(&p->producers, &c->producers);
	return p;
}

static int add_partitions(kp_db_cluster *c, kp_db_topic *t, int32_t n_partitions)
{
	int32_t before = t->n_partitions;
	size_t added = (size_t)(n_partitions - t->n_partitions);
	if (c->n_partitions + added > KP_DB_PARTITIONS_MAX)
		return KP_ERR_POLICY_VIOLATION;
	kp_db_partition **grown = kp_mem_realloc(t->partitions, (size_t)n_partitions * sizeof(*grown));
	if (!grown)
		return KP_ERR_NO_MEMORY;
	t->partitions = grown;
	while (t->n_partitions < n_partitions) {
		kp_db_partition *p = partition_new(c, t);
		if (!p) {
			topic_shrink(c, t, before);
			return KP_ERR_NO_MEMORY;
		}
		t->partitions[t->n_partitions++] = p;
		c->n_partitions++;
	}
	return 0;
}

static kp_db_topic_record record_of(kp_db_topic *t, kp_db_topic_config *config)
{
	return (kp_db_topic_record){t->name, t->id, t->n_partitions, t->replication_factor, t->first_node, config};
}

int kp_db_topic_grow(kp_db_cluster *c, kp_db_topic *t, int32_t n_partitions)
{
	int32_t before = t->n_partitions;
	int err = add_partitions(c, t, n_partitions);
	if (err)
		return err;
	kp_db_topic_record record = record_of(t, &t->config);
	err = c->storage ? c->storage->ops->topic_grow(c->storage, &record) : 0;
	if (err)
		topic_shrink(c, t, before);
	else
		kp_db_retention_apply(c, t);
	return err;
}

static void topic_leave(kp_db_cluster *c, const kp_db_topic *t)
{
	kp_map_remove(&c->by_name, kp_slice_cstr(t->name));
	kp_map_remove(&c->by_id, kp_slice_of(t->id.bytes, sizeof(t->id.bytes)));
	kp_map_remove(&c->by_metric, kp_slice_cstr(t->metric_name));
}

/* In all maps and the list, or in none. */
static int topic_enter(kp_db_cluster *c, kp_db_topic *t)
{
	if (kp_map_put(&c->by_name, kp_slice_cstr(t->name), t) ||
	    kp_map_put(&c->by_id, kp_slice_of(t->id.bytes, sizeof(t->id.bytes)), t) ||
	    kp_map_put(&c->by_metric, kp_slice_cstr(t->metric_name), t)) {
		topic_leave(c, t);
		return KP_ERR_NO_MEMORY;
	}
	kp_list_push_back(&c->topics, &t->in_order);
	c->n_topics++;
	return 0;
}

/* Out of everything, and freed; what the storage holds stays. */
static void topic_remove(kp_db_cluster *c, kp_db_topic *t)
{
	topic_leave(c, t);
	kp_list_remove(&t->in_order);
	kp_list_remove(&t->bounded);
	c->n_topics--;
	c->is_produce_dirty = c->is_fetch_dirty = true;
	topic_free(c, t);
}

static int topic_make(kp_db_cluster *c, kp_slice name, const kp_db_topic_record *r, kp_db_topic **out)
{
	if (kp_db_topic_config_text(r->config) > KP_DB_CONFIG_TEXT_MAX - c->config_text)
		return KP_ERR_POLICY_VIOLATION;
	kp_db_topic *t = kp_mem_calloc(1, sizeof(*t));
	if (!t)
		return KP_ERR_NO_MEMORY;
	kp_list_init(&t->bounded);
	t->name = kp_mem_strndup((const char *)name.ptr, name.len);
	t->id = r->id;
	t->replication_factor = r->replication_factor;
	t->first_node = r->first_node;
	t->metric_name = t->name;
	if (t->name && memchr(t->name, '.', name.len))
		t->metric_name = metric_copy(name);
	int err = t->metric_name ? add_partitions(c, t, r->n_partitions) : KP_ERR_NO_MEMORY;
	if (!err)
		err = topic_enter(c, t);
	if (err) {
		topic_free(c, t);
		return err;
	}
	*out = t;
	return 0;
}

static void take_config(kp_db_cluster *c, kp_db_topic *t, kp_db_topic_config *config)
{
	t->config = *config;
	c->config_text += kp_db_topic_config_text(config);
	*config = (kp_db_topic_config){0};
	kp_db_retention_apply(c, t);
}

int kp_db_topic_create(kp_db_cluster *c, kp_slice name, int32_t n_partitions, int16_t replication_factor,
                       kp_db_topic_config *config, kp_db_topic **out)
{
	kp_db_topic_record r = {
		.n_partitions = n_partitions,
		.replication_factor = replication_factor,
		.first_node = (int32_t)(c->n_topics % (size_t)c->n_nodes),
		.config = config,
	};
	do
		kp_db_uuid_make(&c->random, &r.id);
	while (kp_db_topic_by_id(c, &r.id));
	int err = topic_make(c, name, &r, out);
	if (err)
		return err;
	r = record_of(*out, config);
	err = c->storage ? c->storage->ops->topic_create(c->storage, &r) : 0;
	if (err)
		topic_remove(c, *out);
	else
		take_config(c, *out, config);
	return err;
}

int kp_db_topic_restore(kp_db_cluster *c, const kp_db_topic_record *record, kp_db_topic **out)
{
	kp_db_topic_record r = *record;
	if (r.replication_factor > c->n_nodes)
		r.replication_factor = (int16_t)c->n_nodes; /* there are fewer nodes now */
	int err = topic_make(c, kp_slice_cstr(r.name), &r, out);
	if (!err)
		take_config(c, *out, record->config);
	return err;
}

int kp_db_topic_delete(kp_db_cluster *c, kp_db_topic *t)
{
	kp_db_topic_record record = record_of(t, &t->config);
	int err = c->storage ? c->storage->ops->topic_delete(c->storage, &record) : 0;
	if (!err)
		topic_remove(c, t);
	return err;
}

void kp_db_cluster_deinit(kp_db_cluster *c)
{
	for (kp_list *n; (n = kp_list_first(&c->topics));)
		topic_remove(c, KP_CONTAINER_OF(n, kp_db_topic, in_order));
	for (int32_t i = 0; i < c->n_nodes; i++)
		kp_mem_free(c->nodes[i].host);
	kp_mem_free(c->nodes);
	kp_map_deinit(&c->by_name);
	kp_map_deinit(&c->by_id);
	kp_map_deinit(&c->by_metric);
	kp_db_log_pool_deinit(&c->logs);
}
