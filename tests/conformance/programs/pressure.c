/*
 * pressure SERVERS TOPIC PID POLICY: threads fill the buffer while the broker (PID) is stopped, and go on when it runs again. Every figure is
 * exact: counters, reports, refusals. Prints one line per record: its value and what became of it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "check.h"

enum { THREADS = 4, EACH = 1500 };
enum { NEVER_TAKEN, TAKEN, IN_LOG, DROPPED };

static char fates[THREADS * EACH]; /* of a record; its sender writes it before, reports after the call began */
static _Atomic int n_persisted, n_dropped, n_others, n_refused, n_tried;
static kp_topic *topic;

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	(void)producer, (void)opaque;
	for (size_t i = 0; i < n; i++) {
		const kp_report *r = kp_report_at(reports, i);
		char *fate = r->opaque;
		CHECK(*fate == TAKEN); /* one report each */
		if (r->outcome == KP_PERSISTED)
			*fate = IN_LOG, n_persisted++;
		else if (r->outcome == KP_NOT_PERSISTED && r->error == KP_ERR_QUEUE_EVICTED)
			*fate = DROPPED, n_dropped++;
		else
			n_others++;
	}
}

static void *send_all(void *opaque)
{
	char value[200];
	for (int first = *(int *)opaque, i = first; i < first + EACH; i++, n_tried++) {
		kp_record record = KP_RECORD_INIT;
		memset(value, '.', sizeof(value));
		value[snprintf(value, sizeof(value), "%d", i)] = '.';
		record.value = value;
		record.value_len = sizeof(value);
		record.opaque = &fates[i];
		fates[i] = TAKEN;
		int error = kp_send(topic, &record);
		if (!error)
			continue;
		CHECK(error == KP_ERR_QUEUE_FULL);
		CHECK(fates[i] == TAKEN); /* what was refused has no report */
		fates[i] = NEVER_TAKEN;
		n_refused++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	int firsts[THREADS];
	CHECK(argc == 5);
	pid_t broker = (pid_t)strtol(argv[3], NULL, 10);
	int is_block = !strcmp(argv[4], "block"), is_refuse = !strcmp(argv[4], "refuse");
	kp_config *config = config_for(argv[1], (const char *[]){"queue.full.policy", argv[4], "buffer.memory", "200000",
	                                                         "batch.size", "10000", "log_level", "0", NULL});
	kp_config_set_report_cb(config, on_reports, NULL);
	kp_producer *producer = producer_for(config, NULL);
	topic = kp_topic_open(producer, argv[2]);
	kill(broker, SIGSTOP);
	for (int i = 0; i < THREADS; i++) {
		firsts[i] = i * EACH;
		CHECK(!pthread_create(&threads[i], NULL, send_all, &firsts[i]));
	}
	/* full: those who block stand still, the others are through */
	struct timespec tick = {0, 1000000};
	long long until = now_ms() + 30000;
	while (now_ms() < until && (is_block ? counters_of(producer).queued_bytes < 100000 : n_tried < THREADS * EACH))
		nanosleep(&tick, NULL);
	CHECK(now_ms() < until);
	kill(broker, SIGCONT);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_OK(kp_close(producer, 60000, NULL));
	kp_counters c = counters_of(producer);
	CHECK(c.accepted == c.persisted + c.not_persisted + c.unknown);
	CHECK(c.accepted == (uint64_t)(THREADS * EACH - n_refused));
	CHECK(c.persisted == (uint64_t)n_persisted && c.not_persisted == (uint64_t)n_dropped);
	CHECK(n_others == 0 && c.unknown == 0 && c.queued_bytes == 0);
	CHECK((n_refused > 0) == is_refuse && (n_dropped > 0) == (!is_refuse && !is_block));
	kp_producer_free(producer);
	for (int i = 0; i < THREADS * EACH; i++)
		printf("%d %s\n", i, fates[i] == IN_LOG ? "persisted" : fates[i] == DROPPED ? "dropped" : "refused");
	return 0;
}
