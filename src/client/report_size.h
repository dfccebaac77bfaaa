/*
 * report_size.h - a kp_report in the application's memory may be of an older header than the library, or of a newer one: struct_size says
 * how large it is there, and how far apart they stand in an array.
 */
#ifndef KP_CLIENT_REPORT_SIZE_H
#define KP_CLIENT_REPORT_SIZE_H

#include <stdbool.h>
#include <string.h>

#include <kproducer/kproducer.h>

#define KP_REPORT_SIZE_MOST 1024 /* beyond any report to come: what is larger was never set */

/* Whether struct_size was set to the size of some kp_report. */
static inline bool kp_report_has_size(const kp_report *r)
{
	size_t size = r->struct_size;
	return size >= sizeof(size) && size <= KP_REPORT_SIZE_MOST && size % _Alignof(kp_report) == 0;
}

/* Report i of an array whose first has its struct_size: as much of r as there is room for, zeros where we know of nothing. */
static inline void kp_report_put(kp_report *out, size_t i, const kp_report *r)
{
	size_t size = out->struct_size, known = size < sizeof(*r) ? size : sizeof(*r);
	char *at = (char *)out + i * size;
	memcpy(at, r, known);
	memset(at + known, 0, size - known);
	memcpy(at, &size, sizeof(size)); /* struct_size comes first */
}

/* The application's report with all the fields that we know: zeros where its header had none. */
static inline kp_report kp_report_whole(const kp_report *r)
{
	kp_report whole = {0};
	memcpy(&whole, r, r->struct_size < sizeof(whole) ? r->struct_size : sizeof(whole));
	whole.struct_size = sizeof(whole);
	return whole;
}

#endif
