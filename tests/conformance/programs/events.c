/* events SERVERS PORT: nobody listens. The error callback and the log callback are told, nothing goes to stderr. */
#include <pthread.h>

#include "check.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int n_errors, n_lines, names_port;
static const char *port;

static void on_error(kp_producer *producer, int error, const char *text, void *opaque)
{
	CHECK(producer && opaque == &n_errors && error && *text && kp_error_name(error) && kp_error_advice(error));
	pthread_mutex_lock(&lock);
	n_errors++;
	names_port |= strstr(text, port) != NULL;
	pthread_mutex_unlock(&lock);
}

static void on_line(int level, const char *line, void *opaque)
{
	CHECK(level >= 0 && level <= 6 && strstr(line, "client=watched") && !strchr(line, '\n') && opaque == &n_lines);
	pthread_mutex_lock(&lock);
	n_lines++;
	pthread_mutex_unlock(&lock);
}

static int has_both(void)
{
	pthread_mutex_lock(&lock);
	int both = n_errors && n_lines && names_port;
	pthread_mutex_unlock(&lock);
	return both;
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	port = argv[2];
	kp_config *config = config_for(argv[1], (const char *[]){"client.id", "watched", "log_level", "6", NULL});
	kp_config_set_error_cb(config, on_error, &n_errors);
	kp_config_set_log_cb(config, on_line, &n_lines);
	kp_producer *producer = producer_for(config, NULL);
	kp_record record = text_record("value", NULL);
	CHECK_OK(kp_send(kp_topic_open(producer, "t"), &record));
	CHECK(counters_of(producer).queued_records == 1 && counters_of(producer).queued_bytes > 0);
	for (long long deadline = now_ms() + 10000; !has_both();)
		CHECK(now_ms() < deadline);
	uint64_t left;
	CHECK(kp_close(producer, 0, &left) == KP_ERR_TIMED_OUT && left == 1);
	kp_producer_free(producer);
	return 0;
}
