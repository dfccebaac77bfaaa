/*
 * stale.c - nodes that lag behind: their Metadata answers are those that were given to the same question some time ago.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/sim/sim.h"
#include "wire/messages.h"

#define CORRELATION_AT 4 /* in a request, behind key and version */
#define QUESTION_AT 8
#define ANSWER_AT 8 /* in an answer, behind length and correlation id */

/* A question: the request without its correlation id. In `asked` it waits for its answer, in `views` it has one. */
typedef struct view {
	kp_list link;
	uint64_t conn; /* asked: by whom */
	int32_t correlation_id;
	bool is_stale; /* asked: of a node that lags */
	kp_buf question, answer;
} view;

static void view_free(view *v)
{
	kp_list_remove(&v->link);
	kp_buf_deinit(&v->question);
	kp_buf_deinit(&v->answer);
	free(v);
}

static void keep(kp_buf *out, const uint8_t *ptr, size_t len)
{
	kp_buf_clear(out);
	kp_buf_append(out, ptr, len);
	if (out->failed)
		sim_alloc(NULL, SIZE_MAX);
}

void sim_stale_asked(sim_world *w, const sim_conn *c, kp_slice frame)
{
	if (frame.len < QUESTION_AT || (int16_t)kp_load_be16(frame.ptr) != KP_API_METADATA)
		return;
	view *v = sim_alloc(NULL, sizeof(*v));
	*v = (view){.conn = c->serial,
	            .correlation_id = (int32_t)kp_load_be32(frame.ptr + CORRELATION_AT),
	            .is_stale = w->now_us < w->nodes[c->node].stale_until_us};
	kp_list_init(&v->link);
	kp_buf_init(&v->question, 0);
	kp_buf_init(&v->answer, 0);
	keep(&v->question, frame.ptr, CORRELATION_AT);
	kp_buf_append(&v->question, frame.ptr + QUESTION_AT, frame.len - QUESTION_AT);
	kp_list_push_back(&w->asked, &v->link);
}

static view *take_asked(sim_world *w, const kp_db_answer *a)
{
	for (kp_list *n = w->asked.next; n != &w->asked; n = n->next) {
		view *v = KP_CONTAINER_OF(n, view, link);
		if (v->conn != a->conn || v->correlation_id != a->correlation_id)
			continue;
		kp_list_remove(n);
		return v;
	}
	return NULL;
}

static view *find_view(sim_world *w, const view *like)
{
	for (kp_list *n = w->views.next; n != &w->views; n = n->next) {
		view *v = KP_CONTAINER_OF(n, view, link);
		if (kp_slice_equal(kp_buf_slice(&v->question), kp_buf_slice(&like->question)))
			return v;
	}
	return NULL;
}

static void use_old(sim_world *w, const view *old, kp_db_answer *a)
{
	uint8_t head[ANSWER_AT];
	SIM_TRACE(w, "Metadata answer %d is an old one", a->correlation_id);
	memcpy(head, a->bytes.data, sizeof(head));
	kp_store_be32(head, (uint32_t)(ANSWER_AT - 4 + old->answer.len));
	keep(&a->bytes, head, sizeof(head));
	kp_buf_append(&a->bytes, old->answer.data, old->answer.len);
	w->totals->faults[SIM_STALE_METADATA]++;
}

void sim_stale_answered(sim_world *w, kp_db_answer *a)
{
	view *asked = a->api_key == KP_API_METADATA && !a->is_close && a->bytes.len > ANSWER_AT ? take_asked(w, a) : NULL;
	if (!asked)
		return;
	view *old = find_view(w, asked);
	if (asked->is_stale && old && !w->is_calm) {
		use_old(w, old, a);
	} else if (!old) {
		keep(&asked->answer, a->bytes.data + ANSWER_AT, a->bytes.len - ANSWER_AT);
		kp_list_push_back(&w->views, &asked->link);
		return;
	} else if (sim_chance(&w->fate, 30)) {
		keep(&old->answer, a->bytes.data + ANSWER_AT, a->bytes.len - ANSWER_AT);
	}
	view_free(asked);
}

void sim_stale_free(sim_world *w)
{
	kp_list *n;
	while ((n = kp_list_pop_front(&w->asked)) || (n = kp_list_pop_front(&w->views)))
		view_free(KP_CONTAINER_OF(n, view, link));
}
