/*
 * restore.c - see restore.h. What may have happened to a log, and what is done about it:
 *
 *   zeros behind the last batch           reserved room, never written: cut, not worth a word
 *   a torn batch, and nothing behind it   the process was killed in the middle of an append: cut, one line
 *   anything else                         damage: no start, one line with the remedy; --repair cuts there and keeps what it cut
 *
 * After an end in order a log has its end noted: then checksums are not looked at, and a torn batch is damage too.
 */
#include "devbroker/restore.h"

#include <inttypes.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/partition_txn.h"
#include "devbroker/recovery.h"
#include "kproducer/error.h"

#define REMEDY "start once with --repair, which cuts the log there and keeps what it cuts beside it as *.damaged"

/* One log under way. */
typedef struct restore {
	kp_db_cluster *cluster;
	kp_db_storage *storage;
	kp_db_partition *partition;
	kp_db_segment **segments; /* a place is NULL once it is the log's, or gone */
	size_t n;
	bool was_ended; /* in order, at `end` */
	kp_db_log_end end;
	int32_t newest_epoch;
	bool is_repaired; /* the log ends here; what is left of the segments was kept aside */
} restore;

static void free_segment(restore *r, size_t i, kp_db_segment_end end)
{
	if (r->segments[i])
		r->storage->ops->segment_free(r->storage, r->segments[i], 0, end);
	r->segments[i] = NULL;
}

/* What stands in a batch's header goes into the partition's state. */
static int note_batch(restore *r, const uint8_t *batch, size_t size)
{
	kp_db_partition *p = r->partition;
	kp_batch_header h;
	if (kp_batch_header_load(kp_slice_of(batch, size), &h))
		return 0; /* not so: the batch was checked */
	/* Above what was reserved only when the disk was full; the checksum does not cover it, so that far ones are no epochs. */
	if (h.partition_leader_epoch > r->newest_epoch &&
	    h.partition_leader_epoch < r->cluster->first_epoch + KP_DB_LEADER_EPOCHS_RESERVED)
		r->newest_epoch = h.partition_leader_epoch;
	if (h.producer_id < 0)
		return 0;
	if (kp_db_partition_reserve(p, h.producer_id))
		return KP_ERR_NO_MEMORY;
	kp_db_partition_note(p, kp_slice_of(batch, size), &h);
	kp_db_producers_replicated(&p->producers, INT64_MAX); /* as all that is found here */
	return 0;
}

/* The segment's good batches become the log's. *pos is behind them, *problem why it is not the end. */
static int take_batches(restore *r, size_t i, size_t *pos, const char **problem)
{
	kp_db_log *log = &r->partition->log;
	const kp_db_segment *seg = r->segments[i];
	bool sums = !r->was_ended || r->storage->is_repairing;
	size_t size;
	for (*pos = 0, *problem = NULL; *pos < seg->cap; *pos += size) {
		const uint8_t *batch = seg->data + *pos;
		*problem = kp_db_recover_batch(kp_slice_of(batch, seg->cap - *pos), log->end_offset, sums, &size);
		if (*problem)
			return 0;
		int err = *pos ? 0 : kp_db_log_found_segment(log, r->segments[i]);
		if (!*pos && !err)
			r->segments[i] = NULL; /* the log's */
		if (!err)
			err = kp_db_log_found_batch(log, size);
		if (!err)
			err = note_batch(r, batch, size);
		if (err)
			return err;
	}
	return 0;
}

/* Cut the log here: the segment (NULL: none) from `pos` on, and all segments from number `i` on, are kept aside. */
static int repair(restore *r, kp_db_segment *seg, size_t i, size_t pos)
{
	const kp_db_storage_ops *ops = r->storage->ops;
	kp_db_partition *p = r->partition;
	size_t n = seg != NULL;
	int err = seg ? ops->segment_set_aside(r->storage, seg, pos) : 0;
	for (; !err && i < r->n; i++) {
		if (!r->segments[i] || r->segments[i] == seg)
			continue;
		err = ops->segment_set_aside(r->storage, r->segments[i], 0);
		free_segment(r, i, KP_DB_SEGMENT_FORGET);
		n++;
	}
	if (!err && p->log.n_chunks == 0)
		err = ops->log_emptied(r->storage, &p->log.name, p->log.end_offset);
	if (err)
		return err;
	r->is_repaired = true;
	kp_db_storage_say(r->storage, "%s-%d: repaired: it ends at offset %" PRId64 " now; what was cut is in %zu file%s *.damaged",
	                  p->topic->name, (int)p->index, p->log.end_offset, n, n == 1 ? "" : "s");
	return 0;
}

/* What stands in a segment behind its good batches is none. */
static int end_segment(restore *r, kp_db_segment *seg, size_t i, size_t pos, const char *problem)
{
	const kp_db_partition *p = r->partition;
	int64_t offset = p->log.end_offset;
	kp_slice rest = kp_slice_of(seg->data + pos, seg->cap - pos);
	size_t used = kp_db_recover_used(rest);
	bool is_torn = used && i + 1 == r->n && !r->was_ended && !kp_db_recover_finds_batch(rest, offset);
	if (used && !is_torn) {
		if (r->storage->is_repairing)
			return repair(r, seg, i, pos);
		return kp_db_storage_fault(r->storage, "%s is damaged at byte %zu (offset %" PRId64 "): %s: " REMEDY,
		                           r->storage->ops->segment_path(r->storage, seg), pos, offset, problem);
	}
	int err = r->storage->ops->segment_cut(r->storage, seg, pos);
	if (!err && is_torn)
		kp_db_storage_say(r->storage, "%s-%d: %zu bytes of a half-written batch are cut at offset %" PRId64, p->topic->name,
		                  (int)p->index, used, offset);
	return err;
}

