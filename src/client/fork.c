/*
 * fork.c - producers and runtimes in a child that fork() made. Their threads are not there, their locks may be held for ever, their
 * memory may have been in the middle of a change, and their sockets and epoll set are the parent's too. So nothing is done with them but
 * to close the child's copies of the descriptors; no connection is shut down by that.
 */
#include <stdio.h>
#include <unistd.h>

#include <kproducer/error.h>

#include "client/producer_impl.h"

#define EXIT_RETURNED 70 /* EX_SOFTWARE of sysexits.h */

/* What a child has freed: a leak that is wanted, and that a leak checker sees as such. The same object is not freed twice. */
static _Atomic(kp_left_behind *) left_behind;

static bool is_first_free(kp_left_behind *l)
{
	if (l->is_free)
		return false;
	l->is_free = true;
	l->next = atomic_load(&left_behind);
	while (!atomic_compare_exchange_weak(&left_behind, &l->next, l))
		;
	return true;
}

bool kp_topic_is_forked_slow(const kp_topic *t)
{
	return kp_is_forked(kp_topic_producer(t));
}

int kp_forked(char *err, size_t err_size)
{
	if (err)
		snprintf(err, err_size, "%s: %s", kp_error_name(KP_ERR_FORKED), kp_error_text(KP_ERR_FORKED));
	return KP_ERR_FORKED;
}

void kp_runtime_leave_behind(kp_runtime *r)
{
	if (is_first_free(&r->left_behind))
		kp_loop_abandon(r->loop);
}

void kp_producer_leave_behind(kp_producer *p)
{
	if (!is_first_free(&p->left_behind))
		return;
	for (int i = 0; i < KP_N_QUEUES; i++)
		if (p->queues[i].fd >= 0)
			close(p->queues[i].fd);
	if (p->owns_runtime)
		kp_runtime_leave_behind(p->runtime);
}

void kp_runtime_called_back(const kp_runtime *r)
{
	static const char words[] =
		"kproducer: a callback forked and returned in the child, which cannot go on; exec or _exit there\n";
	if (KP_LIKELY(!kp_fork_is_inherited(&r->generation)) || !kp_runtime_is_mine(r))
		return;
	ssize_t n = write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)n;
	_exit(EXIT_RETURNED);
}
