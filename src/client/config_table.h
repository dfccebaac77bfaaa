/*
 * config_table.h - the one table of properties: names, values, bounds, defaults, documentation. All of it static and constant.
 *
 * A row says where in kp_settings its value lives (offset and size), so that setting, reading and documenting a property needs no
 * code of its own. docs/configuration.md is printed from here.
 */
#ifndef KP_CLIENT_CONFIG_TABLE_H
#define KP_CLIENT_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows in the order of the table; the rules between properties (config_check.c) go by these. */
typedef enum kp_property_id {
	KP_PROP_BOOTSTRAP_SERVERS,
	KP_PROP_ACKS,
	KP_PROP_ENABLE_IDEMPOTENCE,
	KP_PROP_BUFFER_MEMORY,
	KP_PROP_COMPRESSION_TYPE,
	KP_PROP_RETRIES,
	KP_PROP_BATCH_SIZE,
	KP_PROP_LINGER_MS,
	KP_PROP_DELIVERY_TIMEOUT_MS,
	KP_PROP_REQUEST_TIMEOUT_MS,
	KP_PROP_MAX_BLOCK_MS,
	KP_PROP_MAX_REQUEST_SIZE,
	KP_PROP_MAX_IN_FLIGHT,
	KP_PROP_DELIVERY_REPORTS,
	KP_PROP_QUEUE_FULL_POLICY,
	KP_PROP_BUFFER_HIGH_WATERMARK_PERCENT,
	KP_PROP_BUFFER_LOW_WATERMARK_PERCENT,
	KP_PROP_IDEMPOTENCE_ON_GAP,
	KP_PROP_CLIENT_ID,
	KP_PROP_COMPRESSION_LEVEL,
	KP_PROP_COMPRESSION_GZIP_LEVEL,
	KP_PROP_COMPRESSION_LZ4_LEVEL,
	KP_PROP_COMPRESSION_ZSTD_LEVEL,
	KP_PROP_PARTITIONER,
	KP_PROP_PARTITIONER_IGNORE_KEYS,
	KP_PROP_SECURITY_PROTOCOL,
	KP_PROP_CLIENT_DNS_LOOKUP,
	KP_PROP_CONNECTIONS_MAX_IDLE_MS,
	KP_PROP_CONNECTION_SETUP_TIMEOUT_MS,
	KP_PROP_SEND_BUFFER_BYTES,
	KP_PROP_RECEIVE_BUFFER_BYTES,
	KP_PROP_ALLOW_AUTO_CREATE_TOPICS,
	KP_PROP_LOG_LEVEL,
	KP_PROP_METADATA_MAX_AGE_MS,
	KP_PROP_METADATA_MAX_IDLE_MS,
	KP_PROP_METADATA_RECOVERY_STRATEGY,
	KP_PROP_METADATA_REBOOTSTRAP_TRIGGER_MS,
	KP_PROP_PARTITIONER_ADAPTIVE,
	KP_PROP_PARTITIONER_AVAILABILITY_TIMEOUT_MS,
	KP_PROP_QUEUE_MAX_MESSAGES,
	KP_PROP_RECONNECT_BACKOFF_MS,
	KP_PROP_RECONNECT_BACKOFF_MAX_MS,
	KP_PROP_RETRY_BACKOFF_MS,
	KP_PROP_RETRY_BACKOFF_MAX_MS,
	KP_PROP_TRANSACTIONAL_ID,
	KP_PROP_TRANSACTION_TIMEOUT_MS,
	KP_PROP_COUNT
} kp_property_id;

/*
 * The longest duration kept: some 146,000 years, chosen so that now + duration does not overflow in microseconds. A longer one
 * (Java's Long.MAX_VALUE for "no limit") is accepted and kept as this.
 */
#define KP_DURATION_MAX_MS (INT64_MAX / 2000)

typedef enum kp_value_kind {
	KP_VALUE_INT, /* a signed integer of `size` bytes */
	KP_VALUE_BOOL,
	KP_VALUE_ENUM,        /* one of `values`; size 0: there is only one, and nothing to store */
	KP_VALUE_STRING,      /* a char array of `size` bytes */
	KP_VALUE_SERVERS,     /* the bootstrap list */
	KP_VALUE_DURATION_MS, /* milliseconds, stored as such */
	KP_VALUE_DURATION_US  /* given in milliseconds, stored in microseconds; -1 is stored as -1 */
} kp_value_kind;

typedef struct kp_enum_value {
	const char *name;     /* as kp_config_get says it */
	const char *synonyms; /* other spellings, separated by blanks; "" for none */
	int value;
} kp_enum_value;

/* How the text given under an alias becomes the text of the property. */
typedef enum kp_alias_form {
	KP_ALIAS_SAME = 0,
	KP_ALIAS_KIB,               /* times 1024 */
	KP_ALIAS_ZERO_ENDLESS,      /* 0 is the largest value */
	KP_ALIAS_MINUS_ONE_ENDLESS, /* -1 is the largest value */
	KP_ALIAS_GO_DURATION,       /* "500ms", "1m30s"; a bare number is milliseconds */
	KP_ALIAS_GO_DURATION_ZERO_ENDLESS,
	KP_ALIAS_ONLY_ERRORS,      /* boolean: delivery.reports errors or all */
	KP_ALIAS_RETURN_SUCCESSES, /* sarama's two booleans; see config_value.c */
	KP_ALIAS_RETURN_ERRORS
} kp_alias_form;

#define KP_MAX_ALIASES 3
#define KP_MAX_VALUES 5

typedef struct kp_alias {
	const char *name; /* NULL ends the list */
	kp_alias_form form;
} kp_alias;

typedef struct kp_property_row {
	const char *name;
	const char *type;          /* as kp_property.type */
	const char *default_value; /* what kp_config_set would be given */
	const char *range;
	const char *importance;
	const char *doc;
	const char *aliases_text; /* names of `aliases`, comma separated */
	kp_alias aliases[KP_MAX_ALIASES + 1];
	kp_value_kind kind;
	size_t offset, size; /* in kp_settings */
	int64_t min, max;    /* of numbers, in the unit of the text */
	int64_t extra;       /* a number that is allowed beside min .. max; the same as min where there is none */
	bool takes_fraction; /* of a millisecond */
	kp_enum_value values[KP_MAX_VALUES + 1];
	const char *refused_values; /* known to Java or librdkafka, separated by blanks; NULL for none */
	const char *refused_reason;
	const char *other_default; /* "16384 (Java)" where the default differs from what the name's owner has, else NULL */
	const char *deviation;     /* why */
} kp_property_row;

extern const kp_property_row kp_property_rows[KP_PROP_COUNT];

/* Names of other clients that are not ours, by reason. */
typedef struct kp_known_group {
	const char *title;  /* a heading of the reference page */
	const char *reason; /* ends a message: "known, not supported here: ..." */
	const char *names;  /* separated by blanks; NAME=VALUE: that value asks for what happens anyway and is accepted */
} kp_known_group;

extern const kp_known_group kp_known_groups[];
extern const size_t kp_n_known_groups;

#endif
