/*
 * signals.c - see signals.h. The handler counts and makes an eventfd readable that nobody drains, so every later wait ends at once.
 */
#include "cli/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/talk.h"

/* Relaxed is enough everywhere: the values stand for themselves, no other memory is published through them. */
static atomic_int n_signals, first_signal;
static int wake_fd = -1;
static void (*stop_hook)(void *);
static void *stop_hook_opaque;

static void handle(int signal_number)
{
	int saved_errno = errno;
	uint64_t one = 1;
	int none = 0, count = atomic_fetch_add_explicit(&n_signals, 1, memory_order_relaxed) + 1;
	atomic_compare_exchange_strong_explicit(&first_signal, &none, signal_number, memory_order_relaxed, memory_order_relaxed);
	if (count > 2)
		_exit(128 + signal_number);
	if (write(wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		_exit(128 + signal_number);
	if (stop_hook)
		stop_hook(stop_hook_opaque);
	errno = saved_errno;
}

int cli_signals_init(void)
{
	struct sigaction action, old;
	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0) {
		cli_error("cannot create an eventfd: %s", strerror(errno));
		return CLI_FAILED;
	}
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL); /* a limit on files is an error of the write too */
	action.sa_handler = handle;
	sigaction(SIGTERM, &action, NULL);
	/* A shell starts background jobs with SIGINT ignored, so that Ctrl-C ends the foreground alone: leave it so. */
	sigaction(SIGINT, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
	return CLI_GO_ON;
}

void cli_signals_default(void)
{
	signal(SIGTERM, SIG_DFL);
	struct sigaction old;
	sigaction(SIGINT, NULL, &old);
	if (old.sa_handler != SIG_IGN)
		signal(SIGINT, SIG_DFL);
}

int cli_stop_count(void)
{
	return atomic_load_explicit(&n_signals, memory_order_relaxed);
}

int cli_stop_signal(void)
{
	return atomic_load_explicit(&first_signal, memory_order_relaxed);
}

const char *cli_stop_signal_name(void)
{
	return cli_stop_signal() == SIGTERM ? "SIGTERM" : "SIGINT";
}

void cli_on_stop(void (*hook)(void *opaque), void *opaque)
{
	sigset_t stops, old;
	sigemptyset(&stops);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stops, &old);
	stop_hook_opaque = opaque;
	stop_hook = hook;
	if (cli_stop_count() && hook)
		hook(opaque);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

cli_wait_result cli_wait_readable(int fd, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = wake_fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	int n = poll(fds, 2, timeout_ms);
	if (cli_stop_count())
		return CLI_WAIT_STOPPED;
	/* An interrupted or failed wait is "ready": the read that follows tells more. */
	return n == 0 ? CLI_WAIT_TIMEOUT : CLI_WAIT_READY;
}
