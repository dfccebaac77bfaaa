/*
 * txn_kproducer.c - kproducer under the driver of transactions, by its public interface. What to do after a failure is what it says itself.
 */
#include <kproducer/kproducer.h>
#include <kproducer/transaction.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "txn_driver.h"

#define CLOSE_TIMEOUT_MS 30000

static kp_producer *producer;
static kp_topic *topics[TXN_MAX_TOPICS];
static kp_txn_error last;

static void must(int code, const char *err)
{
	if (code == 0)
		return;
	fprintf(stderr, "kproducer: %s\n", err);
	exit(1);
}

static void set(kp_config *config, const char *name, const char *value)
{
	char err[256];
	must(kp_config_set(config, name, value, err, sizeof(err)), err);
}

void txn_open(const char *servers, const char *id, const char *const *names, size_t n_topics, const char *const *properties,
              size_t n)
{
	char err[256] = "out of memory";
	kp_config *config = kp_config_new();
	must(!config, err);
	set(config, "bootstrap.servers", servers);
	set(config, "transactional.id", id);
	for (size_t i = 0; i < n; i++) {
		char property[256];
		snprintf(property, sizeof(property), "%s", properties[i]);
		char *value = strchr(property, '=');
		must(!value, properties[i]);
		*value++ = '\0';
		set(config, property, value);
	}
	producer = kp_producer_new(config, NULL, err, sizeof(err));
	must(!producer, err);
	kp_config_free(config);
	for (size_t i = 0; i < n_topics; i++) {
		topics[i] = kp_topic_open(producer, names[i]);
		must(!topics[i], "no topic name");
	}
	last = KP_TXN_ERROR_INIT;
}

void txn_close(void)
{
	kp_close(producer, CLOSE_TIMEOUT_MS, NULL);
	kp_producer_free(producer);
}

static enum next told(void)
{
	switch (last.next) {
	case KP_TXN_NEXT_NOTHING: return GO_ON;
	case KP_TXN_NEXT_RETRY: return AGAIN;
	case KP_TXN_NEXT_ABORT: return ABORT;
	case KP_TXN_NEXT_NEW_INSTANCE: return FENCED;
	default: return BROKEN;
	}
}

enum next txn_init(int timeout_ms)
{
	kp_init_transactions(producer, timeout_ms, &last);
	return told();
}

enum next txn_begin(int timeout_ms)
{
	(void)timeout_ms;
	kp_begin_transaction(producer, &last);
	return told();
}

enum next txn_send(size_t topic, const void *key, size_t key_len, const void *value, size_t value_len)
{
	kp_record r = KP_RECORD_INIT;
	r.key = key, r.key_len = key_len;
	r.value = value, r.value_len = value_len;
	int code = kp_send(topics[topic], &r);
	if (code == 0)
		return GO_ON;
	snprintf(last.text, sizeof(last.text), "kp_send: %s", kp_error_name(code));
	return kp_transaction_state(producer) == KP_TXN_FENCED ? FENCED : ABORT;
}

enum next txn_commit(int timeout_ms)
{
	kp_commit_transaction(producer, timeout_ms, &last);
	return told();
}

enum next txn_abort(int timeout_ms)
{
	kp_abort_transaction(producer, timeout_ms, &last);
	return told();
}

const char *txn_error(void)
{
	return last.text;
}

const char *txn_client_name(void)
{
	static char name[64];
	snprintf(name, sizeof(name), "kproducer %s", kp_version());
	return name;
}
