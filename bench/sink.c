/*
 * sink.c - a tiny, fast fake Kafka broker for benchmarking producers.
 *
 *   sink PORT PARTITIONS [--delay-us N] [--brokers K] [--topic NAME]...
 *        [--check]
 *
 * Single-threaded epoll.  Answers ApiVersions v0-v4, Metadata v0-v12,
 * InitProducerId v0-v4, FindCoordinator v0-v4 and Produce v3-v12.
 * Every topic exists with PARTITIONS partitions.  With --brokers K it listens
 * on PORT..PORT+K-1 as node ids 1..K and partition p is led by 1 + p % K.
 * --topic NAME creates a topic at start (for clients such as kafka-go that ask
 * for all topics and do not name theirs).
 * --delay-us N holds every Produce response back N microseconds.
 * --check verifies CRC32C, walks the records of uncompressed batches, and
 * checks baseSequence continuity per (producer id, epoch, topic, partition).
 *
 * One line of statistics goes to stdout on SIGUSR1 and when the last
 * connection closes; the counters restart after each line.
 *
 * Built by bench/run.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nmmintrin.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define HOST "127.0.0.1"
#define MAX_FRAME (256u << 20)

static int base_port, n_parts, n_brokers = 1, opt_check;
static int64_t delay_ns;
static int ep, tfd;

/* ---------------------------------------------------------------- stats */

static struct {
	uint64_t records, bytes, reqs, parts, batches, max_batch, max_req;
	uint64_t errors, crc_bad, seq_bad, rec_bad, dup;
	int64_t t_first, t_last;
	double cpu0;
} st;
static int n_conns;
static volatile sig_atomic_t got_usr1, got_term;

