/*
 * online.c - with a broker: doing nothing, the first record, and a flush.
 */
#include "probe.h"

void probe_idle(const probe_options *o)
{
	kp_producer *p = producer_of(o, NULL, NULL);
	send_one(topic_of(o, p));
	probe_used begin = used_now();
	wait_s(o->seconds);
	probe_used end = used_now();
	double s = end.wall_s - begin.wall_s;
	printf("{\"seconds\": %.2f, \"wakeups_per_second\": %.3f, \"cpu_percent\": %.4f}\n", s,
	       (double)(end.n_switches - begin.n_switches) / s, 100 * (end.cpu_s - begin.cpu_s) / s);
	kp_producer_free(p);
}

void probe_first(const probe_options *o)
{
	double begin = now_s();
	kp_producer *p = producer_of(o, NULL, NULL);
	send_one(topic_of(o, p));
	printf("{\"ms\": %.3f}\n", 1e3 * (now_s() - begin));
	kp_producer_free(p);
}

/* Round robin over all partitions, so that as much as possible is in batches that wait for their linger. */
static void send_all(const probe_options *o, kp_topic *t, size_t n_partitions)
{
	kp_record r = KP_RECORD_INIT;
	char *value = value_of(o);
	r.value = value;
	r.value_len = (size_t)o->size;
	for (long long i = 0; i < o->n; i++) {
		r.partition = (int32_t)((size_t)i % n_partitions);
		ok(kp_send(t, &r), "kp_send");
	}
	free(value);
}

static kp_counters counters_of(kp_producer *p)
{
	kp_counters c = {.struct_size = sizeof(c)};
	kp_counters_get(p, &c);
	return c;
}

void probe_flush(const probe_options *o)
{
	char err[256] = "", memory[32];
	long long bytes = 4 * o->n * (o->size + 40); /* buffers double as they grow, and each record has an entry for its report */
	snprintf(memory, sizeof(memory), "%lld", bytes < 33554432 ? 33554432 : bytes);
	if (kp_config_set(o->config, "buffer.memory", memory, err, sizeof(err)) ||
	    kp_config_set(o->config, "linger.ms", "600000", err, sizeof(err)) ||
	    kp_config_set(o->config, "delivery.timeout.ms", "1200000", err, sizeof(err)))
		fail("configuration", err);
	kp_producer *p = producer_of(o, NULL, NULL);
	kp_topic *t = topic_of(o, p);
	kp_topic_info *info;
	if (kp_partitions_for(p, o->topic, PATIENCE_MS, &info, err, sizeof(err)))
		fail(o->topic, err);
	size_t n_partitions = info->n_partitions ? info->n_partitions : 1;
	kp_topic_infos_free(info, 1);
	send_all(o, t, n_partitions);
	uint64_t queued = counters_of(p).queued_records;
	double begin = now_s();
	ok(kp_flush(p, 10 * PATIENCE_MS), "kp_flush");
	double s = now_s() - begin;
	kp_counters c = counters_of(p);
	printf("{\"records\": %lld, \"partitions\": %zu, \"queued\": %llu, \"seconds\": %.6f, \"requests\": %llu, \"persisted\": %llu}\n",
	       o->n, n_partitions, (unsigned long long)queued, s, (unsigned long long)c.requests, (unsigned long long)c.persisted);
	kp_producer_free(p);
}
