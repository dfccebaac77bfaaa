/* test_lock.c - mutual exclusion and no lost wake-up; run it under ThreadSanitizer too. */
#include "base/lock.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#define N_THREADS 8
#define N_ROUNDS 50000

typedef struct counter {
	kp_lock lock;
	uint64_t n; /* plain on purpose: only the lock protects it */
	int holders;
} counter;

static void *count(void *opaque)
{
	counter *c = opaque;
	for (int i = 0; i < N_ROUNDS; i++) {
		kp_lock_acquire(&c->lock);
		c->holders++;
		c->n += (uint64_t)c->holders; /* two holders at once would add too much */
		c->holders--;
		kp_lock_release(&c->lock);
	}
	return NULL;
}

static void lock_lets_one_thread_in_at_a_time(void **state)
{
	(void)state;
	pthread_t threads[N_THREADS];
	counter c = {.n = 0};
	kp_lock_init(&c.lock);
	for (int i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, &c), 0);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(c.n, (uint64_t)N_THREADS * N_ROUNDS);
	assert_int_equal(c.lock.is_held, 0);
}

/* The lock goes from hand to hand between sleepers: a lost wake-up would hang the test (the alarm ends it). */
static void *hand_over(void *opaque)
{
	counter *c = opaque;
	for (int i = 0; i < 300; i++) {
		kp_lock_acquire(&c->lock);
		nanosleep(&(struct timespec){0, 20000}, NULL); /* so that the others fall asleep */
		c->n++;
		kp_lock_release(&c->lock);
	}
	return NULL;
}

static void lock_wakes_every_sleeper(void **state)
{
	(void)state;
	pthread_t threads[4];
	counter c = {.n = 0};
	kp_lock_init(&c.lock);
	alarm(60);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hand_over, &c), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	alarm(0);
	assert_int_equal(c.n, 4 * 300);
}

static int without_membarrier(void **state)
{
	(void)state;
	kp_lock_needs_barrier = true;
	return 0;
}

static void lock_needs_no_barrier_of_its_own_where_the_kernel_has_one(void **state)
{
	(void)state;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) & MEMBARRIER_CMD_PRIVATE_EXPEDITED)
		assert_false(kp_lock_needs_barrier);
}

/* From here on the process may not call membarrier, as one that goes into a sandbox. */
static bool forbid_membarrier(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {KP_ARRAY_LEN(steps), steps};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void lock_wakes_every_sleeper_in_a_sandbox(void **state)
{
	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		pthread_t threads[4];
		counter c = {.n = 0};
		kp_lock_init(&c.lock);
		alarm(60);
		bool is_ready = forbid_membarrier();
		for (int i = 0; i < 4; i++)
			is_ready = is_ready && pthread_create(&threads[i], NULL, hand_over, &c) == 0;
		for (int i = 0; i < 4 && is_ready; i++)
			pthread_join(threads[i], NULL);
		_exit(is_ready && c.n == 4 * 300 ? 0 : 1);
	}
	(void)state;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_lets_one_thread_in_at_a_time),
		cmocka_unit_test(lock_wakes_every_sleeper),
		cmocka_unit_test(lock_needs_no_barrier_of_its_own_where_the_kernel_has_one),
		cmocka_unit_test(lock_wakes_every_sleeper_in_a_sandbox),
		cmocka_unit_test_setup(lock_lets_one_thread_in_at_a_time, without_membarrier),
		cmocka_unit_test_setup(lock_wakes_every_sleeper, without_membarrier),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
