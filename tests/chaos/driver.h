/*
 * driver.h - what a client under test has to offer the driver. client_kproducer.c and client_rdkafka.c do; each is linked with driver.c.
 */
#ifndef KP_CHAOS_DRIVER_H
#define KP_CHAOS_DRIVER_H

#include <stddef.h>
#include <stdint.h>

/* How a record ended, as the letter that stands in the driver's output. */
enum outcome {
	PERSISTED = 'p',
	NOT_PERSISTED = 'n',
	UNKNOWN = 'u',
	WRITTEN = 'w', /* acks=0: handed to the kernel, nobody says more */
};

/* One record's end, told by the client from whatever thread it calls back on; seq as given to client_send. */
void driver_end(uint64_t seq, enum outcome outcome, const char *error, int32_t partition, int64_t offset);

/* All of these end the program with a message when the client cannot be used at all. */
void client_open(const char *servers, const char *topic, const char *const *properties, size_t n);
/* 0: accepted, its end will be told. Otherwise the client has no room, or refuses it. May wait. */
int client_send(const void *key, size_t key_len, const void *value, size_t value_len, uint64_t seq);
/* Waits until every record has ended, then closes. */
void client_close(int timeout_ms);
/* "name version" */
const char *client_name(void);
/* Milliseconds for which brokers have asked it to be silent; -1: it does not tell. */
int64_t client_throttle_ms(void);

#endif
