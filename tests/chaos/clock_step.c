/*
 * clock_step.c - LD_PRELOAD: the wall clock of one process, off by the seconds that the file $CLOCK_STEP holds at that moment (int64_t, as in
 * memory); whatever is monotonic stays as it is.
 *
 * Not libfaketime: 0.9.10 shifts the deadlines of every timerfd by the step, and ends each wait on a condition with CLOCK_MONOTONIC at
 * once. A deadline of the wall clock is shifted back here, since the kernel's clock has not stepped; one that waits during a step does not see it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define GLIBC_COND_IS_MONOTONIC 2 /* of __wrefs: pthread_cond_timedwait does not say which clock its deadline is of */

static _Atomic int64_t no_step;
static _Atomic int64_t *step = &no_step; /* seconds */

__attribute__((constructor)) static void init(void)
{
	const char *path = getenv("CLOCK_STEP");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*step), PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		fprintf(stderr, "clock_step: cannot map %s ($CLOCK_STEP)\n", path ? path : "(unset)");
		exit(1);
	}
	close(fd);
	step = map;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, t);
	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		t->tv_sec += atomic_load(step);
	return rc;
}

int timespec_get(struct timespec *t, int base)
{
	return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, t) == 0 ? base : 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec t;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	*tv = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *out)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
	struct timespec at = *until;
	if (cond->__data.__wrefs & GLIBC_COND_IS_MONOTONIC)
		return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &at);
	at.tv_sec -= atomic_load(step);
	return pthread_cond_clockwait(cond, mutex, CLOCK_REALTIME, &at);
}
