/*
 * fault_server.c - see fault_server.h.
 */
#include "devbroker/fault_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/os_error.h"
#include "devbroker/control.h"
#include "devbroker/fault_names.h"
#include "devbroker/server_impl.h"
#include "kproducer/error.h"

/* A rule that fires for each request is told of this often. */
#define TELL_EVERY_US 1000000

struct kp_fault_server {
	kp_dbserver *server;
	kp_faults *faults;
	kp_control *control; /* or NULL */
	void (*say)(const char *line, void *opaque);
	void *say_opaque;
	int64_t now_us; /* of the events that are carried out */
};

static void say(const kp_fault_server *fs, const char *line)
{
	if (fs->say)
		fs->say(line, fs->say_opaque);
}

static void on_fired(void *opaque, const kp_fault_info *rule, const kp_db_asked *q, const char *error)
{
	const kp_fault_server *fs = opaque;
	char line[700], where[200] = "", times[40] = "";
	int64_t now_us = q ? q->now_us : fs->now_us;
	if (!fs->say || (*rule->told_us && now_us - *rule->told_us < TELL_EVERY_US))
		return;
	*rule->told_us = now_us;
	if (q) {
		kp_slice api = kp_fault_api_name(q->api_key), client = q->client_id;
		snprintf(where, sizeof(where), " (%.*s of '%.*s' at node %" PRId32 ")", (int)api.len, (const char *)api.ptr,
		         client.len > 100 ? 100 : (int)client.len, client.ptr ? (const char *)client.ptr : "", q->node);
	}
	if (rule->n_fired > 1)
		snprintf(times, sizeof(times), ", %" PRIu64 " times so far", rule->n_fired);
	if (error)
		snprintf(line, sizeof(line), "fault %" PRIu64 " had no effect, %.200s: %.300s", rule->id, error, rule->text);
	else
		snprintf(line, sizeof(line), "fault %" PRIu64 " fired%s: %.300s%s", rule->id, times, rule->text, where);
	say(fs, line);
}

/* Each connection of a node; it may be closed meanwhile. */
static void each_conn(kp_dbserver *s, int32_t node, void (*act)(kp_dbserver_conn *c))
{
	kp_list *next;
	for (kp_list *n = s->conns.next; n != &s->conns; n = next) {
		kp_dbserver_conn *c = KP_CONTAINER_OF(n, kp_dbserver_conn, link);
		next = n->next;
		if (c->node == node)
			act(c);
	}
}

static int set_down(kp_dbserver *s, const kp_fault_action *a, char *why, size_t why_size)
{
	kp_dbserver_node *node = &s->nodes[a->node - 1];
	int err = kp_fault_act(s->db, a, why, why_size);
	if (err)
		return err;
	node->is_stuck = false;
	kp_listener_shut(node->listener);
	each_conn(s, a->node, kp_dbserver_conn_close);
	return 0;
}

static int set_up(kp_dbserver *s, const kp_fault_action *a, char *why, size_t why_size)
{
	kp_dbserver_node *node = &s->nodes[a->node - 1];
	int number = kp_listener_open(node->listener);
	if (number) {
		snprintf(why, why_size, "node %" PRId32 " cannot listen on port %u again: %s", a->node,
		         kp_listener_port(node->listener), kp_os_error_text(number));
		return KP_ERR_CONNECT;
	}
	node->is_stuck = false;
	each_conn(s, a->node, kp_dbserver_conn_wake);
	return kp_fault_act(s->db, a, why, why_size);
}

static int set_stuck(kp_dbserver *s, const kp_fault_action *a, char *why, size_t why_size)
{
	if (!kp_db_node_is_up(s->db, a->node)) {
		snprintf(why, why_size, "node %" PRId32 " is down", a->node);
		return KP_ERR_CLOSED;
	}
	s->nodes[a->node - 1].is_stuck = true;
	each_conn(s, a->node, kp_dbserver_conn_wake);
	return 0;
}

static int act_on_node(kp_dbserver *s, const kp_fault_action *a, char *why, size_t why_size)
{
	switch (a->kind) {
	case KP_FAULT_NODE_DOWN: return set_down(s, a, why, why_size);
	case KP_FAULT_NODE_UP: return set_up(s, a, why, why_size);
	case KP_FAULT_NODE_STUCK: return set_stuck(s, a, why, why_size);
	default: each_conn(s, a->node, kp_dbserver_conn_close); return 0;
	}
}

