#include "client/admin.h"

#include <stdio.h>

#include <kproducer/error.h>

#include "base/mem.h"
#include "base/time.h"
#include "wire/reader.h"

#define ANSWER_MAX (256u << 20)
#define GRACE_MS 200 /* the loop ends the call at its deadline and says why: wait that long for the words */

typedef struct admin_job {
	kp_job job;
	kp_call call;
	kp_admin what;
	void *request, *result;
	void (*free_result)(void *result);
	bool is_over, has_result;
	int64_t most_ms; /* to give the broker */
	char text[KP_ADMIN_TEXT];
} admin_job;

static const void *build(kp_call *call, int version, kp_arena *arena)
{
	admin_job *j = call->opaque;
	int64_t left_ms = (call->deadline_us - kp_time_mono_us()) / 1000;
	/* the broker shall answer, if only that time is over, before the connection is given up */
	if (left_ms > j->most_ms)
		left_ms = j->most_ms;
	int32_t timeout_ms = left_ms > INT32_MAX ? INT32_MAX : left_ms < 1 ? 1 : (int32_t)left_ms;
	return j->what.build(j->request, version, timeout_ms, arena);
}

static int decode_and_take(admin_job *j, int version, kp_slice body)
{
	const kp_wire_message *m = kp_wire_find(j->what.api_key, true);
	kp_arena arena;
	kp_arena_init(&arena, ANSWER_MAX);
	void *answer = kp_arena_alloc(&arena, m->root->size);
	int err = answer ? kp_wire_read(m, version, body, &arena, answer, NULL) : KP_ERR_NO_MEMORY;
	if (!err) {
		err = j->what.take(j->result, answer, version, j->text);
		j->has_result = true;
	}
	kp_arena_deinit(&arena);
	return err;
}

/* The answer said "later", and there is time. */
static bool is_worth_another_try(const admin_job *j, int error)
{
	return error == KP_ERR_NOT_CONTROLLER || error == KP_ERR_REQUEST_TIMED_OUT || error == KP_ERR_COORDINATOR_NOT_AVAILABLE ||
	       (error == KP_ERR_LEADER_NOT_AVAILABLE && j->what.api_key == KP_API_METADATA);
}

static bool done(kp_call *call, int error, const char *text, int version, kp_slice body)
{
	admin_job *j = call->opaque;
	if (!error) {
		error = decode_and_take(j, version, body);
		if (is_worth_another_try(j, error) && kp_time_mono_us() < call->deadline_us) {
			if (j->has_result && j->free_result)
				j->free_result(j->result);
			j->has_result = false;
			return true;
		}
	} else if (text) {
		snprintf(j->text, sizeof(j->text), "%s", text);
	}
	j->job.result = error;
	j->is_over = true;
	return false;
}

static bool turn(kp_producer *p, kp_job *job, int64_t now_us, bool is_abandoned)
{
	admin_job *j = KP_CONTAINER_OF(job, admin_job, job);
	(void)now_us, (void)is_abandoned; /* abandoned or not: the call ends by its own deadline */
	if (!job->is_started) {
		job->is_started = true;
		kp_engine_call(p->engine, &j->call);
	}
	return j->is_over;
}

static void job_free(kp_job *job)
{
	admin_job *j = KP_CONTAINER_OF(job, admin_job, job);
	if (j->has_result && j->free_result)
		j->free_result(j->result);
	kp_mem_free(j->request);
	kp_mem_free(j->result);
	kp_mem_free(j);
}

static admin_job *job_new(const kp_admin *a, void (*free_result)(void *result), int64_t deadline_us)
{
	admin_job *j = kp_mem_calloc(1, sizeof(*j));
	if (!j)
		return NULL;
	j->what = *a;
	j->free_result = free_result;
	j->request = kp_mem_alloc(a->request_size + 1);
	j->result = kp_mem_calloc(1, a->result_size + 1);
	j->job = (kp_job){.turn = turn, .free = job_free};
	if (!j->request || !j->result) {
		job_free(&j->job);
		return NULL;
	}
	memcpy(j->request, a->request, a->request_size);
	j->call = (kp_call){.api_key = a->api_key,
	                    .min_version = a->min_version,
	                    .max_version = a->max_version,
	                    .to_controller = a->to_controller,
	                    .deadline_us = deadline_us,
	                    .build = build,
	                    .done = done,
	                    .opaque = j};
	return j;
}

static int fail(int error, const char *text, char *err, size_t err_size)
{
	if (err)
		snprintf(err, err_size, "%s: %s", kp_error_name(error), text && text[0] ? text : kp_error_text(error));
	return error;
}

/* Like kp_job_wait, but the words and the result are taken over before the job goes. */
static int wait_and_take(kp_producer *p, admin_job *j, void *result, int timeout_ms, char *err, size_t err_size)
{
	int wait_ms = timeout_ms < 0 ? timeout_ms : timeout_ms + GRACE_MS;
	char text[KP_ADMIN_TEXT];
	if (!kp_job_wait_keep(p, &j->job, wait_ms))
		return fail(KP_ERR_TIMED_OUT, NULL, err, err_size);
	int error = j->job.result;
	if (j->has_result && result)
		memcpy(result, j->result, j->what.result_size);
	j->has_result = false;
	snprintf(text, sizeof(text), "%s", j->text);
	job_free(&j->job);
	return error ? fail(error, text, err, err_size) : KP_OK;
}

int kp_admin_run(kp_producer *p, const kp_admin *a, void *result, void (*free_result)(void *result), int timeout_ms, char *err,
                 size_t err_size)
{
	int error = kp_producer_may_block(p);
	if (error)
		return fail(error, NULL, err, err_size);
	admin_job *j = job_new(a, free_result, kp_deadline_us(kp_time_mono_us(), timeout_ms));
	if (!j)
		return fail(KP_ERR_NO_MEMORY, NULL, err, err_size);
	j->most_ms = p->settings.engine.request_timeout_us / 1000 * 9 / 10;
	kp_job_post(p, &j->job);
	return wait_and_take(p, j, result, timeout_ms, err, err_size);
}
