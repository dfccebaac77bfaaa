/*
 * timed.c - runs a program and tells what it used, from outside and for every program alike.
 *
 *   timed [--timer-slack NS] FILE COMMAND [ARGUMENT]...
 *
 * FILE gets one JSON object: exit (128 + signal when one ended it), user_s and sys_s (CPU, all threads), max_rss_kib, wall_s,
 * max_threads (the most that were seen, looking every 50 ms). Timers of all its threads are late by at most NS: the 50,000 ns of the
 * kernel would be in every latency. This is a program of its own, and a small one, because the kernel counts the memory of who starts a program into its peak: started by
 * the driver, everything that is measured would have the size of a Python interpreter. Stopped by SIGTERM, it kills the program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static long count_threads(pid_t pid)
{
	char path[64], line[256];
	long n = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	while (f && !n && fgets(line, sizeof(line), f))
		sscanf(line, "Threads: %ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* Until the child is gone; the most threads that it was seen with, -1: wait4 failed. */
static long wait_for(pid_t child, const sigset_t *sigchld, int *status, struct rusage *used)
{
	static const struct timespec interval = {.tv_nsec = 50000000};
	long most = 1;
	for (;;) {
		pid_t pid = wait4(child, status, WNOHANG, used);
		if (pid)
			return pid == child ? most : -1;
		if (sigtimedwait(sigchld, NULL, &interval) < 0) {
			long n = count_threads(child);
			most = n > most ? n : most;
		}
	}
}

static pid_t start(char **command, const char *timer_slack_ns, const sigset_t *sigchld)
{
	pid_t child = fork();
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (timer_slack_ns)
		prctl(PR_SET_TIMERSLACK, strtoul(timer_slack_ns, NULL, 10)); /* goes over to all threads, and past execve */
	sigprocmask(SIG_UNBLOCK, sigchld, NULL);
	execvp(command[0], command);
	fprintf(stderr, "timed: %s: %s\n", command[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	struct rusage used;
	sigset_t sigchld;
	int status;
	const char *timer_slack_ns = argc > 2 && !strcmp(argv[1], "--timer-slack") ? argv[2] : NULL;
	char **left = argv + (timer_slack_ns ? 3 : 1);
	if (left + 2 > argv + argc) {
		fprintf(stderr, "usage: timed [--timer-slack NS] FILE COMMAND [ARGUMENT]...\n");
		return 2;
	}
	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &sigchld, NULL);
	double begin = now();
	pid_t child = start(left + 1, timer_slack_ns, &sigchld);
	long max_threads = child < 0 ? -1 : wait_for(child, &sigchld, &status, &used);
	if (max_threads < 0) {
		perror("timed");
		return 1;
	}
	double wall = now() - begin;
	int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	FILE *f = fopen(left[0], "w");
	if (!f ||
	    fprintf(f,
	            "{\"exit\": %d, \"user_s\": %.6f, \"sys_s\": %.6f, \"max_rss_kib\": %ld, \"wall_s\": %.6f, \"max_threads\": %ld}\n",
	            code, seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss, wall, max_threads) < 0 ||
	    fclose(f)) {
		fprintf(stderr, "timed: %s: %s\n", left[0], strerror(errno));
		return 1;
	}
	return code;
}
