/*
 * engine_fixture.c - the clock, the transport and the bookkeeping of records; the brokers are in fake_brokers.c.
 */
#include "engine_fixture.h"

#include "fake_brokers.h"

#define TURNS_MOST 2000 /* without the time moving: beyond it the engine spins */

bool fx_is_at_work;

kp_engine_config fx_config(void)
{
	return (kp_engine_config){
		.batch_size = 16384,
		.buffer_memory = 4 << 20,
		.max_request_size = 1 << 20,
		.codec_level = KP_CODEC_LEVEL_DEFAULT,
		.acks = -1,
		.idempotent = true,
		.max_in_flight = 5,
		.retries = INT32_MAX,
		.retry_backoff_us = 100 * FX_MS,
		.retry_backoff_max_us = FX_SECOND,
		.delivery_timeout_us = 120 * (int64_t)FX_SECOND,
		.request_timeout_us = 30 * (int64_t)FX_SECOND,
		.adaptive = true,
		.allow_auto_create = true,
		.metadata_max_age_us = 300 * (int64_t)FX_SECOND,
		.metadata_max_idle_us = 300 * (int64_t)FX_SECOND,
		.rebootstrap = true,
		.rebootstrap_trigger_us = 300 * (int64_t)FX_SECOND,
		.reconnect_backoff_us = 50 * FX_MS,
		.reconnect_backoff_max_us = FX_SECOND,
		.connections_max_idle_us = 540 * (int64_t)FX_SECOND,
		.client_id = "unit",
	};
}

static int64_t clock_us(void *opaque)
{
	return ((fx *)opaque)->now_us;
}

static int64_t wall_ms(void *opaque)
{
	return FX_WALL_MS_AT_ZERO + ((fx *)opaque)->now_us / 1000;
}

static void wake(void *opaque)
{
	fx *f = opaque;
	if (f->on_wake)
		f->on_wake(f->wake_opaque);
}

static void on_error(void *opaque, int error, const char *text)
{
	fx *f = opaque;
	f->n_errors++;
	f->last_error = error;
	assert_non_null(text);
}

static void drop_log(int level, const char *line, void *opaque)
{
	(void)opaque;
	if (getenv("FX_LOG"))
		fprintf(stderr, "%d %s\n", level, line);
}

fx *fx_new(const kp_engine_config *config)
{
	fx *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->config = config ? *config : fx_config();
	f->now_us = 10 * (int64_t)FX_SECOND;
	f->n_servers = 1;
	f->n_nodes = 2;
	f->write_budget = SIZE_MAX;
	f->produce_version = 13;
	f->next_producer_id = 5000;
	kp_arena_init(&f->arena, 0);
	kp_logger_init(&f->log, KP_LOG_DEBUG, drop_log, NULL, "unit");
	return f;
}

bool fx_start(fx *f)
{
	kp_server servers[FX_NODES];
	for (int i = 0; i < f->n_servers; i++) {
		snprintf(servers[i].host, sizeof(servers[i].host), "boot");
		servers[i].port = (uint16_t)i;
	}
	f->engine = kp_engine_new(&f->config, servers, (size_t)f->n_servers,
	                          &(kp_surroundings){clock_us, wall_ms, wake, on_error, &f->log, f, 42});
	return f->engine != NULL;
}

void fx_warm(fx *f)
{
	for (int i = 0; i < f->n_topics; i++)
		for (int32_t k = 0; k < f->topics[i].n_partitions; k++)
			assert_true(fx_send(f, f->topics[i].name, k, NULL, 1) > 0);
	fx_advance(f, f->config.linger_us);
	for (int i = 1; i <= f->n_sent && f->config.reports == KP_REPORTS_ALL; i++)
		fx_check(f, i, f->config.acks ? KP_PERSISTED : KP_UNKNOWN, 0);
	for (int i = 0; i < f->n_topics; i++)
		memset(f->topics[i].n_log, 0, sizeof(f->topics[i].n_log));
	memset(f->reports, 0, sizeof(f->reports));
	f->n_metadata = f->n_id = f->n_requests = f->n_sent = 0;
}

fx *fx_with_topic(const kp_engine_config *config, int32_t n_partitions)
{
	fx *f = fx_new(config);
	fx_topic *t = fx_add_topic(f, "events", n_partitions);
	for (int32_t i = 0; i < n_partitions; i++)
		t->leader[i] = 1;
	assert_true(fx_start(f));
	fx_warm(f);
	return f;
}

