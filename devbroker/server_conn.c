/*
 * server_conn.c - one client's connection: frames out of the stream, answers into it.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/server_impl.h"

#define IOV_MAX_HERE 64

static void need_attention(kp_dbserver_conn *c)
{
	if (!kp_list_linked(&c->ready))
		kp_list_push_back(&c->server->ready, &c->ready);
}

void kp_dbserver_conn_wake(kp_dbserver_conn *c)
{
	need_attention(c);
}

static bool is_stuck(const kp_dbserver_conn *c)
{
	return c->server->nodes[c->node - 1].is_stuck;
}

static uint64_t number_of(const kp_dbserver_conn *c)
{
	return (uint64_t)(uintptr_t)c;
}

void kp_dbserver_conn_close(kp_dbserver_conn *c)
{
	kp_db_conn_gone(c->server->db, number_of(c));
	kp_list_remove(&c->link);
	kp_list_remove(&c->ready);
	for (kp_list *n; (n = kp_list_pop_front(&c->out));) {
		kp_dbserver_out *o = KP_CONTAINER_OF(n, kp_dbserver_out, link);
		kp_buf_deinit(&o->bytes);
		kp_mem_free(o);
	}
	c->server->out_bytes -= c->out_bytes;
	c->server->n_conns--;
	kp_buf_clear(&c->in);
	kp_dbserver_room_settle(c);
	kp_conn_close(c->net);
	kp_mem_free(c);
}

/* Nothing more comes in; what is queued goes out. */
static void begin_close(kp_dbserver_conn *c)
{
	c->is_closing = true;
	kp_buf_clear(&c->in);
	need_attention(c);
}

void kp_dbserver_conn_answer(kp_dbserver_conn *c, kp_db_answer *a)
{
	need_attention(c);
	if (a->is_close)
		begin_close(c);
	kp_dbserver_out *o = a->bytes.len ? kp_mem_alloc(sizeof(*o)) : NULL;
	if (!o) {
		if (a->bytes.len)
			begin_close(c); /* no memory: a lost answer must not go unnoticed */
		kp_buf_deinit(&a->bytes);
		return;
	}
	o->bytes = a->bytes;
	kp_list_init(&o->link);
	kp_list_push_back(&c->out, &o->link);
	c->out_bytes += o->bytes.len;
	c->server->out_bytes += o->bytes.len;
}

static bool may_execute(const kp_dbserver_conn *c)
{
	if (is_stuck(c) || kp_dbserver_has_due_faults(c->server))
		return false;
	return !c->is_closing && c->out_bytes <= KP_DBSERVER_OUT_MAX && !kp_db_conn_is_waiting(c->server->db, number_of(c));
}

static void touch(kp_dbserver_conn *c, int64_t now_us)
{
	c->used_us = now_us;
	kp_list_remove(&c->link);
	kp_list_push_back(&c->server->conns, &c->link);
}

/* Carry out the whole frames at the front of `in`, as long as that is allowed. */
static void execute(kp_dbserver_conn *c, int64_t now_us)
{
	size_t done = 0;
	while (c->in.len - done >= 4 && may_execute(c)) {
		const uint8_t *p = c->in.data + done;
		uint32_t size = kp_load_be32(p);
		if (size > KP_DB_MAX_FRAME) { /* negative lengths are above it too */
			begin_close(c);
			return;
		}
		if (c->in.len - done - 4 < size)
			break;
		int err = kp_db_request(c->server->db, c->node, number_of(c), kp_slice_of(p + 4, size), now_us);
		done += 4 + (size_t)size;
		touch(c, now_us);
		kp_dbserver_collect(c->server);
		if (err)
			begin_close(c);
	}
	if (!c->is_closing)
		kp_buf_consume(&c->in, done);
}

static void on_data(void *opaque, const uint8_t *p, size_t len)
{
	kp_dbserver_conn *c = opaque;
	int64_t now_us = kp_loop_now_us(c->server->loop);
	if (c->in.data && p == c->in.data + c->in.len)
		c->in.len += len;
	else if (kp_dbserver_room_grow(c, len))
		kp_buf_append(&c->in, p, len);
	else
		begin_close(c);
	if (!c->is_closing)
		execute(c, now_us);
	need_attention(c);
	kp_dbserver_turn(c->server, now_us);
}

