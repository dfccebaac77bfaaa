/*
 * resend.h - one failed record on its way through a resender: a copy of it, as it is sent and as it is reported in the end.
 */
#ifndef KP_CLIENT_RESEND_H
#define KP_CLIENT_RESEND_H

#include "base/list.h"
#include "client/producer_impl.h"

#define KP_RESEND_COUNT_SIZE 8 /* of a count's text: up to 1000 */

/* In one piece of memory with all that it points to but the words of its last end. */
typedef struct kp_resend {
	/* the resender's */
	kp_group group;
	kp_list link;
	kp_resender *resender;
	kp_topic *topic;
	int64_t due_us;
	int n_sent;
	/* the record's own */
	kp_record record;      /* as it is sent: with the count */
	kp_report report;      /* its last end; content and headers as they were offered */
	char *message, *cause; /* of its last end, or NULL */
	kp_header *count;      /* among the record's headers, or NULL */
	char count_text[KP_RESEND_COUNT_SIZE];
	size_t bytes;
	bool is_doubtful; /* some attempt ended unknown */
} kp_resend;

/* What a copy takes. count_header: the name of the header that tells how often it was sent again, or NULL. */
size_t kp_resend_size(const kp_report *from, const char *count_header);
/* `bytes` as kp_resend_size says. NULL: memory is out. */
KP_MUST_USE kp_resend *kp_resend_new(const kp_report *from, size_t bytes, const char *count_header);
void kp_resend_free(kp_resend *e);
/* n_sent into the count's header, if there is one. */
void kp_resend_count(kp_resend *e);
/* One more attempt ended: its report, with the attempts and times of those before. */
void kp_resend_add_end(kp_resend *e, const kp_report *r);
/* What was said at the last end, into the report. Without memory the report goes without it, as those of the engine do. */
void kp_resend_keep_words(kp_resend *e, const kp_report *last);

#endif
