/*
 * fault_control.c - the commands of the control socket. See fault_server.h and docs/fault-script.md.
 */
#include <ctype.h>
#include <inttypes.h>

#include "devbroker/fault_server.h"
#include "devbroker/fault_words.h"
#include "devbroker/server_impl.h"

/* One command under way. */
typedef struct request {
	kp_fault_server *faults;
	kp_dbserver *server;
	kp_slice line;     /* whole */
	kp_slice argument; /* behind the command's word */
	bool is_json;
	kp_buf *out;
} request;

static void put_json_text(kp_buf *out, kp_slice text)
{
	kp_buf_append_u8(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if (c == '"' || c == '\\')
			kp_buf_printf(out, "\\%c", c);
		else if (c < ' ' || c > '~') /* rules are plain text; host names may be anything */
			kp_buf_printf(out, "\\u%04x", c < 0x80 ? c : 0xfffd);
		else
			kp_buf_append_u8(out, c);
	}
	kp_buf_append_u8(out, '"');
}

static void put_rules(const request *q)
{
	kp_fault_info info;
	const kp_faults *f = kp_fault_server_faults(q->faults);
	const char *comma = "";
	if (q->is_json)
		kp_buf_printf(q->out, "\"rules\":[");
	for (uint64_t id = 0; kp_faults_next(f, id, &info); id = info.id, comma = ",") {
		if (!q->is_json) {
			kp_buf_printf(q->out, "rule %" PRIu64 ": matched %" PRIu64 ", fired %" PRIu64 ": %s\n", info.id,
			              info.n_matched, info.n_fired, info.text);
			continue;
		}
		kp_buf_printf(q->out, "%s{\"id\":%" PRIu64 ",\"matched\":%" PRIu64 ",\"fired\":%" PRIu64 ",\"text\":", comma,
		              info.id, info.n_matched, info.n_fired);
		put_json_text(q->out, kp_slice_cstr(info.text));
		kp_buf_append_u8(q->out, '}');
	}
	if (q->is_json)
		kp_buf_append_u8(q->out, ']');
}

static void put_nodes(const request *q)
{
	const kp_dbserver *s = q->server;
	for (int32_t i = 1; i <= s->n_nodes; i++) {
		const kp_dbserver_node *n = &s->nodes[i - 1];
		const char *state = !kp_db_node_is_up(s->db, i) ? "down" : n->is_stuck ? "stuck" : "up";
		size_t n_conns = 0;
		for (const kp_list *l = s->conns.next; l != &s->conns; l = l->next)
			n_conns += KP_CONTAINER_OF(l, const kp_dbserver_conn, link)->node == i;
		kp_buf_printf(q->out,
		              q->is_json ? "%s{\"node\":%" PRId32 ",\"port\":%u,\"state\":\"%s\",\"connections\":%zu}"
		                         : "%snode %" PRId32 " port %u: %s, %zu connections\n",
		              q->is_json && i > 1 ? "," : "", i, kp_listener_port(n->listener), state, n_conns);
	}
}

/* No line of text may begin with what a client names: "ok" and "error" end an answer. */
static void put_partition(const request *q, const char *topic, int32_t partition, bool is_first)
{
	kp_db_partition_info p;
	if (kp_db_partition_get(q->server->db, topic, partition, &p))
		return;
	kp_buf_printf(q->out,
	              q->is_json ? "%s{\"topic\":\"%s\",\"partition\":%" PRId32 ",\"leader\":%" PRId32 ",\"leader_epoch\":%" PRId32
	                           ",\"start_offset\":%" PRId64 ",\"end_offset\":%" PRId64 ",\"high_watermark\":%" PRId64
	                           ",\"producers\":%" PRId32 "}"
	                         : "%spartition %s/%" PRId32 ": leader %" PRId32 ", epoch %" PRId32 ", offsets %" PRId64
	                           " to %" PRId64 ", high watermark %" PRId64 ", %" PRId32 " producers\n",
	              q->is_json && !is_first ? "," : "", topic, partition, p.leader, p.leader_epoch, p.start_offset, p.end_offset,
	              p.high_watermark, p.n_producers);
}

static void put_partitions(const request *q)
{
	const kp_db *db = q->server->db;
	bool is_first = true;
	for (const char *topic = NULL; (topic = kp_db_next_topic(db, topic));)
		for (int32_t i = 0; i < kp_db_n_partitions(db, topic); i++, is_first = false)
			put_partition(q, topic, i, is_first);
}

static bool status(request *q)
{
	const char *parts[] = {"{\"nodes\":[", "],\"partitions\":[", "],", "}\n"};
	void (*const put[])(const request *) = {put_nodes, put_partitions, put_rules};
	for (size_t i = 0; i < KP_ARRAY_LEN(put); i++) {
		kp_buf_printf(q->out, "%s", q->is_json ? parts[i] : "");
		put[i](q);
	}
	kp_buf_printf(q->out, "%s", q->is_json ? parts[3] : "");
	return true;
}

static bool list(request *q)
{
	kp_buf_printf(q->out, "%s", q->is_json ? "{" : "");
	put_rules(q);
	kp_buf_printf(q->out, "%s", q->is_json ? "}\n" : "");
	return true;
}

/* All errors as one line. */
static bool refuse(const request *q, kp_buf *errors)
{
	kp_buf_printf(q->out, "error ");
	while (errors->len && errors->data[errors->len - 1] == '\n')
		errors->len--;
	for (size_t i = 0; i < errors->len; i++) {
		if (errors->data[i] == '\n')
			kp_buf_printf(q->out, "; ");
		else
			kp_buf_append_u8(q->out, errors->data[i]);
	}
	kp_buf_printf(q->out, errors->failed || !errors->len ? "out of memory\n" : "\n");
	return false;
}

