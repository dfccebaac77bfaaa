/*
 * txn_driver.h - what a client under test has to offer the driver of transactions. txn_kproducer.c and txn_rdkafka.c do; each is linked with
 * txn_driver.c.
 */
#ifndef KP_CHAOS_TXN_DRIVER_H
#define KP_CHAOS_TXN_DRIVER_H

#include <stddef.h>

#define TXN_MAX_TOPICS 4

/* What the client says is to be done after a call. */
enum next {
	GO_ON,  /* it worked */
	AGAIN,  /* the same call */
	ABORT,  /* txn_abort */
	FENCED, /* the end of this instance */
	BROKEN, /* the client says that the driver made a mistake */
};

/* Both end the program with a message when the client cannot be used at all. Topics are known by their place afterwards. */
void txn_open(const char *servers, const char *id, const char *const *topics, size_t n_topics, const char *const *properties,
              size_t n);
void txn_close(void);

enum next txn_init(int timeout_ms);
enum next txn_begin(int timeout_ms);
enum next txn_send(size_t topic, const void *key, size_t key_len, const void *value, size_t value_len);
enum next txn_commit(int timeout_ms);
enum next txn_abort(int timeout_ms);

/* Why the last call failed, one line. */
const char *txn_error(void);
/* "name version" */
const char *txn_client_name(void);

#endif
