/*
 * log.h - levelled, structured, rate-limited log lines. A line is an event name, then key=value pairs (logfmt).
 *
 * Thread-safe. The sink runs on the calling thread and must not call back into the library's blocking calls.
 */
#ifndef KP_BASE_LOG_H
#define KP_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/lock.h"

/* syslog's numbers, as librdkafka's log_level */
typedef enum kp_log_level {
	KP_LOG_ERROR = 3,
	KP_LOG_WARN = 4,
	KP_LOG_INFO = 6,
	KP_LOG_DEBUG = 7,
} kp_log_level;

typedef void kp_log_sink(int level, const char *line, void *opaque);

typedef struct kp_logger {
	kp_log_sink *sink; /* NULL: stderr */
	void *opaque;
	int level;     /* lines above this are dropped before they are formatted */
	char name[64]; /* client.id, put in front of each line */
	kp_lock lock;  /* guards the fields below */
	double tokens; /* token bucket: KP_LOG_RATE lines a second, KP_LOG_BURST at once */
	int64_t refilled_us;
	uint64_t n_dropped; /* said in the next line that goes out */
} kp_logger;

#define KP_LOG_RATE 20
#define KP_LOG_BURST 60

void kp_logger_init(kp_logger *l, int level, kp_log_sink *sink, void *opaque, const char *name);
/* now_us: any clock that runs forward (the engine's `now`). */
void kp_log_write(kp_logger *l, int level, int64_t now_us, const char *fmt, ...) KP_PRINTF(4, 5);
const char *kp_log_level_name(int level);

/* Formats only when the level is on. */
#define KP_LOG(l, lvl, now_us, ...)                                      \
	do {                                                             \
		if ((lvl) <= (l)->level)                                 \
			kp_log_write((l), (lvl), (now_us), __VA_ARGS__); \
	} while (0)

#endif
