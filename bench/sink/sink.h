/*
 * sink.h - what the sink's files share: options, counters, topics, and who answers what.
 *
 * One thread. main.c owns the listeners and the loop, conn.c the connections, answers.c the requests, batches.c what is in a
 * Produce request, topics.c the names, stats.c the line that it prints.
 */
#ifndef SINK_H
#define SINK_H

#include "bytes.h"

#define HOST "127.0.0.1"
#define BROKERS_MAX 1000
#define API_PRODUCE 0
#define API_API_VERSIONS 18

typedef struct sink_options {
	int n_partitions, n_brokers;
	int ports[BROKERS_MAX]; /* by node id - 1 */
	int64_t delay_ns;       /* each Produce answer is held back for so long */
	bool check;             /* checksums, records, sequences */
} sink_options;

typedef struct sink_stats {
	uint64_t records, bytes, requests, partitions, batches, max_batch, max_request;
	uint64_t errors, crc_bad, seq_bad, rec_bad, dup;
	int64_t first_ns, last_ns; /* when the first and the last Produce request were there */
	double cpu_before;
} sink_stats;

typedef struct topic {
	struct topic *next;
	uint32_t hash;
	int len;
	uint8_t id[16];
	int64_t *next_offset; /* by partition */
	char name[];
} topic;

extern sink_options opt;
extern sink_stats st;

/* stats.c. Printing starts the counters anew. */
int64_t now_ns(void);
void stats_print(void);

/* topics.c. Every name is a topic, from when it is first heard on. */
topic *topic_get(const char *name, int len);
topic *topic_by_id(const uint8_t id[16]);
/* Puts at most `max` topics into `out`; how many. */
int topics_all(topic **out, int max);

/* batches.c: how many records stand in one partition's batches; -1: they are malformed. */
int64_t batches_count(const topic *t, int32_t partition, const uint8_t *p, int64_t len);

typedef enum { ANSWER, NO_ANSWER, HANG_UP } verdict;

/* answers.c: puts the answer to a request that was there at `arrived_ns`, with its length, into `w`. */
verdict answer(wr *w, const uint8_t *request, size_t n, int64_t arrived_ns);

/* conn.c */
void conn_init(int epoll_fd);
void conn_accept(int listener_fd);
/* What epoll said of a connection, or (of NULL) that an answer's delay may be over. Frees connections that ended. */
void conn_event(void *conn, uint32_t events);

#endif
