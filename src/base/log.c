/*
 * log.c - see log.h.
 */
#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

#define MAX_LINE 2048 /* bytes with the terminator; a longer line is cut and ends in "..." */

const char *kp_log_level_name(int level)
{
	if (level <= KP_LOG_ERROR)
		return "error";
	if (level == KP_LOG_WARN)
		return "warn";
	return level <= KP_LOG_INFO ? "info" : "debug";
}

void kp_logger_init(kp_logger *l, int level, kp_log_sink *sink, void *opaque, const char *name)
{
	*l = (kp_logger){.sink = sink, .opaque = opaque, .level = level, .tokens = KP_LOG_BURST};
	snprintf(l->name, sizeof(l->name), "%s", name ? name : "");
	kp_lock_init(&l->lock);
}

/* The only place here that reads a clock: the time is printed, nothing is decided by it. */
static void write_stderr(int level, const char *line)
{
	int64_t ms = kp_time_wall_ms();
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc;
	char when[32];
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
	fprintf(stderr, "%s.%03dZ %s %s\n", when, (int)(ms % 1000), kp_log_level_name(level), line);
}

/* May a line go out now? *n_dropped: lines held back since the last one that did. */
static bool take_token(kp_logger *l, int64_t now_us, uint64_t *n_dropped)
{
	kp_lock_acquire(&l->lock);
	if (now_us > l->refilled_us) { /* threads bring slightly different times: never refill backwards */
		l->tokens += (double)(now_us - l->refilled_us) * (KP_LOG_RATE / 1e6);
		if (l->tokens > KP_LOG_BURST)
			l->tokens = KP_LOG_BURST;
		l->refilled_us = now_us;
	}
	bool ok = l->tokens >= 1;
	if (ok) {
		l->tokens -= 1;
		*n_dropped = l->n_dropped;
		l->n_dropped = 0;
	} else {
		l->n_dropped++;
	}
	kp_lock_release(&l->lock);
	return ok;
}

/* Text from a broker must not be able to forge a line of its own, nor move the terminal's cursor. */
static void blank_control_chars(char *line)
{
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
}

void kp_log_write(kp_logger *l, int level, int64_t now_us, const char *fmt, ...)
{
	char line[MAX_LINE], tail[48] = "";
	uint64_t n_dropped;
	if (level > l->level || !take_token(l, now_us, &n_dropped))
		return;
	if (n_dropped)
		snprintf(tail, sizeof(tail), " dropped_lines=%" PRIu64, n_dropped);
	size_t room = sizeof(line) - strlen(tail), len = 0;
	if (l->name[0])
		len = (size_t)snprintf(line, room, "client=%s ", l->name);
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line + len, room - len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= room - len)
		memcpy(line + room - 4, "...", 4);
	size_t used = strlen(line); /* room was kept for the tail */
	memcpy(line + used, tail, strlen(tail) + 1);
	blank_control_chars(line);
	if (l->sink)
		l->sink(level, line, l->opaque);
	else
		write_stderr(level, line);
}
