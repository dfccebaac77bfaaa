/* groups SERVERS TOPIC: kp_produce_batch and kp_send_many; one report for each group, no reports for its records. */
#include "check.h"

#define GROUPS 50
#define SIZE 200

static size_t n_called, n_persisted, n_single;

static void on_group(kp_producer *producer, const kp_batch_report *report, void *opaque)
{
	int *was_called = opaque;
	CHECK(producer && report->opaque == opaque && !*was_called);
	CHECK(report->n_persisted == SIZE && !report->n_not_persisted && !report->n_unknown && !report->first_error);
	*was_called = 1;
	n_called++;
	n_persisted += report->n_persisted;
}

static void on_reports(kp_producer *producer, const kp_report *reports, size_t n, void *opaque)
{
	(void)producer, (void)reports, (void)opaque;
	n_single += n;
}

static void fill(kp_record *records, char values[][32], size_t first)
{
	for (size_t i = 0; i < SIZE; i++) {
		snprintf(values[i], sizeof(values[i]), "%zu", first + i);
		records[i] = text_record(values[i], NULL);
	}
}

int main(int argc, char **argv)
{
	static int was_called[GROUPS];
	kp_record records[SIZE];
	char values[SIZE][32];
	int error = 1;
	CHECK(argc == 3);
	kp_config *config = config_for(argv[1], NULL);
	kp_config_set_report_cb(config, on_reports, NULL);
	kp_producer *producer = producer_for(config, NULL);
	kp_topic *topic = kp_topic_open(producer, argv[2]);
	for (size_t g = 0; g < GROUPS; g++) {
		fill(records, values, g * SIZE);
		CHECK(kp_produce_batch(topic, records, SIZE, on_group, &was_called[g], &error) == SIZE && error == 0);
	}
	fill(records, values, GROUPS * SIZE);
	CHECK(kp_send_many(topic, records, SIZE, &error) == SIZE && error == 0);

	/* An error ends the array at the record that has it. */
	records[3].partition = -7;
	CHECK(kp_send_many(topic, records, SIZE, &error) == 3 && error == KP_ERR_BAD_ARGUMENT);
	CHECK(kp_produce_batch(topic, records + 3, 1, on_group, NULL, &error) == 0 && error == KP_ERR_BAD_ARGUMENT);

	CHECK_OK(kp_flush(producer, 10000));
	CHECK(n_called == GROUPS && n_persisted == GROUPS * SIZE && n_single == SIZE + 3);
	CHECK_OK(kp_close(producer, 0, NULL));
	kp_producer_free(producer);
	return 0;
}