/* The argument with blanks in front, so that columns are those of the whole line. */
static bool get_script(const request *q, kp_buf *out)
{
	kp_buf_init(out, 0);
	for (const uint8_t *p = q->line.ptr; p < q->argument.ptr; p++)
		kp_buf_append_u8(out, ' ');
	kp_buf_append(out, q->argument.ptr, q->argument.len);
	return !out->failed;
}

static bool add(request *q)
{
	kp_buf script, errors;
	uint64_t id = 0, last = 0;
	kp_fault_info info = {0};
	kp_buf_init(&errors, 0);
	bool is_good = get_script(q, &script) && kp_fault_server_add(q->faults, kp_buf_slice(&script), &id, &errors) == 0;
	if (!is_good)
		refuse(q, &errors);
	kp_buf_deinit(&script);
	kp_buf_deinit(&errors);
	if (!is_good)
		return false;
	for (uint64_t i = id - 1; kp_faults_next(kp_fault_server_faults(q->faults), i, &info); i = info.id)
		last = info.id;
	if (last < id) {
		kp_buf_printf(q->out, "error line 1, column %zu: expected a rule\n", q->line.len + 1);
		return false;
	}
	kp_buf_printf(q->out, last == id ? "ok rule %" PRIu64 "\n" : "ok rules %" PRIu64 " to %" PRIu64 "\n", id, last);
	return false; /* answered */
}

static bool remove_rule(request *q)
{
	int64_t id;
	if (kp_fault_number_of(q->argument, 1, INT64_MAX, &id) != KP_FAULT_IS_NUMBER) {
		kp_buf_printf(q->out, "error line 1, column %zu: expected the number of a rule, as list tells it\n",
		              (size_t)(q->argument.ptr - q->line.ptr) + 1);
		return false;
	}
	if (!kp_faults_remove(kp_fault_server_faults(q->faults), (uint64_t)id)) {
		kp_buf_printf(q->out, "error there is no rule %" PRId64 "\n", id);
		return false;
	}
	kp_fault_server_changed(q->faults);
	return true;
}

static bool clear(request *q)
{
	kp_faults_clear(kp_fault_server_faults(q->faults));
	kp_fault_server_changed(q->faults);
	return true;
}

static bool do_action(request *q)
{
	kp_buf script, errors;
	kp_fault_action action;
	char why[300] = "";
	kp_buf_init(&errors, 0);
	bool is_good = get_script(q, &script) && kp_fault_action_parse(kp_buf_slice(&script), q->server->n_nodes, &action, &errors);
	if (is_good) {
		is_good = !kp_fault_server_do(q->faults, &action, kp_loop_now_us(q->server->loop), why, sizeof(why));
		kp_buf_printf(&errors, "%s", why);
		kp_fault_action_deinit(&action);
		kp_dbserver_poke(q->server);
	}
	if (!is_good)
		refuse(q, &errors);
	kp_buf_deinit(&script);
	kp_buf_deinit(&errors);
	return is_good;
}

static bool help(request *q)
{
	kp_buf_printf(q->out, "  add RULE      a rule of the fault script, such as: add on produce first=3: error 6\n"
	                      "  list [json]   the rules, how many requests matched them and how often they fired\n"
	                      "  remove N      the rule with that number\n"
	                      "  clear         all rules; nodes and leaders stay as they are\n"
	                      "  do ACTION     at once: do node 2 down for 3s\n"
	                      "  status [json] nodes, partitions and rules\n"
	                      "  help          this text\n");
	return true;
}

/* `run` returns true when "ok" is still to be said. */
static const struct {
	const char *word;
	bool (*run)(request *q);
	bool has_argument, has_json;
} commands[] = {
	{"add", add, true, false},      {"list", list, false, true},    {"remove", remove_rule, true, false},
	{"clear", clear, false, false}, {"do", do_action, true, false}, {"status", status, false, true},
	{"help", help, false, false},
};

static kp_slice skip_blanks(kp_slice s)
{
	while (s.len && isspace(*s.ptr))
		s = kp_slice_of(s.ptr + 1, s.len - 1);
	while (s.len && isspace(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static void unknown(request *q, kp_slice word)
{
	char text[64];
	kp_fault_guess guess = {.written = word};
	for (size_t i = 0; i < KP_ARRAY_LEN(commands); i++)
		kp_fault_guess_try(&guess, kp_slice_cstr(commands[i].word));
	kp_buf_printf(q->out, "error line 1, column %zu: expected a command (add, list, remove, clear, do, status, help)%s\n",
	              (size_t)(word.ptr - q->line.ptr) + 1, kp_fault_guess_text(&guess, text));
}

void kp_fault_command(kp_fault_server *fs, kp_dbserver *s, kp_slice line, kp_buf *out)
{
	request q = {.faults = fs, .server = s, .line = line, .out = out};
	kp_slice word = skip_blanks(line);
	size_t len = 0;
	while (len < word.len && !isspace(word.ptr[len]))
		len++;
	q.argument = skip_blanks(kp_slice_of(word.ptr + len, word.len - len));
	word.len = len;
	for (size_t i = 0; i < KP_ARRAY_LEN(commands); i++) {
		if (!kp_fault_same_name(word, kp_slice_cstr(commands[i].word)))
			continue;
		q.is_json = commands[i].has_json && kp_slice_equal(q.argument, kp_slice_cstr("json"));
		if (q.argument.len && !commands[i].has_argument && !q.is_json)
			kp_buf_printf(out, "error line 1, column %zu: expected the end of the command\n",
			              (size_t)(q.argument.ptr - line.ptr) + 1);
		else if (commands[i].run(&q))
			kp_buf_printf(out, "ok\n");
		return;
	}
	unknown(&q, word);
}
