/*
 * answers.c - what is answered to ApiVersions 0-4, Metadata 0-13, InitProducerId 0-6, FindCoordinator 0-6 and Produce 3-13.
 */
#include "sink.h"

#include <stdio.h>

#define TOPICS_MAX 4096
#define UNKNOWN_TOPIC_OR_PARTITION 3
#define CORRUPT_MESSAGE 2
#define UNSUPPORTED_VERSION 35
#define UNKNOWN_TOPIC_ID 100

typedef void answerer(wr *w, rd *r, int version, bool flex);

static answerer api_versions, metadata, find_coordinator, init_producer_id;

/* Fetch and ListOffsets are not answered: librdkafka wants to see them before it writes batches of today's format. Nor is Produce 0
 * to 2, which Kafka names too (KAFKA-18659): without it librdkafka 2.0.2 does not compress. */
#define PRODUCE_MIN 3
static const struct {
	int16_t key, min, max, flexible_from;
	answerer *answer;
} apis[] = {
	{API_PRODUCE, 0, 13, 9, NULL},
	{1, 4, 11, 12, NULL},
	{2, 1, 5, 6, NULL},
	{3, 0, 13, 9, metadata},
	{10, 0, 6, 3, find_coordinator},
	{API_API_VERSIONS, 0, 4, 3, api_versions},
	{22, 0, 6, 2, init_producer_id},
};
#define N_APIS ((int)(sizeof(apis) / sizeof(apis[0])))

static void api_versions(wr *w, rd *r, int v, bool flex)
{
	(void)r;
	bool is_known = v <= 4;
	if (!is_known)
		v = 0, flex = false;
	w16(w, is_known ? 0 : UNSUPPORTED_VERSION);
	warr(w, flex, N_APIS);
	for (int i = 0; i < N_APIS; i++) {
		w16(w, apis[i].key);
		w16(w, apis[i].min);
		w16(w, apis[i].max);
		wtags(w, flex);
	}
	if (v >= 1)
		w32(w, 0); /* throttle time */
	wtags(w, flex);
}

static void one_node(wr *w, bool flex, int node)
{
	w32(w, node);
	wstr(w, flex, HOST, sizeof(HOST) - 1);
	w32(w, opt.ports[node - 1]);
}

static void one_topic(wr *w, int v, bool flex, const topic *t)
{
	w16(w, 0);
	wstr(w, flex, t->name, t->len);
	if (v >= 10)
		wraw(w, t->id, 16);
	if (v >= 1)
		w8(w, 0); /* not internal */
	warr(w, flex, opt.n_partitions);
	for (int i = 0; i < opt.n_partitions; i++) {
		int leader = 1 + i % opt.n_brokers;
		w16(w, 0);
		w32(w, i);
		w32(w, leader);
		if (v >= 7)
			w32(w, 0);                     /* leader epoch */
		for (int list = 0; list < 2; list++) { /* replicas, those in sync */
			warr(w, flex, 1);
			w32(w, leader);
		}
		if (v >= 5)
			warr(w, flex, 0); /* offline replicas */
		wtags(w, flex);
	}
	if (v >= 8)
		w32(w, INT32_MIN); /* authorized operations: not asked for */
	wtags(w, flex);
}

static int wanted_topics(rd *r, int v, bool flex, topic **want)
{
	int64_t n = rarr(r, flex);
	int n_want = 0;
	if (n < 0 || (v == 0 && n == 0))
		return topics_all(want, TOPICS_MAX);
	for (int64_t i = 0; i < n && !r->bad && n_want < TOPICS_MAX; i++) {
		const uint8_t *id = r->p;
		const char *name;
		if (v >= 10)
			skip(r, 16);
		int l = rstr(r, flex, &name);
		topic *t = l >= 0 ? topic_get(name, l) : v >= 10 && !r->bad ? topic_by_id(id) : NULL;
		rtags(r, flex);
		if (t)
			want[n_want++] = t;
	}
	return n_want;
}

static void metadata(wr *w, rd *r, int v, bool flex)
{
	topic *want[TOPICS_MAX];
	int n_want = wanted_topics(r, v, flex, want);
	if (v >= 3)
		w32(w, 0); /* throttle time */
	warr(w, flex, opt.n_brokers);
	for (int i = 0; i < opt.n_brokers; i++) {
		one_node(w, flex, i + 1);
		if (v >= 1)
			wstr(w, flex, NULL, -1); /* rack */
		wtags(w, flex);
	}
	if (v >= 2)
		wstr(w, flex, "sink-cluster", 12);
	if (v >= 1)
		w32(w, 1); /* controller */
	warr(w, flex, n_want);
	for (int i = 0; i < n_want; i++)
		one_topic(w, v, flex, want[i]);
	if (v >= 8 && v <= 10)
		w32(w, INT32_MIN); /* authorized operations of the cluster */
	if (v >= 13)
		w16(w, 0);
	wtags(w, flex);
}

static void init_producer_id(wr *w, rd *r, int v, bool flex)
{
	static int64_t next_id = 1000;
	(void)r;
	w32(w, 0); /* throttle time */
	w16(w, 0);
	w64(w, next_id++);
	w16(w, 0); /* epoch */
	if (v >= 6) {
		w64(w, -1); /* no transaction is under way */
		w16(w, -1);
	}
	wtags(w, flex);
}

