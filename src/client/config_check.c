/*
 * config_check.c - the rules between properties. A contradiction with what the user set is an error; with a default it is settled
 * in the user's favour and noted.
 *
 * Those of Java are taken over to the letter: ProducerConfig.postProcessAndValidateIdempotenceConfigs,
 * KafkaProducer.configureDeliveryTimeout, CommonClientConfigs.postProcessReconnectBackoffConfigs, .warnDisablingExponentialBackoff.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include "client/config_value.h"
#include "client/settings.h"

#define MAX_IN_FLIGHT_IDEMPOTENT 5 /* batches whose sequences a broker remembers per partition (KIP-98) */
#define MIN_BUFFER_MEMORY 4096     /* two batches as they start out */

/* The settings under change, and where to say what happens to them. */
typedef struct resolution {
	kp_settings *s;
	kp_settings_notes *notes; /* may be NULL */
	kp_err_line err;
} resolution;

typedef int rule(resolution *r); /* 0, or KP_ERR_BAD_CONFIG with r->err written */

static void note(resolution *r, const char *fmt, ...) KP_PRINTF(2, 3);
static void note(resolution *r, const char *fmt, ...)
{
	if (!r->notes || r->notes->n == KP_SETTINGS_MAX_NOTES)
		return;
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(r->notes->line[r->notes->n++], sizeof r->notes->line[0], fmt, args);
	va_end(args);
}

static bool was_set(const resolution *r, kp_property_id id)
{
	return r->s->is_set[id];
}

static int need_bootstrap(resolution *r)
{
	if (r->s->n_bootstrap)
		return 0;
	return kp_config_refuse(r->err, "bootstrap.servers is required: host:port of at least one broker");
}

static int settle_idempotence(resolution *r)
{
	kp_engine_config *e = &r->s->engine;
	bool asked_for = was_set(r, KP_PROP_ENABLE_IDEMPOTENCE), keep = true;
	if (!e->idempotent)
		return 0;
	if (e->retries == 0) {
		if (asked_for)
			return kp_config_refuse(r->err, "enable.idempotence=true needs retries above 0, but retries is 0");
		note(r, "enable.idempotence is off because retries is 0");
		keep = false;
	}
	if (e->acks != -1) {
		if (asked_for)
			return kp_config_refuse(r->err, "enable.idempotence=true needs acks=all, but acks is %d", e->acks);
		note(r, "enable.idempotence is off because acks is %d", e->acks);
		keep = false;
	}
	/* as in Java an error even where acks or retries turn idempotence off: only enable.idempotence=false lifts this bound */
	if (e->max_in_flight > MAX_IN_FLIGHT_IDEMPOTENT)
		return kp_config_refuse(
			r->err,
			"enable.idempotence=true%s needs max.in.flight.requests.per.connection of at most %d, but it is "
			"%" PRId32,
			asked_for ? "" : " (the default)", MAX_IN_FLIGHT_IDEMPOTENT, e->max_in_flight);
	e->idempotent = keep;
	return 0;
}

/* Without sequence numbers nobody could tell that nothing overtook what was lost. */
static int halt_needs_idempotence(resolution *r)
{
	const kp_engine_config *e = &r->s->engine;
	if (e->on_gap != KP_GAP_HALT || e->idempotent)
		return 0;
	return kp_config_refuse(r->err, "idempotence.on.gap=halt_partition needs enable.idempotence=true, but it is off: set "
	                                "acks=all and retries above 0, or idempotence.on.gap=continue");
}

static int settle_transactions(resolution *r)
{
	const kp_engine_config *e = &r->s->engine;
	if (!e->transactional_id[0]) {
		if (was_set(r, KP_PROP_TRANSACTION_TIMEOUT_MS))
			note(r, "transaction.timeout.ms has no effect without transactional.id");
		return 0;
	}
	if (!e->idempotent)
		return kp_config_refuse(
			r->err, "transactional.id needs enable.idempotence=true, but it is off: set acks=all and retries above 0");
	if (e->on_gap == KP_GAP_HALT)
		return kp_config_refuse(
			r->err,
			"transactional.id and idempotence.on.gap=halt_partition exclude each other: a lost record fails its "
			"transaction already");
	if (e->full_policy == KP_FULL_DROP_OLDEST)
		return kp_config_refuse(
			r->err, "transactional.id and queue.full.policy=drop_oldest exclude each other: a dropped record fails its "
				"transaction; use block or refuse");
	return 0;
}

/* The sum that Java computes in ints of milliseconds: it stops at 2147483647, so that an unlimited delivery time passes. */
static int64_t least_delivery_us(const kp_engine_config *e)
{
	const int64_t cap = (int64_t)INT32_MAX * 1000;
	int64_t linger = e->linger_us < cap ? e->linger_us : cap;
	int64_t sum = linger + e->request_timeout_us;
	return sum < cap ? sum : cap;
}

