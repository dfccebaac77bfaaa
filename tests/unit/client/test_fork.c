/*
 * test_fork.c - fork() with a live producer: the child is refused at every call and takes no lock, the parent loses nothing, and the child
 * may make a producer of its own.
 */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/producer_impl.h"

#define CHILD_SECONDS 60 /* a child that hangs is ended by SIGALRM */

static bool is_child;

/* The threads that stayed in the parent held what LSan would call leaked here. */
KP_API int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return is_child;
}

/* What a child inherited; all of it made before the fork. */
typedef struct inherited {
	kp_runtime *runtime;
	kp_producer *producer;
	kp_topic *topic;
	kp_resender *resender; /* or NULL */
} inherited;

/* ------------------------------------------------------------------ every call */

static void on_batch(kp_producer *p, const kp_batch_report *report, void *opaque)
{
	(void)p, (void)report, (void)opaque;
}

static const kp_record a_record = {sizeof(kp_record), "k", 1, "v", 1, NULL, 0, KP_TIMESTAMP_NOW, KP_PARTITION_ANY, NULL};

static bool producer_new(inherited *i)
{
	char err[200] = "";
	kp_config *c = kp_config_new();
	(void)kp_config_set(c, "bootstrap.servers", "127.0.0.1:1", NULL, 0);
	bool is_refused = !kp_producer_new(c, i->runtime, err, sizeof(err)) && strstr(err, "FORKED");
	kp_config_free(c);
	return is_refused;
}

static bool topic_open(inherited *i)
{
	return !kp_topic_open(i->producer, "t");
}

static bool topic_name(inherited *i)
{
	return !kp_topic_name(i->topic);
}

static bool send_one(inherited *i)
{
	return kp_send(i->topic, &a_record) == KP_ERR_FORKED;
}

static bool try_send(inherited *i)
{
	return kp_try_send(i->topic, &a_record) == KP_ERR_FORKED;
}

static bool send_many(inherited *i)
{
	int error = 0;
	return kp_send_many(i->topic, &a_record, 1, &error) == 0 && error == KP_ERR_FORKED;
}

static bool send_sync(inherited *i)
{
	return kp_send_sync(i->topic, &a_record, KP_FOREVER, NULL) == KP_ERR_FORKED;
}

static bool produce_batch(inherited *i)
{
	int error = 0;
	return kp_produce_batch(i->topic, &a_record, 1, on_batch, NULL, &error) == 0 && error == KP_ERR_FORKED;
}

static bool reports_poll(inherited *i)
{
	kp_report r = {.struct_size = sizeof(r)};
	return kp_reports_poll(i->producer, &r, 1, KP_FOREVER) == 0;
}

static bool reports_fd(inherited *i)
{
	return kp_reports_fd(i->producer) == -1;
}

static bool failures_poll(inherited *i)
{
	kp_report r = {.struct_size = sizeof(r)};
	return kp_failures_poll(i->producer, &r, 1, KP_FOREVER) == 0;
}

static bool failures_fd(inherited *i)
{
	return kp_failures_fd(i->producer) == -1;
}

static bool flush(inherited *i)
{
	return kp_flush(i->producer, KP_FOREVER) == KP_ERR_FORKED;
}

static bool purge(inherited *i)
{
	return kp_purge(i->producer, KP_PURGE_QUEUED) == KP_ERR_FORKED;
}

static bool resume(inherited *i)
{
	return kp_topic_resume(i->topic, 0) == KP_ERR_FORKED;
}

static bool counters_get(inherited *i)
{
	kp_counters c = {.struct_size = sizeof(c), .accepted = 7};
	kp_counters_get(i->producer, &c);
	return c.accepted == 0 && c.struct_size == sizeof(c);
}

static bool close_it(inherited *i)
{
	return kp_close(i->producer, KP_FOREVER, NULL) == KP_ERR_FORKED;
}

static bool partitions_for(inherited *i)
{
	kp_topic_info *out;
	char err[200] = "";
	return kp_partitions_for(i->producer, "t", KP_FOREVER, &out, err, sizeof(err)) == KP_ERR_FORKED && strstr(err, "FORKED");
}