static void free_requests(fx *f)
{
	for (int i = 0; i < FX_REQUESTS; i++) {
		for (int k = 0; k < f->requests[i].n_parts; k++)
			free(f->requests[i].parts[k].bytes);
		free(f->requests[i].parts);
	}
}

void fx_free(fx *f)
{
	if (f->engine) {
		kp_engine_stop_accepting(f->engine);
		kp_engine_end_all(f->engine, KP_ERR_CLOSED, f->now_us);
		f->hold_ended = false;
		fx_take_ended(f);
		for (int i = 1; i <= f->n_sent; i++)
			if (f->config.reports != KP_REPORTS_NONE)
				assert_int_equal(f->reports[i].n, 1);
		assert_int_equal(kp_budget_used(&f->engine->shared.budget), 0);
		kp_engine_free(f->engine);
	}
	free_requests(f);
	for (int i = 0; i < f->n_conns; i++)
		kp_buf_deinit(&f->conns[i].in);
	for (int i = 0; i < f->n_topics; i++)
		for (int k = 0; k < FX_PARTITIONS; k++)
			free(f->topics[i].log[k]);
	kp_arena_deinit(&f->arena);
	free(f);
}

/* ------------------------------------------------------------------ records */

int fx_send_args(fx *f, const char *topic, kp_append_args *args)
{
	char value[64];
	kp_topic *t = kp_engine_topic(f->engine, topic);
	if (!t)
		return KP_ERR_NO_MEMORY;
	assert_true(f->n_sent < FX_RECORDS);
	args->opaque = (void *)(intptr_t)(f->n_sent + 1);
	if (!args->content.value.ptr) {
		snprintf(value, sizeof(value), "%-8d", f->n_sent + 1);
		args->content.value = kp_slice_of(value, 8);
	}
	int err = kp_engine_append(t, args);
	return err ? err : ++f->n_sent;
}

int fx_send(fx *f, const char *topic, int32_t partition, const char *key, size_t value_len)
{
	kp_append_args a = {.timestamp_ms = 1700000000000, .partition = partition, .content = {.key = kp_slice_cstr(key)}};
	size_t len = value_len > 8 ? value_len : 8;
	char *value = malloc(len + 16);
	assert_non_null(value);
	memset(value, 'v', len);
	memcpy(value + snprintf(value, 16, "%d", f->n_sent + 1), " ", 1);
	a.content.value = kp_slice_of(value, len);
	int number = fx_send_args(f, topic, &a);
	free(value);
	return number;
}

kp_partition *fx_partition(fx *f, const char *topic, int32_t index)
{
	kp_topic *t = kp_engine_topic(f->engine, topic);
	assert_non_null(t);
	return index < 0 ? t->shared.pending : kp_topic_partition(t, index);
}

static void note_report(fx *f, const kp_batch *b, int i)
{
	int number = (int)(intptr_t)b->entries[i].opaque;
	assert_true(number >= 1 && number <= FX_RECORDS);
	f->reports[number] = (fx_report){.n = f->reports[number].n + 1,
	                                 .outcome = b->outcome,
	                                 .error = b->error,
	                                 .last_error = b->last_error,
	                                 .stage = b->stage,
	                                 .partition = b->partition->index,
	                                 .attempts = b->attempts,
	                                 .node = b->last_node,
	                                 .offset = b->base_offset < 0 ? -1 : b->base_offset + i,
	                                 .at_us = f->now_us,
	                                 .order = ++f->n_reported,
	                                 .trail = b->trail};
	snprintf(f->reports[number].cause, sizeof(f->reports[number].cause), "%s", b->cause ? b->cause->text : "");
}

bool fx_take_ended(fx *f)
{
	kp_batch *b;
	bool any = false;
	while (!f->hold_ended && (b = kp_engine_next_ended(f->engine))) {
		for (int i = 0; i < b->n_entries; i++)
			note_report(f, b, i);
		kp_engine_release(f->engine, b);
		any = true;
	}
	return any;
}

const fx_report *fx_report_of(fx *f, int number)
{
	assert_true(number >= 1 && number <= f->n_sent);
	assert_int_equal(f->reports[number].n, 1);
	return &f->reports[number];
}

