/*
 * watch.c - invariants that hold in every moment, seen from inside the engine and in what it sends.
 *
 *   I8        five unresolved batches of a partition at most, with idempotence (KIP-98)
 *   leader    a topic's partition never goes back to a leader of an older epoch (KIP-320, KIP-951)
 *   throttle  no request leaves while its broker is to be left alone (KIP-219)
 *   pace      retry.backoff.ms lies between an attempt's failure and the next, unless the leader changed
 *   stamp     a batch whose attempts are not all proven without effect is not stamped anew
 *   epoch     of a producer id it does not go back
 *   gap       sequences have no gap unless a batch that had left was given up
 *   halt      with idempotence.on.gap=halt_partition nothing leaves from a loss to the resume, nor what waited then behind that
 *   bytes     what is sent are whole batches, each with its sum
 */
#include "tests/sim/watch.h"

#include <kproducer/error.h>

#include <stdlib.h>
#include <string.h>

#include "producer/engine_impl.h"

#define UNRESOLVED_MOST 5
#define PARTITIONS_MOST 64      /* of a topic, and ... */
#define BROKERS_MOST 32         /* ... brokers that are looked at */
#define CONCURRENT_PAUSE_US 900 /* at least, when the last transaction of the producer is still being ended */
#define SENT_MOST 16            /* requests of a partition under way */

/* A request under way at the end of a turn. */
typedef struct sent {
	const kp_batch *batch;
	int32_t attempts;
} sent;

typedef struct watched {
	kp_uuid topic_id;
	int32_t leader_epoch;
	int n_failures; /* in a row; the last at failed_us, of a request to failed_leader */
	int64_t failed_us;
	int32_t failed_leader;
	bool has_lost; /* a batch that had left was given up */
	uint64_t halted_below;
	int64_t halted_us; /* the last time; 0: never */
	bool is_halted;
	int64_t producer_id; /* of what left last */
	int16_t producer_epoch;
	sent sent[SENT_MOST];
	int n_sent;
} watched;

typedef struct quiet {
	int64_t since_us, until_us;
} quiet;

struct sim_watch {
	watched partitions[SIM_TOPICS][PARTITIONS_MOST];
	quiet pauses[BROKERS_MOST];
	uint64_t faults_before[SIM_N_FAULTS];
};

void sim_watch_begin(sim_world *w)
{
	w->me->watch = sim_alloc(NULL, sizeof(*w->me->watch));
	memset(w->me->watch, 0, sizeof(*w->me->watch));
	memcpy(w->me->watch->faults_before, w->totals->faults, sizeof(w->totals->faults));
}

void sim_watch_end(sim_world *w)
{
	free(w->me->watch);
	w->me->watch = NULL;
}

/* Faults of connections and leaders leave no gap; those of logs, producer state and answers may. */
static bool may_have_gaps(const sim_world *w)
{
	for (int k = SIM_SLOW_REPLICATION + 1; k < SIM_N_FAULTS; k++)
		if (w->totals->faults[k] != w->me->watch->faults_before[k])
			return true;
	return false;
}

static int32_t topic_index(const sim_world *w, const kp_topic *t)
{
	for (int32_t i = 0; i < w->plan.n_topics; i++)
		if (w->me->topics[i] == t)
			return i;
	return -1;
}

static void watch_leader(sim_world *w, const kp_topic *t, int32_t index, watched *seen)
{
	const kp_cluster_topic *meta = t->loop.meta;
	if (index >= meta->n_partitions)
		return;
	int32_t epoch = meta->partitions[index].leader_epoch;
	bool is_same = memcmp(&seen->topic_id, &meta->id, sizeof(meta->id)) == 0;
	if (is_same && epoch >= 0 && epoch < seen->leader_epoch)
		sim_fail(w, "leader", "%s-%d goes back from leader epoch %d to %d", t->name, index, seen->leader_epoch, epoch);
	seen->topic_id = meta->id;
	seen->leader_epoch = epoch;
}

/* A batch whose request was made in this turn. */
static void watch_sent(sim_world *w, const kp_batch *b, const watched *seen)
{
	const kp_partition *p = b->partition;
	const kp_broker *to = b->call->broker;
	const quiet *pause = &w->me->watch->pauses[to->index % BROKERS_MOST];
	if (pause->since_us < w->now_us && w->now_us < pause->until_us)
		sim_fail(w, "throttle", "a request to node %d leaves %lld ms before the end of its pause", to->id,
		         (long long)(pause->until_us - w->now_us) / 1000);
	/* the pause is drawn within a fifth; a leader that was named in the answer takes it back */
	int64_t least_us = w->plan.config.retry_backoff_us * 3 / 4;
	if (w->me->actor) /* any batch of the partition may have met CONCURRENT_TRANSACTIONS: markers are written in a moment */
		least_us = least_us < CONCURRENT_PAUSE_US ? least_us : CONCURRENT_PAUSE_US;
	if (b->attempts > 1 && p->loop.n_failures > 0 && p->loop.backoff_until_us != 0 && seen->n_failures == p->loop.n_failures &&
	    seen->failed_leader == to->id && w->now_us - seen->failed_us < least_us)
		sim_fail(w, "pace", "%s-%d sends again %lld us after a failure", p->topic->name, p->index,
		         (long long)(w->now_us - seen->failed_us));
}