static bool topics_list(inherited *i)
{
	kp_topic_info *out;
	size_t n;
	return kp_topics_list(i->producer, KP_FOREVER, &out, &n, NULL, 0) == KP_ERR_FORKED;
}

static bool topic_create(inherited *i)
{
	return kp_topic_create(i->producer, "new", 1, 1, NULL, KP_FOREVER, NULL, 0) == KP_ERR_FORKED;
}

static bool topic_delete(inherited *i)
{
	return kp_topic_delete(i->producer, "t", KP_FOREVER, NULL, 0) == KP_ERR_FORKED;
}

static bool topic_add_partitions(inherited *i)
{
	return kp_topic_add_partitions(i->producer, "t", 9, KP_FOREVER, NULL, 0) == KP_ERR_FORKED;
}

static bool topic_configs(inherited *i)
{
	kp_config_entry *out;
	size_t n;
	return kp_topic_configs(i->producer, "t", KP_FOREVER, &out, &n, NULL, 0) == KP_ERR_FORKED;
}

static bool resender_new(inherited *i)
{
	char err[200] = "";
	return !kp_resender_new(i->producer, NULL, err, sizeof(err)) && strstr(err, "FORKED");
}

static bool resender_offer(inherited *i)
{
	kp_report r = {.struct_size = sizeof(r)};
	return !i->resender || kp_resender_offer(i->resender, &r) == KP_ERR_FORKED;
}

static bool resender_poll(inherited *i)
{
	kp_report r = {.struct_size = sizeof(r)};
	return !i->resender || kp_resender_poll(i->resender, &r, 1, KP_FOREVER) == 0;
}

static bool resender_pending(inherited *i)
{
	return !i->resender || kp_resender_pending(i->resender) == 0;
}

static bool resender_free(inherited *i)
{
	kp_resender_free(i->resender);
	return true;
}

static bool is_shut(int fd)
{
	return fcntl(fd, F_GETFD) < 0;
}

/* Twice: the second one is a mistake, but no crash. */
static bool producer_free(inherited *i)
{
	int fd = i->producer->queues[KP_QUEUE_REPORTS].fd;
	kp_producer_free(i->producer);
	kp_producer_free(i->producer);
	return fd < 0 || is_shut(fd);
}

static bool runtime_free(inherited *i)
{
	kp_runtime_free(i->runtime);
	kp_runtime_free(i->runtime);
	return true;
}

/* Every public function that takes a runtime, a producer or a topic; those that free are last. */
static const struct call {
	const char *name;
	bool (*is_refused)(inherited *i);
} calls[] = {
	{"kp_producer_new", producer_new},
	{"kp_topic_open", topic_open},
	{"kp_topic_name", topic_name},
	{"kp_send", send_one},
	{"kp_try_send", try_send},
	{"kp_send_many", send_many},
	{"kp_send_sync", send_sync},
	{"kp_produce_batch", produce_batch},
	{"kp_reports_poll", reports_poll},
	{"kp_reports_fd", reports_fd},
	{"kp_failures_poll", failures_poll},
	{"kp_failures_fd", failures_fd},
	{"kp_flush", flush},
	{"kp_purge", purge},
	{"kp_topic_resume", resume},
	{"kp_counters_get", counters_get},
	{"kp_close", close_it},
	{"kp_partitions_for", partitions_for},
	{"kp_topics_list", topics_list},
	{"kp_topic_create", topic_create},
	{"kp_topic_delete", topic_delete},
	{"kp_topic_add_partitions", topic_add_partitions},
	{"kp_topic_configs", topic_configs},
	{"kp_resender_new", resender_new},
	{"kp_resender_offer", resender_offer},
	{"kp_resender_poll", resender_poll},
	{"kp_resender_pending", resender_pending},
	{"kp_resender_free", resender_free},
	{"kp_producer_free", producer_free},
	{"kp_runtime_free", runtime_free},
};

