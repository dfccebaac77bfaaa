/*
 * slice.h - bytes that belong to somebody else.
 */
#ifndef KP_CLI_SLICE_H
#define KP_CLI_SLICE_H

#include <stddef.h>

typedef struct cli_slice {
	const char *ptr;
	size_t len;
} cli_slice;

#endif