/* What leaves in the turn of the halt may have left before it. */
static void watch_held(sim_world *w, const kp_batch *b, const watched *seen)
{
	if (seen->halted_us == 0 || seen->halted_us == w->now_us)
		return;
	if (seen->is_halted)
		sim_fail(w, "halt", "a batch leaves for %s-%d although it halted", b->partition->topic->name, b->partition->index);
	if (b->routed_us < seen->halted_us)
		sim_fail(w, "halt", "a batch leaves for %s-%d that was there when it halted", b->partition->topic->name,
		         b->partition->index);
}

static void watch_stamp(sim_world *w, const kp_batch *b, watched *seen)
{
	if (b->producer_id >= 0 && b->producer_id == seen->producer_id && b->producer_epoch < seen->producer_epoch)
		sim_fail(w, "epoch", "%s-%d goes back from epoch %d to %d", b->partition->topic->name, b->partition->index,
		         seen->producer_epoch, b->producer_epoch);
	seen->producer_id = b->producer_id;
	seen->producer_epoch = b->producer_epoch;
}

static void watch_halt(sim_world *w, const kp_partition *p, watched *seen, int32_t topic)
{
	if (p->loop.halted_below == seen->halted_below)
		return;
	int by = p->loop.halted_by;
	SIM_TRACE(w, "%s-%d halts, by %s", p->topic->name, p->index, kp_error_name(by));
	if (w->plan.config.on_gap != KP_GAP_HALT || by == KP_ERR_PURGED || by == KP_ERR_QUEUE_EVICTED ||
	    by == KP_ERR_PARTITION_HALTED)
		sim_fail(w, "halt", "%s-%d halts by error %d", p->topic->name, p->index, by);
	seen->halted_below = p->loop.halted_below;
	seen->halted_us = w->now_us;
	seen->is_halted = true;
	seen->has_lost = true; /* it goes on with another epoch, whether there is a gap or not */
	sim_at(w, w->now_us + sim_spread(&w->application, 1, w->plan.resume_us), SIM_EV_RESUME, NULL, topic, p->index);
}

/* Was its request made in this turn? Several turns may have the same time. */
static bool is_new(const kp_batch *b, const watched *seen)
{
	for (int i = 0; i < seen->n_sent; i++)
		if (seen->sent[i].batch == b && seen->sent[i].attempts == b->attempts)
			return false;
	return seen->n_sent < SENT_MOST;
}

static void watch_batches(sim_world *w, const kp_partition *p, watched *seen)
{
	sent under_way[SENT_MOST];
	int n_sent = 0, n = 0, n_looked; /* n: of those that have left; the pieces of one that was too large wait among them */
	for (const kp_list *i = p->loop.unresolved.next; i != &p->loop.unresolved; i = i->next) {
		const kp_batch *b = KP_CONTAINER_OF(i, kp_batch, link);
		n += b->attempts > 0;
		if (b->n_records > 1 && b->raw_len > w->me->largest_batch)
			w->me->largest_batch = b->raw_len;
		if (b->n_records > w->me->longest_batch)
			w->me->longest_batch = b->n_records;
		if (!b->call)
			continue;
		if (n_sent < SENT_MOST)
			under_way[n_sent++] = (sent){b, b->attempts};
		if (!is_new(b, seen))
			continue;
		watch_sent(w, b, seen);
		watch_held(w, b, seen);
		watch_stamp(w, b, seen);
	}
	memcpy(seen->sent, under_way, (size_t)n_sent * sizeof(*under_way));
	seen->n_sent = n_sent;
	n_looked = 0;
	for (const kp_list *i = p->loop.ready.next; i != &p->loop.ready && n_looked < UNRESOLVED_MOST + 1;
	     i = i->next, n_looked++) {
		const kp_batch *b = KP_CONTAINER_OF(i, kp_batch, link);
		if (b->is_open_fate || b->call)
			sim_fail(w, "stamp", "%s-%d gives a new stamp to a batch whose attempts are not all proven", p->topic->name,
			         p->index);
	}
	if (w->plan.config.idempotent && n > UNRESOLVED_MOST)
		sim_fail(w, "I8", "%s-%d has %d unresolved batches", p->topic->name, p->index, n);
	if (p->loop.n_failures > seen->n_failures) {
		seen->failed_us = w->now_us;
		seen->failed_leader = p->loop.leader ? p->loop.leader->id : -1;
	}
	seen->n_failures = p->loop.n_failures;
}

static void watch_epoch(sim_world *w, const kp_partition *p, const watched *seen)
{
	const kp_engine *e = w->me->engine;
	bool is_bumped = p->loop.producer_id >= 0 && p->loop.producer_id == e->loop.producer_id &&
	                 p->loop.producer_epoch > e->loop.producer_epoch;
	if (is_bumped && e->config.transactional_id[0])
		sim_fail(w, "T4", "%s-%d is at an epoch that no coordinator gave", p->topic->name, p->index);
	if (is_bumped && !seen->has_lost && !may_have_gaps(w))
		sim_fail(w, "gap", "%s-%d has a gap in its sequences, and no batch that had left was given up", p->topic->name,
		         p->index);
}

