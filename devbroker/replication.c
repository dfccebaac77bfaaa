/*
 * replication.c - leaders, nodes and high watermarks. There is one log per partition; replication is the time its high watermark lags.
 */
#include "base/mem.h"
#include "devbroker/partition_txn.h"
#include "devbroker/restore.h"
#include "kproducer/error.h"

bool kp_db_is_node(const kp_db_cluster *c, int32_t node)
{
	return node >= 1 && node <= c->n_nodes;
}

int32_t kp_db_leader_of(const kp_db_cluster *c, const kp_db_partition *p)
{
	return p->leader && c->nodes[p->leader - 1].is_up ? p->leader : 0;
}

static int32_t placed(const kp_db_cluster *c, const kp_db_partition *p, int i)
{
	return 1 + (p->topic->first_node + p->index % c->n_nodes + i) % c->n_nodes;
}

int32_t kp_db_replica(const kp_db_cluster *c, const kp_db_partition *p, int i)
{
	if (i == 0 && p->leader) {
		int n = 0;
		while (n < p->topic->replication_factor && placed(c, p, n) != p->leader)
			n++;
		if (n == p->topic->replication_factor)
			return p->leader;
	}
	return placed(c, p, i);
}

int64_t kp_db_readable_end(const kp_db_partition *p)
{
	return p->high_watermark > p->log.start_offset ? p->high_watermark : p->log.start_offset;
}

int32_t kp_db_n_insync(const kp_db_cluster *c, const kp_db_partition *p)
{
	int32_t n = 0;
	for (int i = 0; i < p->topic->replication_factor; i++)
		n += c->nodes[kp_db_replica(c, p, i) - 1].is_up;
	return n;
}

bool kp_db_has_enough_insync(const kp_db_cluster *c, const kp_db_partition *p)
{
	int32_t wanted = p->topic->config.min_insync_replicas, n = p->topic->replication_factor;
	return kp_db_n_insync(c, p) >= (wanted < n ? wanted : n); /* Partition.effectiveMinIsr */
}

int16_t kp_db_default_replication(const kp_db_cluster *c)
{
	return (int16_t)(c->n_nodes < 3 ? c->n_nodes : 3);
}

int32_t kp_db_controller(const kp_db_cluster *c)
{
	for (int32_t i = 0; i < c->n_nodes; i++)
		if (c->nodes[i].is_up)
			return i + 1;
	return 0;
}

int kp_db_reserve(kp_db_cluster *c, const kp_db_reserved *below)
{
	int err = c->storage ? c->storage->ops->reserve(c->storage, below) : 0;
	if (!err)
		c->reserved = *below;
	return err;
}

void kp_db_raise_epoch(kp_db_cluster *c, kp_db_partition *p)
{
	p->leader_epoch++;
	if (p->leader_epoch < c->reserved.leader_epoch || !c->storage)
		return;
	kp_db_reserved next = c->reserved;
	next.leader_epoch = p->leader_epoch + KP_DB_LEADER_EPOCHS_RESERVED;
	(void)!kp_db_reserve(c, &next); /* it was said; the epochs in the logs still keep the next run above them */
}

void kp_db_elect(kp_db_cluster *c, kp_db_partition *p, int32_t node)
{
	p->leader = node;
	kp_db_raise_epoch(c, p);
	c->is_produce_dirty = c->is_fetch_dirty = true;
}

void kp_db_node_change(kp_db_cluster *c, int32_t node, bool is_up)
{
	kp_db_node *n = &c->nodes[node - 1];
	if (n->is_up == is_up)
		return;
	n->is_up = is_up;
	c->is_produce_dirty = true; /* replicas count that did not, or the other way round */
	for (kp_list *at = c->topics.next; at != &c->topics; at = at->next) {
		kp_db_topic *t = KP_CONTAINER_OF(at, kp_db_topic, in_order);
		for (int32_t i = 0; i < t->n_partitions; i++)
			if (t->partitions[i]->leader == node)
				kp_db_elect(c, t->partitions[i], node);
	}
}

static void raise_high_watermark(kp_db_cluster *c, kp_db_partition *p, int64_t offset)
{
	p->high_watermark = offset;
	kp_db_producers_replicated(&p->producers, offset);
	c->is_produce_dirty = true;
	if (p->is_watched) {
		p->is_watched = false;
		c->is_fetch_dirty = true;
	}
}

/* now + delay, where either may be KP_TIME_NEVER. */
static int64_t later(int64_t now_us, int64_t delay_us)
{
	return delay_us > KP_TIME_NEVER - now_us ? KP_TIME_NEVER : now_us + delay_us;
}

void kp_db_replicate(kp_db_cluster *c, kp_db_partition *p, int64_t now_us)
{
	kp_db_retention_note(c, p->topic, now_us);
	if (c->hw_delay_us == 0 && !kp_list_linked(&p->replicating)) {
		raise_high_watermark(c, p, p->log.end_offset);
		return;
	}
	if (kp_list_linked(&p->replicating))
		return; /* the next round takes what has gathered meanwhile, as a follower's next fetch does */
	p->hw_target = p->log.end_offset;
	p->hw_due_us = later(now_us, c->hw_delay_us);
	kp_list_push_back(&c->replicating, &p->replicating);
}

int64_t kp_db_replication_step(kp_db_cluster *c, int64_t now_us)
{
	int64_t next_us = KP_TIME_NEVER;
	kp_list due;
	kp_list_init(&due);
	kp_list_splice_back(&due, &c->replicating);
	for (kp_list *n; (n = kp_list_pop_front(&due));) {
		kp_db_partition *p = KP_CONTAINER_OF(n, kp_db_partition, replicating);
		if (p->hw_due_us <= now_us) {
			raise_high_watermark(c, p, p->hw_target);
			if (p->high_watermark < p->log.end_offset)
				kp_db_replicate(c, p, now_us);
		} else {
			kp_list_push_back(&c->replicating, n);
		}
		if (kp_list_linked(n) && p->hw_due_us < next_us)
			next_us = p->hw_due_us;
	}
	return next_us;
}

void kp_db_set_delay(kp_db_cluster *c, int64_t delay_us)
{
	c->hw_delay_us = delay_us;
	/* What waits for ever would not notice; let the next step look at it, and start its round anew if it must wait still. */
	for (kp_list *n = c->replicating.next; n != &c->replicating; n = n->next) {
		kp_db_partition *p = KP_CONTAINER_OF(n, kp_db_partition, replicating);
		if (p->hw_due_us == KP_TIME_NEVER && delay_us != KP_TIME_NEVER) {
			p->hw_target = p->high_watermark;
			p->hw_due_us = INT64_MIN;
		}
	}
}

int kp_db_partition_truncate(kp_db_cluster *c, kp_db_partition *p, int64_t end_offset)
{
	kp_db_log_truncate(&p->log, end_offset);
	if (p->high_watermark > p->log.end_offset)
		p->high_watermark = p->log.end_offset;
	if (p->hw_target > p->log.end_offset)
		p->hw_target = p->log.end_offset;
	kp_db_raise_epoch(c, p);
	c->is_produce_dirty = c->is_fetch_dirty = true;
	return kp_db_partition_rebuild(p);
}