static int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static double cpu_now(void)
{
	struct rusage ru;
	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_utime.tv_sec + ru.ru_stime.tv_sec + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

static void stats_print(void)
{
	double s = (st.t_last - st.t_first) / 1e9;
	if (s <= 0)
		s = 1e-9;
	printf("records=%llu bytes=%llu secs=%.6f rec/s=%.0f MB/s=%.2f "
	       "sink_cpu=%.3f reqs=%llu parts=%llu batches=%llu "
	       "max_batch=%llu max_req=%llu errors=%llu",
	       (unsigned long long)st.records, (unsigned long long)st.bytes, s, st.records / s, st.bytes / s / 1e6,
	       cpu_now() - st.cpu0, (unsigned long long)st.reqs, (unsigned long long)st.parts, (unsigned long long)st.batches,
	       (unsigned long long)st.max_batch, (unsigned long long)st.max_req, (unsigned long long)st.errors);
	if (opt_check)
		printf(" crc_bad=%llu seq_bad=%llu dup=%llu rec_bad=%llu", (unsigned long long)st.crc_bad,
		       (unsigned long long)st.seq_bad, (unsigned long long)st.dup, (unsigned long long)st.rec_bad);
	printf("\n");
	fflush(stdout);
	memset(&st, 0, sizeof(st));
	st.cpu0 = cpu_now();
}

/* --------------------------------------------------------------- topics */

struct topic {
	struct topic *next;
	uint32_t hash;
	int len;
	uint8_t id[16];
	int64_t *off; /* n_parts next offsets */
	char name[];
};
static struct topic *topics[1024];
static struct topic *last_topic;
static int n_topics;

static struct topic *topic_get(const char *name, int len)
{
	struct topic *t = last_topic;
	uint32_t h = 2166136261u;
	int i;
	if (t && t->len == len && !memcmp(t->name, name, len))
		return t;
	for (i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 16777619u;
	for (t = topics[h & 1023]; t; t = t->next)
		if (t->hash == h && t->len == len && !memcmp(t->name, name, len))
			return last_topic = t;
	t = calloc(1, sizeof(*t) + len + 1);
	t->hash = h;
	t->len = len;
	memcpy(t->name, name, len);
	n_topics++;
	t->id[0] = 0x51;
	t->id[6] = 0x40;
	memcpy(t->id + 12, &n_topics, 4);
	t->off = calloc(n_parts, sizeof(*t->off));
	t->next = topics[h & 1023];
	topics[h & 1023] = t;
	return last_topic = t;
}

static struct topic *topic_by_id(const uint8_t *id)
{
	for (int i = 0; i < 1024; i++)
		for (struct topic *t = topics[i]; t; t = t->next)
			if (!memcmp(t->id, id, 16))
				return t;
	return NULL;
}

/* (producer id, epoch, topic, partition) -> next sequence */
struct seq {
	struct seq *next;
	int64_t pid;
	struct topic *t;
	int32_t part;
	int16_t epoch;
	int32_t expect;
};
static struct seq *seqs[65536];

static struct seq *seq_get(int64_t pid, int16_t epoch, struct topic *t, int32_t part)
{
	uint64_t h = (uint64_t)pid * 0x9e3779b97f4a7c15ull + (uintptr_t)t * 31 + part * 0x85ebca6bull + epoch;
	struct seq **b = &seqs[(h ^ h >> 17 ^ h >> 33) & 65535], *s;
	for (s = *b; s; s = s->next)
		if (s->pid == pid && s->epoch == epoch && s->t == t && s->part == part)
			return s;
	s = calloc(1, sizeof(*s));
	*s = (struct seq){*b, pid, t, part, epoch, 0};
	return *b = s;
}

/* --------------------------------------------------------------- reader */

struct rd {
	const uint8_t *p, *e;
	int bad;
};

static int need(struct rd *r, size_t n)
{
	if ((size_t)(r->e - r->p) < n) {
		r->bad = 1;
		r->p = r->e;
		return 0;
	}
	return 1;
}
static int8_t r8(struct rd *r)
{
	return need(r, 1) ? (int8_t)*r->p++ : 0;
}
static int16_t r16(struct rd *r)
{
	uint16_t v;
	if (!need(r, 2))
		return 0;
	memcpy(&v, r->p, 2);
	r->p += 2;
	return (int16_t)__builtin_bswap16(v);
}
static int32_t r32(struct rd *r)
{
	uint32_t v;
	if (!need(r, 4))
		return 0;
	memcpy(&v, r->p, 4);
	r->p += 4;
	return (int32_t)__builtin_bswap32(v);
}
static uint64_t ruv(struct rd *r)
{
	uint64_t v = 0;
	for (int s = 0; s < 64; s += 7) {
		uint8_t b = (uint8_t)r8(r);
		v |= (uint64_t)(b & 0x7f) << s;
		if (!(b & 0x80))
			return v;
	}
	r->bad = 1;
	return 0;
}
static int64_t rsv(struct rd *r)
{
	uint64_t v = ruv(r);
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
static void rtags(struct rd *r, int flex)
{
	if (!flex)
		return;
	uint64_t n = ruv(r);
	while (n-- && !r->bad) {
		ruv(r);
		uint64_t l = ruv(r);
		if (need(r, l))
			r->p += l;
	}
}
/* string: length -1 is null */
static int rstr(struct rd *r, int flex, const char **s)
{
	int64_t l = flex ? (int64_t)ruv(r) - 1 : r16(r);
	*s = (const char *)r->p;
	if (l < 0)
		return -1;
	if (!need(r, l))
		return -1;
	r->p += l;
	return (int)l;
}
static int64_t rarr(struct rd *r, int flex)
{
	return flex ? (int64_t)ruv(r) - 1 : r32(r);
}

/* --------------------------------------------------------------- writer */

struct wr {
	uint8_t *b;
	size_t n, cap;
};
static void wneed(struct wr *w, size_t n)
{
	if (w->n + n <= w->cap)
		return;
	while (w->n + n > w->cap)
		w->cap = w->cap ? w->cap * 2 : 4096;
	w->b = realloc(w->b, w->cap);
}
static void wraw(struct wr *w, const void *p, size_t n)
{
	wneed(w, n);
	memcpy(w->b + w->n, p, n);
	w->n += n;
}
static void w8(struct wr *w, int v)
{
	uint8_t x = v;
	wraw(w, &x, 1);
}
static void w16(struct wr *w, int v)
{
	uint16_t x = __builtin_bswap16(v);
	wraw(w, &x, 2);
}
static void w32(struct wr *w, int32_t v)
{
	uint32_t x = __builtin_bswap32(v);
	wraw(w, &x, 4);
}
static void w64(struct wr *w, int64_t v)
{
	uint64_t x = __builtin_bswap64(v);
	wraw(w, &x, 8);
}
static void wuv(struct wr *w, uint64_t v)
{
	while (v > 0x7f) {
		w8(w, (v & 0x7f) | 0x80);
		v >>= 7;
	}
	w8(w, v);
}
static void wtags(struct wr *w, int flex)
{
	if (flex)
		w8(w, 0);
}
static void wstr(struct wr *w, int flex, const char *s, int l)
{
	if (flex)
		wuv(w, l + 1);
	else
		w16(w, l);
	if (l > 0)
		wraw(w, s, l);
}
static void warr(struct wr *w, int flex, int64_t n)
{
	if (flex)
		wuv(w, n + 1);
	else
		w32(w, n);
}

/* ---------------------------------------------------------- connections */

struct pend {
	struct pend *next;
	int64_t due;
	struct conn *c;
	size_t n;
	uint8_t b[];
};

struct conn {
	int fd, node, listener, dead, npend, want_out;
	uint8_t *in;
	size_t s, e, cap;
	struct wr out;
	size_t out_off;
};

static struct pend *ph, **pt = &ph;

static void conn_flush(struct conn *c)
{
	while (c->out_off < c->out.n) {
		ssize_t r = write(c->fd, c->out.b + c->out_off, c->out.n - c->out_off);
		if (r < 0) {
			if (errno == EAGAIN && !c->want_out) {
				struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
				epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
				c->want_out = 1;
			}
			if (errno != EAGAIN)
				c->dead = 1;
			return;
		}
		c->out_off += r;
	}
	c->out.n = c->out_off = 0;
	if (c->want_out) {
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
		epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
		c->want_out = 0;
	}
}

static void timer_arm(void)
{
	struct itimerspec it = {{0, 0}, {0, 0}};
	if (ph) {
		it.it_value.tv_sec = ph->due / 1000000000;
		it.it_value.tv_nsec = ph->due % 1000000000;
	}
	timerfd_settime(tfd, TFD_TIMER_ABSTIME, &it, NULL);
}

static void pend_add(struct conn *c, const uint8_t *b, size_t n)
{
	struct pend *p = malloc(sizeof(*p) + n);
	p->next = NULL;
	p->due = now_ns() + delay_ns;
	p->c = c;
	p->n = n;
	memcpy(p->b, b, n);
	int first = !ph;
	*pt = p;
	pt = &p->next;
	c->npend++;
	if (first)
		timer_arm();
}

/* ------------------------------------------------------------- handlers */

static const int16_t apis[][3] = {{0, 3, 12}, {1, 4, 11}, {2, 1, 5}, {3, 0, 12}, {10, 0, 4}, {18, 0, 4}, {22, 0, 4}};
#define NAPIS ((int)(sizeof(apis) / sizeof(apis[0])))

static void h_apiversions(struct wr *w, int v)
{
	int unsup = v > 4;
	if (unsup)
		v = 0;
	int flex = v >= 3;
	w16(w, unsup ? 35 : 0);
	warr(w, flex, NAPIS);
	for (int i = 0; i < NAPIS; i++) {
		w16(w, apis[i][0]);
		w16(w, apis[i][1]);
		w16(w, apis[i][2]);
		wtags(w, flex);
	}
	if (v >= 1)
		w32(w, 0);
	wtags(w, flex);
}

static void w_topic_meta(struct wr *w, int v, struct topic *t, int err)
{
	int flex = v >= 9;
	w16(w, err);
	wstr(w, flex, t->name, t->len);
	if (v >= 10)
		wraw(w, t->id, 16);
	if (v >= 1)
		w8(w, 0);
	warr(w, flex, n_parts);
	for (int i = 0; i < n_parts; i++) {
		int leader = 1 + i % n_brokers;
		w16(w, 0);
		w32(w, i);
		w32(w, leader);
		if (v >= 7)
			w32(w, 0);
		warr(w, flex, 1);
		w32(w, leader);
		warr(w, flex, 1);
		w32(w, leader);
		if (v >= 5)
			warr(w, flex, 0);
		wtags(w, flex);
	}
	if (v >= 8)
		w32(w, INT32_MIN);
	wtags(w, flex);
}

static void h_metadata(struct wr *w, struct rd *r, int v)
{
	int flex = v >= 9;
	int64_t n = rarr(r, flex);
	struct topic *want[4096];
	int nw = 0, all = n < 0 || (v == 0 && n == 0);
	for (int64_t i = 0; i < n && !r->bad && nw < 4096; i++) {
		const uint8_t *id = NULL;
		const char *s;
		struct topic *t = NULL;
		if (v >= 10 && need(r, 16)) {
			id = r->p;
			r->p += 16;
		}
		int l = rstr(r, flex, &s);
		if (l >= 0)
			t = topic_get(s, l);
		else if (id)
			t = topic_by_id(id);
		rtags(r, flex);
		if (t)
			want[nw++] = t;
	}
	if (all)
		for (int i = 0; i < 1024; i++)
			for (struct topic *t = topics[i]; t && nw < 4096; t = t->next)
				want[nw++] = t;
	if (v >= 3)
		w32(w, 0);
	warr(w, flex, n_brokers);
	for (int i = 0; i < n_brokers; i++) {
		w32(w, i + 1);
		wstr(w, flex, HOST, sizeof(HOST) - 1);
		w32(w, base_port + i);
		if (v >= 1)
			wstr(w, flex, NULL, -1);
		wtags(w, flex);
	}
	if (v >= 2)
		wstr(w, flex, "sink-cluster", 12);
	if (v >= 1)
		w32(w, 1);
	warr(w, flex, nw);
	for (int i = 0; i < nw; i++)
		w_topic_meta(w, v, want[i], 0);
	if (v >= 8 && v <= 10)
		w32(w, INT32_MIN);
	wtags(w, flex);
}

static void h_initpid(struct wr *w, int v)
{
	static int64_t pid = 1000;
	w32(w, 0);
	w16(w, 0);
	w64(w, pid++);
	w16(w, 0);
	wtags(w, v >= 2);
}

static void h_findcoord(struct wr *w, struct rd *r, int v)
{
	int flex = v >= 3;
	const char *s;
	int l;
	if (v < 4) {
		if (v >= 1)
			w32(w, 0);
		w16(w, 0);
		if (v >= 1)
			wstr(w, flex, NULL, -1);
		w32(w, 1);
		wstr(w, flex, HOST, sizeof(HOST) - 1);
		w32(w, base_port);
		wtags(w, flex);
		return;
	}
	r8(r);
	int64_t n = rarr(r, 1);
	w32(w, 0);
	warr(w, 1, n);
	for (int64_t i = 0; i < n && !r->bad; i++) {
		l = rstr(r, 1, &s);
		wstr(w, 1, s, l);
		w32(w, 1);
		wstr(w, 1, HOST, sizeof(HOST) - 1);
		w32(w, base_port);
		w16(w, 0);
		wstr(w, 1, NULL, -1);
		w8(w, 0);
	}
	w8(w, 0);
}

static uint32_t crc32c(const uint8_t *p, size_t n)
{
	uint64_t c = 0xffffffff;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		c = _mm_crc32_u64(c, v);
	}
	for (; n; n--)
		c = _mm_crc32_u8((uint32_t)c, *p++);
	return ~(uint32_t)c;
}

static int walk_records(const uint8_t *p, const uint8_t *e, int count)
{
	struct rd r = {p, e, 0};
	for (int i = 0; i < count; i++) {
		int64_t len = rsv(&r);
		const uint8_t *start = r.p;
		if (len < 0 || !need(&r, len))
			return -1;
		r8(&r);
		rsv(&r);
		if (rsv(&r) != i)
			return -1;
		for (int k = 0; k < 2; k++) {
			int64_t l = rsv(&r);
			if (l > 0 && need(&r, l))
				r.p += l;
		}
		int64_t nh = rsv(&r);
		for (int64_t h = 0; h < nh && !r.bad; h++)
			for (int k = 0; k < 2; k++) {
				int64_t l = rsv(&r);
				if (l > 0 && need(&r, l))
					r.p += l;
			}
		if (r.bad || r.p != start + len)
			return -1;
	}
	return r.p == e ? 0 : -1;
}

static uint32_t be32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}
static uint64_t be64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return __builtin_bswap64(v);
}

