/*
 * runtime.c - the thread that runs a loop, for one producer or for many.
 */
#include <signal.h>

#include "base/mem.h"
#include "base/time.h"
#include "client/producer_impl.h"

static int64_t run_posted(void *opaque, int64_t now_us)
{
	kp_runtime *r = opaque;
	kp_list now_list, *n;
	kp_list_init(&now_list);
	pthread_mutex_lock(&r->mutex);
	kp_list_splice_back(&now_list, &r->posted);
	bool is_stopping = r->is_stopping;
	pthread_mutex_unlock(&r->mutex);
	while ((n = kp_list_pop_front(&now_list))) {
		kp_posted *p = KP_CONTAINER_OF(n, kp_posted, link);
		p->run(p, now_us);
	}
	if (is_stopping) {
		kp_task_free(r->task);
		kp_loop_stop(r->loop);
	}
	return KP_TIME_NEVER;
}

void kp_runtime_post(kp_runtime *r, kp_posted *p)
{
	kp_list_init(&p->link);
	pthread_mutex_lock(&r->mutex);
	kp_list_push_back(&r->posted, &p->link);
	/* under the mutex: the task is freed only by a step that has taken it */
	kp_task_wake(r->task);
	pthread_mutex_unlock(&r->mutex);
}

bool kp_runtime_is_mine(const kp_runtime *r)
{
	return pthread_equal(pthread_self(), r->thread);
}

static void *thread_main(void *opaque)
{
	kp_runtime *r = opaque;
	kp_loop_run(r->loop);
	return NULL;
}

/* The application's signals are the application's: none is delivered to this thread. */
static int start_thread(kp_runtime *r)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = pthread_create(&r->thread, NULL, thread_main, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		(void)pthread_setname_np(r->thread, "kproducer");
	return err;
}

kp_runtime *kp_runtime_new(void)
{
	kp_runtime *r = kp_fork_watch() ? NULL : kp_mem_calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->generation = kp_fork_generation();
	kp_list_init(&r->posted);
	pthread_mutex_init(&r->mutex, NULL);
	r->loop = kp_loop_new();
	if (r->loop)
		r->task = kp_task_new(r->loop, run_posted, r);
	if (r->task && start_thread(r) == 0)
		return r;
	if (r->task)
		kp_task_free(r->task);
	if (r->loop)
		kp_loop_free(r->loop);
	pthread_mutex_destroy(&r->mutex);
	kp_mem_free(r);
	return NULL;
}

/* A runtime has no log of its own. */
static void refuse_free(void)
{
	kp_logger stderr_log;
	kp_logger_init(&stderr_log, KP_LOG_ERROR, NULL, NULL, NULL);
	KP_LOG(&stderr_log, KP_LOG_ERROR, kp_time_mono_us(),
	       "free_refused: kp_runtime_free in a callback would wait for itself; call it on another thread");
}

void kp_runtime_free(kp_runtime *r)
{
	if (!r)
		return;
	if (kp_fork_is_inherited(&r->generation)) {
		kp_runtime_leave_behind(r);
		return;
	}
	if (kp_runtime_is_mine(r)) {
		refuse_free();
		return;
	}
	pthread_mutex_lock(&r->mutex);
	r->is_stopping = true;
	kp_task_wake(r->task);
	pthread_mutex_unlock(&r->mutex);
	pthread_join(r->thread, NULL);
	kp_loop_free(r->loop);
	pthread_mutex_destroy(&r->mutex);
	kp_mem_free(r);
}