static void written(kp_dbserver_conn *c, size_t n, int64_t now_us)
{
	c->out_bytes -= n;
	c->server->out_bytes -= n;
	while (n) {
		kp_dbserver_out *o = KP_CONTAINER_OF(kp_list_first(&c->out), kp_dbserver_out, link);
		size_t left = o->bytes.len - c->out_sent;
		if (n < left) {
			c->out_sent += n;
			return;
		}
		n -= left;
		c->out_sent = 0;
		touch(c, now_us);
		kp_list_remove(&o->link);
		kp_buf_deinit(&o->bytes);
		kp_mem_free(o);
	}
}

/* False when the connection is broken: on_close follows. */
static bool write_out(kp_dbserver_conn *c, int64_t now_us)
{
	while (!kp_list_empty(&c->out) && !c->is_blocked) {
		struct iovec iov[IOV_MAX_HERE];
		int n = 0;
		size_t total = 0, skip = c->out_sent;
		for (kp_list *l = c->out.next; l != &c->out && n < IOV_MAX_HERE; l = l->next) {
			kp_dbserver_out *o = KP_CONTAINER_OF(l, kp_dbserver_out, link);
			iov[n] = (struct iovec){o->bytes.data + skip, o->bytes.len - skip};
			total += iov[n++].iov_len;
			skip = 0;
		}
		ptrdiff_t sent = kp_conn_write(c->net, iov, n);
		if (sent < 0)
			return false;
		c->is_blocked = (size_t)sent < total;
		written(c, (size_t)sent, now_us);
	}
	return true;
}

static bool has_whole_frame(const kp_dbserver_conn *c)
{
	size_t size = kp_dbserver_frame_size(c);
	return size && c->in.len >= size;
}

void kp_dbserver_conn_attend(kp_dbserver_conn *c, int64_t now_us)
{
	if (is_stuck(c)) {
		kp_conn_pause(c->net, true);
		return;
	}
	bool is_well = write_out(c, now_us);
	if (is_well && has_whole_frame(c) && may_execute(c)) {
		execute(c, now_us); /* its answers bring this connection here again */
		need_attention(c);
	}
	if (c->is_closing && (!is_well || kp_list_empty(&c->out))) {
		kp_dbserver_conn_close(c);
		return;
	}
	kp_dbserver_room_settle(c);
	if (kp_dbserver_has_due_faults(c->server))
		need_attention(c); /* they come first, and then nobody else would wake it */
	kp_conn_pause(c->net, !may_execute(c));
}

static void on_writable(void *opaque)
{
	kp_dbserver_conn *c = opaque;
	c->is_blocked = false;
	need_attention(c);
	kp_dbserver_turn(c->server, kp_loop_now_us(c->server->loop));
}

static void on_close(void *opaque, int err, const char *text)
{
	(void)err;
	(void)text;
	kp_dbserver_conn_close(opaque);
}

void kp_dbserver_conn_open(kp_dbserver *s, int32_t node, kp_conn *net, int64_t now_us)
{
	static const kp_conn_events events = {.on_data = on_data, .on_writable = on_writable, .on_close = on_close};
	kp_dbserver_conn *c = kp_mem_calloc(1, sizeof(*c));
	if (!c) {
		kp_conn_close(net);
		return;
	}
	c->server = s;
	c->node = node;
	c->net = net;
	c->used_us = now_us;
	kp_list_init(&c->ready);
	kp_list_init(&c->link);
	kp_list_init(&c->out);
	kp_buf_init(&c->in, 0);
	kp_list_push_back(&s->conns, &c->link);
	s->n_accepted++;
	s->n_conns++;
	kp_conn_accept_events(net, &events, c);
	kp_conn_set_room(net, kp_dbserver_room);
	kp_conn_pause(net, is_stuck(c));
}
