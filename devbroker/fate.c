/*
 * fate.c - the broker's birth and end, what a simulator or fault script does to the cluster, and looking inside. See core.h.
 */
#include "base/mem.h"
#include "devbroker/group_offsets.h"
#include "devbroker/partition_txn.h"
#include "devbroker/restore.h"
#include "kproducer/error.h"

void kp_db_options_init(kp_db_options *o)
{
	*o = (kp_db_options){
		.n_nodes = 1,
		.default_partitions = 1,
		.auto_create = true,
		.max_message_bytes = 1048588,
		.transaction_version = 2,
		.log_bytes_max = (size_t)1 << 30,
		.wall_ms_at_zero = 1700000000000,
		.seed = 1,
	};
}

static bool options_are_valid(const kp_db_options *o)
{
	return o->n_nodes >= 1 && o->n_nodes <= KP_DB_MAX_NODES && o->default_partitions >= 1 &&
	       o->default_partitions <= KP_DB_DEFAULT_PARTITIONS_MAX && o->max_message_bytes >= 0 && o->log_bytes_max > 0 &&
	       o->transaction_version >= 0 && o->transaction_version <= 2;
}

/* Notes are for whoever knows their prefix. */
static int restore_note(kp_db *db, kp_slice key, kp_slice value)
{
	if (key.len <= 2 || key.ptr[1] != ':')
		return 0;
	kp_slice name = kp_slice_of(key.ptr + 2, key.len - 2);
	switch (key.ptr[0]) {
	case 't': return kp_db_txn_restore(db, name, value);
	case 'o': return kp_db_offset_restore(db, name, value);
	default: return 0;
	}
}

static int restore_notes(kp_db *db)
{
	kp_db_storage *s = db->cluster.storage;
	kp_slice key, value;
	int err;
	do
		err = s->ops->note_next(s, &key, &value);
	while (!err && key.ptr && !(err = restore_note(db, key, value)));
	return err;
}

kp_db *kp_db_new(const kp_db_options *o)
{
	kp_db *db = options_are_valid(o) ? kp_mem_calloc(1, sizeof(*db)) : NULL;
	if (!db)
		return NULL;
	db->is_auto_create = o->auto_create;
	db->is_discarding = o->is_discarding;
	db->transaction_version = o->transaction_version;
	db->wall_ms_at_zero = o->wall_ms_at_zero;
	kp_map_init(&db->conns);
	kp_db_txns_init(&db->txns);
	kp_db_groups_init(&db->groups);
	kp_db_coordinators_init(&db->coordinators);
	kp_list_init(&db->held_produces);
	kp_list_init(&db->held_fetches);
	kp_list_init(&db->injections);
	kp_list_init(&db->parked);
	db->produce_deadline_us = db->fetch_deadline_us = db->parked_deadline_us = KP_TIME_NEVER;
	kp_arena_init(&db->arena, KP_DB_ARENA_MAX);
	kp_buf_init(&db->scratch, KP_DB_SCRATCH_MAX);
	int err = kp_db_cluster_init(&db->cluster, o);
	if (err) {
		kp_db_free(db);
		return NULL;
	}
	db->next_producer_id = 1000 * (int64_t)kp_random_below(&db->cluster.random, 1000000);
	db->cluster.reserved.producer_id = db->next_producer_id;
	if (o->storage && (kp_db_restore(&db->cluster) || restore_notes(db))) {
		kp_db_free(db);
		return NULL;
	}
	if (o->storage)
		db->next_producer_id = db->cluster.reserved.producer_id;
	db->coordinators.epoch = db->cluster.first_epoch; /* above that of an earlier run, which markers carry */
	return db;
}

