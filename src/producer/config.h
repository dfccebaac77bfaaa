/*
 * config.h - what the engine is told to do: plain values, checked and defaulted by client/settings before they come here.
 */
#ifndef KP_PRODUCER_CONFIG_H
#define KP_PRODUCER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/codec.h"

typedef enum kp_full_policy {
	KP_FULL_BLOCK = 0,      /* the caller waits up to max.block.ms */
	KP_FULL_REFUSE = 1,     /* KP_ERR_QUEUE_FULL at once */
	KP_FULL_DROP_OLDEST = 2 /* the oldest unsent batch ends with KP_ERR_QUEUE_EVICTED */
} kp_full_policy;

typedef enum kp_reports_mode { KP_REPORTS_ALL = 0, KP_REPORTS_ERRORS = 1, KP_REPORTS_NONE = 2 } kp_reports_mode;

typedef enum kp_on_gap {
	KP_GAP_CONTINUE = 0, /* the partition goes on behind a lost record */
	KP_GAP_HALT = 1      /* it takes nothing more until kp_engine_resume */
} kp_on_gap;

#define KP_BATCH_SIZE_MOST 0x40000000 /* what a place in a batch can say, see kp_entry */

typedef struct kp_engine_config {
	/* batching and memory */
	int32_t batch_size; /* bytes of records in a batch */
	int64_t linger_us;
	int64_t buffer_memory;                             /* bytes, all batches together */
	int64_t high_watermark_bytes, low_watermark_bytes; /* of it, low below high; high 0: off */
	int32_t max_request_size;                          /* bytes: a Produce request, and one record as encoded */
	int64_t max_queued_records;                        /* queue.buffering.max.messages; 0: no bound */
	kp_full_policy full_policy;
	kp_codec_type codec;
	int codec_level; /* KP_CODEC_LEVEL_DEFAULT, or the codec's own scale */
	kp_reports_mode reports;
	/* delivery */
	int16_t acks; /* -1 (all), 0, 1 */
	bool idempotent;
	kp_on_gap on_gap;       /* halting needs `idempotent` */
	int32_t first_sequence; /* of a new producer id: 0, but in the simulator, whose runs are too short to come to 2^31 */
	int32_t max_in_flight;  /* Produce requests per connection */
	int32_t retries;        /* further attempts of a batch */
	int64_t retry_backoff_us, retry_backoff_max_us;
	int64_t delivery_timeout_us;
	int64_t request_timeout_us;
	/* partitioner */
	bool ignore_keys;
	bool adaptive;
	int64_t availability_timeout_us; /* 0: off */
	/* cluster */
	bool allow_auto_create;
	int64_t metadata_max_age_us, metadata_max_idle_us;
	bool rebootstrap;
	int64_t rebootstrap_trigger_us;
	int64_t reconnect_backoff_us, reconnect_backoff_max_us;
	int64_t connections_max_idle_us; /* -1: never */
	char client_id[256];
	/* transactions */
	char transactional_id[256]; /* "": none; needs idempotence */
	int32_t transaction_timeout_ms;
} kp_engine_config;

#endif
