/*
 * main.c - the sink: a tiny, fast server that answers Produce and counts, for measuring producers.
 *
 * Every name is a topic of PARTITIONS partitions. One line of counters goes to standard output when the last connection closes
 * (if anything was produced), on SIGUSR1, and at the end; they start anew after each line. SIGTERM or SIGINT ends it.
 */
#include "sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

sink_options opt = {.n_brokers = 1};

static volatile sig_atomic_t got_usr1, got_term;
static int listeners[BROKERS_MAX];

static const char usage[] =
	"usage: sink PORT PARTITIONS [OPTION]...\n"
	"  PORT          0: any free one, which the line `ready 127.0.0.1:PORT` names\n"
	"  --brokers K   nodes 1 to K on PORT, PORT+1, ...; partition p is led by 1 + p % K\n"
	"  --topic NAME  is there from the start, for clients that ask for all topics and name none (repeatable)\n"
	"  --delay-us N  each Produce answer is held back for N microseconds\n"
	"  --check       checksums, records of batches that are not compressed, and sequences are checked and counted\n";

static void on_signal(int s)
{
	if (s == SIGUSR1)
		got_usr1 = 1;
	else
		got_term = 1;
}

/* Signals arrive in epoll_pwait only, so that none is missed between looking and waiting. Returns the mask to wait with. */
static sigset_t take_signals(void)
{
	sigset_t ours, before;
	struct sigaction sa = {.sa_handler = on_signal};
	sigemptyset(&ours);
	int signals[] = {SIGUSR1, SIGTERM, SIGINT};
	for (int i = 0; i < 3; i++) {
		sigaction(signals[i], &sa, NULL);
		sigaddset(&ours, signals[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &ours, &before);
	for (int i = 0; i < 3; i++)
		sigdelset(&before, signals[i]);
	return before;
}

static void parse(int argc, char **argv)
{
	if (argc < 3) {
		fputs(usage, stderr);
		exit(2);
	}
	int port = (int)arg_number("sink: PORT", argv[1], 0, 65535);
	opt.n_partitions = (int)arg_number("sink: PARTITIONS", argv[2], 1, 1000000);
	for (int i = 3; i < argc; i++) {
		const char *a = argv[i];
		if (!strcmp(a, "--check")) {
			opt.check = true;
		} else if (!strcmp(a, "--delay-us")) {
			opt.delay_ns = arg_number("sink: --delay-us", argv[++i], 0, 3600000000ll) * 1000;
		} else if (!strcmp(a, "--brokers")) {
			opt.n_brokers = (int)arg_number("sink: --brokers", argv[++i], 1, BROKERS_MAX);
		} else if (!strcmp(a, "--topic") && argv[i + 1]) {
			i++;
			topic_get(argv[i], (int)strlen(argv[i]));
		} else {
			fprintf(stderr, "sink: what is '%s'?\n%s", a, usage);
			exit(2);
		}
	}
	if (port + opt.n_brokers - 1 > 65535) {
		fprintf(stderr, "sink: %d ports from %d on pass 65535; 0 takes any free ones\n", opt.n_brokers, port);
		exit(2);
	}
	for (int i = 0; i < opt.n_brokers; i++)
		opt.ports[i] = port ? port + i : 0;
}

static void listen_all(int epoll_fd)
{
	int one = 1;
	for (int i = 0; i < opt.n_brokers; i++) {
		int fd = listeners[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct sockaddr_in a = {.sin_family = AF_INET,
		                        .sin_port = htons((uint16_t)opt.ports[i]),
		                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t len = sizeof(a);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (void *)&a, len) || listen(fd, 1024) || getsockname(fd, (void *)&a, &len)) {
			fprintf(stderr, "sink: cannot listen on " HOST ":%d: %s; 0 takes any free port\n", opt.ports[i],
			        strerror(errno));
			exit(1);
		}
		if (!opt.ports[i] && i == 0) {
			printf("ready " HOST ":%d\n", ntohs(a.sin_port));
			fflush(stdout);
		}
		opt.ports[i] = ntohs(a.sin_port);
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &listeners[i]};
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
	}
}

static void one_event(const struct epoll_event *ev)
{
	int *listener = ev->data.ptr;
	if (listener >= listeners && listener < listeners + BROKERS_MAX)
		conn_accept(*listener);
	else
		conn_event(ev->data.ptr, ev->events);
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	sigset_t mask = take_signals();
	int epoll_fd = epoll_create1(0);
	conn_init(epoll_fd);
	listen_all(epoll_fd);
	while (!got_term) {
		struct epoll_event evs[256];
		int n = epoll_pwait(epoll_fd, evs, 256, -1, &mask);
		if (got_usr1) {
			got_usr1 = 0;
			stats_print();
		}
		for (int i = 0; i < n; i++)
			one_event(&evs[i]);
	}
	if (st.requests)
		stats_print();
	return 0;
}
