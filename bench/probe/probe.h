/*
 * probe.h - what the parts of the probe share: the command line, what the library's threads used, and a producer made of both.
 *
 *   main.c    the command line          online.c  idle, first, flush: with a broker
 *   used.c    CPU and wake-ups          down.c    without one, or with one that goes away
 *   codec.c   compression without a producer
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>
#include <sys/types.h>

#include <kproducer/kproducer.h>

#include "../args.h"

#define PATIENCE_MS 60000 /* for what takes a moment when all is well */

typedef struct probe_options {
	const char *servers, *topic, *codec, *file;
	const char *broker; /* the command `kproducer`, for a broker of the probe's own */
	long long n, size, level;
	int seconds;
	int is_after, has_level;
	kp_config *config;
} probe_options;

/* What the process used until now, by the kernel's books. */
typedef struct probe_used {
	double wall_s, cpu_s;
	uint64_t
		n_switches; /* of all threads but the calling one, which is the probe's: each time one went to sleep or was set aside */
} probe_used;

probe_used used_now(void);
double now_s(void);
void wait_s(double seconds);

/* End with a line on stderr and code 1. */
_Noreturn void fail(const char *what, const char *why);
void ok(int error, const char *what);

/* Takes o->config; cb may be NULL. */
kp_producer *producer_of(const probe_options *o, kp_report_cb *cb, void *opaque);
kp_topic *topic_of(const probe_options *o, kp_producer *p);
/* A value of o->size bytes, of text. */
char *value_of(const probe_options *o);
/* One record, and its report. */
void send_one(kp_topic *t);

void probe_idle(const probe_options *o);
void probe_first(const probe_options *o);
void probe_flush(const probe_options *o);
void probe_down(const probe_options *o);
void probe_codec(const probe_options *o);

#endif
