/*
 * task.c - tasks: the wake-up from any thread, and the steps of one turn of the loop.
 *
 * A wake sets the task's flag; who sets it first pushes the task on the loop's stack; who pushes on an empty stack rings the bell
 * (kp_loop_ring). So a burst of wakes costs one atomic exchange each and a single system call. The loop's own thread never
 * rings: it looks at the stack before it sleeps.
 *
 *   waker:  post the item ─ flag 0→1 ─ push ─ (stack was empty) bell          flag was 1 ─ done
 *   loop:   take the stack ─ for each: flag 1→0, then step ─ the step sees every item posted before the flag was cleared
 */
#include "net/loop_impl.h"

#include <assert.h>

#include "base/mem.h"
#include "base/time.h"

kp_task *kp_task_new(kp_loop *l, kp_task_step *step, void *opaque)
{
	assert(kp_loop_is_mine(l));
	kp_task *t = kp_mem_calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->loop = l;
	t->step = step;
	t->opaque = opaque;
	t->deadline_us = KP_TIME_NEVER;
	kp_list_init(&t->link);
	atomic_init(&t->is_woken, false);
	l->n_tasks++;
	return t;
}

void kp_task_free(kp_task *t)
{
	if (!t)
		return;
	kp_loop *l = t->loop;
	assert(kp_loop_is_mine(l) && !t->is_dead);
	t->is_dead = true;
	kp_list_remove(&t->link);
	l->n_tasks--;
	/* relaxed: nobody wakes a task that is being freed. One that was woken is still in the stack and is buried when taken from it. */
	if (!atomic_load_explicit(&t->is_woken, memory_order_relaxed))
		kp_loop_bury(l, &t->grave, t);
}

bool kp_task_wake_silently(kp_task *t)
{
	kp_loop *l = t->loop;
	/*
	 * release: the loop's exchange that clears the flag reads this one (or a later one of its release sequence), so the step sees
	 * what was posted before the wake, also when the flag was already set: hence an exchange and not a load in front of it.
	 */
	if (atomic_exchange_explicit(&t->is_woken, true, memory_order_acq_rel))
		return false;
	kp_task *head = atomic_load_explicit(&l->woken, memory_order_relaxed); /* relaxed: the exchange below verifies it */
	do
		t->next_woken = head;
	while (!atomic_compare_exchange_weak_explicit(&l->woken, &head, t,
	                                              memory_order_release,   /* next_woken is seen by who takes the stack */
	                                              memory_order_relaxed)); /* a failure only reads a new head */
	return !head && !kp_loop_runs_here(l);
}

void kp_task_wake(kp_task *t)
{
	kp_loop *l = t->loop; /* the task may be gone once the loop was free to step it */
	if (kp_task_wake_silently(t))
		kp_loop_ring(l);
}

/* Take the whole stack, oldest wake first, into `run`. */
static void take_woken(kp_loop *l, kp_list *run)
{
	/* acquire: next_woken of each task is seen */
	kp_task *t = atomic_exchange_explicit(&l->woken, NULL, memory_order_acquire);
	while (t) {
		kp_task *next = t->next_woken; /* before the flag is cleared: then it is a waker's again */
		/* acquire: what was posted before the wake is seen by the step; release: see kp_task_wake */
		atomic_exchange_explicit(&t->is_woken, false, memory_order_acq_rel);
		if (t->is_dead) {
			kp_loop_bury(l, &t->grave, t);
		} else {
			kp_list_remove(&t->link);
			kp_list_push_front(run, &t->link);
		}
		t = next;
	}
}

static void take_due(kp_loop *l, kp_list *run, int64_t now_us)
{
	kp_list *next;
	for (kp_list *n = l->armed.next; n != &l->armed; n = next) {
		next = n->next;
		if (KP_CONTAINER_OF(n, kp_task, link)->deadline_us <= now_us) {
			kp_list_remove(n);
			kp_list_push_back(run, n);
		}
	}
}

static int64_t earliest_deadline(const kp_loop *l)
{
	int64_t earliest = KP_TIME_NEVER;
	for (const kp_list *n = l->armed.next; n != &l->armed; n = n->next) {
		const kp_task *t = KP_CONTAINER_OF(n, kp_task, link);
		if (t->deadline_us < earliest)
			earliest = t->deadline_us;
	}
	return earliest;
}

int64_t kp_tasks_run(kp_loop *l)
{
	kp_list run;
	kp_list_init(&run);
	take_woken(l, &run);
	int64_t now_us = kp_time_mono_us();
	take_due(l, &run, now_us);
	/* One step each and no more: what a step wakes waits for the next turn, so that tasks cannot keep the loop from its sockets. */
	for (kp_list *n; (n = kp_list_pop_front(&run));) {
		kp_task *t = KP_CONTAINER_OF(n, kp_task, link);
		now_us = kp_time_mono_us();
		int64_t deadline_us = t->step(t->opaque, now_us);
		if (t->is_dead) /* freed in its own step; the memory lasts until the end of the turn */
			continue;
		t->deadline_us = deadline_us;
		if (deadline_us != KP_TIME_NEVER)
			kp_list_push_back(&l->armed, &t->link);
	}
	/* relaxed: a push by another thread rings, so only this thread's own, which it sees in any case, must be noticed here */
	if (atomic_load_explicit(&l->woken, memory_order_relaxed))
		return 0;
	int64_t earliest_us = earliest_deadline(l);
	return earliest_us <= now_us ? 0 : earliest_us;
}

void kp_tasks_drop(kp_loop *l)
{
	kp_list run;
	kp_list_init(&run);
	take_woken(l, &run);
	assert(kp_list_empty(&run) && l->n_tasks == 0);
}
