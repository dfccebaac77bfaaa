#include "cluster/cluster.h"

#include <kproducer/error.h>

#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "cluster/backoff.h"

void kp_cluster_init(kp_cluster *c, const kp_cluster_config *config, kp_random *random)
{
	memset(c, 0, sizeof(*c));
	c->config = *config;
	c->random = random;
	c->controller_id = -1;
	c->updated_us = -1;
	kp_list_init(&c->topics);
	kp_list_init(&c->stale);
	kp_map_init(&c->by_name);
}

static void topic_free(kp_cluster *c, kp_cluster_topic *t)
{
	kp_map_remove(&c->by_name, kp_slice_cstr(t->name));
	kp_list_remove(&t->link);
	kp_list_remove(&t->stale_link);
	kp_mem_free(t->partitions);
	kp_mem_free(t->name);
	kp_mem_free(t);
}

void kp_cluster_deinit(kp_cluster *c)
{
	kp_list *n;
	while ((n = kp_list_first(&c->topics)))
		topic_free(c, KP_CONTAINER_OF(n, kp_cluster_topic, link));
	kp_map_deinit(&c->by_name);
	kp_mem_free(c->nodes);
}

kp_cluster_topic *kp_cluster_topic_find(const kp_cluster *c, kp_slice name)
{
	return kp_map_get(&c->by_name, name);
}

kp_cluster_topic *kp_cluster_topic_find_id(const kp_cluster *c, const kp_uuid *id)
{
	for (const kp_list *n = c->topics.next; n != &c->topics; n = n->next) {
		kp_cluster_topic *t = KP_CONTAINER_OF(n, kp_cluster_topic, link);
		if (memcmp(&t->id, id, sizeof(*id)) == 0)
			return t;
	}
	return NULL;
}

kp_cluster_topic *kp_cluster_topic_get(kp_cluster *c, kp_slice name, int64_t now_us)
{
	kp_cluster_topic *t = kp_cluster_topic_find(c, name);
	if (t) {
		t->used_us = now_us;
		return t;
	}
	t = kp_mem_calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	kp_list_init(&t->link);
	kp_list_init(&t->stale_link);
	t->name = kp_mem_strndup((const char *)name.ptr, name.len);
	if (!t->name || kp_map_put(&c->by_name, kp_slice_cstr(t->name), t)) {
		kp_mem_free(t->name);
		kp_mem_free(t);
		return NULL;
	}
	t->used_us = now_us;
	kp_list_push_back(&c->topics, &t->link);
	kp_list_push_back(&c->stale, &t->stale_link);
	return t;
}

void kp_cluster_mark_stale(kp_cluster *c, kp_cluster_topic *t)
{
	if (!kp_list_linked(&t->stale_link))
		kp_list_push_back(&c->stale, &t->stale_link);
}

void kp_cluster_unmark_stale(kp_cluster_topic *t)
{
	kp_list_remove(&t->stale_link);
}

kp_cluster_node *kp_cluster_node_find(const kp_cluster *c, int32_t id)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (c->nodes[i].id == id && !c->nodes[i].is_gone)
			return &c->nodes[i];
	return NULL;
}

kp_cluster_node *kp_cluster_node_put(kp_cluster *c, int32_t id, kp_slice host, int32_t port)
{
	kp_cluster_node *n = NULL;
	if (host.len == 0 || host.len >= sizeof(n->host) || port <= 0 || port > 65535)
		return NULL;
	for (size_t i = 0; i < c->n_nodes && !n; i++)
		if (c->nodes[i].id == id)
			n = &c->nodes[i];
	if (!n && c->n_nodes == c->cap_nodes) {
		size_t cap = c->cap_nodes ? c->cap_nodes * 2 : 8;
		kp_cluster_node *more = kp_mem_realloc(c->nodes, cap * sizeof(*more));
		if (!more)
			return NULL;
		c->nodes = more;
		c->cap_nodes = cap;
	}
	if (!n)
		n = &c->nodes[c->n_nodes++];
	n->id = id;
	memcpy(n->host, host.ptr, host.len);
	n->host[host.len] = '\0';
	n->port = (uint16_t)port;
	n->is_gone = false;
	return n;
}

bool kp_cluster_leader_hint(kp_cluster *c, kp_cluster_topic *t, int32_t partition, int32_t leader, int32_t leader_epoch)
{
	if (partition < 0 || partition >= t->n_partitions || leader < 0 || !kp_cluster_node_find(c, leader))
		return false;
	kp_cluster_partition *p = &t->partitions[partition];
	if (leader_epoch <= p->leader_epoch)
		return false;
	p->leader = leader;
	p->leader_epoch = leader_epoch;
	return true;
}