static void watch_pauses(sim_world *w)
{
	const kp_engine *e = w->me->engine;
	for (size_t i = 0; i < e->loop.n_brokers && i < BROKERS_MOST; i++) {
		int64_t until_us = e->loop.brokers[i]->rpc.throttled_until_us;
		if (until_us != w->me->watch->pauses[i].until_us)
			w->me->watch->pauses[i] = (quiet){.since_us = w->now_us, .until_us = until_us};
	}
}

void sim_watch_turn(sim_world *w)
{
	kp_engine *e = w->me->engine;
	for (kp_list *n = e->loop.topics.next; n != &e->loop.topics; n = n->next) {
		kp_topic *t = KP_CONTAINER_OF(n, kp_topic, loop.link);
		int32_t at = topic_index(w, t);
		for (int32_t i = 0; at >= 0 && i < t->loop.n_made && i < PARTITIONS_MOST; i++) {
			kp_partition *p = kp_topic_partition(t, i);
			watched *seen = &w->me->watch->partitions[at][i];
			watch_leader(w, t, i, seen);
			watch_halt(w, p, seen, at);
			watch_batches(w, p, seen);
			watch_epoch(w, p, seen);
		}
	}
	watch_pauses(w);
}

bool sim_watch_is_halted(const sim_world *w, uint8_t topic, int32_t partition)
{
	int32_t n = w->me->topics[topic] ? w->me->topics[topic]->loop.n_made : 0;
	for (int32_t i = partition < 0 ? 0 : partition; i < n && i < PARTITIONS_MOST && (partition < 0 || i == partition); i++) {
		const watched *seen = &w->me->watch->partitions[topic][i];
		/* or since a moment ago */
		if (seen->is_halted || kp_topic_partition(w->me->topics[topic], i)->loop.halted_below != seen->halted_below)
			return true;
	}
	return false;
}

void sim_watch_resumed(sim_world *w, int32_t topic, int32_t partition)
{
	w->me->watch->partitions[topic][partition].is_halted = false;
}

/* A loss halts its partition, unless the batch was on its way when that halted before. */
static void check_halts(sim_world *w, const kp_batch *b)
{
	const kp_partition *p = b->partition;
	bool is_loss = b->outcome != KP_PERSISTED && b->error != KP_ERR_PURGED && b->error != KP_ERR_CLOSED &&
	               b->error != KP_ERR_QUEUE_EVICTED && b->error != KP_ERR_PARTITION_HALTED;
	if (is_loss && w->plan.config.on_gap == KP_GAP_HALT && p->index >= 0 && b->serial >= p->loop.halted_below)
		sim_fail(w, "halt", "%s-%d lost records by error %d and goes on", p->topic->name, p->index, b->error);
	if (b->error == KP_ERR_PARTITION_HALTED && (w->plan.config.on_gap != KP_GAP_HALT || b->outcome != KP_NOT_PERSISTED))
		sim_fail(w, "halt", "a batch of %s-%d ends by a halt with outcome %d", p->topic->name, p->index, b->outcome);
}

void sim_watch_report(sim_world *w, const kp_batch *b, uint8_t topic)
{
	bool has_number = b->attempts > 0 || b->is_stamped; /* pieces of one that was too large have numbers before they leave */
	if (has_number && b->outcome != KP_PERSISTED && b->partition->index >= 0 && b->partition->index < PARTITIONS_MOST)
		w->me->watch->partitions[topic][b->partition->index].has_lost = true;
	check_halts(w, b);
	/* whatever DUPLICATE_SEQUENCE_NUMBER answers stands in the log; as the topic's own error it says nothing about a batch */
	if (b->last_error == KP_ERR_DUPLICATE_SEQUENCE_NUMBER && b->stage == KP_STAGE_DONE)
		sim_fail(w, "I2", "DUPLICATE_SEQUENCE_NUMBER was taken for a failure");
}

void sim_watch_frame(sim_world *w, kp_slice frame)
{
	kp_arena arena;
	kp_produce_request body;
	kp_arena_init(&arena, 64u << 20);
	if (!sim_produce_read(frame, &arena, &body)) {
		sim_fail(w, "bytes", "a Produce request cannot be read");
		kp_arena_deinit(&arena);
		return;
	}
	for (int32_t i = 0; i < body.topic_data.n; i++) {
		const kp_produce_request_topic *t = &body.topic_data.items[i];
		for (int32_t j = 0; j < t->partition_data.n; j++) {
			kp_batch_header h;
			size_t size;
			kp_slice records = t->partition_data.items[j].records;
			kp_batch_verdict verdict = kp_batch_check(records, false, SIZE_MAX, &h, &size);
			if (verdict != KP_BATCH_OK || size != records.len)
				sim_fail(w, "bytes", "what is sent to partition %d is no whole batch",
				         t->partition_data.items[j].index);
		}
	}
	kp_arena_deinit(&arena);
}