/* Walk the RecordBatches of one partition: returns the record count, -1 when
 * malformed. */
static int64_t batches(struct topic *t, int32_t part, const uint8_t *p, int64_t len)
{
	int64_t total = 0;
	while (len > 0) {
		if (len < 61 || p[16] != 2)
			return -1;
		int64_t bl = (int64_t)be32(p + 8) + 12;
		int32_t cnt = (int32_t)be32(p + 57);
		if (bl > len || bl < 61 || cnt <= 0)
			return -1;
		st.batches++;
		if ((uint64_t)bl > st.max_batch)
			st.max_batch = bl;
		if (opt_check) {
			int64_t pid = (int64_t)be64(p + 43);
			int16_t epoch = (int16_t)(p[51] << 8 | p[52]);
			int32_t bseq = (int32_t)be32(p + 53);
			if (crc32c(p + 21, bl - 21) != be32(p + 17))
				st.crc_bad++;
			if ((int32_t)be32(p + 23) != cnt - 1)
				st.rec_bad++;
			if (!(p[22] & 7) && walk_records(p + 61, p + bl, cnt))
				st.rec_bad++;
			if (pid >= 0) {
				struct seq *s = seq_get(pid, epoch, t, part);
				if (bseq != s->expect) {
					if (bseq < s->expect)
						st.dup++;
					else
						st.seq_bad++;
				}
				if (bseq >= s->expect)
					s->expect = (int32_t)(((uint32_t)bseq + cnt) & 0x7fffffff);
			}
		}
		total += cnt;
		p += bl;
		len -= bl;
	}
	return total;
}