static int settle_delivery_timeout(resolution *r)
{
	kp_engine_config *e = &r->s->engine;
	int64_t least = least_delivery_us(e);
	int64_t least_ms = (least + 999) / 1000; /* linger.ms may have a fraction */
	if (e->delivery_timeout_us >= least)
		return 0;
	if (was_set(r, KP_PROP_DELIVERY_TIMEOUT_MS))
		return kp_config_refuse(r->err,
		                        "delivery.timeout.ms must be at least linger.ms + request.timeout.ms, that is %" PRId64
		                        ", but it is %" PRId64,
		                        least_ms, e->delivery_timeout_us / 1000);
	e->delivery_timeout_us = least_ms * 1000;
	note(r, "delivery.timeout.ms is raised to linger.ms + request.timeout.ms, that is %" PRId64, least_ms);
	return 0;
}

static int need_room(resolution *r)
{
	kp_engine_config *e = &r->s->engine;
	if (e->buffer_memory < MIN_BUFFER_MEMORY)
		return kp_config_refuse(
			r->err, "buffer.memory is %" PRId64 ", which has no room for two batches of batch.size: at least %d",
			e->buffer_memory, MIN_BUFFER_MEMORY);
	if (e->max_request_size == 0)
		return kp_config_refuse(r->err, "max.request.size is 0: every record would be refused");
	return 0;
}

/* What must fit in buffer.memory at once: an error where the user named the size, else lowered to it. */
static int fit_in_buffer(resolution *r, kp_property_id id, int32_t *size)
{
	int64_t room = r->s->engine.buffer_memory;
	const char *name = kp_property_rows[id].name;
	if (*size <= room)
		return 0;
	if (was_set(r, id))
		return kp_config_refuse(r->err, "%s is %" PRId32 ", more than buffer.memory, which is %" PRId64, name, *size, room);
	*size = (int32_t)room;
	note(r, "%s is lowered to buffer.memory, that is %" PRId64, name, room);
	return 0;
}

static int settle_batch_size(resolution *r)
{
	if (r->s->engine.batch_size == 0)
		r->s->engine.batch_size = 1; /* Java's way: every record alone */
	return fit_in_buffer(r, KP_PROP_BATCH_SIZE, &r->s->engine.batch_size);
}

static int settle_request_size(resolution *r)
{
	return fit_in_buffer(r, KP_PROP_MAX_REQUEST_SIZE, &r->s->engine.max_request_size);
}

static int64_t percent_of(int64_t n, int32_t percent)
{
	return n / 100 * percent + n % 100 * percent / 100;
}

static int settle_watermarks(resolution *r)
{
	kp_settings *s = r->s;
	int32_t high = s->high_watermark_percent;
	if (high && s->low_watermark_percent >= high) {
		if (was_set(r, KP_PROP_BUFFER_LOW_WATERMARK_PERCENT))
			return kp_config_refuse(r->err,
			                        "buffer.low.watermark.percent is %" PRId32
			                        ", which is not below buffer.high.watermark.percent, which is %" PRId32,
			                        s->low_watermark_percent, high);
		s->low_watermark_percent = high / 2;
		note(r, "buffer.low.watermark.percent is lowered to half of buffer.high.watermark.percent, that is %" PRId32,
		     s->low_watermark_percent);
	}
	s->engine.high_watermark_bytes = percent_of(s->engine.buffer_memory, high);
	s->engine.low_watermark_bytes = percent_of(s->engine.buffer_memory, s->low_watermark_percent);
	return 0;
}

static int settle_reconnect_backoff(resolution *r)
{
	kp_engine_config *e = &r->s->engine;
	if (was_set(r, KP_PROP_RECONNECT_BACKOFF_MS) && !was_set(r, KP_PROP_RECONNECT_BACKOFF_MAX_MS)) {
		e->reconnect_backoff_max_us = e->reconnect_backoff_us;
		note(r, "reconnect.backoff.ms does not grow because reconnect.backoff.max.ms is not set");
	}
	if (e->reconnect_backoff_us > e->reconnect_backoff_max_us) {
		e->reconnect_backoff_us = e->reconnect_backoff_max_us;
		note(r, "reconnect.backoff.ms is more than reconnect.backoff.max.ms, which is used instead");
	}
	return 0;
}

static int settle_retry_backoff(resolution *r)
{
	kp_engine_config *e = &r->s->engine;
	if (e->retry_backoff_us > e->retry_backoff_max_us) {
		e->retry_backoff_us = e->retry_backoff_max_us;
		note(r, "retry.backoff.ms is more than retry.backoff.max.ms, which is used instead");
	}
	return 0;
}

