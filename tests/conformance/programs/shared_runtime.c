/*
 * shared_runtime SERVERS TOPIC: PRODUCERS producers on one runtime, THREADS threads that send with all of them; one thread does all
 * the work behind them.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

#include "check.h"

#define PRODUCERS 3
#define THREADS 4
#define RECORDS 2000 /* of each thread with each producer */

static kp_producer *producers[PRODUCERS];
static kp_topic *topics[PRODUCERS];
static atomic_int n_reports[PRODUCERS];

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	CHECK(producer == producers[(atomic_int *)opaque - n_reports]);
	for (size_t i = 0; i < n; i++)
		CHECK(kp_report_at(reports, i)->outcome == KP_PERSISTED);
	atomic_fetch_add((atomic_int *)opaque, (int)n);
}

static void *run(void *opaque)
{
	int thread = *(int *)opaque;
	for (int i = 0; i < RECORDS; i++) {
		for (int p = 0; p < PRODUCERS; p++) {
			char value[64];
			snprintf(value, sizeof(value), "%d %d %d", p, thread, i);
			kp_record record = text_record(value, NULL);
			CHECK_OK(kp_send(topics[p], &record));
		}
	}
	return NULL;
}

static int count_threads(void)
{
	int n = 0;
	DIR *tasks = opendir("/proc/self/task");
	while (readdir(tasks))
		n++;
	closedir(tasks);
	return n - 2; /* . and .. */
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	pthread_t threads[THREADS];
	int numbers[THREADS];
	kp_runtime *runtime = kp_runtime_new();
	CHECK(runtime);
	for (int p = 0; p < PRODUCERS; p++) {
		kp_config *config = config_for(argv[1], NULL);
		kp_config_set_report_cb(config, on_reports, &n_reports[p]);
		producers[p] = producer_for(config, runtime);
		topics[p] = kp_topic_open(producers[p], argv[2]);
		CHECK(topics[p] && topics[p] == kp_topic_open(producers[p], argv[2]));
	}
	CHECK(count_threads() == 2);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		CHECK(!pthread_create(&threads[i], NULL, run, &numbers[i]));
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	/* One producer goes, the others stay. */
	CHECK_OK(kp_close(producers[0], 10000, NULL));
	kp_producer_free(producers[0]);
	kp_record last = text_record("after the first was closed", NULL);
	CHECK_OK(kp_send(topics[1], &last));
	for (int p = 1; p < PRODUCERS; p++) {
		CHECK_OK(kp_flush(producers[p], 10000));
		CHECK_OK(kp_close(producers[p], 10000, NULL));
		kp_producer_free(producers[p]);
	}
	kp_runtime_free(runtime);
	CHECK(count_threads() == 1);
	for (int p = 0; p < PRODUCERS; p++)
		CHECK(n_reports[p] == THREADS * RECORDS + (p == 1));
	return 0;
}
