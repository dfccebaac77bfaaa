/*
 * os_error.h - what the system says went wrong, in words that name the limit and the remedy where a limit was reached.
 */
#ifndef KP_BASE_OS_ERROR_H
#define KP_BASE_OS_ERROR_H

#include <errno.h>
#include <stdbool.h>

/* This process or this machine has no descriptor left. */
static inline bool kp_os_is_out_of_descriptors(int number)
{
	return number == EMFILE || number == ENFILE;
}

/* strerror for people; the text is the calling thread's, until its next call. */
const char *kp_os_error_text(int number);

#endif
