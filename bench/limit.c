/*
 * limit.c - the limit of producing to Kafka from one thread and one connection, without any client library.
 *
 * Per record: encode a RecordBatch v2 record (varints and memcpy of the value, out of a rotating pool) into a batch buffer. Per
 * batch: CRC32C and one Produce request with sendmsg, acks=all, at most INFLIGHT requests unanswered. Batches go round-robin over
 * the partitions. With --idempotent a producer id is asked for first, and each batch carries it with its partition's sequence.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "crc_fast.h"
#include "put.h"

#define POOL (1u << 20)
#define BATCH_HEADER 61
#define PARTITIONS_MAX 100000
#define TOPIC_MAX 249

static const char usage[] =
	"usage: limit [OPTION]...\n"
	"  -h HOST  -p PORT  -t TOPIC   where to (127.0.0.1, 9092, limit); HOST is an IPv4 address that leads every partition\n"
	"  -n RECORDS  -s SIZE          how many, of how many bytes (10000000, 100)\n"
	"  -f FILE                      values are the file's lines of exactly SIZE bytes, at most 1 MiB of them (random bytes)\n"
	"  -b BATCH  -P PARTITIONS  -i INFLIGHT  -v VERSION   (1000000, 6, 5, Produce version 7 of 3 to 8)\n"
	"  --idempotent                 producer id, epoch and sequence in each batch\n"
	"  --nosend  --nocrc  --crc avx512|pclmul|sse42       leave out the socket, the sum; another way to sum\n";

static struct {
	const char *host, *topic, *file;
	int port, version, n_partitions, in_flight;
	uint64_t n;
	size_t size, batch_bytes;
	bool no_send, no_crc, idempotent;
} opt = {.host = "127.0.0.1",
         .topic = "limit",
         .port = 9092,
         .version = 7,
         .n_partitions = 6,
         .in_flight = 5,
         .n = 10000000,
         .size = 100,
         .batch_bytes = 1000000};

static int fd;
static uint8_t *pool, *batch;
static size_t pool_len, pool_pos;
static int64_t producer_id = -1;
static int16_t producer_epoch = -1;
static int32_t sequences[PARTITIONS_MAX];
static uint64_t n_done, n_bytes, n_requests, n_errors;
static uint32_t crc_of_all;

/* --------------------------------------------------------------- encode */

