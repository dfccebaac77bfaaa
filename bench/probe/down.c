/*
 * down.c - no broker can be reached, and a thread sends as fast as kp_send lets it: CPU and wake-ups, and what became of the records.
 *
 * The thread fills the buffer, then waits in kp_send up to max.block.ms at a time. The figures are of the whole time, the filling
 * included; the reports are those until the end of kp_close without time, which ends what is still queued.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define N_SERVERS 3
#define N_CODES 64

typedef struct down {
	kp_topic *topic;
	const char *value;
	size_t size;
	atomic_bool is_over;
	atomic_ullong accepted, refused, persisted, not_persisted, unknown;
	/* the runtime's thread, until kp_close is back */
	struct {
		int code;
		unsigned long long n;
	} errors[N_CODES];
} down;

static void on_reports(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	down *d = opaque;
	(void)p;
	for (size_t i = 0; i < n; i++) {
		const kp_report *r = kp_report_at(reports, i);
		atomic_ullong *count = r->outcome == KP_PERSISTED       ? &d->persisted
		                       : r->outcome == KP_NOT_PERSISTED ? &d->not_persisted
		                                                        : &d->unknown;
		atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
		size_t at = 0;
		while (r->error && at < N_CODES - 1 && d->errors[at].n && d->errors[at].code != r->error)
			at++;
		if (r->error) {
			d->errors[at].code = r->error;
			d->errors[at].n++;
		}
	}
}

static void *send_all(void *opaque)
{
	down *d = opaque;
	kp_record r = KP_RECORD_INIT;
	r.value = d->value;
	r.value_len = d->size;
	while (!atomic_load_explicit(&d->is_over, memory_order_relaxed)) {
		int err = kp_send(d->topic, &r);
		if (!err)
			atomic_fetch_add_explicit(&d->accepted, 1, memory_order_relaxed);
		else if (err != KP_ERR_CLOSED) /* the probe's own doing */
			atomic_fetch_add_explicit(&d->refused, 1, memory_order_relaxed);
	}
	return NULL;
}

/* Ports that are taken, so that nobody else will listen there, by sockets that do not listen either: connecting is refused. */
static void dead_servers(char *servers, size_t size)
{
	size_t at = 0;
	for (int i = 0; i < N_SERVERS; i++) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof(a);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || getsockname(fd, (struct sockaddr *)&a, &len))
			fail("a port of 127.0.0.1", "cannot be taken");
		at += (size_t)snprintf(servers + at, size - at, "%s127.0.0.1:%d", i ? "," : "", ntohs(a.sin_port));
	}
}

/* Three nodes in one process; where they listen. */
static pid_t start_broker(const char *command, char *servers, size_t size)
{
	int ends[2];
	char nodes[16];
	snprintf(nodes, sizeof(nodes), "%d", N_SERVERS);
	if (pipe2(ends, O_CLOEXEC))
		fail("pipe", "cannot be made");
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		execlp(command, command, "broker", "-q", "--discard", "--listen", "127.0.0.1:0", "--nodes", nodes, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	FILE *f = pid > 0 ? fdopen(ends[0], "r") : NULL;
	char line[512] = "";
	if (!f || !fgets(line, sizeof(line), f) || sscanf(line, "ready %500s", line) != 1)
		fail(command, "the broker does not say that it is ready");
	snprintf(servers, size, "%s", line);
	fclose(f);
	return pid;
}

static void print(const down *d, const probe_used *begin, const probe_used *end)
{
	double s = end->wall_s - begin->wall_s;
	unsigned long long not_persisted = d->not_persisted, unknown = d->unknown;
	printf("{\"seconds\": %.2f, \"cpu_percent\": %.4f, \"wakeups_per_second\": %.3f, \"accepted\": %llu, \"refused\": %llu, "
	       "\"persisted\": %llu, \"failed\": %llu, \"not_persisted\": %llu, \"unknown\": %llu, \"errors\": {",
	       s, 100 * (end->cpu_s - begin->cpu_s) / s, (double)(end->n_switches - begin->n_switches) / s,
	       (unsigned long long)d->accepted, (unsigned long long)d->refused, (unsigned long long)d->persisted,
	       not_persisted + unknown, not_persisted, unknown);
	for (int i = 0; i < N_CODES && d->errors[i].n; i++)
		printf("%s\"%s\": %llu", i ? ", " : "", kp_error_name(d->errors[i].code), d->errors[i].n);
	printf("}}\n");
}

void probe_down(const probe_options *given)
{
	char servers[512];
	probe_options o = *given;
	pid_t broker = 0;
	pthread_t sender;
	if (o.is_after)
		broker = start_broker(o.broker, servers, sizeof(servers));
	else
		dead_servers(servers, sizeof(servers));
	o.servers = servers;
	down *d = must(calloc(1, sizeof(*d)));
	kp_producer *p = producer_of(&o, on_reports, d);
	d->topic = topic_of(&o, p);
	d->value = value_of(&o);
	d->size = (size_t)o.size;
	if (broker)
		send_one(d->topic);
	probe_used begin = used_now();
	if (pthread_create(&sender, NULL, send_all, d))
		fail("pthread_create", "no thread");
	if (broker) {
		wait_s(1); /* under full load */
		kill(broker, SIGKILL);
		waitpid(broker, NULL, 0);
		begin = used_now();
	}
	wait_s(o.seconds);
	probe_used end = used_now();
	atomic_store(&d->is_over, true);
	kp_close(p, 0, NULL);
	pthread_join(sender, NULL);
	print(d, &begin, &end);
	kp_producer_free(p);
	free((char *)d->value);
	free(d);
}