int kp_fault_server_do(kp_fault_server *fs, const kp_fault_action *a, int64_t now_us, char *why, size_t why_size)
{
	if (a->kind < KP_FAULT_NODE_DOWN)
		return kp_fault_act(fs->server->db, a, why, why_size);
	int err = act_on_node(fs->server, a, why, why_size);
	if (err || a->kind == KP_FAULT_NODE_DISCONNECT)
		return err;
	err = kp_faults_up_at(fs->faults, a->node, a->for_us ? now_us + a->for_us : KP_TIME_NEVER);
	if (err)
		snprintf(why, why_size, "out of memory: node %" PRId32 " will not come up again by itself", a->node);
	return err;
}

void kp_fault_server_run(kp_fault_server *fs, int64_t now_us)
{
	kp_fault_event e;
	fs->now_us = now_us;
	while (kp_faults_due(fs->faults, now_us, &e)) {
		char why[300] = "", line[340];
		int err = kp_fault_server_do(fs, &e.action, now_us, why, sizeof(why));
		kp_faults_done(fs->faults, &e, err ? why : NULL);
		if (e.id)
			continue;
		if (err)
			snprintf(line, sizeof(line), "%s", why);
		else
			snprintf(line, sizeof(line), "node %" PRId32 " is up again", e.action.node);
		say(fs, line);
	}
}

bool kp_fault_server_is_due(const kp_fault_server *fs)
{
	return kp_faults_is_due(fs->faults);
}

int64_t kp_fault_server_deadline(const kp_fault_server *fs)
{
	return kp_faults_deadline(fs->faults);
}

kp_faults *kp_fault_server_faults(kp_fault_server *fs)
{
	return fs->faults;
}

void kp_fault_server_changed(kp_fault_server *fs)
{
	kp_db_judge judge = kp_faults_judge(fs->faults);
	kp_db_set_judge(fs->server->db, kp_faults_has_requests(fs->faults) ? &judge : NULL);
	kp_dbserver_poke(fs->server);
}

int kp_fault_server_add(kp_fault_server *fs, kp_slice script, uint64_t *first_id, kp_buf *errors)
{
	kp_list rules;
	kp_list_init(&rules);
	if (!kp_fault_script_parse(script, fs->server->n_nodes, &rules, errors))
		return KP_ERR_BAD_ARGUMENT;
	int err = kp_faults_add(fs->faults, &rules, kp_loop_now_us(fs->server->loop), first_id);
	if (err)
		kp_buf_printf(errors, err == KP_ERR_NO_MEMORY ? "out of memory\n" : "more than %d rules: remove some first\n",
		              KP_FAULT_RULES_MAX);
	for (kp_list *n; (n = kp_list_first(&rules));)
		kp_fault_rule_free(KP_CONTAINER_OF(n, kp_fault_rule, link));
	kp_fault_server_changed(fs);
	return err;
}

static void on_command(void *opaque, kp_slice line, kp_buf *out)
{
	kp_fault_server *fs = opaque;
	kp_fault_command(fs, fs->server, line, out);
}

static bool start(kp_fault_server *fs, const kp_dbserver_options *o, char *err, size_t err_size)
{
	uint64_t first_id;
	kp_buf errors;
	kp_buf_init(&errors, 0);
	bool is_good = !o->fault_script || !kp_fault_server_add(fs, kp_slice_cstr(o->fault_script), &first_id, &errors);
	if (!is_good)
		snprintf(err, err_size, "fault script %.*s", (int)strcspn(kp_buf_cstr(&errors) ? kp_buf_cstr(&errors) : "", "\n"),
		         kp_buf_cstr(&errors) ? kp_buf_cstr(&errors) : "");
	kp_buf_deinit(&errors);
	if (!is_good || !o->control_path)
		return is_good;
	const char *text = "out of memory";
	fs->control = kp_control_new(fs->server->loop, o->control_path, on_command, fs, &text);
	if (!fs->control)
		snprintf(err, err_size, "cannot %s", text);
	return fs->control != NULL;
}

kp_fault_server *kp_fault_server_new(kp_dbserver *s, const kp_dbserver_options *o, char *err, size_t err_size)
{
	kp_fault_server *fs = kp_mem_calloc(1, sizeof(*fs));
	if (!fs) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	fs->server = s;
	fs->say = o->say_fault;
	fs->say_opaque = o->say_opaque;
	fs->faults = kp_faults_new(o->core.seed, on_fired, fs);
	if (!fs->faults)
		snprintf(err, err_size, "out of memory");
	if (!fs->faults || !start(fs, o, err, err_size)) {
		kp_fault_server_free(fs);
		return NULL;
	}
	return fs;
}

void kp_fault_server_free(kp_fault_server *fs)
{
	if (!fs)
		return;
	kp_control_free(fs->control);
	kp_db_set_judge(fs->server->db, NULL);
	kp_faults_free(fs->faults);
	kp_mem_free(fs);
}