static double now(clockid_t c)
{
	struct timespec ts;
	clock_gettime(c, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint64_t wall_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Fills the batch behind its header; where it ends. */
static inline uint8_t *encode_records(uint32_t *count)
{
	const size_t size = opt.size;
	const uint64_t most = opt.n - n_done;
	uint8_t *p = batch + BATCH_HEADER, *end = batch + opt.batch_bytes;
	const uint8_t *values = pool;
	const size_t len = pool_len;
	size_t pos = pool_pos;
	uint32_t cnt = 0;
	while (cnt < most) {
		int body = 1 + 1 + vlen(cnt) + 1 + vlen((int64_t)size) + (int)size + 1;
		if (p + body + 5 > end && cnt)
			break;
		p = pv(p, body);
		*p++ = 0;                 /* attributes */
		p = pv(p, 0);             /* timestamp delta */
		p = pv(p, cnt);           /* offset delta */
		p = pv(p, -1);            /* null key */
		p = pv(p, (int64_t)size); /* value */
		memcpy(p, values + pos, size);
		p += size;
		*p++ = 0; /* no headers */
		pos += size;
		if (__builtin_expect(pos >= len, 0))
			pos = 0;
		cnt++;
	}
	pool_pos = pos;
	*count = cnt;
	return p;
}

static inline void seal(size_t len, uint32_t count, uint64_t base_ms, int32_t sequence)
{
	uint8_t *h = p64(batch, 0); /* base offset */
	h = p32(h, (uint32_t)len - 12);
	h = p32(h, (uint32_t)-1); /* leader epoch */
	*h++ = 2;                 /* magic */
	h += 4;                   /* crc */
	h = p16(h, 0);            /* attributes */
	h = p32(h, count - 1);    /* last offset delta */
	h = p64(h, base_ms);
	h = p64(h, base_ms);
	h = p64(h, (uint64_t)producer_id);
	h = p16(h, producer_epoch);
	h = p32(h, (uint32_t)sequence);
	p32(h, count);
	uint32_t crc = opt.no_crc ? 0 : crc32c(batch + 21, len - 21);
	p32(batch + 17, crc);
	crc_of_all ^= crc;
}

/* --------------------------------------------------------------- socket */

static void read_full(void *b, size_t n)
{
	for (size_t o = 0; o < n;) {
		ssize_t r = read(fd, (char *)b + o, n - o);
		if (r <= 0) {
			fprintf(stderr, "limit: read: %s\n", r ? strerror(errno) : "the server closed the connection");
			exit(1);
		}
		o += (size_t)r;
	}
}

/* An answer without its length: correlation id and body. Its length, at least `min`. */
static size_t read_answer(uint8_t *b, size_t room, size_t min)
{
	uint8_t h[4];
	read_full(h, 4);
	uint32_t l = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];
	if (l > room || l < min) {
		fprintf(stderr, "limit: an answer of %u bytes\n", l);
		exit(1);
	}
	read_full(b, l);
	return l;
}

static int be16(const uint8_t *p)
{
	return (int16_t)(p[0] << 8 | p[1]);
}

static void read_produced(size_t topic_len)
{
	uint8_t b[4096];
	size_t at = 4 + 4 + 2 + topic_len + 4 + 4; /* correlation, 1 topic, name, 1 partition, index */
	read_answer(b, sizeof(b), at + 2);
	int err = be16(b + at);
	if (err && !n_errors++)
		fprintf(stderr, "limit: the first Produce error: %d\n", err);
}

static void send_all(struct iovec *iov, size_t n)
{
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = n};
	while (m.msg_iovlen) {
		ssize_t w = sendmsg(fd, &m, MSG_NOSIGNAL);
		if (w < 0) {
			perror("limit: sendmsg");
			exit(1);
		}
		while (m.msg_iovlen && (size_t)w >= m.msg_iov->iov_len) {
			w -= (ssize_t)m.msg_iov->iov_len;
			m.msg_iov++;
			m.msg_iovlen--;
		}
		if (m.msg_iovlen) {
			m.msg_iov->iov_base = (char *)m.msg_iov->iov_base + w;
			m.msg_iov->iov_len -= (size_t)w;
		}
	}
}

/* A request's length (given later) and header. */
static uint8_t *put_header(uint8_t *b, int api, int version, uint64_t correlation)
{
	uint8_t *q = b + 4;
	q = p16(q, api);
	q = p16(q, version);
	q = p32(q, (uint32_t)correlation);
	q = p16(q, 5);
	memcpy(q, "limit", 5);
	return q + 5;
}

static void send_batch(size_t len, uint32_t partition, size_t topic_len)
{
	uint8_t hd[512], *q = put_header(hd, 0, opt.version, n_requests);
	q = p16(q, -1); /* transactional id */
	q = p16(q, -1); /* acks */
	q = p32(q, 30000);
	q = p32(q, 1);
	q = p16(q, (int)topic_len);
	memcpy(q, opt.topic, topic_len), q += topic_len;
	q = p32(q, 1);
	q = p32(q, partition);
	q = p32(q, (uint32_t)len);
	p32(hd, (uint32_t)((size_t)(q - hd - 4) + len));
	struct iovec iov[2] = {{hd, (size_t)(q - hd)}, {batch, len}};
	send_all(iov, 2);
}

