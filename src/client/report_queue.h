/*
 * report_queue.h - reports for those who poll: ended batches wait in a queue, an eventfd says when there are some.
 *
 * A producer has two, each on if it was asked for: of all reports (kp_reports_poll), and of failures (kp_failures_poll). A batch may
 * stand in both, and keeps its memory until each is through with it.
 */
#ifndef KP_CLIENT_REPORT_QUEUE_H
#define KP_CLIENT_REPORT_QUEUE_H

#include "client/filler.h"

typedef struct kp_report_queue {
	int which;       /* KP_QUEUE_REPORTS or KP_QUEUE_FAILURES: the batches' place */
	bool is_on;      /* constant */
	int fd;          /* eventfd; -1 when it is off */
	kp_list batches; /* guarded by the producer's mutex, as all up to fd_is_set */
	uint64_t n;      /* reports to be had */
	bool fd_is_set;
	kp_filler polled; /* what the last poll pointed into; the polling thread's */
} kp_report_queue;

/* One that is on has a descriptor afterwards, or could not be made. kp_report_queue_deinit in every case. */
void kp_report_queue_init(kp_report_queue *q, int which, bool is_on);
/* Batches must be gone: kp_report_queue_clear. */
void kp_report_queue_deinit(kp_report_queue *q);
/* Loop. Takes the caller's reference to the batch. */
void kp_report_queue_push(kp_producer *p, kp_report_queue *q, kp_batch *b);
/* Whether the application's first report says how large it is; says in the log that it does not. */
bool kp_report_room_is_good(kp_producer *p, const char *call, const kp_report *out);
/* After the close: what nobody polled goes. */
void kp_report_queue_clear(kp_producer *p, kp_report_queue *q);

#endif
