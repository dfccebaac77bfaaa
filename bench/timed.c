/*
 * timed.c - runs a program and tells what it used, from outside and for every program alike.
 *
 *   timed FILE COMMAND [ARGUMENT]...
 *
 * FILE gets one JSON object: exit (128 + signal when one ended it), user_s and sys_s (CPU, all threads), max_rss_kib, wall_s. This
 * is a program of its own, and a small one, because the kernel counts the memory of who starts a program into its peak: started by
 * the driver, everything that is measured would have the size of a Python interpreter. Stopped by SIGTERM, it kills the program.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
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

int main(int argc, char **argv)
{
	struct rusage used;
	int status;
	if (argc < 3) {
		fprintf(stderr, "usage: timed FILE COMMAND [ARGUMENT]...\n");
		return 2;
	}
	double begin = now();
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[2], argv + 2);
		fprintf(stderr, "timed: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &used) != child) {
		perror("timed");
		return 1;
	}
	double wall = now() - begin;
	int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	FILE *f = fopen(argv[1], "w");
	if (!f ||
	    fprintf(f, "{\"exit\": %d, \"user_s\": %.6f, \"sys_s\": %.6f, \"max_rss_kib\": %ld, \"wall_s\": %.6f}\n", code,
	            seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss, wall) < 0 ||
	    fclose(f)) {
		fprintf(stderr, "timed: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	return code;
}