/* 0, or one more than the place of the first call that was not refused. */
static int call_everything(inherited *i)
{
	for (size_t n = 0; n < KP_ARRAY_LEN(calls); n++)
		if (!calls[n].is_refused(i))
			return (int)n + 1;
	return 0;
}

static bool is_called(const char *name, size_t len)
{
	for (size_t i = 0; i < KP_ARRAY_LEN(calls); i++)
		if (strlen(calls[i].name) == len && memcmp(calls[i].name, name, len) == 0)
			return true;
	return false;
}

static bool takes_an_object(const char *declaration)
{
	const char *args = strchr(declaration, '(');
	return strstr(args, "kp_producer *") || strstr(args, "kp_topic *") || strstr(args, "kp_runtime *") ||
	       strstr(args, "kp_resender *");
}

static void every_public_function_that_could_be_forked_is_in_the_table(void **state)
{
	size_t n = 0;
	static char text[1 << 17];
	(void)state;
	FILE *f = fopen(KP_SOURCE_DIR "/include/kproducer/kproducer.h", "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	for (char *at = text, *end; (at = strstr(at, "\nKP_API ")) && (end = strchr(at, ';')); at = end + 1) {
		*end = 0;
		size_t before = strcspn(at, "(");
		const char *name = at + before;
		while (name > at &&
		       (name[-1] == '_' || (name[-1] >= 'a' && name[-1] <= 'z') || (name[-1] >= '0' && name[-1] <= '9')))
			name--;
		if (!takes_an_object(at))
			continue;
		n++;
		if (!is_called(name, (size_t)(at + before - name)))
			fail_msg("%.*s is not tested in a forked child", (int)(at + before - name), name);
	}
	assert_int_equal(n, KP_ARRAY_LEN(calls));
}

/* ------------------------------------------------------------------ children */

