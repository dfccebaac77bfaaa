/*
 * sink.c - see sink.h.
 */
#include "cli/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLICE_MS 100
#define FIRST_SIZE 65536

/* A cli_line_file.may_wait: until the closing thread has lost patience. */
static bool may_wait_on(void *opaque)
{
	cli_sink *s = opaque;
	return !atomic_load_explicit(&s->has_given_up, memory_order_relaxed);
}

static void write_buffer(cli_sink *s)
{
	cli_sink_buffer *b = &s->writing;
	int error;
	size_t done = cli_line_file_write(&s->file, b->text, b->len, &error), whole = done;
	uint64_t n_lines = b->n_lines;
	if (error)
		atomic_store_explicit(&s->error, error, memory_order_relaxed);
	if (done < b->len) {
		n_lines = 0;
		while (whole && b->text[whole - 1] != '\n')
			whole--;
		for (size_t i = 0; i < whole; i++)
			n_lines += b->text[i] == '\n';
		cli_line_file_cut(&s->file, done - whole);
	}
	atomic_fetch_add_explicit(&s->n_written, n_lines, memory_order_relaxed);
	b->len = b->n_lines = 0;
}

/* The next buffer into s->writing; false: there is none any more. */
static bool next_buffer(cli_sink *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->filling.len && !s->is_ending)
		pthread_cond_wait(&s->cond, &s->lock);
	cli_sink_buffer empty = s->writing;
	s->writing = s->filling;
	s->filling = empty;
	pthread_mutex_unlock(&s->lock);
	return s->writing.len > 0;
}

static void *run(void *arg)
{
	cli_sink *s = arg;
	while (next_buffer(s))
		if (!cli_sink_error(s) && !atomic_load_explicit(&s->has_given_up, memory_order_relaxed))
			write_buffer(s);
		else
			s->writing.len = s->writing.n_lines = 0;
	pthread_mutex_lock(&s->lock);
	s->has_ended = true;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int cli_sink_open(cli_sink *s, const char *path)
{
	int error = cli_line_file_open(&s->file, strcmp(path, "-") ? path : NULL);
	pthread_condattr_t monotonic;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
	s->file.may_wait = may_wait_on;
	s->file.opaque = s;
	if (!error && (error = pthread_create(&s->thread, NULL, run, s)))
		(void)cli_line_file_close(&s->file);
	return error;
}

char *cli_sink_reserve(cli_sink *s, size_t size)
{
	cli_sink_buffer *b = &s->filling;
	if (cli_sink_error(s))
		return NULL;
	pthread_mutex_lock(&s->lock);
	if (b->cap - b->len < size) {
		size_t cap = b->cap ? 2 * b->cap : FIRST_SIZE;
		while (cap - b->len < size)
			cap *= 2;
		char *more = realloc(b->text, cap);
		if (!more) {
			atomic_store_explicit(&s->error, ENOMEM, memory_order_relaxed);
			pthread_mutex_unlock(&s->lock);
			return NULL;
		}
		b->text = more;
		b->cap = cap;
	}
	return b->text + b->len;
}

void cli_sink_commit(cli_sink *s, size_t len, size_t n_lines)
{
	bool was_empty = s->filling.len == 0;
	s->filling.len += len;
	s->filling.n_lines += n_lines;
	atomic_fetch_add_explicit(&s->n_added, n_lines, memory_order_relaxed);
	pthread_mutex_unlock(&s->lock);
	if (was_empty && len)
		pthread_cond_signal(&s->cond);
}

uint64_t cli_sink_backlog(cli_sink *s)
{
	uint64_t n_written = cli_sink_written(s);
	return cli_sink_error(s) ? 0 : atomic_load_explicit(&s->n_added, memory_order_relaxed) - n_written;
}

uint64_t cli_sink_written(cli_sink *s)
{
	return atomic_load_explicit(&s->n_written, memory_order_relaxed);
}

int cli_sink_error(cli_sink *s)
{
	return atomic_load_explicit(&s->error, memory_order_relaxed);
}

/* Until the thread has ended, in slices. */
static void await_end(cli_sink *s, bool (*may_wait)(void *opaque), void *opaque)
{
	pthread_mutex_lock(&s->lock);
	s->is_ending = true;
	pthread_cond_signal(&s->cond);
	while (!s->has_ended) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += SLICE_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&s->cond, &s->lock, &until) == ETIMEDOUT && !may_wait(opaque))
			atomic_store_explicit(&s->has_given_up, true, memory_order_relaxed);
	}
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
}

int cli_sink_close(cli_sink *s, bool (*may_wait)(void *opaque), void *opaque)
{
	if (s->file.fd < 0)
		return 0;
	await_end(s, may_wait, opaque);
	int error = cli_sink_error(s);
	if (!error && cli_sink_backlog(s))
		error = ETIMEDOUT;
	int close_error = cli_line_file_close(&s->file);
	free(s->filling.text);
	free(s->writing.text);
	return error ? error : close_error;
}
