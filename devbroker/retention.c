/*
 * retention.c - retention.bytes and retention.ms of the topics that set them: whole chunks are dropped from a log's front.
 *
 * As Kafka does it (UnifiedLog.deleteOldSegments): a chunk goes when the log has retention.bytes without it, or when its newest record is
 * older than retention.ms; never what is not replicated yet. Where Kafka also waits for the segment to be full, a chunk here is kept to an
 * eighth of the bound. Unlike Kafka, a topic that sets neither keeps everything, and a chunk without timestamps has no age (there: that of
 * its file).
 */
#include <stdlib.h>

#include "devbroker/topics.h"

#define CHECK_US 1000000      /* not more often */
#define CHECK_LATE_MS 3600000 /* nor much later: the wall clock may move */
#define CHUNK_BYTES_MIN 8192
#define CHUNK_MS_MIN 100

/* The number that the topic sets, or `fallback`. */
static int64_t value_of(const kp_db_topic *t, const char *name, int64_t fallback)
{
	const char *text = t->config.values[kp_db_topic_config_index(kp_slice_cstr(name))];
	return text ? strtoll(text, NULL, 10) : fallback;
}

static bool may_delete(const kp_db_topic *t)
{
	const char *policy = t->config.values[kp_db_topic_config_index(kp_slice_cstr("cleanup.policy"))];
	return !policy || strstr(policy, "delete");
}

/* The smaller one of a chunk's own bound and an eighth of the log's (-1: none), not below `min`. */
static int64_t chunk_bound(int64_t own, int64_t of_log, int64_t min)
{
	if (of_log >= 0 && of_log / 8 < own)
		own = of_log / 8;
	return own > min ? own : min;
}

void kp_db_retention_apply(kp_db_cluster *c, kp_db_topic *t)
{
	t->retention_ms = may_delete(t) ? value_of(t, "retention.ms", -1) : -1;
	t->retention_bytes = may_delete(t) ? value_of(t, "retention.bytes", -1) : -1;
	int64_t bytes = chunk_bound(value_of(t, "segment.bytes", INT64_MAX), t->retention_bytes, CHUNK_BYTES_MIN);
	int64_t ms = chunk_bound(INT64_MAX, t->retention_ms, CHUNK_MS_MIN);
	for (int32_t i = 0; i < t->n_partitions; i++) {
		t->partitions[i]->log.chunk_bytes_max = (size_t)bytes;
		t->partitions[i]->log.chunk_ms_max = ms;
	}
	kp_list_remove(&t->bounded);
	if (t->retention_ms < 0 && t->retention_bytes < 0)
		return;
	kp_list_push_back(&c->bounded, &t->bounded);
	c->retention_due_us = INT64_MIN;
}

void kp_db_retention_note(kp_db_cluster *c, const kp_db_topic *t, int64_t now_us)
{
	if (kp_list_linked(&t->bounded) && c->retention_due_us > now_us + CHECK_US)
		c->retention_due_us = now_us + CHECK_US;
}

static bool is_past(const kp_db_partition *p, const kp_db_log_head *head, int64_t wall_ms)
{
	const kp_db_topic *t = p->topic;
	if (t->retention_bytes >= 0 && p->log.bytes - head->bytes >= (uint64_t)t->retention_bytes)
		return true;
	int64_t oldest_ms = wall_ms > t->retention_ms ? wall_ms - t->retention_ms : 0;
	return t->retention_ms >= 0 && head->max_timestamp >= 0 && head->max_timestamp < oldest_ms;
}

/* When the log has to be looked at again, though nothing is appended, in ms from now. */
static int64_t check_log(kp_db_cluster *c, kp_db_partition *p, int64_t wall_ms)
{
	kp_db_log_head head;
	while (kp_db_log_first(&p->log, &head)) {
		if (!is_past(p, &head, wall_ms)) {
			if (p->topic->retention_ms < 0 || head.max_timestamp < 0)
				return INT64_MAX;
			int64_t age_ms = head.max_timestamp < wall_ms ? wall_ms - head.max_timestamp : 0;
			int64_t left_ms = p->topic->retention_ms - age_ms;
			return left_ms < CHECK_LATE_MS ? left_ms + 1 : CHECK_LATE_MS;
		}
		if (head.end_offset > p->high_watermark || kp_db_log_drop_first(&p->log))
			return 0; /* soon */
		c->is_fetch_dirty = true;
	}
	return INT64_MAX;
}

int64_t kp_db_retention_step(kp_db_cluster *c, int64_t wall_ms, int64_t now_us)
{
	if (now_us < c->retention_due_us)
		return c->retention_due_us;
	int64_t next_ms = INT64_MAX;
	for (kp_list *n = c->bounded.next; n != &c->bounded; n = n->next) {
		kp_db_topic *t = KP_CONTAINER_OF(n, kp_db_topic, bounded);
		for (int32_t i = 0; i < t->n_partitions; i++) {
			int64_t ms = check_log(c, t->partitions[i], wall_ms);
			next_ms = ms < next_ms ? ms : next_ms;
		}
	}
	if (next_ms == INT64_MAX)
		return c->retention_due_us = KP_TIME_NEVER;
	return c->retention_due_us = now_us + (next_ms * 1000 > CHECK_US ? next_ms * 1000 : CHECK_US);
}