void kp_db_free(kp_db *db)
{
	if (!db)
		return;
	size_t it = 0;
	for (kp_db_conn *conn; (conn = kp_map_next(&db->conns, &it));)
		kp_db_conn_free(conn);
	kp_map_deinit(&db->conns);
	kp_db_groups_deinit(db);
	kp_db_txns_deinit(db);
	kp_db_coordinators_deinit(&db->coordinators);
	for (kp_list *n; (n = kp_list_pop_front(&db->injections));)
		kp_mem_free(KP_CONTAINER_OF(n, kp_db_injection, link));
	while (db->first_answer < db->n_answers)
		kp_buf_deinit(&db->answers[db->first_answer++].bytes);
	kp_mem_free(db->answers);
	if (db->cluster.is_restored)
		kp_db_retire(&db->cluster);
	kp_db_cluster_deinit(&db->cluster);
	kp_arena_deinit(&db->arena);
	kp_buf_deinit(&db->scratch);
	kp_mem_free(db);
}

int kp_db_set_endpoint(kp_db *db, int32_t node, const char *host, uint16_t port)
{
	if (!kp_db_is_node(&db->cluster, node))
		return KP_ERR_BAD_ARGUMENT;
	char *copy = kp_mem_strdup(host);
	if (!copy)
		return KP_ERR_NO_MEMORY;
	kp_db_node *n = &db->cluster.nodes[node - 1];
	kp_mem_free(n->host);
	n->host = copy;
	n->port = port;
	return 0;
}

int kp_db_create_topic(kp_db *db, const char *topic, int32_t n_partitions, int16_t replication_factor)
{
	kp_db_cluster *c = &db->cluster;
	kp_slice name = kp_slice_cstr(topic);
	if (kp_db_topic_name_check(name, NULL) || kp_db_topic_collision(c, name))
		return KP_ERR_INVALID_TOPIC_EXCEPTION;
	if (kp_db_topic_by_name(c, name))
		return KP_ERR_TOPIC_ALREADY_EXISTS;
	if (n_partitions < 1)
		return KP_ERR_INVALID_PARTITIONS;
	if (replication_factor < 1 || replication_factor > c->n_nodes)
		return KP_ERR_INVALID_REPLICATION_FACTOR;
	kp_db_topic_config config;
	kp_db_topic *t;
	kp_db_topic_config_init(&config, c->max_message_bytes);
	return kp_db_topic_create(c, name, n_partitions, replication_factor, &config, &t);
}

int kp_db_delete_topic(kp_db *db, const char *topic)
{
	kp_db_topic *t = kp_db_topic_by_name(&db->cluster, kp_slice_cstr(topic));
	if (!t)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	kp_db_offsets_forget_topic(db, t);
	return kp_db_topic_delete(&db->cluster, t);
}

int kp_db_add_partitions(kp_db *db, const char *topic, int32_t n_partitions_total)
{
	kp_db_topic *t = kp_db_topic_by_name(&db->cluster, kp_slice_cstr(topic));
	if (!t)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	return n_partitions_total > t->n_partitions ? kp_db_topic_grow(&db->cluster, t, n_partitions_total)
	                                            : KP_ERR_INVALID_PARTITIONS;
}

static kp_db_partition *find(const kp_db *db, const char *topic, int32_t partition)
{
	kp_db_topic *t = kp_db_topic_by_name(&db->cluster, kp_slice_cstr(topic));
	return t ? kp_db_partition_of(t, partition) : NULL;
}

int kp_db_set_leader(kp_db *db, const char *topic, int32_t partition, int32_t node)
{
	kp_db_partition *p = find(db, topic, partition);
	if (!p)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	if (node && !kp_db_is_node(&db->cluster, node))
		return KP_ERR_BAD_ARGUMENT;
	bool is_moved = p->leader != node;
	kp_db_elect(&db->cluster, p, node);
	if (is_moved)
		kp_db_fail_waits(db, p, p->high_watermark, KP_ERR_NOT_LEADER_OR_FOLLOWER);
	return 0;
}

/* Connections of a node that went down end without a word. */
static void drop_requests_of(kp_db *db, int32_t node)
{
	size_t it = 0;
	for (kp_db_conn *conn; (conn = kp_map_next(&db->conns, &it));) {
		if (conn->node != node)
			continue;
		if (conn->held)
			kp_db_held_free(conn->held);
		if (conn->parked)
			kp_db_parked_free(conn->parked);
		conn->is_closing = true;
	}
}