void kp_cluster_forget_idle(kp_cluster *c, int64_t now_us)
{
	kp_list *next;
	for (kp_list *n = c->topics.next; n != &c->topics; n = next) {
		kp_cluster_topic *t = KP_CONTAINER_OF(n, kp_cluster_topic, link);
		next = n->next;
		if (!t->user && now_us - t->used_us > c->config.max_idle_us)
			topic_free(c, t);
	}
}

/* When the next stale topic may be asked for. */
static int64_t stale_due_us(const kp_cluster *c)
{
	int64_t due = KP_TIME_NEVER;
	for (const kp_list *n = c->stale.next; n != &c->stale; n = n->next) {
		const kp_cluster_topic *t = KP_CONTAINER_OF(n, kp_cluster_topic, stale_link);
		due = t->next_us < due ? t->next_us : due;
	}
	return due;
}

static int64_t full_due_us(const kp_cluster *c)
{
	return kp_list_empty(&c->topics) || c->updated_us < 0 ? KP_TIME_NEVER : c->updated_us + c->config.max_age_us;
}

bool kp_cluster_wants_request(kp_cluster *c, int64_t now_us, int64_t *next_us)
{
	int64_t full_us = full_due_us(c), stale_us = stale_due_us(c), due = full_us < stale_us ? full_us : stale_us;
	if (due != KP_TIME_NEVER && due < c->next_us)
		due = c->next_us;
	if (c->is_asking)
		due = KP_TIME_NEVER;
	else
		c->is_full = full_us <= now_us;
	*next_us = due;
	return due <= now_us;
}

bool kp_cluster_build_request(kp_cluster *c, int version, kp_arena *arena, kp_metadata_request *out)
{
	size_t n = 0;
	bool only_stale = !c->is_full;
	kp_list *head = only_stale ? &c->stale : &c->topics;
	for (kp_list *i = c->topics.next; i != &c->topics; i = i->next)
		KP_CONTAINER_OF(i, kp_cluster_topic, link)->is_asked = false;
	for (kp_list *i = head->next; i != head; i = i->next)
		n++; /* idle topics included: an upper bound */
	kp_wire_init(&kp_metadata_request_schema, out, 1);
	out->topics.items = kp_arena_alloc(arena, n * sizeof(*out->topics.items));
	if (!out->topics.items)
		return false;
	kp_wire_init(&kp_metadata_request_topic_schema, out->topics.items, n);
	int32_t k = 0;
	for (kp_list *i = head->next; i != head; i = i->next) {
		kp_cluster_topic *t = only_stale ? KP_CONTAINER_OF(i, kp_cluster_topic, stale_link)
		                                 : KP_CONTAINER_OF(i, kp_cluster_topic, link);
		if (!only_stale && t->is_idle)
			continue;
		t->is_asked = true;
		out->topics.items[k++].name = kp_slice_cstr(t->name);
	}
	out->topics.n = k;
	if (version >= 4)
		out->allow_auto_topic_creation = c->config.allow_auto_create;
	c->is_asking = true;
	return true;
}

static int64_t pause_us(kp_cluster *c, int n_before)
{
	return kp_backoff_us(c->config.retry_backoff_us, c->config.retry_backoff_max_us, n_before, c->random);
}

static void back_off(kp_cluster *c, int64_t now_us)
{
	c->next_us = now_us + pause_us(c, c->n_failures++);
}

void kp_cluster_request_failed(kp_cluster *c, int64_t now_us)
{
	c->is_asking = false;
	back_off(c, now_us);
}

/*
 * What is known of partitions that an answer lacks is kept: a topic's partitions do not become fewer, so the broker that answered lags
 * behind, and the next one that does must not take back their leaders either. A new topic starts from nothing.
 */
static int resize_partitions(kp_cluster_topic *t, int32_t n, bool is_new_topic)
{
	if (n > t->n_kept) {
		kp_cluster_partition *more = kp_mem_realloc(t->partitions, (size_t)n * sizeof(*more));
		if (!more)
			return KP_ERR_NO_MEMORY;
		t->partitions = more;
	}
	if (is_new_topic)
		t->n_kept = 0;
	for (; t->n_kept < n; t->n_kept++)
		t->partitions[t->n_kept] = (kp_cluster_partition){.leader = -1, .leader_epoch = -1};
	t->n_partitions = n;
	return 0;
}

