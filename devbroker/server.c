/*
 * server.c - listeners, and the loop's half of the core: time, answers to their connections. See server.h; server_conn.c is one connection.
 */
#include "devbroker/server_impl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/os_error.h"
#include "devbroker/storage.h"
#include "kproducer/error.h"

#define CONNECTIONS_MAX ((size_t)100000)
#define FILES_KEPT 8 /* descriptors for the storage: one or two at a time, a few when folders are removed */

/* Of this process' descriptors. */
static uint64_t file_limit(void)
{
	struct rlimit files;
	return getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : RLIM_INFINITY;
}

static void limit_connections(kp_dbserver *s)
{
	size_t own = 64 + 2 * (size_t)s->n_nodes, max = CONNECTIONS_MAX + own; /* a name may stand for two addresses */
	s->file_limit = file_limit();
	if (s->file_limit < max)
		max = (size_t)s->file_limit;
	s->limits.connections_max = s->connections_given ? s->connections_given : max > 2 * own ? max - own : own;
}

static void on_accept(void *opaque, kp_conn *net)
{
	kp_dbserver_node *node = opaque;
	kp_dbserver *s = node->server;
	int64_t now_us = kp_loop_now_us(s->loop);
	if (s->n_conns >= s->limits.connections_max && file_limit() > s->file_limit)
		limit_connections(s); /* it was raised meanwhile (prlimit) */
	while (s->n_conns >= s->limits.connections_max && kp_dbserver_close_oldest(s, now_us))
		;
	kp_dbserver_conn_open(s, node->id, net, now_us);
	if (s->deadline_us > now_us + s->limits.idle_us)
		kp_task_wake(s->task);
}

/*
 * The listener is out of descriptors. When they are this process' own: fewer connections from now on, or files could not be opened any more.
 * When the machine is out, or there is no connection to close, who comes has to wait.
 */
static bool on_exhausted(void *opaque, int number)
{
	const kp_dbserver_node *node = opaque;
	kp_dbserver *s = node->server;
	int64_t now_us = kp_loop_now_us(s->loop);
	if (number == EMFILE && s->n_conns > 0) {
		s->file_limit = file_limit();
		s->limits.connections_max = s->n_conns - (s->n_conns < 2 * FILES_KEPT ? s->n_conns / 2 : FILES_KEPT);
		return kp_dbserver_close_oldest(s, now_us);
	}
	kp_dbserver_say(s, KP_DBSERVER_SAY_EXHAUSTED, now_us,
	                "cannot accept connections: %s (they wait, and it is tried again ten times a second)",
	                kp_os_error_text(number));
	return false;
}

/* Give every queued answer to its connection; those connections need attention then. */
void kp_dbserver_collect(kp_dbserver *s)
{
	kp_db_answer a;
	while (kp_db_next_answer(s->db, &a)) {
		kp_dbserver_conn *c = (kp_dbserver_conn *)(uintptr_t)
		                              a.conn; /* alive: kp_db_conn_gone is called before it is freed */
		kp_dbserver_conn_answer(c, &a);
	}
}

/* The core's time, and the connections that have something to write or may go on. Returns the core's next deadline. */
static int64_t turn(kp_dbserver *s, int64_t now_us)
{
	int64_t deadline_us;
	do {
		if (s->faults)
			kp_fault_server_run(s->faults, now_us);
		deadline_us = kp_db_step(s->db, now_us);
		kp_dbserver_collect(s);
		kp_list ready;
		kp_list_init(&ready);
		kp_list_splice_back(&ready, &s->ready);
		for (kp_list *n; (n = kp_list_pop_front(&ready));)
			kp_dbserver_conn_attend(KP_CONTAINER_OF(n, kp_dbserver_conn, ready), now_us);
	} while (!kp_list_empty(&s->ready) || kp_dbserver_has_due_faults(s));
	kp_dbserver_keep_bounds(s, now_us);
	int64_t fault_us = s->faults ? kp_fault_server_deadline(s->faults) : KP_TIME_NEVER;
	return fault_us < deadline_us ? fault_us : deadline_us;
}

static int64_t step(void *opaque, int64_t now_us)
{
	kp_dbserver *s = opaque;
	int64_t deadline_us = turn(s, now_us), idle_us = kp_dbserver_close_idle(s, now_us);
	return s->deadline_us = deadline_us < idle_us ? deadline_us : idle_us;
}

void kp_dbserver_turn(kp_dbserver *s, int64_t now_us)
{
	int64_t deadline_us = turn(s, now_us);
	if (deadline_us < s->deadline_us)
		kp_task_wake(s->task); /* only a step can move the task's deadline */
}

void kp_dbserver_poke(kp_dbserver *s)
{
	kp_task_wake(s->task);
}

