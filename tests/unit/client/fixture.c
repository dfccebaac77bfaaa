/*
 * fixture.c - collector of reports, producers of property pairs, waiting, counting.
 */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <time.h>

#include "client/producer_impl.h"

/* ------------------------------------------------------------------ waiting and counting */

int64_t now_ms(void)
{
	return kp_time_mono_us() / 1000;
}

static void rest(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

bool eventually(bool (*condition)(void *arg), void *arg)
{
	int64_t end_ms = now_ms() + PATIENCE_MS;
	while (!condition(arg)) {
		if (now_ms() > end_ms)
			return false;
		rest();
	}
	return true;
}

static int count_entries(const char *path)
{
	int n = 0;
	DIR *d = opendir(path);
	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

int count_threads(void)
{
	return count_entries("/proc/self/task");
}

int count_descriptors(void)
{
	return count_entries("/proc/self/fd");
}

static bool has_threads(void *arg)
{
	return count_threads() == *(int *)arg;
}

bool threads_are_back_to(int n)
{
	return eventually(has_threads, &n);
}

bool is_sender_blocked(void *producer)
{
	kp_producer *p = producer;
	pthread_mutex_lock(&p->shared.mutex);
	bool is_blocked = p->shared.n_waiting > 0;
	pthread_mutex_unlock(&p->shared.mutex);
	return is_blocked;
}

/* ------------------------------------------------------------------ collector */

void collector_init(collector *c)
{
	pthread_condattr_t attr;
	*c = (collector){0};
	pthread_mutex_init(&c->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->cond, &attr);
	pthread_condattr_destroy(&attr);
}

void collector_forget(collector *c)
{
	pthread_mutex_lock(&c->mutex);
	for (size_t i = 0; i < c->n; i++) {
		taken_report *t = &c->reports[i];
		free(t->key);
		free(t->value);
		free(t->header_name);
		free(t->header_value);
		free(t->message);
	}
	c->n = 0;
	pthread_mutex_unlock(&c->mutex);
}

void collector_deinit(collector *c)
{
	collector_forget(c);
	free(c->reports);
	pthread_cond_destroy(&c->cond);
	pthread_mutex_destroy(&c->mutex);
}

static char *copy_of(const void *ptr, size_t len)
{
	char *s = ptr ? malloc(len + 1) : NULL;
	if (!s)
		return NULL;
	memcpy(s, ptr, len);
	s[len] = 0;
	return s;
}

static void take(collector *c, const kp_report *r)
{
	if (c->n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 256;
		c->reports = realloc(c->reports, c->cap * sizeof(*c->reports));
	}
	taken_report *t = &c->reports[c->n++];
	*t = (taken_report){.report = *r, .key = copy_of(r->key, r->key_len), .value = copy_of(r->value, r->value_len)};
	t->message = r->message ? copy_of(r->message, strlen(r->message)) : NULL;
	if (r->n_headers > 0) {
		t->header_name = copy_of(r->headers[0].name, strlen(r->headers[0].name));
		t->header_value = copy_of(r->headers[0].value, r->headers[0].value_len);
	}
}

void collector_on_report(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	collector *c = opaque;
	(void)p;
	pthread_mutex_lock(&c->mutex);
	for (size_t i = 0; i < n; i++)
		take(c, kp_report_at(reports, i));
	c->n_calls++;
	c->thread = pthread_self();
	pthread_cond_broadcast(&c->cond);
	pthread_mutex_unlock(&c->mutex);
}

void collector_add(collector *c, const kp_report *r)
{
	collector_on_report(NULL, r, 1, c);
}

void collector_on_error(kp_producer *p, int error, const char *text, void *opaque)
{
	collector *c = opaque;
	(void)p;
	pthread_mutex_lock(&c->mutex);
	c->n_errors++;
	c->last_error = error;
	snprintf(c->error_text, sizeof(c->error_text), "%s", text);
	pthread_cond_broadcast(&c->cond);
	pthread_mutex_unlock(&c->mutex);
}

size_t collector_count(collector *c)
{
	pthread_mutex_lock(&c->mutex);
	size_t n = c->n;
	pthread_mutex_unlock(&c->mutex);
	return n;
}

/* Under the mutex: wait for the next news; false when the time is over. */
static bool wait_for_news(collector *c, int64_t end_ms)
{
	struct timespec at = {.tv_sec = end_ms / 1000, .tv_nsec = end_ms % 1000 * 1000000};
	return pthread_cond_timedwait(&c->cond, &c->mutex, &at) != ETIMEDOUT;
}

bool collector_wait(collector *c, size_t n)
{
	int64_t end_ms = now_ms() + PATIENCE_MS;
	pthread_mutex_lock(&c->mutex);
	while (c->n < n && wait_for_news(c, end_ms))
		;
	bool ok = c->n >= n;
	pthread_mutex_unlock(&c->mutex);
	return ok;
}

bool collector_wait_error(collector *c, const char *part)
{
	int64_t end_ms = now_ms() + PATIENCE_MS;
	pthread_mutex_lock(&c->mutex);
	while ((c->n_errors == 0 || !strstr(c->error_text, part)) && wait_for_news(c, end_ms))
		;
	bool ok = c->n_errors > 0 && strstr(c->error_text, part);
	pthread_mutex_unlock(&c->mutex);
	return ok;
}

size_t collector_count_outcome(collector *c, kp_outcome outcome, int error)
{
	size_t n = 0;
	pthread_mutex_lock(&c->mutex);
	for (size_t i = 0; i < c->n; i++)
		n += c->reports[i].report.outcome == outcome && (!error || c->reports[i].report.error == error);
	pthread_mutex_unlock(&c->mutex);
	return n;
}

/* ------------------------------------------------------------------ producers */

static void log_nowhere(int level, const char *line, void *opaque)
{
	(void)opaque;
	if (getenv("KP_TEST_LOG"))
		fprintf(stderr, "<%d> %s\n", level, line);
}

kp_config *config_of(const char *servers, const char *const *pairs)
{
	char err[256] = "";
	kp_config *c = kp_config_new();
	assert_non_null(c);
	kp_config_set_log_cb(c, log_nowhere, NULL);
	if (kp_config_set(c, "bootstrap.servers", servers, err, sizeof(err)))
		fail_msg("%s", err);
	for (; pairs[0]; pairs += 2) {
		if (strcmp(pairs[0], QUEUE_MODE) == 0)
			kp_config_use_report_queue(c);
		else if (kp_config_set(c, pairs[0], pairs[1], err, sizeof(err)))
			fail_msg("%s", err);
	}
	return c;
}

/* The config goes. */
static kp_producer *made_of(kp_config *config, collector *c, kp_runtime *r)
{
	char err[256] = "";
	if (c) {
		if (!config->settings.use_report_queue)
			kp_config_set_report_cb(config, collector_on_report, c);
		kp_config_set_error_cb(config, collector_on_error, c);
	}
	kp_producer *p = kp_producer_new(config, r, err, sizeof(err));
	kp_config_free(config);
	if (!p)
		fail_msg("%s", err);
	return p;
}

kp_producer *producer_of(const char *servers, collector *c, kp_runtime *r, const char *const *pairs)
{
	return made_of(config_of(servers, pairs), c, r);
}

kp_producer *producer_with_failures(const char *servers, collector *c, const char *const *pairs)
{
	kp_config *config = config_of(servers, pairs);
	kp_config_use_failure_queue(config);
	return made_of(config, c, NULL);
}

kp_record record_of(const char *key, const char *value)
{
	kp_record r = KP_RECORD_INIT;
	r.key = key;
	r.key_len = key ? strlen(key) : 0;
	r.value = value;
	r.value_len = value ? strlen(value) : 0;
	return r;
}

void close_and_free(kp_producer *p)
{
	uint64_t left = 0;
	assert_int_equal(kp_close(p, PATIENCE_MS, &left), 0);
	assert_int_equal(left, 0);
	kp_producer_free(p);
}

kp_counters counters_of(kp_producer *p)
{
	kp_counters c = {.struct_size = sizeof(c)};
	kp_counters_get(p, &c);
	return c;
}