/* InitProducerId version 0. A broker that is just electing somebody says so for a while. */
static void ask_producer_id(void)
{
	uint8_t b[512];
	for (int tries = 0; tries < 100; tries++) {
		uint8_t *q = put_header(b, 22, 0, 0);
		q = p16(q, -1); /* transactional id */
		q = p32(q, 60000);
		p32(b, (uint32_t)(q - b - 4));
		send_all(&(struct iovec){b, (size_t)(q - b)}, 1);
		read_answer(b, sizeof(b), 20); /* correlation, throttle time, error, id, epoch */
		if (!be16(b + 8)) {
			for (int i = 0; i < 8; i++)
				producer_id = (int64_t)((uint64_t)producer_id << 8 | b[10 + i]);
			producer_epoch = (int16_t)be16(b + 18);
			return;
		}
		usleep(50000);
	}
	fprintf(stderr, "limit: no producer id, error %d\n", be16(b + 8));
	exit(1);
}

static void open_connection(void)
{
	int one = 1;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
	if (inet_pton(AF_INET, opt.host, &a.sin_addr) != 1) {
		fprintf(stderr, "limit: -h wants an IPv4 address, not '%s'\n", opt.host);
		exit(2);
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (void *)&a, sizeof(a))) {
		fprintf(stderr, "limit: connect %s:%d: %s\n", opt.host, opt.port, strerror(errno));
		exit(1);
	}
	if (opt.idempotent)
		ask_producer_id();
}

/* ----------------------------------------------------------------- main */

static void choose_crc(const char *name)
{
	crc_name = name;
	if (!strcmp(name, "sse42"))
		crc_fn = crc_sse42;
	else if (!strcmp(name, "pclmul"))
		crc_fn = crc_pclmul;
	else if (strcmp(name, "avx512")) {
		fprintf(stderr, "limit: --crc is avx512, pclmul or sse42, not '%s'\n", name);
		exit(2);
	}
}

static void parse_value(const char *a, const char *v)
{
	if (!strcmp(a, "--crc"))
		choose_crc(v);
	else if (!strcmp(a, "-h"))
		opt.host = v;
	else if (!strcmp(a, "-p"))
		opt.port = (int)arg_number("limit: -p", v, 1, 65535);
	else if (!strcmp(a, "-t"))
		opt.topic = v;
	else if (!strcmp(a, "-n"))
		opt.n = (uint64_t)arg_number("limit: -n", v, 1, INT64_MAX);
	else if (!strcmp(a, "-s"))
		opt.size = (size_t)arg_number("limit: -s", v, 0, POOL);
	else if (!strcmp(a, "-f"))
		opt.file = v;
	else if (!strcmp(a, "-b"))
		opt.batch_bytes = (size_t)arg_number("limit: -b", v, BATCH_HEADER, 1 << 30);
	else if (!strcmp(a, "-P"))
		opt.n_partitions = (int)arg_number("limit: -P", v, 1, PARTITIONS_MAX);
	else if (!strcmp(a, "-i"))
		opt.in_flight = (int)arg_number("limit: -i", v, 1, 1000);
	else if (!strcmp(a, "-v"))
		opt.version = (int)arg_number("limit: -v", v, 3, 8);
	else {
		fprintf(stderr, "limit: what is '%s'?\n%s", a, usage);
		exit(2);
	}
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--nosend"))
			opt.no_send = true;
		else if (!strcmp(argv[i], "--nocrc"))
			opt.no_crc = true;
		else if (!strcmp(argv[i], "--idempotent"))
			opt.idempotent = true;
		else if (i + 1 == argc) {
			fprintf(stderr, "limit: what is '%s', or its value?\n%s", argv[i], usage);
			exit(2);
		} else {
			parse_value(argv[i], argv[i + 1]);
			i++;
		}
	}
	if (strlen(opt.topic) > TOPIC_MAX) {
		fprintf(stderr, "limit: a topic's name has at most %d bytes\n", TOPIC_MAX);
		exit(2);
	}
}

