/*
 * payload.h - what `perf` sends: values from a pool of 1 MiB in rotation, random bytes or the lines of a file, and keys, in rotation
 * or at random.
 * Nothing is made per record; the pool is large enough not to compress by accident and small enough to stay in the cache.
 */
#ifndef KP_CLI_PAYLOAD_H
#define KP_CLI_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include <kproducer/kproducer.h>

#include "cli/slice.h"

#define CLI_PAYLOAD_POOL (1u << 20)
#define CLI_PAYLOAD_KEY_LEN 8 /* decimal digits */
#define CLI_PAYLOAD_KEYS_MAX 1000000

typedef struct cli_payload_options {
	const char *file; /* NULL: random bytes */
	size_t size;      /* of a value; SIZE_MAX: those of the file as they are */
	const char *delimiter;
	size_t delimiter_len; /* 0: lines end with '\n' */
	size_t n_keys;        /* 0: no keys */
} cli_payload_options;

typedef struct cli_payload {
	char *pool;
	size_t n;         /* values */
	size_t size;      /* of each, when `lines` is NULL; value i is at pool + i * size */
	cli_slice *lines; /* values of different sizes */
	char *keys;       /* NULL: none */
	size_t n_keys;
} cli_payload;

/* One thread's place in the rotation. */
typedef struct cli_payload_cursor {
	const cli_payload *payload;
	size_t value, key;
	uint64_t random; /* state of the generator that draws keys; 0: in rotation */
} cli_payload_cursor;

/*
 * Values are random bytes, or the pieces of the file's first MiB between delimiters, as they are or cut and padded with spaces to
 * `size`. CLI_GO_ON or an exit code.
 */
int cli_payload_init(cli_payload *p, const cli_payload_options *options);
void cli_payload_deinit(cli_payload *p);

/* xorshift64 of Marsaglia; state is not 0. */
static inline uint64_t cli_payload_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline void cli_payload_next_key(cli_payload_cursor *c, kp_record *r)
{
	const cli_payload *p = c->payload;
	if (c->random)
		c->key = (size_t)((cli_payload_random(&c->random) >> 32) * p->n_keys >> 32);
	r->key = p->keys + c->key * CLI_PAYLOAD_KEY_LEN;
	r->key_len = CLI_PAYLOAD_KEY_LEN;
	if (!c->random && ++c->key == p->n_keys)
		c->key = 0;
}

static inline void cli_payload_next(cli_payload_cursor *c, kp_record *r)
{
	const cli_payload *p = c->payload;
	if (p->lines) {
		r->value = p->lines[c->value].ptr;
		r->value_len = p->lines[c->value].len;
	} else {
		r->value = p->pool + c->value * p->size;
		r->value_len = p->size;
	}
	if (++c->value == p->n)
		c->value = 0;
	if (p->keys)
		cli_payload_next_key(c, r);
}

#endif