static bool listen_all(kp_dbserver *s, const kp_dbserver_options *o, char *err, size_t err_size)
{
	const char *text;
	for (int32_t i = 0; i < s->n_nodes; i++) {
		kp_dbserver_node *n = &s->nodes[i];
		*n = (kp_dbserver_node){.server = s, .id = i + 1};
		n->listener = kp_listener_new(s->loop, o->host, o->port ? (uint16_t)(o->port + i) : 0, on_accept, n, &text);
		if (!n->listener) {
			if (s->n_nodes == 1)
				snprintf(err, err_size, "cannot %s", text);
			else
				snprintf(err, err_size, "node %d cannot %s", (int)i + 1, text);
			return false;
		}
		kp_listener_set_make_place(n->listener, on_exhausted);
		if (kp_db_set_endpoint(s->db, i + 1, o->advertised_host, kp_listener_port(n->listener))) {
			snprintf(err, err_size, "out of memory");
			return false;
		}
	}
	return true;
}

static bool check_options(const kp_dbserver_options *o, char *err, size_t err_size)
{
	if (o->core.n_nodes < 1 || o->core.n_nodes > KP_DB_MAX_NODES)
		snprintf(err, err_size, "the number of nodes must be 1 to %d", KP_DB_MAX_NODES);
	else if (o->core.default_partitions < 1 || o->core.default_partitions > KP_DB_DEFAULT_PARTITIONS_MAX)
		snprintf(err, err_size, "the default number of partitions must be 1 to %d", KP_DB_DEFAULT_PARTITIONS_MAX);
	else if (o->core.max_message_bytes < 0 || o->core.log_bytes_max == 0)
		snprintf(err, err_size, "the largest batch and the memory for logs must be positive");
	else if (o->port && o->port + o->core.n_nodes - 1 > UINT16_MAX)
		snprintf(err, err_size, "port %d for node %d is above 65535", (int)(o->port + o->core.n_nodes - 1),
		         (int)o->core.n_nodes);
	else
		return true;
	return false;
}

static size_t or_default(size_t given, size_t otherwise)
{
	return given ? given : otherwise;
}

static void set_limits(kp_dbserver *s, const kp_dbserver_limits *l)
{
	s->limits = (kp_dbserver_limits){
		.frame_bytes_max = or_default(l->frame_bytes_max, (size_t)512 << 20),
		.answer_bytes_max = or_default(l->answer_bytes_max, (size_t)512 << 20),
		.idle_us = l->idle_us ? l->idle_us : 600000000,
	};
	s->connections_given = l->connections_max;
	limit_connections(s);
}

kp_dbserver *kp_dbserver_new(kp_loop *loop, const kp_dbserver_options *o, char *err, size_t err_size)
{
	if (!check_options(o, err, err_size))
		return NULL;
	snprintf(err, err_size, "out of memory");
	kp_dbserver *s = kp_mem_calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->loop = loop;
	s->n_nodes = o->core.n_nodes;
	s->deadline_us = KP_TIME_NEVER;
	set_limits(s, &o->limits);
	s->say = o->say;
	s->say_opaque = o->say_opaque;
	kp_list_init(&s->conns);
	kp_list_init(&s->ready);
	s->db = kp_db_new(&o->core);
	if (!s->db && o->core.storage)
		snprintf(err, err_size, "%s", o->core.storage->fault);
	s->nodes = kp_mem_calloc((size_t)s->n_nodes, sizeof(*s->nodes));
	s->task = kp_task_new(loop, step, s);
	if (!s->db || !s->nodes || !s->task || !listen_all(s, o, err, err_size)) {
		kp_dbserver_free(s);
		return NULL;
	}
	if (o->fault_script || o->control_path) {
		s->faults = kp_fault_server_new(s, o, err, err_size);
		if (!s->faults) {
			kp_dbserver_free(s);
			return NULL;
		}
		kp_dbserver_poke(s);
	}
	*err = 0;
	return s;
}

void kp_dbserver_free(kp_dbserver *s)
{
	if (!s)
		return;
	kp_fault_server_free(s->faults);
	for (int32_t i = 0; s->nodes && i < s->n_nodes; i++)
		if (s->nodes[i].listener)
			kp_listener_free(s->nodes[i].listener);
	for (kp_list *n; (n = kp_list_first(&s->conns));)
		kp_dbserver_conn_close(KP_CONTAINER_OF(n, kp_dbserver_conn, link));
	if (s->task)
		kp_task_free(s->task);
	kp_db_free(s->db);
	while (s->n_spare)
		kp_buf_deinit(&s->spare[--s->n_spare]);
	kp_mem_free(s->nodes);
	kp_mem_free(s);
}

uint16_t kp_dbserver_port(const kp_dbserver *s, int32_t node)
{
	return node >= 1 && node <= s->n_nodes ? kp_listener_port(s->nodes[node - 1].listener) : 0;
}

kp_fault_server *kp_dbserver_faults(kp_dbserver *s)
{
	return s->faults;
}

kp_db *kp_dbserver_core(kp_dbserver *s)
{
	return s->db;
}

uint64_t kp_dbserver_n_accepted(const kp_dbserver *s)
{
	return s->n_accepted;
}
