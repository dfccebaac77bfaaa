/*
 * os_error.c - see os_error.h.
 */
#include "base/os_error.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/compiler.h"

const char *kp_os_error_text(int number)
{
	static KP_THREAD_LOCAL char text[96];
	struct rlimit limit;
	if (number == ENFILE)
		return "the system's descriptor limit is reached: raise fs.file-max";
	/* strerror keeps its text per thread (glibc from 2.32 on, musl); strerror_r is two different functions. */
	if (number != EMFILE || getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return strerror(number);
	snprintf(text, sizeof(text), "the descriptor limit of %llu is reached: raise ulimit -n",
	         (unsigned long long)limit.rlim_cur);
	return text;
}