/* returns acks */
static int h_produce(struct wr *w, struct rd *r, int v, int64_t t_arr)
{
	int flex = v >= 9;
	const char *s;
	rstr(r, flex, &s); /* transactional id */
	int acks = r16(r);
	r32(r);
	int64_t nt = rarr(r, flex);
	if (!st.t_first)
		st.t_first = t_arr;
	st.reqs++;
	warr(w, flex, nt);
	for (int64_t i = 0; i < nt && !r->bad; i++) {
		int l = rstr(r, flex, &s);
		struct topic *t = topic_get(s, l < 0 ? 0 : l);
		wstr(w, flex, s, l);
		int64_t np = rarr(r, flex);
		warr(w, flex, np);
		for (int64_t j = 0; j < np && !r->bad; j++) {
			int32_t part = r32(r);
			int64_t len = flex ? (int64_t)ruv(r) - 1 : r32(r);
			int err = 0;
			int64_t off = -1;
			if (len < 0)
				len = 0;
			if (!need(r, len))
				break;
			if (part < 0 || part >= n_parts) {
				err = 3;
			} else {
				int64_t n = batches(t, part, r->p, len);
				if (n < 0) {
					err = 2;
				} else {
					off = t->off[part];
					t->off[part] += n;
					st.records += n;
				}
			}
			st.parts++;
			st.bytes += len;
			st.errors += err != 0;
			r->p += len;
			rtags(r, flex);
			w32(w, part);
			w16(w, err);
			w64(w, off);
			w64(w, -1);
			if (v >= 5)
				w64(w, 0);
			if (v >= 8) {
				warr(w, flex, 0);
				wstr(w, flex, NULL, -1);
			}
			wtags(w, flex);
		}
		rtags(r, flex);
		wtags(w, flex);
	}
	w32(w, 0);
	wtags(w, flex);
	return acks;
}

