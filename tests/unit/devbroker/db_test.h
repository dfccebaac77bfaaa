/*
 * db_test.h - a development broker in a test: requests from structs, answers into structs, time by hand.
 */
#ifndef KP_TESTS_DB_TEST_H
#define KP_TESTS_DB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "devbroker/core.h"
#include "kproducer/error.h"
#include "record/batch.h"
#include "wire/header.h"
#include "wire/messages.h"
#include "wire/msg_fetch.h"
#include "wire/msg_metadata.h"
#include "wire/msg_produce.h"

#define CONN 7
#define WALL_MS 1700000000000 /* at time 0 */

typedef struct db_test {
	kp_db *db;
	kp_arena arena; /* what tests point to: batches, decoded answers */
	int64_t now_us;
	int32_t correlation; /* of the last request */
	kp_db_options options;
} db_test;

/* Three nodes; topic "t" with 3 partitions led by nodes 1, 2, 3. */
db_test *db_test_new(void);
db_test *db_test_new_with(const kp_db_options *o);
void db_test_free(db_test *t);

/* A request's frame, without its length. */
kp_slice db_frame(db_test *t, int16_t key, int16_t version, const void *request);
/* What kp_db_request returns. */
int db_send(db_test *t, int32_t node, uint64_t conn, int16_t key, int16_t version, const void *request);
/* The next answer must be there, for this connection and request; decoded into *response. */
void db_take(db_test *t, uint64_t conn, int32_t correlation, int16_t key, int16_t version, void *response);
/* Send to `node` and take the answer, which must come at once. */
void db_call(db_test *t, int32_t node, int16_t key, int16_t version, const void *request, void *response);
void db_expect_no_answer(db_test *t);
/* The next answer is a bare close of this connection. */
void db_expect_close(db_test *t, uint64_t conn);
/* Time passes; the core is stepped. Returns its next deadline. */
int64_t db_pass(db_test *t, int64_t us);

/* What a batch is made of. Zero is a good default: no producer id, one record. */
typedef struct db_batch {
	int32_t n; /* records, 0 counts as 1 */
	int16_t attributes;
	bool has_producer;
	int64_t producer_id;
	int16_t epoch;
	int32_t sequence;
	int64_t base_offset;
	int64_t timestamp; /* of every record; 0: WALL_MS */
	size_t value_size;
	const char *key;
	kp_slice raw;                     /* instead of n records: the (uncompressed) records part; n is still the count */
	int32_t count, last_offset_delta; /* instead of what n gives, when not 0 (-1000 stands for 0) */
	uint32_t crc_xor;
} db_batch;

kp_slice db_make_batch(db_test *t, const db_batch *b);
kp_slice db_join(db_test *t, kp_slice a, kp_slice b);

/* One batch to one partition; the answer's partition. */
typedef struct db_produced {
	int16_t code;
	int64_t base_offset, log_append_time_ms, log_start_offset;
	int32_t n_record_errors;
	kp_slice message;
	kp_produce_response_leader leader;
	kp_produce_response whole;
} db_produced;

void db_produce_request(db_test *t, const char *topic, int32_t partition, int16_t acks, kp_slice records, kp_produce_request *out);
db_produced db_produced_of(const kp_produce_response *r);
/* To the node that leads partition `partition` of "t" at first; version 12, acks all. */
db_produced db_produce(db_test *t, int32_t partition, kp_slice records);
db_produced db_produce_at(db_test *t, int32_t node, int16_t version, int16_t acks, const char *topic, int32_t partition,
                          kp_slice records);

/* A fetch of one partition of a topic by name (version 12). */
kp_fetch_request *db_fetch_request(db_test *t, const char *topic, int32_t partition, int64_t offset, int32_t max_bytes,
                                   int32_t max_wait_ms);
kp_fetch_response_partition db_fetch(db_test *t, int32_t node, const char *topic, int32_t partition, int64_t offset,
                                     int32_t max_bytes);

kp_uuid db_topic_id(db_test *t, const char *topic);

#define assert_code(expected, produced) assert_int_equal(KP_ERR_##expected, (produced).code)

#endif
