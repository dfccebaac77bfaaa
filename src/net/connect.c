/*
 * connect.c - the set-up of a connection: the name, then one address after the other until one answers.
 *
 * Each address gets an equal share of what is left of the set-up's time, so that one that swallows packets does not use up the
 * others' chance. The error that is told is the last address's.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "kproducer/error.h"
#include "net/conn_impl.h"

void kp_conn_set_up_clear(kp_conn *c)
{
	kp_resolve_cancel(c->resolve);
	c->resolve = NULL;
	kp_mem_free(c->addresses);
	c->addresses = NULL;
}

/* Drops what is under way and tells the owner. `why` may be NULL: c->error stands. */
static void give_up(kp_conn *c, int err, const char *why)
{
	c->error.err = err;
	if (why)
		snprintf(c->error.text, sizeof(c->error.text), "resolve %s: %s", c->host, why);
	kp_conn_end(c);
}

/* Make a socket for the address and begin; a KP_FILTER_* result. */
static int begin_attempt(kp_conn *c, const kp_address *a)
{
	kp_tcp_options o = {c->options.send_buffer_bytes, c->options.receive_buffer_bytes};
	kp_address_format(a, c->peer);
	c->top = kp_filter_tcp_new(a, &o, &c->error);
	if (!c->top)
		return KP_FILTER_ERROR;
	int rc = c->top->ops->start(c->top);
	if (rc == KP_FILTER_ERROR)
		return rc;
	if (!kp_conn_watch(c, kp_filter_tcp_fd(c->top))) {
		c->error.err = KP_ERR_CONNECT;
		snprintf(c->error.text, sizeof(c->error.text), "connect to %s: %s", c->peer, strerror(ENOMEM));
		return KP_FILTER_ERROR;
	}
	return rc;
}

static void share_time(kp_conn *c, int64_t now_us)
{
	c->attempt_started_us = now_us;
	c->attempt_deadline_us = KP_TIME_NEVER;
	if (c->deadline_us == KP_TIME_NEVER)
		return;
	int64_t left_us = c->deadline_us - now_us;
	c->attempt_deadline_us = now_us + (left_us > 0 ? left_us : 0) / (int64_t)(c->n_addresses - c->n_tried);
}

/* Take the next address, or end when there is none. The connection may be closed afterwards. */
static void try_next(kp_conn *c)
{
	while (c->n_tried < c->n_addresses) {
		kp_conn_drop_socket(c);
		share_time(c, kp_time_mono_us());
		int rc = begin_attempt(c, &c->addresses[c->n_tried++]);
		if (rc == KP_FILTER_DONE) {
			kp_conn_opened(c);
			return;
		}
		if (rc == KP_FILTER_AGAIN) {
			kp_task_wake(c->task); /* it has a new deadline */
			return;
		}
	}
	if (c->n_addresses > 1) {
		size_t len = strlen(c->error.text);
		snprintf(c->error.text + len, sizeof(c->error.text) - len, " (last of %zu addresses of %s)", c->n_addresses,
		         c->host);
	}
	kp_conn_end(c);
}

/* Copies the addresses; c->state is CONNECTING or the connection has ended afterwards. */
static void connect_to(kp_conn *c, const kp_address *addresses, size_t n)
{
	if (c->options.use_first_ip_only)
		n = 1;
	c->addresses = kp_mem_alloc(n * sizeof(*addresses));
	if (!c->addresses) {
		give_up(c, KP_ERR_NO_MEMORY, "out of memory");
		return;
	}
	memcpy(c->addresses, addresses, n * sizeof(*addresses));
	c->n_addresses = n;
	c->state = KP_CONN_CONNECTING;
	try_next(c);
}

static void on_resolved(void *opaque, int err, const char *text, const kp_address *addresses, size_t n)
{
	kp_conn *c = opaque;
	c->resolve = NULL;
	if (err)
		give_up(c, err, text);
	else
		connect_to(c, addresses, n);
}

static void begin(kp_conn *c)
{
	kp_address a;
	if (kp_address_parse(c->host, c->port, &a)) {
		connect_to(c, &a, 1);
		return;
	}
	c->state = KP_CONN_RESOLVING;
	c->resolve = kp_resolve_start(c->loop, c->host, c->port, on_resolved, c);
	if (!c->resolve)
		give_up(c, KP_ERR_NO_MEMORY, "out of memory");
}

static void on_attempt_timed_out(kp_conn *c, int64_t now_us)
{
	c->error.err = KP_ERR_TIMED_OUT;
	snprintf(c->error.text, sizeof(c->error.text), "connect to %s: no answer within %lld ms", c->peer,
	         (long long)(now_us - c->attempt_started_us) / 1000);
	try_next(c);
}

int64_t kp_conn_set_up_step(kp_conn *c, int64_t now_us)
{
	if (c->state == KP_CONN_NEW) {
		begin(c);
	} else if (c->state == KP_CONN_RESOLVING && now_us >= c->deadline_us) {
		char why[64];
		snprintf(why, sizeof(why), "no answer within %lld ms", (long long)c->options.setup_timeout_us / 1000);
		give_up(c, KP_ERR_TIMED_OUT, why);
	} else if (c->state == KP_CONN_CONNECTING && now_us >= c->attempt_deadline_us) {
		on_attempt_timed_out(c, now_us);
	}
	/* Not the parameters' but the present state: each of the above may have moved on, ended, or been closed by its owner. */
	if (c->state == KP_CONN_RESOLVING)
		return c->deadline_us;
	return c->state == KP_CONN_CONNECTING ? c->attempt_deadline_us : KP_TIME_NEVER;
}

void kp_conn_set_up_event(kp_conn *c)
{
	int rc = c->top->ops->start(c->top);
	if (rc == KP_FILTER_DONE)
		kp_conn_opened(c);
	else if (rc == KP_FILTER_ERROR)
		try_next(c);
}
