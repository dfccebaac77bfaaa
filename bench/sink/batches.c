/*
 * batches.c - the record batches of a Produce request: counted by their headers, and looked at closely when asked to (--check).
 */
#include "sink.h"

#include <nmmintrin.h>

#define BATCH_HEADER 61
#define SEQ_SLOTS 65536

/* What a producer's next sequence in a partition is to be. */
typedef struct seq {
	struct seq *next;
	int64_t producer_id;
	const topic *t;
	int32_t partition;
	int16_t epoch;
	int32_t expected;
} seq;
static seq *seqs[SEQ_SLOTS];

static seq *seq_get(const seq *wanted)
{
	uint64_t h = (uint64_t)wanted->producer_id * 0x9e3779b97f4a7c15ull + (uintptr_t)wanted->t * 31 +
	             (uint64_t)wanted->partition * 0x85ebca6bull + (uint64_t)wanted->epoch;
	seq **slot = &seqs[(h ^ h >> 17 ^ h >> 33) % SEQ_SLOTS], *s;
	for (s = *slot; s; s = s->next)
		if (s->producer_id == wanted->producer_id && s->epoch == wanted->epoch && s->t == wanted->t &&
		    s->partition == wanted->partition)
			return s;
	s = must(malloc(sizeof(*s)));
	*s = *wanted;
	s->next = *slot;
	return *slot = s;
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

static void skip_pair(rd *r)
{
	for (int k = 0; k < 2; k++) {
		int64_t l = rsv(r);
		if (l > 0)
			skip(r, (uint64_t)l);
	}
}

static bool are_records(const uint8_t *p, const uint8_t *e, int32_t count)
{
	rd r = {p, e, false};
	for (int32_t i = 0; i < count; i++) {
		int64_t len = rsv(&r);
		const uint8_t *start = r.p;
		if (len < 0 || !need(&r, (size_t)len))
			return false;
		r8(&r);  /* attributes */
		rsv(&r); /* timestamp delta */
		if (rsv(&r) != i)
			return false;
		skip_pair(&r);
		for (int64_t n = rsv(&r); n > 0 && !r.bad; n--)
			skip_pair(&r);
		if (r.bad || r.p != start + len)
			return false;
	}
	return r.p == e;
}

static void check_batch(const topic *t, int32_t partition, const uint8_t *p, int64_t len)
{
	int32_t count = (int32_t)be32(p + 57), base = (int32_t)be32(p + 53);
	seq wanted = {NULL, (int64_t)be64(p + 43), t, partition, (int16_t)(p[51] << 8 | p[52]), 0};
	st.crc_bad += crc32c(p + 21, (size_t)len - 21) != be32(p + 17);
	st.rec_bad += (int32_t)be32(p + 23) != count - 1;
	if (!(p[22] & 7)) /* not compressed */
		st.rec_bad += !are_records(p + BATCH_HEADER, p + len, count);
	if (wanted.producer_id < 0)
		return;
	seq *s = seq_get(&wanted);
	st.dup += base < s->expected;
	st.seq_bad += base > s->expected;
	if (base >= s->expected)
		s->expected = (int32_t)(((uint32_t)base + (uint32_t)count) & 0x7fffffff);
}

int64_t batches_count(const topic *t, int32_t partition, const uint8_t *p, int64_t len)
{
	int64_t total = 0;
	while (len > 0) {
		if (len < BATCH_HEADER || p[16] != 2)
			return -1;
		int64_t batch = (int64_t)be32(p + 8) + 12;
		int32_t count = (int32_t)be32(p + 57);
		if (batch > len || batch < BATCH_HEADER || count <= 0)
			return -1;
		st.batches++;
		if ((uint64_t)batch > st.max_batch)
			st.max_batch = (uint64_t)batch;
		if (opt.check)
			check_batch(t, partition, p, batch);
		total += count;
		p += batch;
		len -= batch;
	}
	return total;
}