/* librdkafka's 0 and Java's -1 both leave the buffer to the system; SO_SNDBUF of 0 would be the kernel's smallest. */
static int settle_socket_buffers(resolution *r)
{
	kp_net_settings *net = &r->s->net;
	if (net->send_buffer_bytes == 0)
		net->send_buffer_bytes = -1;
	if (net->receive_buffer_bytes == 0)
		net->receive_buffer_bytes = -1;
	return 0;
}

/* The property of the active codec's level, or KP_PROP_COUNT when it has none. */
static kp_property_id level_property(kp_codec_type codec)
{
	switch (codec) {
	case KP_CODEC_GZIP: return KP_PROP_COMPRESSION_GZIP_LEVEL;
	case KP_CODEC_LZ4: return KP_PROP_COMPRESSION_LZ4_LEVEL;
	case KP_CODEC_ZSTD: return KP_PROP_COMPRESSION_ZSTD_LEVEL;
	default: return KP_PROP_COUNT;
	}
}

static int own_level(const kp_settings *s, kp_property_id id)
{
	if (id == KP_PROP_COMPRESSION_GZIP_LEVEL)
		return s->level.gzip;
	return id == KP_PROP_COMPRESSION_LZ4_LEVEL ? s->level.lz4 : s->level.zstd;
}

static int settle_compression_level(resolution *r)
{
	kp_settings *s = r->s;
	kp_property_id id = level_property(s->engine.codec);
	s->engine.codec_level = KP_CODEC_LEVEL_DEFAULT;
	if (id == KP_PROP_COUNT)
		return 0;
	const kp_property_row *row = &kp_property_rows[id];
	int level = own_level(s, id);
	if (s->level.any != -1 && !was_set(r, id)) {
		level = s->level.any;
		if (level < row->min || level > row->max)
			return kp_config_refuse(r->err, "compression.level is %d, but %s goes from %" PRId64 " to %" PRId64, level,
			                        row->name, row->min, row->max);
	}
	/* gzip's -1 is no level but a word for the default */
	if (id != KP_PROP_COMPRESSION_GZIP_LEVEL || level != -1)
		s->engine.codec_level = level;
	return 0;
}

static rule *const rules[] = {
	need_bootstrap,        settle_idempotence,       settle_delivery_timeout,  need_room,
	settle_batch_size,     settle_request_size,      settle_reconnect_backoff, settle_retry_backoff,
	settle_socket_buffers, settle_compression_level, settle_watermarks,        halt_needs_idempotence,
	settle_transactions,
};

static int resolve(const kp_config *c, kp_settings *out, kp_err_line err, kp_settings_notes *notes)
{
	kp_settings s;
	int code = kp_settings_copy(&c->settings, &s);
	if (code) {
		(void)kp_config_refuse(err, "out of memory");
		return code;
	}
	if (notes)
		notes->n = 0;
	resolution r = {&s, notes, err};
	for (size_t i = 0; i < KP_ARRAY_LEN(rules) && !code; i++)
		code = rules[i](&r);
	if (code)
		kp_settings_deinit(&s);
	else
		*out = s;
	return code;
}

static void name_client(kp_settings *s)
{
	static _Atomic uint32_t n_unnamed;
	if (s->engine.client_id[0])
		return;
	/* relaxed: only the number itself must be its own */
	uint32_t n = atomic_fetch_add_explicit(&n_unnamed, 1, memory_order_relaxed) + 1;
	(void)snprintf(s->engine.client_id, sizeof s->engine.client_id, "producer-%" PRIu32, n);
}

/* What is asked of reports, and of the failure queue beside them, as the engine wants to know it. */
static void keep_for_reports(kp_settings *s)
{
	s->reports = s->engine.reports;
	if (s->use_failure_queue && s->reports == KP_REPORTS_NONE)
		s->engine.reports = KP_REPORTS_ERRORS;
	if (s->engine.batch_size > KP_BATCH_SIZE_MOST)
		s->engine.batch_size = KP_BATCH_SIZE_MOST;
}

int kp_settings_resolve(const kp_config *c, kp_settings *out, char *err, size_t err_size, kp_settings_notes *notes)
{
	int code = resolve(c, out, (kp_err_line){err, err_size}, notes);
	if (code == 0) {
		name_client(out);
		keep_for_reports(out);
	}
	return code;
}

int kp_config_check(const kp_config *c, char *err, size_t err_size)
{
	kp_settings s;
	kp_err_line line = {err, err_size};
	if (!c) {
		(void)kp_config_refuse(line, "a configuration is needed");
		return KP_ERR_BAD_ARGUMENT;
	}
	int code = resolve(c, &s, line, NULL);
	if (code == 0)
		kp_settings_deinit(&s);
	return code;
}
