/*
 * settings.h - what a kp_config holds, and what a producer is started with.
 *
 *   kp_config_set / load_file / load_env ──▶ kp_config { kp_settings, as the user gave it }
 *                                                │ kp_settings_resolve: the rules between properties (config_check.c)
 *                                                ▼
 *                                            kp_settings, ready: engine, net, bootstrap, callbacks
 *
 * Threads: none of this locks; a kp_config and a kp_settings belong to one thread at a time.
 */
#ifndef KP_CLIENT_SETTINGS_H
#define KP_CLIENT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kproducer/kproducer.h>

#include "base/compiler.h"
#include "client/config_table.h"
#include "producer/config.h"

#define KP_BOOTSTRAP_DEFAULT_PORT 9092

typedef struct kp_bootstrap_server {
	char host[256]; /* a name or an address; IPv6 without its brackets */
	uint16_t port;  /* never 0 */
} kp_bootstrap_server;

typedef struct kp_net_settings {
	int32_t send_buffer_bytes;    /* SO_SNDBUF; -1 leaves the system's (a 0 becomes -1 when resolved) */
	int32_t receive_buffer_bytes; /* SO_RCVBUF; likewise */
	int64_t socket_connection_setup_timeout_ms;
} kp_net_settings;

/* Levels as set; kp_settings_resolve turns the one that counts into engine.codec_level. */
typedef struct kp_level_settings {
	int32_t gzip, lz4, zstd; /* compression.<codec>.level */
	int32_t any;             /* compression.level: for whichever codec is active; -1: not given */
} kp_level_settings;

typedef struct kp_settings {
	kp_engine_config engine;
	kp_bootstrap_server *bootstrap; /* owned; NULL when there is none */
	size_t n_bootstrap;
	kp_net_settings net;
	kp_level_settings level;
	int32_t high_watermark_percent, low_watermark_percent; /* of buffer.memory; kp_settings_resolve turns them into bytes */
	int64_t max_block_ms;  /* at most KP_DURATION_MAX_MS, so that now + max_block_ms * 1000 does not overflow */
	int log_level;         /* syslog's numbers, 0 .. 7 */
	bool use_report_queue; /* then report_cb is NULL */
	bool use_failure_queue;
	kp_reports_mode reports; /* resolved: what is reported; engine.reports says what is kept for it, or for the failure queue */
	kp_report_cb *report_cb;
	void *report_opaque;
	kp_log_cb *log_cb; /* NULL: stderr */
	void *log_opaque;
	kp_error_cb *error_cb;
	void *error_opaque;
	kp_watermark_cb *watermark_cb;
	void *watermark_opaque;
	bool is_set[KP_PROP_COUNT]; /* by the user, under whatever name */
} kp_settings;

struct kp_config {
	kp_settings settings;
};

/* What the rules changed, a line each, for the log. */
#define KP_SETTINGS_MAX_NOTES 8
typedef struct kp_settings_notes {
	size_t n;
	char line[KP_SETTINGS_MAX_NOTES][192];
} kp_settings_notes;

/* Every property at its default, no callbacks. Owns nothing yet. Does not block. */
void kp_settings_init(kp_settings *s);
void kp_settings_deinit(kp_settings *s);
/* A copy with its own memory. 0 or KP_ERR_NO_MEMORY (then *out is untouched). Free with kp_settings_deinit. */
KP_MUST_USE int kp_settings_copy(const kp_settings *from, kp_settings *out);

/* Put `copy` in the place of what c holds if it is good; free the other. So loading is all or nothing. copy may be NULL. */
void kp_config_commit(kp_config *c, kp_config *copy, bool is_good);

/*
 * Apply the rules between properties to a copy of c's settings. 0, KP_ERR_NO_MEMORY, or KP_ERR_BAD_CONFIG with one line in err that
 * names the properties. *out (written on success, the caller's to deinit) is then what a producer runs with; an empty client.id has
 * become producer-N, counted through the process. notes may be NULL. Does not block.
 */
KP_MUST_USE int kp_settings_resolve(const kp_config *c, kp_settings *out, char *err, size_t err_size, kp_settings_notes *notes);

#endif