static struct wr tmp;

static void frame(struct conn *c, const uint8_t *p, size_t n, int64_t t_arr)
{
	struct rd r = {p, p + n, 0};
	int key = r16(&r), v = r16(&r);
	int32_t corr = r32(&r);
	const char *s;
	int flex = (key == 0 && v >= 9) || (key == 3 && v >= 9) || (key == 10 && v >= 3) || (key == 18 && v >= 3) ||
	           (key == 22 && v >= 2);
	struct wr *w = &tmp;
	int send = 1;

	rstr(&r, 0, &s); /* client id is never compact */
	rtags(&r, flex);
	w->n = 0;
	w32(w, 0);
	w32(w, corr);
	if (flex && key != 18) /* ApiVersions always has response header v0 */
		w8(w, 0);
	switch (key) {
	case 0:
		if (v < 3 || v > 12)
			goto unknown;
		if (n > st.max_req)
			st.max_req = n;
		send = h_produce(w, &r, v, t_arr) != 0;
		st.t_last = t_arr;
		break;
	case 3: h_metadata(w, &r, v); break;
	case 10: h_findcoord(w, &r, v); break;
	case 18: h_apiversions(w, v); break;
	case 22: h_initpid(w, v); break;
	default:
unknown:
		fprintf(stderr, "sink: unhandled api %d v%d\n", key, v);
		c->dead = 1;
		return;
	}
	if (r.bad) {
		fprintf(stderr, "sink: malformed api %d v%d\n", key, v);
		c->dead = 1;
		return;
	}
	if (!send)
		return;
	uint32_t l = __builtin_bswap32((uint32_t)(w->n - 4));
	memcpy(w->b, &l, 4);
	if (key == 0 && delay_ns)
		pend_add(c, w->b, w->n);
	else
		wraw(&c->out, w->b, w->n);
}

