/*
 * server_room.c - where frames are put together, and what keeps clients from taking more than the server's bounds.
 *
 *   recv ──▶ [in: length, frame ...] ──▶ kp_db_request, in place
 *              │ taken from, and given back to, the server's few spare buffers: a connection without a begun frame has none
 *
 * Room grows with what has arrived, not with what a length promises. When all together hold more than they may, the connections go that
 * have gone longest without a whole request or answer: one that sends or reads a byte now and then is among the first.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "devbroker/server_impl.h"

#define FIRST_ROOM ((size_t)64 << 10) /* before a frame's length is known; smaller frames come several at a time */
#define SMALL_ROOM ((size_t)4 << 10)  /* for the few bytes of a frame that does not go on */
#define SPARE_MAX ((size_t)2 << 20)   /* larger buffers are freed when their frame is done */
#define READ_MAX ((size_t)1 << 20)    /* at a time, so that the others have their turn */
#define SAY_EVERY_US 60000000

size_t kp_dbserver_frame_size(const kp_dbserver_conn *c)
{
	return c->in.len < 4 ? 0 : 4 + (size_t)kp_load_be32(c->in.data);
}

/* A connection's buffer goes among the spare ones, or is freed. */
static void give_back(kp_dbserver *s, kp_buf *b)
{
	if (b->cap >= FIRST_ROOM && b->cap <= SPARE_MAX && s->n_spare < KP_DBSERVER_SPARES) {
		kp_buf_clear(b);
		s->spare[s->n_spare++] = *b;
	} else {
		kp_buf_deinit(b);
	}
	kp_buf_init(b, 0);
}

/* The content goes over into `to`, which then is the connection's. */
static void move_into(kp_dbserver_conn *c, kp_buf *to)
{
	kp_buf_append(to, c->in.data, c->in.len);
	c->server->in_bytes += to->cap - c->in.cap;
	give_back(c->server, &c->in);
	c->in = *to;
}

/* A spare buffer with room for n more bytes, yet not out of proportion to what the connection has sent. */
static bool take_spare(kp_dbserver_conn *c, size_t n)
{
	kp_dbserver *s = c->server;
	for (size_t i = s->n_spare; i-- > 0;) { /* the last one is the likeliest to be in the cache */
		kp_buf b = s->spare[i];
		if (b.cap < c->in.len + n || (c->in.len && b.cap / KP_DBSERVER_ROOM_PER_BYTE > c->in.len))
			continue;
		s->spare[i] = s->spare[--s->n_spare];
		move_into(c, &b);
		return true;
	}
	return false;
}

bool kp_dbserver_room_grow(kp_dbserver_conn *c, size_t n)
{
	size_t before = c->in.cap;
	if (before - c->in.len >= n || take_spare(c, n))
		return true;
	if (!kp_buf_reserve(&c->in, n))
		return false;
	c->server->in_bytes += c->in.cap - before;
	return true;
}

/* A kp_conn_room. A large frame is read up to its end and no further, so that the next one begins at the front of a buffer. */
uint8_t *kp_dbserver_room(void *opaque, size_t *cap)
{
	kp_dbserver_conn *c = opaque;
	size_t size = kp_dbserver_frame_size(c), whole = size > FIRST_ROOM ? size : FIRST_ROOM;
	if (size > KP_DB_MAX_FRAME || c->in.len >= whole)
		return NULL;
	size_t want = whole - c->in.len;
	size_t most = c->in.len > FIRST_ROOM ? c->in.len : FIRST_ROOM; /* room at most doubles */
	if (c->in.cap == c->in.len && !kp_dbserver_room_grow(c, want < most ? want : most))
		return NULL;
	if (c->in.len == 0)
		kp_dbserver_conn_wake(c); /* there may be nothing to read: then the next turn takes the room back */
	*cap = c->in.cap - c->in.len;
	if (*cap > want)
		*cap = want;
	if (*cap > READ_MAX)
		*cap = READ_MAX;
	return c->in.data + c->in.len;
}

void kp_dbserver_room_settle(kp_dbserver_conn *c)
{
	kp_dbserver *s = c->server;
	if (c->in.len == 0) {
		s->in_bytes -= c->in.cap;
		give_back(s, &c->in);
	} else if (c->in.cap > SMALL_ROOM && c->in.len < c->in.cap / KP_DBSERVER_ROOM_PER_BYTE) {
		kp_buf small;
		kp_buf_init(&small, 0);
		if (kp_buf_reserve(&small, c->in.len < SMALL_ROOM ? SMALL_ROOM : 2 * c->in.len))
			move_into(c, &small);
	}
}

void kp_dbserver_say(kp_dbserver *s, kp_dbserver_notice notice, int64_t now_us, const char *format, ...)
{
	char line[400];
	va_list args;
	if (!s->say || (s->said_us[notice] && now_us - s->said_us[notice] < SAY_EVERY_US))
		return;
	s->said_us[notice] = now_us;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	s->say(line, s->say_opaque);
}

static kp_dbserver_conn *oldest(kp_dbserver *s, bool (*holds)(const kp_dbserver_conn *c))
{
	for (kp_list *n = s->conns.next; n != &s->conns; n = n->next) {
		kp_dbserver_conn *c = KP_CONTAINER_OF(n, kp_dbserver_conn, link);
		if (!holds || holds(c))
			return c;
	}
	return NULL;
}

static bool has_room(const kp_dbserver_conn *c)
{
	return c->in.cap != 0;
}

static bool has_answers(const kp_dbserver_conn *c)
{
	return c->out_bytes != 0;
}

void kp_dbserver_keep_bounds(kp_dbserver *s, int64_t now_us)
{
	while (s->in_bytes > s->limits.frame_bytes_max) {
		kp_dbserver_conn *c = oldest(s, has_room);
		kp_dbserver_say(
			s, KP_DBSERVER_SAY_FRAMES, now_us,
			"clients hold %zu bytes of unfinished requests, %zu are allowed: closing %s, the longest without a whole one",
			s->in_bytes, s->limits.frame_bytes_max, kp_conn_peer(c->net));
		kp_dbserver_conn_close(c);
	}
	while (s->out_bytes > s->limits.answer_bytes_max) {
		kp_dbserver_conn *c = oldest(s, has_answers);
		kp_dbserver_say(
			s, KP_DBSERVER_SAY_ANSWERS, now_us,
			"clients leave %zu bytes of answers unread, %zu are allowed: closing %s, the longest without reading one",
			s->out_bytes, s->limits.answer_bytes_max, kp_conn_peer(c->net));
		kp_dbserver_conn_close(c);
	}
}

bool kp_dbserver_close_oldest(kp_dbserver *s, int64_t now_us)
{
	kp_dbserver_conn *c = oldest(s, NULL);
	if (!c)
		return false;
	kp_dbserver_say(
		s, KP_DBSERVER_SAY_CONNECTIONS, now_us,
		"there are as many connections, %zu, as open files allow (ulimit -n): closing the longest unused for new ones",
		s->n_conns);
	kp_dbserver_conn_close(c);
	return true;
}

int64_t kp_dbserver_close_idle(kp_dbserver *s, int64_t now_us)
{
	kp_dbserver_conn *c;
	while ((c = oldest(s, NULL)) && c->used_us + s->limits.idle_us <= now_us)
		kp_dbserver_conn_close(c);
	return c ? c->used_us + s->limits.idle_us : KP_TIME_NEVER;
}