/* One partition of an answer; false when it leaves something to ask for again. */
static bool take_partition(kp_cluster_topic *t, const kp_metadata_response_partition *p, bool is_new_topic)
{
	if (p->partition_index < 0 || p->partition_index >= t->n_partitions)
		return true;
	kp_cluster_partition *known = &t->partitions[p->partition_index];
	/* An answer of a broker that lags behind must not take back a newer leader (KIP-320). Versions below 7 carry no epoch. */
	if (!is_new_topic && p->leader_epoch >= 0 && p->leader_epoch < known->leader_epoch)
		return true;
	known->leader = p->error_code == KP_ERR_LEADER_NOT_AVAILABLE ? -1 : p->leader_id;
	known->leader_epoch = p->leader_epoch;
	known->n_replicas = p->replica_nodes.n;
	known->n_in_sync = p->isr_nodes.n;
	return known->leader >= 0;
}

static int take_topic(kp_cluster *c, kp_cluster_topic *t, const kp_metadata_response_topic *a)
{
	static const kp_uuid zero;
	bool is_settled = true;
	t->error = a->error_code;
	t->is_internal = a->is_internal;
	if (a->error_code == 0) {
		bool is_new = memcmp(&t->id, &a->topic_id, sizeof(t->id)) != 0 && memcmp(&zero, &a->topic_id, sizeof(zero)) != 0;
		int err = resize_partitions(t, a->partitions.n, is_new);
		if (err)
			return err;
		t->id = a->topic_id;
		is_settled = a->partitions.n > 0;
		for (int32_t i = 0; i < a->partitions.n; i++)
			is_settled &= take_partition(t, &a->partitions.items[i], is_new);
	} else {
		is_settled = kp_error_on_metadata(a->error_code) == KP_METADATA_FAIL_TOPIC;
	}
	kp_list_remove(&t->stale_link);
	if (!is_settled)
		kp_list_push_back(&c->stale, &t->stale_link);
	return 0;
}

static void take_nodes(kp_cluster *c, const kp_metadata_response *a)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		c->nodes[i].is_gone = true;
	/* A node that does not fit or memory lacks for is asked for again when a partition wants it. */
	for (int32_t i = 0; i < a->brokers.n; i++)
		(void)kp_cluster_node_put(c, a->brokers.items[i].node_id, a->brokers.items[i].host, a->brokers.items[i].port);
}

/*
 * Topics that were asked for: those that the answer settled may be asked for at once when they become stale again; those that it left
 * open, or refused, wait, each for itself.
 */
static void pace_topics(kp_cluster *c, int64_t now_us)
{
	for (kp_list *n = c->topics.next; n != &c->topics; n = n->next) {
		kp_cluster_topic *t = KP_CONTAINER_OF(n, kp_cluster_topic, link);
		if (!t->is_asked)
			continue;
		bool is_open = kp_list_linked(&t->stale_link) || t->error;
		t->next_us = is_open ? now_us + pause_us(c, t->n_open) : 0;
		t->n_open = is_open ? t->n_open + 1 : 0;
	}
}

int kp_cluster_update(kp_cluster *c, const kp_metadata_response *a, int64_t now_us,
                      void (*on_topic)(void *opaque, kp_cluster_topic *t), void *opaque)
{
	int err = a->error_code;
	c->is_asking = false;
	if (err) {
		back_off(c, now_us);
		return err;
	}
	take_nodes(c, a);
	c->controller_id = a->controller_id;
	if (a->cluster_id.ptr && a->cluster_id.len < sizeof(c->cluster_id)) {
		memcpy(c->cluster_id, a->cluster_id.ptr, a->cluster_id.len);
		c->cluster_id[a->cluster_id.len] = '\0';
	}
	for (int32_t i = 0; i < a->topics.n && !err; i++) {
		kp_cluster_topic *t = kp_cluster_topic_find(c, a->topics.items[i].name);
		if (!t)
			continue; /* forgotten meanwhile */
		err = take_topic(c, t, &a->topics.items[i]);
		if (!err)
			on_topic(opaque, t);
	}
	if (c->is_full || c->updated_us < 0)
		c->updated_us = now_us;
	pace_topics(c, now_us);
	if (err) {
		back_off(c, now_us);
	} else {
		c->n_failures = 0;
		c->next_us = now_us;
	}
	return err;
}