static void conn_read(struct conn *c)
{
	for (int rounds = 0; rounds < 64 && !c->dead; rounds++) {
		size_t have = c->e - c->s, want;
		if (have >= 4) {
			uint32_t l = be32(c->in + c->s);
			if (l > MAX_FRAME) {
				c->dead = 1;
				return;
			}
			want = (size_t)l + 4 - have;
		} else {
			want = 65536 - have;
		}
		if (c->s && c->s == c->e)
			c->s = c->e = 0;
		if (c->e + want > c->cap) {
			memmove(c->in, c->in + c->s, have);
			c->s = 0;
			c->e = have;
			if (have + want > c->cap) {
				c->cap = (have + want) * 2;
				c->in = realloc(c->in, c->cap);
			}
		}
		ssize_t n = read(c->fd, c->in + c->e, want);
		if (n <= 0) {
			if (n < 0 && errno == EAGAIN)
				break;
			c->dead = 1;
			break;
		}
		int64_t t = now_ns();
		c->e += n;
		while (c->e - c->s >= 4 && !c->dead) {
			uint32_t l = be32(c->in + c->s);
			if (c->e - c->s < (size_t)l + 4)
				break;
			frame(c, c->in + c->s + 4, l, t);
			c->s += (size_t)l + 4;
		}
		if (c->s == c->e)
			c->s = c->e = 0;
		if (c->out.n)
			conn_flush(c);
		if ((size_t)n < want)
			break;
	}
}

