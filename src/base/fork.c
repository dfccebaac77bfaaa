#include "base/fork.h"

#include <pthread.h>

#include <kproducer/error.h>

_Atomic uint32_t kp_fork_generation_now;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int status;

/* The child's only thread. No lock and no memory: this may run between fork and exec. */
static void in_child(void)
{
	atomic_store_explicit(&kp_fork_generation_now, kp_fork_generation() + 1, memory_order_relaxed);
}

static void watch(void)
{
	status = pthread_atfork(NULL, NULL, in_child) ? KP_ERR_NO_MEMORY : KP_OK;
}

int kp_fork_watch(void)
{
	pthread_once(&once, watch);
	return status;
}