/* How often the process' other threads went to sleep, all together; -1 when one does not sleep now. */
static long sleeps_of_others(void)
{
	long n = 0, switches;
	char path[300], line[100];
	DIR *d = opendir("/proc/self/task");
	for (struct dirent *e; n >= 0 && (e = readdir(d));) {
		if (e->d_name[0] == '.' || strtol(e->d_name, NULL, 10) == gettid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
		FILE *f = fopen(path, "r"); /* NULL: it has just ended */
		while (f && n >= 0 && fgets(line, sizeof(line), f))
			if (strncmp(line, "State:", 6) == 0)
				n = strstr(line, "sleeping") ? n : -1;
			else if (sscanf(line, "voluntary_ctxt_switches: %ld", &switches) == 1)
				n += switches;
		if (f)
			fclose(f);
	}
	closedir(d);
	return n;
}

/* None has run between one look and the next. */
static bool do_others_rest(void *arg)
{
	long before = *(long *)arg;
	return before == (*(long *)arg = sleeps_of_others()) && before >= 0;
}

static void let_others_rest(void)
{
	long before = -1;
	(void)eventually(do_others_rest, &before);
}

/*
 * The locks of a sanitizer's allocator stay in the child as fork() found them, so no other thread may be at work then. glibc's allocator
 * is prepared for it: there children are made as it comes.
 */
static void prepare_fork(void)
{
#if defined(__SANITIZE_ADDRESS__)
	let_others_rest();
#endif
	fflush(NULL);
}

typedef int child_work(inherited *i);

static pid_t fork_at_once(child_work *work, inherited *i)
{
	pid_t pid = fork();
	if (pid == 0) {
		is_child = true;
		alarm(CHILD_SECONDS);
		_exit(work(i));
	}
	return pid;
}

static pid_t fork_child(child_work *work, inherited *i)
{
	prepare_fork();
	return fork_at_once(work, i);
}

static void assert_child_ended_well(pid_t pid)
{
	int status;
	assert_true(pid > 0);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	if (WIFSIGNALED(status))
		fail_msg("the child was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		fail_msg("the child ended with %d (%s)", WEXITSTATUS(status),
		         (size_t)WEXITSTATUS(status) <= KP_ARRAY_LEN(calls) ? calls[WEXITSTATUS(status) - 1].name : "its own");
}

enum { CHILD_NEW = 101, CHILD_SEND, CHILD_CLOSE, CHILD_CHILD };

/* A producer of the child's own; no assertions here. */
static int send_own(const char *topic, int n)
{
	kp_config *c = kp_config_new();
	(void)kp_config_set(c, "bootstrap.servers", broker_servers(the_broker), NULL, 0);
	kp_producer *p = kp_producer_new(c, NULL, NULL, 0);
	kp_config_free(c);
	if (!p)
		return CHILD_NEW;
	kp_topic *t = kp_topic_open(p, topic);
	for (int i = 0; i < n; i++)
		if (kp_send(t, &a_record))
			return CHILD_SEND;
	if (kp_close(p, PATIENCE_MS, NULL))
		return CHILD_CLOSE;
	kp_producer_free(p);
	return 0;
}

static inherited inherit(collector *c, const char *topic)
{
	inherited i = {.runtime = kp_runtime_new()};
	i.producer = producer_of(broker_servers(the_broker), c, i.runtime, NO_PAIRS);
	i.topic = kp_topic_open(i.producer, topic);
	i.resender = kp_resender_new(i.producer, NULL, NULL, 0);
	return i;
}

static void free_inherited(inherited *i)
{
	kp_resender_free(i->resender);
	close_and_free(i->producer);
	kp_runtime_free(i->runtime);
}

static int refuse_and_send_own(inherited *i)
{
	int err = call_everything(i);
	return err ? err : send_own("own", 50);
}

static void a_child_is_refused_everywhere_and_makes_a_producer_of_its_own(void **state)
{
	(void)state;
	inherited i = inherit(NULL, "parent");
	assert_int_equal(kp_send_sync(i.topic, &a_record, PATIENCE_MS, NULL), 0);
	uint64_t n_connects = counters_of(i.producer).connects;
	assert_child_ended_well(fork_child(refuse_and_send_own, &i));
	assert_int_equal(kp_send_sync(i.topic, &a_record, PATIENCE_MS, NULL), 0);
	assert_int_equal(counters_of(i.producer).connects, n_connects); /* the parent's connections did not notice */
	assert_int_equal(counters_of(i.producer).disconnects, 0);
	free_inherited(&i);
	assert_int_equal(broker_count(the_broker, "parent"), 2);
	assert_int_equal(broker_count(the_broker, "own"), 50);
}

static void a_producer_with_its_own_runtime_and_queues_is_let_go_of(void **state)
{
	(void)state;
	inherited i = {.producer = producer_of(broker_servers(the_broker), NULL, NULL, PAIRS(QUEUE_MODE, ""))};
	kp_report r = {.struct_size = sizeof(r)};
	i.topic = kp_topic_open(i.producer, "queued");
	i.runtime = i.producer->runtime;
	assert_int_equal(kp_send(i.topic, &a_record), 0);
	assert_int_equal(kp_flush(i.producer, PATIENCE_MS), 0);
	assert_child_ended_well(fork_child(call_everything, &i));
	assert_int_equal(kp_reports_poll(i.producer, &r, 1, PATIENCE_MS), 1);
	assert_int_equal(kp_send_sync(i.topic, &a_record, PATIENCE_MS, NULL), 0);
	close_and_free(i.producer);
}

/* What the child has open beside what it had before the producer was made. */
static int n_before;

static int free_and_count(inherited *i)
{
	kp_producer_free(i->producer);
	kp_runtime_free(i->runtime);
	return count_descriptors() == n_before ? 0 : CHILD_CLOSE;
}

static void a_child_that_frees_has_no_descriptor_left(void **state)
{
	(void)state;
	let_others_rest(); /* the broker may still be closing what earlier children left */
	n_before = count_descriptors();
	inherited i = inherit(NULL, "parent");
	assert_int_equal(kp_send_sync(i.topic, &a_record, PATIENCE_MS, NULL), 0);
	n_before += (int)counters_of(i.producer).connects; /* the broker's ends, which are in this process too */
	assert_child_ended_well(fork_child(free_and_count, &i));
	free_inherited(&i);
}

static int grandchild(inherited *i)
{
	int err = call_everything(i);
	return err ? err : send_own("grandchild", 10);
}

static int child_with_a_child(inherited *i)
{
	int status;
	kp_config *c = kp_config_new();
	(void)kp_config_set(c, "bootstrap.servers", broker_servers(the_broker), NULL, 0);
	inherited own = {.runtime = kp_runtime_new()};
	own.producer = kp_producer_new(c, own.runtime, NULL, 0);
	own.topic = kp_topic_open(own.producer, "child");
	kp_config_free(c);
	if (call_everything(i))
		return CHILD_NEW;
	if (kp_send_sync(own.topic, &a_record, PATIENCE_MS, NULL))
		return CHILD_SEND;
	pid_t pid = fork_child(grandchild, &own);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return CHILD_CHILD;
	if (kp_close(own.producer, PATIENCE_MS, NULL))
		return CHILD_CLOSE;
	kp_producer_free(own.producer);
	kp_runtime_free(own.runtime);
	return 0;
}

static void children_of_children_are_refused_what_either_made(void **state)
{
	(void)state;
	inherited i = inherit(NULL, "parent");
	assert_int_equal(kp_send_sync(i.topic, &a_record, PATIENCE_MS, NULL), 0);
	assert_child_ended_well(fork_child(child_with_a_child, &i));
	free_inherited(&i);
	assert_int_equal(broker_count(the_broker, "child"), 1);
	assert_int_equal(broker_count(the_broker, "grandchild"), 10);
}

static int leave_by_exit(inherited *i)
{
	(void)i;
	exit(0); /* atexit handlers and destructors run, the producer is just left */
}

static void a_child_may_leave_by_exit(void **state)
{
	(void)state;
	inherited i = inherit(NULL, "exit");
	assert_int_equal(kp_send(i.topic, &a_record), 0);
	assert_child_ended_well(fork_child(leave_by_exit, &i));
	assert_int_equal(kp_flush(i.producer, PATIENCE_MS), 0);
	free_inherited(&i);
	assert_int_equal(broker_count(the_broker, "exit"), 1);
}

/* ------------------------------------------------------------------ in the middle of sending */

#define SENDERS 4

typedef struct sender {
	kp_topic *topic;
	uintptr_t index;
	int error;
	uint64_t n;
	_Atomic bool *is_over;
	pthread_t thread;
} sender;

static void *send_on(void *opaque)
{
	sender *s = opaque;
	kp_record r = a_record;
	r.partition = (int32_t)s->index;
	while (!*s->is_over && !s->error) {
		r.opaque = (void *)(s->index << 32 | s->n);
		s->error = kp_send(s->topic, &r);
		s->n += !s->error;
		if (s->n % 100 == 0)
			sched_yield();
	}
	return NULL;
}

/* Each record is reported once, persisted, and stands in its partition in the order of sending. */
static void assert_all_in_order(collector *c, const sender *senders)
{
	uint64_t next[SENDERS] = {0};
	for (size_t i = 0; i < c->n; i++) {
		const kp_report *r = &c->reports[i].report;
		uintptr_t o = (uintptr_t)r->opaque;
		assert_int_equal(r->outcome, KP_PERSISTED);
		assert_int_equal(o & 0xffffffff, next[o >> 32]);
		assert_int_equal(r->offset, next[o >> 32]++);
	}
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(next[i], senders[i].n);
}

static int child_of_busy_parent(inherited *i)
{
#if defined(__SANITIZE_ADDRESS__)
	/* the sanitizer's allocator may be locked by a thread that is not here: nothing that needs memory */
	return kp_send(i->topic, &a_record) == KP_ERR_FORKED && kp_close(i->producer, 0, NULL) == KP_ERR_FORKED ? 0 : 1;
#else
	return refuse_and_send_own(i);
#endif
}

static void a_parent_that_forks_while_it_sends_loses_nothing(void **state)
{
	enum { FORKS = 20 };
	collector c;
	sender senders[SENDERS];
	pid_t pids[FORKS];
	_Atomic bool is_over = false;
	(void)state;
	collector_init(&c);
	inherited i = inherit(&c, "busy");
	int64_t own_before = broker_count(the_broker, "own");
	for (int k = 0; k < SENDERS; k++) {
		senders[k] = (sender){.topic = i.topic, .index = (uintptr_t)k, .is_over = &is_over};
		assert_int_equal(pthread_create(&senders[k].thread, NULL, send_on, &senders[k]), 0);
	}
	for (int k = 0; k < FORKS; k++) {
		assert_true(collector_wait(&c, (size_t)k * 200)); /* some reports apart */
		pids[k] = fork_at_once(child_of_busy_parent, &i);
	}
	for (int k = 0; k < FORKS; k++)
		assert_child_ended_well(pids[k]);
	is_over = true;
	for (int k = 0; k < SENDERS; k++) {
		pthread_join(senders[k].thread, NULL);
		assert_int_equal(senders[k].error, 0);
	}
	free_inherited(&i);
	assert_all_in_order(&c, senders);
	assert_int_equal(broker_count(the_broker, "busy"), c.n);
#if !defined(__SANITIZE_ADDRESS__)
	assert_int_equal(broker_count(the_broker, "own") - own_before, FORKS * 50);
#endif
	(void)own_before;
	collector_deinit(&c);
}

/* ------------------------------------------------------------------ in a callback */

typedef struct forker {
	inherited inherited;
	bool returns; /* the child comes back from the callback */
	_Atomic pid_t pid;
} forker;

static void on_report_fork(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	forker *f = opaque;
	(void)reports, (void)n;
	if (f->pid)
		return;
	f->inherited.producer = p;
	prepare_fork();
	pid_t pid = fork();
	if (pid != 0) {
		f->pid = pid;
		return;
	}
	is_child = true;
	alarm(CHILD_SECONDS);
	if (!f->returns)
		_exit(refuse_and_send_own(&f->inherited));
	fclose(stderr);
}

static int fork_in_a_callback(bool returns)
{
	forker f = {.returns = returns, .inherited.runtime = kp_runtime_new()};
	int status;
	fflush(NULL);
	kp_config *c = config_of(broker_servers(the_broker), NO_PAIRS);
	kp_config_set_report_cb(c, on_report_fork, &f);
	kp_producer *p = kp_producer_new(c, f.inherited.runtime, NULL, 0);
	kp_config_free(c);
	f.inherited.topic = kp_topic_open(p, "callback");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kp_send(f.inherited.topic, &a_record), 0);
		assert_int_equal(kp_flush(p, PATIENCE_MS), 0);
	}
	assert_true(f.pid > 0);
	assert_int_equal(waitpid(f.pid, &status, 0), f.pid);
	assert_int_equal(counters_of(p).disconnects, 0);
	close_and_free(p);
	kp_runtime_free(f.inherited.runtime);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_callback_may_fork(void **state)
{
	(void)state;
	assert_int_equal(fork_in_a_callback(false), 0);
}

static void a_child_that_returns_from_a_callback_ends_there(void **state)
{
	(void)state;
	assert_int_equal(fork_in_a_callback(true), 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_public_function_that_could_be_forked_is_in_the_table),
		cmocka_unit_test(a_child_is_refused_everywhere_and_makes_a_producer_of_its_own),
		cmocka_unit_test(a_producer_with_its_own_runtime_and_queues_is_let_go_of),
		cmocka_unit_test(a_child_that_frees_has_no_descriptor_left),
		cmocka_unit_test(children_of_children_are_refused_what_either_made),
		cmocka_unit_test(a_child_may_leave_by_exit),
		cmocka_unit_test(a_parent_that_forks_while_it_sends_loses_nothing),
		cmocka_unit_test(a_callback_may_fork),
		cmocka_unit_test(a_child_that_returns_from_a_callback_ends_there),
	};
	return RUN_WITH_BROKER(tests, 1, 4);
}