void fx_check(fx *f, int number, kp_outcome outcome, int error)
{
	const fx_report *r = fx_report_of(f, number);
	assert_int_equal(r->outcome, outcome);
	assert_int_equal(r->error, error);
}

kp_engine_counters fx_count(fx *f)
{
	kp_engine_counters c;
	kp_engine_count(f->engine, &c);
	return c;
}

/* ------------------------------------------------------------------ transport */

static int place_of(const kp_action *a)
{
	int place = strcmp(a->host, "boot") == 0 ? FX_NODES + a->port : a->port;
	assert_true(place > 0 && place < FX_PLACES);
	return place;
}

static fx_conn *conn_of(fx *f, uint32_t id)
{
	for (int i = f->n_conns - 1; i >= 0; i--)
		if (f->conns[i].id == id)
			return &f->conns[i];
	fail_msg("the engine speaks of a connection that it never made");
	return NULL;
}

static void serve_action(fx *f, const kp_action *a)
{
	if (a->type == KP_ACTION_CLOSE) {
		conn_of(f, a->conn)->is_open = false;
		return;
	}
	int place = place_of(a);
	assert_true(f->n_conns < (int)KP_ARRAY_LEN(f->conns));
	fx_conn *c = &f->conns[f->n_conns++];
	*c = (fx_conn){.id = a->conn, .place = place, .is_open = true};
	kp_buf_init(&c->in, 0);
	f->places[place].n_connects++;
	f->places[place].last_connect_us = f->now_us;
	if (f->places[place].is_refusing) {
		c->is_open = false;
		kp_engine_on_close(f->engine, a->conn, KP_ERR_CONNECT, "connection refused", f->now_us);
	} else if (!f->places[place].is_silent) {
		kp_engine_on_open(f->engine, a->conn, f->now_us);
	}
}

static bool write_some(fx *f, fx_conn *c)
{
	bool moved = false;
	c->is_blocked = false;
	while (c->is_open) {
		struct iovec iov[8];
		size_t took = 0;
		int n = kp_engine_output(f->engine, c->id, iov, KP_ARRAY_LEN(iov));
		if (n > 0 && f->write_budget == 0) {
			c->is_blocked = true;
			break;
		}
		fx_is_at_work = true;
		for (int i = 0; i < n && f->write_budget > 0; i++) {
			size_t k = iov[i].iov_len < f->write_budget ? iov[i].iov_len : f->write_budget;
			kp_buf_append(&c->in, iov[i].iov_base, k);
			f->write_budget -= f->write_budget == SIZE_MAX ? 0 : k;
			took += k;
		}
		fx_is_at_work = false;
		if (took == 0)
			break;
		moved = true;
		kp_engine_written(f->engine, c->id, took, f->now_us);
	}
	fake_serve(f, c);
	return moved;
}

bool fx_turn(fx *f)
{
	kp_action a;
	uint32_t id;
	bool moved = false;
	f->next_us = kp_engine_step(f->engine, f->now_us);
	while (kp_engine_next_action(f->engine, &a)) {
		serve_action(f, &a);
		moved = true;
	}
	while ((id = kp_engine_next_writable(f->engine)) != KP_NO_CONN)
		moved |= write_some(f, conn_of(f, id));
	return fx_take_ended(f) || moved;
}

void fx_run(fx *f)
{
	for (int i = 0; fx_turn(f) || f->next_us <= f->now_us; i++)
		assert_true(i < TURNS_MOST);
}

void fx_advance(fx *f, int64_t us)
{
	int64_t until_us = f->now_us + us;
	fx_run(f);
	while (f->next_us <= until_us) {
		f->now_us = f->next_us;
		fx_run(f);
	}
	f->now_us = until_us;
	fx_run(f);
}

void fx_break(fx *f, int place, int error)
{
	for (int i = 0; i < f->n_conns; i++) {
		fx_conn *c = &f->conns[i];
		if (c->place != place || !c->is_open)
			continue;
		c->is_open = false;
		kp_engine_on_close(f->engine, c->id, error, "connection reset by peer", f->now_us);
	}
}

void fx_unblock(fx *f, size_t budget)
{
	f->write_budget = budget;
	for (int i = 0; i < f->n_conns; i++)
		if (f->conns[i].is_open && f->conns[i].is_blocked)
			write_some(f, &f->conns[i]);
}
