/*
 * fixture_broker.c - the development broker on a thread of its own, with a way to do things to its core.
 */
#include "base/mem.h"
#include "fixture.h"

struct broker {
	kp_loop *loop;
	kp_dbserver *server;
	kp_task *task;
	pthread_t thread;
	char servers[64];
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t cond;
	void (*job)(kp_db *db, void *arg);
	void *arg;
};

static int64_t step(void *opaque, int64_t now_us)
{
	broker *b = opaque;
	(void)now_us;
	pthread_mutex_lock(&b->mutex);
	if (b->job) {
		b->job(kp_dbserver_core(b->server), b->arg);
		b->job = NULL;
		kp_dbserver_poke(b->server);
		pthread_cond_broadcast(&b->cond);
	}
	pthread_mutex_unlock(&b->mutex);
	return KP_TIME_NEVER;
}

static void *thread_main(void *opaque)
{
	broker *b = opaque;
	kp_loop_run(b->loop);
	return NULL;
}

broker *broker_start(int n_nodes, int n_partitions)
{
	char err[256] = "";
	kp_dbserver_options o = {.host = "127.0.0.1", .advertised_host = "127.0.0.1"};
	broker *b = calloc(1, sizeof(*b));
	assert_non_null(b);
	kp_db_options_init(&o.core);
	o.core.n_nodes = n_nodes;
	o.core.default_partitions = n_partitions ? n_partitions : 1;
	o.core.auto_create = n_partitions > 0;
	o.core.wall_ms_at_zero = kp_time_wall_ms() - kp_time_mono_us() / 1000;
	pthread_mutex_init(&b->mutex, NULL);
	pthread_cond_init(&b->cond, NULL);
	b->loop = kp_loop_new();
	assert_non_null(b->loop);
	b->server = kp_dbserver_new(b->loop, &o, err, sizeof(err));
	assert_string_equal(err, "");
	b->task = kp_task_new(b->loop, step, b);
	assert_non_null(b->task);
	snprintf(b->servers, sizeof(b->servers), "127.0.0.1:%d", kp_dbserver_port(b->server, 1));
	assert_int_equal(pthread_create(&b->thread, NULL, thread_main, b), 0);
	return b;
}

void broker_stop(broker *b)
{
	kp_loop_stop(b->loop);
	pthread_join(b->thread, NULL);
	kp_task_free(b->task);
	kp_dbserver_free(b->server);
	kp_loop_free(b->loop);
	pthread_cond_destroy(&b->cond);
	pthread_mutex_destroy(&b->mutex);
	free(b);
}

broker *the_broker;
int the_broker_size[2];

int the_broker_starts(void **state)
{
	(void)state;
	the_broker = broker_start(the_broker_size[0], the_broker_size[1]);
	return 0;
}

int the_broker_stops(void **state)
{
	(void)state;
	broker_stop(the_broker);
	return 0;
}

const char *broker_servers(const broker *b)
{
	return b->servers;
}

void broker_do(broker *b, void (*job)(kp_db *db, void *arg), void *arg)
{
	pthread_mutex_lock(&b->mutex);
	b->arg = arg;
	b->job = job;
	kp_task_wake(b->task);
	while (b->job)
		pthread_cond_wait(&b->cond, &b->mutex);
	pthread_mutex_unlock(&b->mutex);
}

/* ------------------------------------------------------------------ jobs */

typedef struct topic_job {
	const char *topic;
	int partition, err;
	int64_t offset;
} topic_job;

static void create_topic(kp_db *db, void *arg)
{
	topic_job *j = arg;
	j->err = kp_db_create_topic(db, j->topic, j->partition, 1);
}

void broker_create_topic(broker *b, const char *topic, int n_partitions)
{
	topic_job j = {.topic = topic, .partition = n_partitions};
	broker_do(b, create_topic, &j);
	assert_int_equal(j.err, 0);
}

static void delete_topic(kp_db *db, void *arg)
{
	topic_job *j = arg;
	j->err = kp_db_delete_topic(db, j->topic);
}

void broker_delete_topic(broker *b, const char *topic)
{
	topic_job j = {.topic = topic};
	broker_do(b, delete_topic, &j);
	assert_int_equal(j.err, 0);
}

static void hold(kp_db *db, void *arg)
{
	kp_db_set_hw_delay_us(db, *(bool *)arg ? KP_TIME_NEVER : 0);
}

void broker_hold_answers(broker *b, bool is_held)
{
	broker_do(b, hold, &is_held);
}

typedef struct injection {
	int16_t api_key, error;
	int count, err;
} injection;

static void inject(kp_db *db, void *arg)
{
	injection *i = arg;
	i->err = kp_db_inject_error(db, 0, i->api_key, i->error, i->count);
}

void broker_inject(broker *b, int16_t api_key, int16_t error, int count)
{
	injection i = {api_key, error, count, 0};
	broker_do(b, inject, &i);
	assert_int_equal(i.err, 0);
}

static void end_offset(kp_db *db, void *arg)
{
	topic_job *j = arg;
	kp_db_partition_info info;
	j->err = kp_db_partition_get(db, j->topic, j->partition, &info);
	j->offset = j->err ? 0 : info.end_offset;
}

int64_t broker_end_offset(broker *b, const char *topic, int partition)
{
	topic_job j = {.topic = topic, .partition = partition};
	broker_do(b, end_offset, &j);
	return j.offset;
}

static void count_records(kp_db *db, void *arg)
{
	topic_job *j = arg;
	int64_t n = 0;
	for (j->partition = 0; j->partition < kp_db_n_partitions(db, j->topic); j->partition++) {
		end_offset(db, j);
		n += j->offset;
	}
	j->offset = n;
}

int64_t broker_count(broker *b, const char *topic)
{
	topic_job j = {.topic = topic};
	broker_do(b, count_records, &j);
	return j.offset;
}