static void find_coordinator(wr *w, rd *r, int v, bool flex)
{
	const char *key;
	if (v < 4) {
		if (v >= 1)
			w32(w, 0); /* throttle time */
		w16(w, 0);
		if (v >= 1)
			wstr(w, flex, NULL, -1); /* error message */
		one_node(w, flex, 1);
		wtags(w, flex);
		return;
	}
	r8(r); /* kind of key */
	int64_t n = rarr(r, true);
	w32(w, 0); /* throttle time */
	warr(w, true, n);
	for (int64_t i = 0; i < n && !r->bad; i++) {
		int l = rstr(r, true, &key);
		wstr(w, true, key, l);
		one_node(w, true, 1);
		w16(w, 0);
		wstr(w, true, NULL, -1); /* error message */
		w8(w, 0);
	}
	w8(w, 0);
}

/* -------------------------------------------------------------- Produce */

static int take_batches(topic *t, int32_t partition, const uint8_t *p, int64_t len, int64_t *offset)
{
	if (partition < 0 || partition >= opt.n_partitions)
		return UNKNOWN_TOPIC_OR_PARTITION;
	int64_t n = batches_count(t, partition, p, len);
	if (n < 0)
		return CORRUPT_MESSAGE;
	*offset = t->next_offset[partition];
	t->next_offset[partition] += n;
	st.records += (uint64_t)n;
	return 0;
}

static void produce_partition(wr *w, rd *r, int v, topic *t)
{
	bool flex = v >= 9;
	int32_t partition = r32(r);
	int64_t offset = -1, len = rarr(r, flex);
	if (len < 0)
		len = 0;
	if (r->bad)
		return;
	int error = t ? take_batches(t, partition, r->p, len, &offset) : UNKNOWN_TOPIC_ID;
	st.partitions++;
	st.bytes += (uint64_t)len;
	st.errors += error != 0;
	r->p += len;
	rtags(r, flex);
	w32(w, partition);
	w16(w, error);
	w64(w, offset);
	w64(w, -1); /* append time */
	if (v >= 5)
		w64(w, 0); /* log start offset */
	if (v >= 8) {
		warr(w, flex, 0);        /* errors of single records */
		wstr(w, flex, NULL, -1); /* error message */
	}
	wtags(w, flex);
}

/* From version 13 on a topic has an id instead of a name. */
static topic *produce_topic(wr *w, rd *r, int v, bool flex)
{
	const char *name;
	const uint8_t *id = r->p;
	if (v >= 13) {
		skip(r, 16);
		if (r->bad)
			return NULL;
		wraw(w, id, 16);
		return topic_by_id(id);
	}
	int l = rstr(r, flex, &name);
	wstr(w, flex, name, l);
	return topic_get(name, l < 0 ? 0 : l);
}

/* Returns acks. */
static int produce(wr *w, rd *r, int v)
{
	bool flex = v >= 9;
	const char *transactional_id;
	rstr(r, flex, &transactional_id);
	int acks = r16(r);
	r32(r); /* time-out */
	int64_t n_topics = rarr(r, flex);
	warr(w, flex, n_topics);
	for (int64_t i = 0; i < n_topics && !r->bad; i++) {
		topic *t = produce_topic(w, r, v, flex);
		int64_t n_partitions = rarr(r, flex);
		warr(w, flex, n_partitions);
		for (int64_t j = 0; j < n_partitions && !r->bad; j++)
			produce_partition(w, r, v, t);
		rtags(r, flex);
		wtags(w, flex);
	}
	w32(w, 0); /* throttle time */
	wtags(w, flex);
	return acks;
}

static int count_produce(wr *w, rd *r, int v, size_t n, int64_t arrived_ns)
{
	if (n > st.max_request)
		st.max_request = n;
	if (!st.first_ns)
		st.first_ns = arrived_ns;
	st.requests++;
	int acks = produce(w, r, v);
	st.last_ns = arrived_ns;
	return acks;
}

verdict answer(wr *w, const uint8_t *request, size_t n, int64_t arrived_ns)
{
	rd r = {request, request + n, false};
	int key = r16(&r), v = r16(&r), acks = 1, i = 0;
	int32_t correlation = r32(&r);
	const char *client_id;
	while (i < N_APIS && apis[i].key != key)
		i++;
	bool is_known = i < N_APIS && (key == API_PRODUCE ? v >= PRODUCE_MIN : v >= 0 && apis[i].answer) &&
	                (v <= apis[i].max || key == API_API_VERSIONS);
	if (!is_known) {
		fprintf(stderr, "sink: unhandled api %d v%d\n", key, v);
		return HANG_UP;
	}
	bool flex = v >= apis[i].flexible_from;
	rstr(&r, false, &client_id); /* never compact */
	rtags(&r, flex);
	w->n = 0;
	w32(w, 0);
	w32(w, correlation);
	wtags(w, flex && key != API_API_VERSIONS); /* its answer's header stays as it was */
	if (key == API_PRODUCE)
		acks = count_produce(w, &r, v, n, arrived_ns);
	else
		apis[i].answer(w, &r, v, flex);
	if (r.bad) {
		fprintf(stderr, "sink: malformed api %d v%d\n", key, v);
		return HANG_UP;
	}
	uint32_t l = __builtin_bswap32((uint32_t)(w->n - 4));
	memcpy(w->b, &l, 4);
	return acks ? ANSWER : NO_ANSWER;
}
