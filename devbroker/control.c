/*
 * control.c - see control.h.
 */
#include "devbroker/control.h"

#include "base/list.h"
#include "base/mem.h"

#define CONNS_MAX 16
#define OUT_MAX ((size_t)64 << 20) /* of answers that nobody reads; past half of it commands wait */

struct kp_control {
	kp_listener *listener;
	kp_control_command *command;
	void *opaque;
	kp_list conns;
	size_t n_conns;
};

typedef struct conn {
	kp_list link;
	kp_control *owner;
	kp_conn *net;
	kp_buf in, out;
	bool is_blocked, is_closing;
} conn;

static void conn_close(conn *c)
{
	kp_list_remove(&c->link);
	c->owner->n_conns--;
	kp_buf_deinit(&c->in);
	kp_buf_deinit(&c->out);
	kp_conn_close(c->net);
	kp_mem_free(c);
}

/* False when c was closed. */
static bool write_out(conn *c)
{
	while (c->out.len && !c->is_blocked) {
		struct iovec iov = {c->out.data, c->out.len};
		ptrdiff_t n = kp_conn_write(c->net, &iov, 1);
		if (n < 0)
			return true; /* on_close follows */
		c->is_blocked = (size_t)n < c->out.len;
		kp_buf_consume(&c->out, (size_t)n);
	}
	if ((c->is_closing && c->out.len == 0) || c->out.failed) {
		conn_close(c);
		return false;
	}
	kp_conn_pause(c->net, c->is_closing || c->out.len > OUT_MAX / 2);
	return true;
}

static void execute(conn *c)
{
	size_t done = 0;
	const uint8_t *end;
	while (c->in.len > done && (end = memchr(c->in.data + done, '\n', c->in.len - done))) {
		kp_slice line = kp_slice_of(c->in.data + done, (size_t)(end - c->in.data) - done);
		done += line.len + 1;
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		c->owner->command(c->owner->opaque, line, &c->out);
	}
	kp_buf_consume(&c->in, done);
	if (c->in.len > KP_CONTROL_LINE_MAX) {
		kp_buf_printf(&c->out, "error line 1, column %d: a command has at most %d bytes\n", KP_CONTROL_LINE_MAX + 1,
		              KP_CONTROL_LINE_MAX);
		kp_buf_clear(&c->in);
		c->is_closing = true;
	}
}

static void on_data(void *opaque, const uint8_t *p, size_t len)
{
	conn *c = opaque;
	if (c->is_closing)
		return;
	kp_buf_append(&c->in, p, len);
	if (c->in.failed) {
		conn_close(c);
		return;
	}
	execute(c);
	write_out(c);
}

static void on_writable(void *opaque)
{
	conn *c = opaque;
	c->is_blocked = false;
	write_out(c);
}

static void on_close(void *opaque, int err, const char *text)
{
	(void)err;
	(void)text;
	conn_close(opaque);
}

static void on_accept(void *opaque, kp_conn *net)
{
	static const kp_conn_events events = {.on_data = on_data, .on_writable = on_writable, .on_close = on_close};
	kp_control *k = opaque;
	conn *c = k->n_conns < CONNS_MAX ? kp_mem_calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		kp_conn_close(net);
		return;
	}
	c->owner = k;
	c->net = net;
	kp_list_init(&c->link);
	kp_buf_init(&c->in, 0);
	kp_buf_init(&c->out, OUT_MAX);
	kp_list_push_back(&k->conns, &c->link);
	k->n_conns++;
	kp_conn_accept_events(net, &events, c);
}

kp_control *kp_control_new(kp_loop *loop, const char *path, kp_control_command *command, void *opaque, const char **err_text)
{
	kp_control *k = kp_mem_calloc(1, sizeof(*k));
	if (!k) {
		*err_text = "listen: out of memory";
		return NULL;
	}
	kp_list_init(&k->conns);
	k->command = command;
	k->opaque = opaque;
	k->listener = kp_listener_new_local(loop, path, on_accept, k, err_text);
	if (!k->listener) {
		kp_mem_free(k);
		return NULL;
	}
	return k;
}

void kp_control_free(kp_control *k)
{
	if (!k)
		return;
	kp_listener_free(k->listener);
	for (kp_list *n; (n = kp_list_first(&k->conns));)
		conn_close(KP_CONTAINER_OF(n, conn, link));
	kp_mem_free(k);
}
