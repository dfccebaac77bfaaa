/*
 * main.c - the probe: what cannot be seen as records a second. Each call prints one JSON object.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "probe.h"

static const char usage[] =
	"usage: probe idle  -b SERVERS -t TOPIC [--seconds S]   one record, then nothing: wake-ups and CPU of the library's threads\n"
	"       probe down  [--after] [--seconds S]             three servers where nobody listens (--after: a broker that went away),\n"
	"                                                       and a thread that sends as fast as it may\n"
	"       probe first -b SERVERS -t TOPIC                 from kp_producer_new to the first record's report\n"
	"       probe flush -b SERVERS -t TOPIC -n N            N records queued, then kp_flush; full batches do not wait for it, so that\n"
	"                                                       N records should leave every partition's batch short of batch.size\n"
	"       probe codec --codec NAME -f FILE [--level L]    the codec alone on a batch of FILE's lines of SIZE bytes\n"
	"  -b SERVERS  -t TOPIC  -n RECORDS  --size SIZE  --seconds S   (none, probe, 1000000, 100, 60)\n"
	"  -X NAME=VALUE          a property of the producer, in place of its default\n"
	"  --broker COMMAND       the kproducer of `down --after` (../kproducer from here)\n";

static const struct {
	const char *name;
	void (*run)(const probe_options *o);
	int needs_servers;
} probes[] = {{"idle", probe_idle, 1},
              {"down", probe_down, 0},
              {"first", probe_first, 1},
              {"flush", probe_flush, 1},
              {"codec", probe_codec, 0}};

static _Noreturn void usage_error(const char *what, const char *value)
{
	fprintf(stderr, "probe: %s'%s'\n%s", what, value ? value : "", usage);
	exit(2);
}

/* NAME=VALUE */
static void set_property(probe_options *o, const char *text)
{
	char err[256] = "", *name = must(strdup(text)), *value = strchr(name, '=');
	if (!value)
		usage_error("-X wants NAME=VALUE, not ", text);
	*value++ = '\0';
	if (kp_config_set(o->config, name, value, err, sizeof(err)))
		usage_error(err, "");
	free(name);
}

static void parse_option(probe_options *o, const char *name, const char *value)
{
	static const char *const texts[] = {"-b", "-t", "-f", "--codec", "--broker"};
	const char **places[] = {&o->servers, &o->topic, &o->file, &o->codec, &o->broker};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(name, texts[i]) == 0) {
			*places[i] = value;
			return;
		}
	if (strcmp(name, "-n") == 0)
		o->n = arg_number(name, value, 1, 1000000000);
	else if (strcmp(name, "--size") == 0)
		o->size = arg_number(name, value, 1, 900000);
	else if (strcmp(name, "--seconds") == 0)
		o->seconds = (int)arg_number(name, value, 1, 86400);
	else if (strcmp(name, "--level") == 0)
		o->level = arg_number(name, value, -131072, 22), o->has_level = 1;
	else if (strcmp(name, "-X") == 0)
		set_property(o, value);
	else
		usage_error("what is ", name);
}

static void parse(probe_options *o, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--after") == 0) {
			o->is_after = 1;
			continue;
		}
		if (i + 1 == argc)
			usage_error("what is, or where is the value of, ", argv[i]);
		parse_option(o, argv[i], argv[i + 1]);
		i++;
	}
}

/* `kproducer` in the folder above the probe's own. */
static const char *own_broker(void)
{
	static char path[4096 + 16];
	ssize_t n = readlink("/proc/self/exe", path, 4096);
	for (int i = 0; n > 0 && i < 2; i++)
		n = (char *)must(memrchr(path, '/', (size_t)n)) - path;
	snprintf(path + (n > 0 ? n : 0), 16, "/kproducer");
	return path;
}

int main(int argc, char **argv)
{
	probe_options o = {.topic = "probe", .n = 1000000, .size = 100, .seconds = 60, .broker = own_broker()};
	o.config = must(kp_config_new());
	parse(&o, argc, argv);
	for (size_t i = 0; argc > 1 && i < sizeof(probes) / sizeof(*probes); i++)
		if (strcmp(argv[1], probes[i].name) == 0) {
			if (probes[i].needs_servers && !o.servers)
				usage_error("-b SERVERS is needed by ", argv[1]);
			probes[i].run(&o);
			kp_config_free(o.config);
			return 0;
		}
	usage_error("there is no probe ", argc > 1 ? argv[1] : NULL);
}