static int restore_segment(restore *r, size_t i)
{
	kp_db_log *log = &r->partition->log;
	kp_db_segment *seg = r->segments[i];
	size_t pos;
	const char *problem;
	if (i == 0)
		log->start_offset = log->end_offset = seg->base_offset;
	if (seg->base_offset != log->end_offset) {
		if (r->storage->is_repairing)
			return repair(r, NULL, i, 0);
		return kp_db_storage_fault(r->storage,
		                           "%s does not go on where the log before it ends, at offset %" PRId64 ": " REMEDY,
		                           r->storage->ops->segment_path(r->storage, seg), log->end_offset);
	}
	int err = take_batches(r, i, &pos, &problem);
	if (!err && pos < seg->cap)
		err = end_segment(r, seg, i, pos, problem);
	if (err)
		return err;
	if (!r->segments[i])
		kp_db_log_found_end(log);
	else /* no batch: the file of an empty log stays, its name says where that goes on */
		free_segment(r, i, log->n_chunks ? KP_DB_SEGMENT_REMOVE : KP_DB_SEGMENT_FORGET);
	return 0;
}

/* What was noted at the end in order must be there. */
static int check_end(restore *r)
{
	const kp_db_partition *p = r->partition;
	if (!r->was_ended || (p->log.end_offset == r->end.end_offset && p->log.start_offset == r->end.start_offset))
		return 0;
	if (r->storage->is_repairing) {
		kp_db_storage_say(r->storage,
		                  "%s-%d: holds offsets %" PRId64 " to %" PRId64 ", %" PRId64 " to %" PRId64 " were there before",
		                  p->topic->name, (int)p->index, p->log.start_offset, p->log.end_offset, r->end.start_offset,
		                  r->end.end_offset);
		return 0;
	}
	return kp_db_storage_fault(r->storage,
	                           "partition %d of topic %s is damaged: it holds offsets %" PRId64 " to %" PRId64 ", and %" PRId64
	                           " to %" PRId64 " when the broker was stopped: bring the missing files back, or start once with "
	                           "--repair, which goes on with what is there",
	                           (int)p->index, p->topic->name, p->log.start_offset, p->log.end_offset, r->end.start_offset,
	                           r->end.end_offset);
}

static int restore_log(restore *r)
{
	kp_db_partition *p = r->partition;
	r->newest_epoch = -1;
	r->is_repaired = false;
	r->was_ended = r->storage->ops->log_was(r->storage, &p->log.name, &r->end);
	int err = r->storage->ops->partition_load(r->storage, &p->log.name, &r->segments, &r->n);
	if (err)
		return err;
	for (size_t i = 0; i < r->n && !err && !r->is_repaired; i++)
		err = restore_segment(r, i);
	if (!err)
		err = check_end(r);
	for (size_t i = 0; i < r->n; i++)
		free_segment(r, i, KP_DB_SEGMENT_FORGET);
	kp_mem_free(r->segments);
	p->high_watermark = p->log.end_offset;
	if (p->leader_epoch <= r->newest_epoch)
		p->leader_epoch = r->newest_epoch + 1;
	return err;
}

static int restore_topic(restore *r, const kp_db_topic_record *record)
{
	kp_db_cluster *c = r->cluster;
	kp_db_topic *t;
	int err = kp_db_topic_restore(c, record, &t);
	if (err == KP_ERR_POLICY_VIOLATION)
		return kp_db_storage_fault(
			r->storage,
			"topic %s, with %d partitions, is more than a broker takes: %d partitions, 64 MiB of properties",
			record->name, (int)record->n_partitions, KP_DB_PARTITIONS_MAX);
	for (int32_t i = 0; !err && i < t->n_partitions; i++) {
		r->partition = t->partitions[i];
		err = restore_log(r);
	}
	return err;
}

static int restore_topics(restore *r)
{
	for (;;) {
		kp_db_topic_config config;
		kp_db_topic_record record = {.config = &config};
		kp_db_topic_config_init(&config, r->cluster->max_message_bytes);
		int err = r->storage->ops->topic_next(r->storage, &record);
		if (!err && record.name)
			err = restore_topic(r, &record);
		kp_db_topic_config_deinit(&config);
		if (err || !record.name)
			return err;
	}
}

int kp_db_restore(kp_db_cluster *c)
{
	restore r = {.cluster = c, .storage = c->storage};
	int err = c->storage->ops->begin(c->storage, c->id, &c->reserved);
	if (err)
		return err;
	c->first_epoch = c->reserved.leader_epoch;
	/* A seed that is given again must not give the same topic ids again. */
	kp_random_init(&c->random, kp_random_next(&c->random) + (uint64_t)c->first_epoch);
	err = restore_topics(&r);
	if (err)
		return err;
	kp_db_reserved next = c->reserved;
	next.leader_epoch += KP_DB_LEADER_EPOCHS_RESERVED;
	err = kp_db_reserve(c, &next);
	if (!err)
		err = c->storage->ops->started(c->storage);
	c->is_restored = !err;
	return err;
}

void kp_db_retire(kp_db_cluster *c)
{
	for (kp_list *n = c->topics.next; n != &c->topics; n = n->next) {
		const kp_db_topic *t = KP_CONTAINER_OF(n, kp_db_topic, in_order);
		for (int32_t i = 0; i < t->n_partitions; i++) {
			kp_db_log *log = &t->partitions[i]->log;
			kp_db_log_end end = {log->start_offset, log->end_offset};
			kp_db_log_deinit(log);
			c->storage->ops->log_end(c->storage, &log->name, &end);
		}
	}
	c->storage->ops->finish(c->storage);
}
