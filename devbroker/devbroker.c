/*
 * devbroker.c - the broker as the command sees it: a server on a loop of its own. See devbroker.h.
 */
#include "devbroker/devbroker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/random.h"
#include "devbroker/disk.h"
#include "devbroker/fault_server.h"
#include "devbroker/server.h"
#include "net/conn.h"

struct kp_devbroker {
	kp_loop *loop;
	kp_db_storage *storage; /* or NULL */
	kp_dbserver *server;
	atomic_bool is_stopped; /* relaxed: it carries nothing, and the loop is stopped behind it */
};

void kp_devbroker_options_init(kp_devbroker_options *o)
{
	kp_db_options core;
	kp_db_options_init(&core);
	*o = (kp_devbroker_options){
		.host = "127.0.0.1",
		.port = 9092,
		.n_nodes = core.n_nodes,
		.default_partitions = core.default_partitions,
		.auto_create = core.auto_create,
		.max_message_bytes = core.max_message_bytes,
		.transaction_version = core.transaction_version,
		.log_bytes_max = core.log_bytes_max,
	};
}

static bool is_wildcard(const char *host)
{
	return !*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::");
}

static void server_options(const kp_devbroker_options *o, kp_dbserver_options *s)
{
	*s = (kp_dbserver_options){
		.host = o->host,
		.port = o->port,
		.advertised_host = o->advertised_host,
		.limits = {o->frame_bytes_max, o->answer_bytes_max, o->connections_max, o->connections_max_idle_ms * 1000},
		.say = o->say,
		.say_fault = o->say_fault,
		.say_opaque = o->say_opaque,
	};
	if (!s->advertised_host)
		s->advertised_host = is_wildcard(o->host) ? "localhost" : o->host;
	s->fault_script = o->fault_script;
	s->control_path = o->control_path;
	kp_db_options_init(&s->core);
	s->core.n_nodes = o->n_nodes;
	s->core.default_partitions = o->default_partitions;
	s->core.auto_create = o->auto_create != 0;
	s->core.max_message_bytes = o->max_message_bytes;
	s->core.transaction_version = (int16_t)o->transaction_version;
	s->core.log_bytes_max = o->log_bytes_max;
	s->core.is_discarding = o->is_discarding != 0;
	s->core.seed = o->seed ? o->seed : kp_random_os_seed();
	s->core.wall_ms_at_zero = kp_time_wall_ms() - kp_time_mono_us() / 1000; /* the loop's clock is the monotonic one */
}

int kp_devbroker_is_loopback(const char *host)
{
	return kp_listener_is_loopback(host);
}

/* Each connection is a descriptor, and the usual limit of 1024 is there for programs that call select. */
static void raise_descriptor_limit(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

static bool open_storage(kp_devbroker *b, const kp_devbroker_options *o, char *err, size_t err_size)
{
	kp_disk_options d = {o->dir, o->repair_dir != 0, o->say, o->say_opaque};
	if (o->dir)
		b->storage = kp_disk_open(&d, err, err_size);
	return !o->dir || b->storage;
}

int kp_devbroker_check_faults(const char *script, int32_t n_nodes, void (*on_mistake)(const char *text, void *opaque), void *opaque)
{
	kp_list rules;
	kp_buf errors;
	int n = 0;
	kp_list_init(&rules);
	kp_buf_init(&errors, 0);
	if (!kp_fault_script_parse(kp_slice_cstr(script), n_nodes, &rules, &errors)) {
		char *text = (char *)(uintptr_t)kp_buf_cstr(&errors);
		for (char *end; text && (end = strchr(text, '\n')); text = end + 1, n++) {
			*end = 0;
			on_mistake(text, opaque);
		}
		if (n == 0) {
			on_mistake("out of memory", opaque);
			n = 1;
		}
	}
	for (kp_list *l; (l = kp_list_first(&rules));)
		kp_fault_rule_free(KP_CONTAINER_OF(l, kp_fault_rule, link));
	kp_buf_deinit(&errors);
	return n;
}

kp_devbroker *kp_devbroker_new(const kp_devbroker_options *o, char *err, size_t err_size)
{
	kp_dbserver_options s;
	raise_descriptor_limit();
	server_options(o, &s);
	kp_devbroker *b = kp_mem_calloc(1, sizeof(*b));
	if (b)
		b->loop = kp_loop_new();
	if (!b || !b->loop) {
		snprintf(err, err_size, "cannot start the event loop: out of memory or file descriptors");
		kp_mem_free(b);
		return NULL;
	}
	atomic_init(&b->is_stopped, false);
	if (open_storage(b, o, err, err_size)) {
		s.core.storage = b->storage;
		b->server = kp_dbserver_new(b->loop, &s, err, err_size);
	}
	if (!b->server) {
		kp_disk_close(b->storage);
		kp_loop_free(b->loop);
		kp_mem_free(b);
		return NULL;
	}
	return b;
}

uint16_t kp_devbroker_port(const kp_devbroker *b, int32_t node)
{
	return kp_dbserver_port(b->server, node);
}

int kp_devbroker_run(kp_devbroker *b)
{
	if (!atomic_load_explicit(&b->is_stopped, memory_order_relaxed))
		kp_loop_run(b->loop);
	return 0;
}

void kp_devbroker_stop(kp_devbroker *b)
{
	int saved = errno; /* a signal handler's caller must not see it change */
	atomic_store_explicit(&b->is_stopped, true, memory_order_relaxed);
	kp_loop_stop(b->loop); /* an atomic store and a write to an eventfd */
	errno = saved;
}

void kp_devbroker_free(kp_devbroker *b)
{
	if (!b)
		return;
	kp_dbserver_free(b->server);
	kp_disk_close(b->storage);
	kp_loop_free(b->loop);
	kp_mem_free(b);
}

void kp_devbroker_get_stats(const kp_devbroker *b, kp_devbroker_stats *out)
{
	kp_db_stats core;
	kp_db_get_stats(kp_dbserver_core(b->server), &core);
	*out = (kp_devbroker_stats){
		.n_connections = kp_dbserver_n_accepted(b->server),
		.n_requests = core.n_requests,
		.n_records = core.n_produce_records,
		.n_bytes = core.n_produce_bytes,
	};
}

void kp_devbroker_tell_faults(const kp_devbroker *b, void (*tell)(const char *line, void *opaque), void *opaque)
{
	kp_fault_server *fs = kp_dbserver_faults(b->server);
	kp_fault_info info;
	char line[500];
	for (uint64_t id = 0; fs && kp_faults_next(kp_fault_server_faults(fs), id, &info); id = info.id) {
		if (!info.n_fired)
			continue;
		snprintf(line, sizeof(line), "fault %" PRIu64 " fired %" PRIu64 " time%s: %.400s", info.id, info.n_fired,
		         info.n_fired == 1 ? "" : "s", info.text);
		tell(line, opaque);
	}
}
