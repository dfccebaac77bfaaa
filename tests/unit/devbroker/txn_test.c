/*
 * txn_test.c - see txn_test.h.
 */
#include "txn_test.h"

#include "wire/msg_add_partitions_to_txn.h"
#include "wire/msg_end_txn.h"
#include "wire/msg_init_producer_id.h"

int32_t txn_coordinator(const txn_producer *p)
{
	return kp_db_coordinator(p->t->db, KP_DB_COORDINATOR_TRANSACTION, p->name);
}

static int16_t init(txn_producer *p, int64_t id, int16_t epoch)
{
	kp_init_producer_id_request q;
	kp_init_producer_id_response r;
	kp_wire_init(&kp_init_producer_id_request_schema, &q, 1);
	q.transactional_id = kp_slice_cstr(p->name);
	q.transaction_timeout_ms = p->timeout_ms ? p->timeout_ms : 60000;
	q.producer_id = id;
	q.producer_epoch = epoch;
	db_call(p->t, txn_coordinator(p), KP_API_INIT_PRODUCER_ID, 5, &q, &r);
	if (r.error_code == 0) {
		p->id = r.producer_id;
		p->epoch = r.producer_epoch;
	}
	return r.error_code;
}

int16_t txn_init(txn_producer *p)
{
	return init(p, -1, -1);
}

int16_t txn_init_again(txn_producer *p)
{
	return init(p, p->id, p->epoch);
}

int16_t txn_add(txn_producer *p, const char *topic, int32_t partition)
{
	kp_add_partitions_to_txn_request q;
	kp_add_partitions_to_txn_request_topic qt = {.name = kp_slice_cstr(topic)};
	kp_add_partitions_to_txn_response r;
	kp_wire_init(&kp_add_partitions_to_txn_request_schema, &q, 1);
	qt.partitions.items = &partition;
	qt.partitions.n = 1;
	q.v3_and_below_transactional_id = kp_slice_cstr(p->name);
	q.v3_and_below_producer_id = p->id;
	q.v3_and_below_producer_epoch = p->epoch;
	q.v3_and_below_topics.items = &qt;
	q.v3_and_below_topics.n = 1;
	db_call(p->t, txn_coordinator(p), KP_API_ADD_PARTITIONS_TO_TXN, 3, &q, &r);
	assert_int_equal(1, r.results_by_topic_v3_and_below.n);
	return r.results_by_topic_v3_and_below.items[0].results_by_partition.items[0].partition_error_code;
}

int16_t txn_produce(txn_producer *p, int16_t version, int32_t partition, int32_t sequence)
{
	db_batch b = {.attributes = KP_BATCH_TRANSACTIONAL,
	              .has_producer = true,
	              .producer_id = p->id,
	              .epoch = p->epoch,
	              .sequence = sequence};
	kp_produce_request q;
	kp_produce_response r;
	db_produce_request(p->t, "t", partition, -1, db_make_batch(p->t, &b), &q);
	q.transactional_id = kp_slice_cstr(p->name);
	db_call(p->t, txn_partition(p->t, partition).leader, KP_API_PRODUCE, version, &q, &r);
	return db_produced_of(&r).code;
}

int16_t txn_end(txn_producer *p, int16_t version, bool is_commit)
{
	kp_end_txn_request q = {kp_slice_cstr(p->name), p->id, p->epoch, is_commit};
	kp_end_txn_response r;
	db_call(p->t, txn_coordinator(p), KP_API_END_TXN, version, &q, &r);
	if (version >= 5 && r.error_code == 0) {
		p->id = r.producer_id;
		p->epoch = r.producer_epoch;
	}
	return r.error_code;
}

kp_db_txn_info txn_info(const txn_producer *p)
{
	kp_db_txn_info info;
	assert_int_equal(0, kp_db_txn_get(p->t->db, p->name, &info));
	return info;
}

kp_db_partition_info txn_partition(db_test *t, int32_t partition)
{
	kp_db_partition_info info;
	assert_int_equal(0, kp_db_partition_get(t->db, "t", partition, &info));
	return info;
}
