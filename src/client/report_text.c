/*
 * report_text.c - a report as one line for people: what happened, what stood in the way, where the time went, what to do.
 *
 *   NOT_PERSISTED DELIVERY_TIMEOUT (node 1 (kafka1:9092) cannot be reached: Connection refused; it was waiting to be sent; partition 3 of
 *   events; last error CONNECT; age 30.002 s: no metadata 0.000, no leader 0.000, queued 30.002, in flight 0.000): <advice>
 */
#include <kproducer/error.h>
#include <kproducer/kproducer.h>

#include "client/config_value.h"
#include "client/report_size.h"

static const char *outcome_name(const kp_report *r)
{
	if (r->outcome == KP_PERSISTED)
		return "PERSISTED";
	if (r->outcome == KP_NOT_PERSISTED)
		return "NOT_PERSISTED";
	return r->error ? "UNKNOWN" : "UNACKNOWLEDGED";
}

static const char *stage_text(kp_stage stage)
{
	switch (stage) {
	case KP_STAGE_NO_METADATA: return "the topic's partitions were not known";
	case KP_STAGE_NO_LEADER: return "the partition had no leader";
	case KP_STAGE_QUEUED: return "it was waiting to be sent";
	case KP_STAGE_IN_FLIGHT: return "it was sent, the answer did not come";
	default: return "it was answered";
	}
}

static double seconds(int64_t us)
{
	return (double)us / 1e6;
}

static void add_place(kp_text *t, const kp_report *r)
{
	if (r->partition >= 0)
		kp_text_add(t, "; partition %d of", r->partition);
	if (r->topic)
		kp_text_add(t, "%s %s", r->partition >= 0 ? "" : "; topic", r->topic);
	if (r->outcome == KP_PERSISTED && r->offset >= 0)
		kp_text_add(t, "; offset %lld", (long long)r->offset);
	if (r->attempts > 0)
		kp_text_add(t, "; %d attempt%s, last at node %d", r->attempts, r->attempts == 1 ? "" : "s", r->node_id);
	if (r->last_error && r->last_error != r->error)
		kp_text_add(t, "; last error %s", kp_error_name(r->last_error));
}

static void add_times(kp_text *t, const kp_report *r)
{
	int64_t age_us = r->no_metadata_us + r->no_leader_us + r->queued_us + r->in_flight_us;
	if (age_us > 0)
		kp_text_add(t, "; age %.3f s: no metadata %.3f, no leader %.3f, queued %.3f, in flight %.3f", seconds(age_us),
		            seconds(r->no_metadata_us), seconds(r->no_leader_us), seconds(r->queued_us), seconds(r->in_flight_us));
}

/* The text of a time-out alone says nothing: what stood in the way does. */
static const char *reason(const kp_report *r)
{
	if (r->message && *r->message)
		return r->message;
	return r->cause && *r->cause ? r->cause : kp_error_text(r->error);
}

size_t kp_report_text(const kp_report *report, char *buf, size_t size)
{
	const kp_report whole = kp_report_whole(report), *r = &whole;
	/* of a time-out, what to do about its cause */
	int cause = r->error == KP_ERR_DELIVERY_TIMEOUT && r->last_error ? r->last_error : r->error;
	kp_text t;
	kp_text_init(&t, buf, size);
	kp_text_add(&t, "%s", outcome_name(r));
	if (r->error)
		kp_text_add(&t, " %s (%s; %s", kp_error_name(r->error), reason(r), stage_text(r->stage));
	else
		kp_text_add(&t, " (%s", stage_text(r->stage));
	add_place(&t, r);
	add_times(&t, r);
	kp_text_add(&t, r->error ? "): %s" : ")", kp_error_advice(cause));
	return t.len;
}
