#include <kproducer/kproducer.h>
#include <stdio.h>
int main(int argc, char **argv) /* send HOST:PORT TOPIC <FILE: every line becomes a record */
{
	char err[256] = "usage: send HOST:PORT TOPIC <FILE", *line = NULL;
	size_t room = 0;
	kp_config *config = kp_config_new();
	int failed = argc != 3 || kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err));
	kp_producer *producer = failed ? NULL : kp_producer_new(config, NULL, err, sizeof(err));
	kp_topic *topic = producer ? kp_topic_open(producer, argv[2]) : NULL;
	if (!topic)
		return fprintf(stderr, "%s\n", producer ? "this is no topic name" : err), 1;
	kp_record record = KP_RECORD_INIT;
	kp_counters c = {.struct_size = sizeof(c)};
	for (ssize_t n; !failed && (n = getline(&line, &room, stdin)) > 0; failed = kp_send(topic, &record))
		record.value = line, record.value_len = (size_t)n - (line[n - 1] == '\n');
	kp_close(producer, 30000, NULL); /* waits until every record has ended */
	kp_counters_get(producer, &c);
	return printf("%zu of %zu persisted\n", (size_t)c.persisted, (size_t)c.accepted), failed || c.persisted < c.accepted;
}
