/*
 * trail.h - a failed record's trail as members of a JSON object, for --failed and --report.
 *
 *   "stage":"QUEUED","last_error":"CONNECT","node":1,"no_metadata_us":0,"no_leader_us":0,"queued_us":30002113,"in_flight_us":0,"cause":"..."
 */
#ifndef KP_CLI_TRAIL_H
#define KP_CLI_TRAIL_H

#include <stddef.h>

#include <kproducer/kproducer.h>

#define CLI_TRAIL_FIGURES 384   /* bytes of everything but the cause, at most */
#define CLI_TRAIL_CAUSE_MAX 512 /* of the cause: bytes that are shown */
#define CLI_TRAIL_MAX (CLI_TRAIL_FIGURES + 6 * CLI_TRAIL_CAUSE_MAX + 16)

/* Returns the end of what it wrote: up to CLI_TRAIL_MAX bytes, not terminated. */
char *cli_trail_put(const kp_report *r, char *out);

#endif