static void load_lines(void)
{
	FILE *f = fopen(opt.file, "r");
	char *line = NULL;
	size_t room = 0;
	if (!f) {
		fprintf(stderr, "limit: %s: %s\n", opt.file, strerror(errno));
		exit(2);
	}
	pool_len = 0;
	for (ssize_t n; (n = getline(&line, &room, f)) > 0 && pool_len + opt.size <= POOL; pool_len += opt.size) {
		if ((size_t)n != opt.size + (line[n - 1] == '\n')) {
			fprintf(stderr, "limit: %s: a line of other than %zu bytes\n", opt.file, opt.size);
			exit(2);
		}
		memcpy(pool + pool_len, line, opt.size);
	}
	free(line);
	fclose(f);
	if (!pool_len) {
		fprintf(stderr, "limit: %s has no line\n", opt.file);
		exit(2);
	}
}

static void fill_pool(void)
{
	uint64_t x = 88172645463325252ull;
	pool = must(malloc(POOL + opt.size + 8));
	pool_len = POOL;
	for (size_t i = 0; i < POOL + opt.size; i += 8) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		memcpy(pool + i, &x, 8);
	}
	for (size_t l = 0; l < 5000; l += 37)
		if (crc_fn(~0u, pool + l, l) != crc_sse42(~0u, pool + l, l)) {
			fprintf(stderr, "limit: the fast CRC is wrong at %zu bytes\n", l);
			exit(1);
		}
	if (opt.file)
		load_lines();
}

static void produce(void)
{
	const size_t topic_len = strlen(opt.topic);
	int in_flight = 0;
	while (n_done < opt.n) {
		uint32_t count, partition = (uint32_t)(n_requests % (uint64_t)opt.n_partitions);
		uint64_t base_ms = wall_ms();
		size_t len = (size_t)(encode_records(&count) - batch);
		int32_t sequence = -1;
		if (opt.idempotent) {
			sequence = sequences[partition];
			sequences[partition] = (int32_t)(((uint32_t)sequence + count) & 0x7fffffff);
		}
		seal(len, count, base_ms, sequence);
		n_done += count;
		n_bytes += len;
		if (opt.no_send) {
			__asm__ volatile("" ::"r"(batch) : "memory");
			n_requests++;
			continue;
		}
		if (in_flight == opt.in_flight) {
			read_produced(topic_len);
			in_flight--;
		}
		send_batch(len, partition, topic_len);
		n_requests++;
		in_flight++;
	}
	while (in_flight--)
		read_produced(topic_len);
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	crc_init();
	fill_pool();
	batch = must(aligned_alloc(4096, (opt.batch_bytes + opt.size + 8192) & ~4095ul));
	if (!opt.no_send)
		open_connection();

	double t0 = now(CLOCK_MONOTONIC);
	produce();
	double t = now(CLOCK_MONOTONIC) - t0;
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	double user = (double)ru.ru_utime.tv_sec + (double)ru.ru_utime.tv_usec / 1e6;
	double sys = (double)ru.ru_stime.tv_sec + (double)ru.ru_stime.tv_usec / 1e6;
	printf("records=%llu secs=%.6f rec/s=%.0f MB/s=%.1f wireMB/s=%.1f cpu=%.3f user=%.3f sys=%.3f ns/rec=%.2f "
	       "reqs=%llu errors=%llu rss_kb=%ld crc=%s(%08x) producer_id=%lld\n",
	       (unsigned long long)n_done, t, (double)n_done / t, (double)n_done * (double)opt.size / t / 1e6,
	       (double)n_bytes / t / 1e6, user + sys, user, sys, (user + sys) * 1e9 / (double)n_done,
	       (unsigned long long)n_requests, (unsigned long long)n_errors, ru.ru_maxrss, opt.no_crc ? "off" : crc_name,
	       crc_of_all, (long long)producer_id);
	return n_errors != 0;
}