int kp_db_node_set_up(kp_db *db, int32_t node, bool is_up)
{
	if (!kp_db_is_node(&db->cluster, node))
		return KP_ERR_BAD_ARGUMENT;
	if (!is_up)
		drop_requests_of(db, node);
	kp_db_node_change(&db->cluster, node, is_up);
	db->coordinators.epoch++;
	kp_db_txns_wake(db);
	return 0;
}

bool kp_db_node_is_up(const kp_db *db, int32_t node)
{
	return kp_db_is_node(&db->cluster, node) && db->cluster.nodes[node - 1].is_up;
}

void kp_db_set_hw_delay_us(kp_db *db, int64_t delay_us)
{
	kp_db_set_delay(&db->cluster, delay_us < 0 ? 0 : delay_us);
}

int kp_db_truncate(kp_db *db, const char *topic, int32_t partition, int64_t end_offset)
{
	kp_db_partition *p = find(db, topic, partition);
	if (!p)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	int err = kp_db_partition_truncate(&db->cluster, p, end_offset);
	kp_db_fail_waits(db, p, p->log.end_offset, KP_ERR_NOT_LEADER_OR_FOLLOWER);
	return err;
}

int kp_db_forget_producers(kp_db *db, const char *topic, int32_t partition, int64_t producer_id)
{
	kp_db_partition *p = find(db, topic, partition);
	if (!p)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	kp_db_producers_forget(&p->producers, producer_id);
	return 0;
}

int kp_db_inject_error(kp_db *db, int32_t node, int16_t api_key, int16_t error_code, int32_t count)
{
	if ((node && !kp_db_is_node(&db->cluster, node)) || error_code == 0 || count < 1)
		return KP_ERR_BAD_ARGUMENT;
	kp_db_injection *i = kp_mem_calloc(1, sizeof(*i));
	if (!i)
		return KP_ERR_NO_MEMORY;
	*i = (kp_db_injection){.node = node, .api_key = api_key, .error_code = error_code, .count = count};
	kp_list_init(&i->link);
	kp_list_push_back(&db->injections, &i->link);
	return 0;
}

int kp_db_partition_get(const kp_db *db, const char *topic, int32_t partition, kp_db_partition_info *out)
{
	const kp_db_partition *p = find(db, topic, partition);
	if (!p)
		return KP_ERR_UNKNOWN_TOPIC_OR_PARTITION;
	*out = (kp_db_partition_info){
		.leader = kp_db_leader_of(&db->cluster, p),
		.leader_epoch = p->leader_epoch,
		.start_offset = p->log.start_offset,
		.end_offset = p->log.end_offset,
		.high_watermark = kp_db_readable_end(p),
		.last_stable_offset = kp_db_last_stable(p),
		.n_bytes = p->log.bytes,
		.n_producers = (int32_t)p->producers.by_id.n,
	};
	return 0;
}

const char *kp_db_next_topic(const kp_db *db, const char *topic)
{
	const kp_db_topic *t = topic ? kp_db_topic_by_name(&db->cluster, kp_slice_cstr(topic)) : NULL;
	const kp_list *n = t ? t->in_order.next : db->cluster.topics.next;
	return n == &db->cluster.topics || (topic && !t) ? NULL : KP_CONTAINER_OF(n, const kp_db_topic, in_order)->name;
}

int32_t kp_db_n_partitions(const kp_db *db, const char *topic)
{
	const kp_db_topic *t = kp_db_topic_by_name(&db->cluster, kp_slice_cstr(topic));
	return t ? t->n_partitions : 0;
}

bool kp_db_log_walk(const kp_db *db, const char *topic, int32_t partition, int64_t *offset, kp_slice *batch)
{
	const kp_db_partition *p = find(db, topic, partition);
	return p && kp_db_log_next(&p->log, offset, batch);
}

void kp_db_get_stats(const kp_db *db, kp_db_stats *out)
{
	*out = db->stats;
	out->n_dropped_bytes = db->cluster.logs.n_dropped_bytes;
	out->log_bytes = db->cluster.logs.bytes;
}
