/*
 * topic_config.h - the topic properties of Kafka 4.3.1: which there are, their defaults, and the few that change what this broker does.
 */
#ifndef KP_DEVBROKER_TOPIC_CONFIG_H
#define KP_DEVBROKER_TOPIC_CONFIG_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

/* Of DescribeConfigs' ConfigType. */
typedef enum kp_db_config_type {
	KP_DB_CONFIG_BOOLEAN = 1,
	KP_DB_CONFIG_STRING = 2,
	KP_DB_CONFIG_INT = 3,
	KP_DB_CONFIG_LONG = 5,
	KP_DB_CONFIG_DOUBLE = 6,
	KP_DB_CONFIG_LIST = 7
} kp_db_config_type;

/* Of DescribeConfigs' ConfigSource. */
typedef enum kp_db_config_source {
	KP_DB_SOURCE_TOPIC = 1,         /* DYNAMIC_TOPIC_CONFIG */
	KP_DB_SOURCE_CLUSTER = 3,       /* DYNAMIC_DEFAULT_BROKER_CONFIG */
	KP_DB_SOURCE_STATIC_BROKER = 4, /* STATIC_BROKER_CONFIG */
	KP_DB_SOURCE_DEFAULT = 5        /* DEFAULT_CONFIG */
} kp_db_config_source;

typedef struct kp_db_config_info {
	const char *name;
	const char *default_value;
	const char *broker_name; /* the broker property that gives the default, or NULL */
	kp_db_config_type type;
	int64_t min, max;    /* of INT and LONG */
	const char *choices; /* of STRING and LIST: "a, b", or NULL for anything */
} kp_db_config_info;

extern const kp_db_config_info kp_db_config_infos[];
#define KP_DB_N_CONFIGS 33

/* Values set on a topic; NULL: default. Owned. And what follows from them. */
typedef struct kp_db_topic_config {
	char *values[KP_DB_N_CONFIGS];
	int32_t max_message_bytes;
	int64_t timestamp_before_max_ms, timestamp_after_max_ms;
	bool is_log_append_time;
	bool is_compacted;
	int32_t min_insync_replicas;
} kp_db_topic_config;

/* All defaults; max_message_bytes is the broker's. */
void kp_db_topic_config_init(kp_db_topic_config *c, int32_t max_message_bytes);
void kp_db_topic_config_deinit(kp_db_topic_config *c);
size_t kp_db_topic_config_text(const kp_db_topic_config *c); /* bytes of the values that are set */
int kp_db_topic_config_index(kp_slice name);                 /* or -1 */
/* 0; KP_ERR_INVALID_CONFIG with Kafka's words appended to `why` and the config unchanged; KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_db_topic_config_set(kp_db_topic_config *c, kp_slice name, kp_slice value, kp_buf *why);
/* The value in force: text for number i of the table. `scratch` holds computed ones. */
const char *kp_db_topic_config_value(const kp_db_topic_config *c, int i, int32_t broker_max_message_bytes, char scratch[24]);
/* Where that value comes from. */
kp_db_config_source kp_db_topic_config_source(const kp_db_topic_config *c, int i);

#endif