static void conn_close(struct conn *c)
{
	close(c->fd);
	c->fd = -1;
	for (struct pend *p = ph; p; p = p->next)
		if (p->c == c)
			p->c = NULL;
	free(c->in);
	free(c->out.b);
	free(c);
	if (--n_conns == 0 && st.reqs)
		stats_print();
}

static void on_usr1(int s)
{
	(void)s;
	got_usr1 = 1;
}
static void on_term(int s)
{
	(void)s;
	got_term = 1;
}

int main(int argc, char **argv)
{
	int one = 1;
	if (argc < 3) {
		fprintf(stderr, "usage: sink PORT PARTITIONS [--delay-us N] "
		                "[--brokers K] [--topic NAME]... [--check]\n");
		return 2;
	}
	base_port = atoi(argv[1]);
	n_parts = atoi(argv[2]);
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "--delay-us") && i + 1 < argc)
			delay_ns = atoll(argv[++i]) * 1000;
		else if (!strcmp(argv[i], "--brokers") && i + 1 < argc)
			n_brokers = atoi(argv[++i]);
		else if (!strcmp(argv[i], "--topic") && i + 1 < argc)
			i++, topic_get(argv[i], (int)strlen(argv[i]));
		else if (!strcmp(argv[i], "--check"))
			opt_check = 1;
	}
	struct sigaction sa = {.sa_handler = on_usr1};
	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_handler = on_term;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);

	ep = epoll_create1(0);
	tfd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct conn tc = {.fd = tfd, .listener = 2};
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &tc};
	epoll_ctl(ep, EPOLL_CTL_ADD, tfd, &ev);
	for (int i = 0; i < n_brokers; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct sockaddr_in a = {
			.sin_family = AF_INET, .sin_port = htons(base_port + i), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (void *)&a, sizeof(a)) || listen(fd, 1024)) {
			perror("bind/listen");
			return 1;
		}
		struct conn *l = calloc(1, sizeof(*l));
		l->fd = fd;
		l->listener = 1;
		l->node = i + 1;
		ev.data.ptr = l;
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	}

	while (!got_term) {
		struct epoll_event evs[256];
		int n = epoll_wait(ep, evs, 256, -1);
		if (got_usr1) {
			got_usr1 = 0;
			stats_print();
		}
		for (int i = 0; i < n; i++) {
			struct conn *c = evs[i].data.ptr;
			if (c->listener == 1) {
				int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK);
				if (fd < 0)
					continue;
				setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
				struct conn *x = calloc(1, sizeof(*x));
				x->fd = fd;
				x->node = c->node;
				x->cap = 128 << 10;
				x->in = malloc(x->cap);
				ev.events = EPOLLIN;
				ev.data.ptr = x;
				epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
				n_conns++;
				continue;
			}
			if (c->listener == 2) {
				uint64_t x;
				if (read(tfd, &x, 8) < 0) { /* spurious */
				}
				int64_t t = now_ns();
				while (ph && ph->due <= t) {
					struct pend *p = ph;
					ph = p->next;
					if (!ph)
						pt = &ph;
					if (p->c) {
						wraw(&p->c->out, p->b, p->n);
						conn_flush(p->c);
					}
					free(p);
				}
				timer_arm();
				continue;
			}
			if (evs[i].events & EPOLLOUT)
				conn_flush(c);
			if (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				conn_read(c);
			if (c->dead)
				conn_close(c);
		}
	}
	if (st.reqs)
		stats_print();
	return 0;
}
