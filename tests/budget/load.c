/*
 * load.c - the load that the budgets are held to: one thread sends records of one size as fast as kp_send takes them, and between two
 * marks everything is counted that the process allocates and copies.
 *
 *   load SERVERS TOPIC SIZE WARM N [NAME=VALUE]...
 *
 * One record and its report come first, so that connection, metadata and producer id are there, then WARM records, so that pools and buffers
 * are; then the first mark, and N records up to the second. Nothing is flushed at a mark. Each mark is a getppid() too, which nothing else
 * calls: a trace of the system calls is cut there. One JSON object is printed.
 *
 * malloc and its kin, memcpy and memmove are this program's own, and so those of all libraries that it is linked with, libc aside.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kproducer/kproducer.h>

/* ------------------------------------------------------------------ what is counted */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_ullong n_allocations, n_copied_bytes; /* relaxed: figures, nothing is published by them */
static void *(*libc_memmove)(void *to, const void *from, size_t n);

static void count(atomic_ullong *figure, unsigned long long n)
{
	atomic_fetch_add_explicit(figure, n, memory_order_relaxed);
}

void *malloc(size_t size)
{
	count(&n_allocations, 1);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count(&n_allocations, 1);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	count(&n_allocations, 1);
	return __libc_realloc(p, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count(&n_allocations, 1);
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	*p = aligned_alloc(alignment, size);
	return *p ? 0 : ENOMEM;
}

__attribute__((constructor(101))) static void find_memmove(void)
{
	libc_memmove = (void *(*)(void *, const void *, size_t))dlsym(RTLD_NEXT, "memmove");
}

void *memmove(void *to, const void *from, size_t n)
{
	count(&n_copied_bytes, n);
	if (libc_memmove)
		return libc_memmove(to, from, n);
	volatile char *t = to; /* before main: what starts the process copies forwards */
	for (const char *f = from; n > 0; n--)
		*t++ = *f++;
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	return memmove(to, from, n);
}

/* ------------------------------------------------------------------ the load */

typedef struct figures {
	unsigned long long allocations, copied_bytes;
	kp_counters counters;
} figures;

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "load: %s: %s\n", what, why);
	exit(1);
}

static figures mark(kp_producer *p)
{
	(void)getppid();
	figures f = {.allocations = atomic_load(&n_allocations),
	             .copied_bytes = atomic_load(&n_copied_bytes),
	             .counters = {.struct_size = sizeof(f.counters)}};
	kp_counters_get(p, &f.counters);
	return f;
}

static void send(kp_topic *t, const kp_record *r, long n)
{
	for (; n > 0; n--) {
		int err = kp_send(t, r);
		if (err)
			fail("kp_send", kp_error_text(err));
	}
}

static void on_reports(kp_producer *p, const kp_report *reports, size_t n, void *opaque)
{
	(void)p, (void)reports;
	*(unsigned long long *)opaque += n;
}

static kp_producer *producer_for(char **argv, unsigned long long *n_reports)
{
	char err[256] = "";
	kp_config *c = kp_config_new();
	int failed = kp_config_set(c, "bootstrap.servers", argv[1], err, sizeof(err));
	for (char **property = argv + 6; !failed && *property; property++) {
		char *value = strchr(*property, '=');
		if (!value)
			fail(*property, "NAME=VALUE is wanted");
		*value++ = '\0';
		failed = kp_config_set(c, *property, value, err, sizeof(err));
	}
	kp_config_set_report_cb(c, on_reports, n_reports);
	kp_producer *p = failed ? NULL : kp_producer_new(c, NULL, err, sizeof(err));
	if (!p)
		fail("configuration", err);
	kp_config_free(c);
	return p;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		fail("usage", "load SERVERS TOPIC SIZE WARM N [NAME=VALUE]...");
	size_t size = strtoul(argv[3], NULL, 10);
	long warm = strtol(argv[4], NULL, 10), n = strtol(argv[5], NULL, 10);
	unsigned long long n_reports = 0;
	kp_producer *p = producer_for(argv, &n_reports);
	kp_topic *t = kp_topic_open(p, argv[2]);
	char *value = malloc(size);
	if (!t || !value)
		fail(argv[2], "no topic of that name, or no memory");
	memset(value, 'x', size);
	kp_record r = KP_RECORD_INIT;
	r.value = value;
	r.value_len = size;
	send(t, &r, 1);
	int err = kp_flush(p, 60000);
	if (err)
		fail("kp_flush", kp_error_text(err));
	send(t, &r, warm);
	figures a = mark(p);
	send(t, &r, n);
	figures b = mark(p);
	err = kp_close(p, 60000, NULL);
	figures end = mark(p);
	if (err || end.counters.persisted != (unsigned long long)(1 + warm + n) || n_reports != end.counters.persisted)
		fail("kp_close", "not every record was persisted and reported");
	printf("{\"records\": %ld, \"allocations\": %llu, \"copied_bytes\": %llu, \"batches\": %llu, \"sent_bytes\": %llu}\n", n,
	       b.allocations - a.allocations, b.copied_bytes - a.copied_bytes,
	       (unsigned long long)(b.counters.batches - a.counters.batches),
	       (unsigned long long)(b.counters.sent_bytes - a.counters.sent_bytes));
	kp_producer_free(p);
	free(value);
	return 0;
}
