/*
 * copier.c - consume, transform, produce, exactly once: what was read, as the group's offsets, is committed in the same transaction as what
 * was made of it. It may be killed at any moment and started again.
 *
 *   copier HOST:PORT GROUP TRANSACTIONAL_ID TO READER [PER_TRANSACTION]
 *
 * READER is a shell command: any consumer that begins at GROUP's committed offsets and commits none itself, such as
 *
 *   kcat -b HOST:PORT -G GROUP -X enable.auto.commit=false -X isolation.level=read_committed -u -q -f '%t\t%p\t%o\t%s\n' FROM
 *
 * One that takes part in a group (-G) reads again from the committed offsets whenever the group shares its partitions out anew: what was read
 * already is left out. Several copiers of one group need a READER that tells its place in it.
 *
 * READER is started when this producer has its transactional id: from then on no earlier copier can move the offsets any more. Its lines are
 * records, "TOPIC\tPARTITION\tOFFSET\tVALUE", or tell its place in the group (KIP-447), "#group\tGENERATION\tMEMBER". A transaction ends
 * after PER_TRANSACTION records (100), when none comes for a while, and at the end; "committed N" is printed for it. Values are text without
 * zero bytes; a null value becomes an empty one.
 */
#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kproducer/kproducer.h>

#define WAIT_MS 10000
#define IDLE_MS 100
#define MAX_TRIES 30
#define TEXT_SIZE (4 * 1024 * 1024) /* more than any record */

typedef struct read_record {
	char *line; /* on the heap; the others point into it */
	char *value;
	kp_offset next; /* to be read */
} read_record;

/* How far a partition was read, copied or not. */
typedef struct position {
	struct position *other;
	long long next;
	int partition;
	char *topic;
} position;

typedef struct copier {
	kp_producer *producer;
	kp_topic *to;
	kp_group_metadata group;
	char member[256];
	read_record *records; /* of the transaction: kept until it is committed */
	kp_offset *offsets;   /* of each partition in it */
	position *positions;
	size_t n, per_transaction;
	int reader_fd;
	char *text; /* from the reader, not taken yet */
	size_t len;
} copier;

/* What stands up to the next tab, which is cut off; *rest begins behind it. "" when there is none. */
static char *take_field(char **rest)
{
	char *field = *rest, *tab = strchr(field, '\t');
	*rest = tab ? tab + 1 : field + strlen(field);
	if (tab)
		*tab = 0;
	return field;
}

/* The field is a whole number. */
static int take_number(char **rest, long long *out)
{
	char *field = take_field(rest), *end;
	*out = strtoll(field, &end, 10);
	return *field && !*end;
}

/* NULL: memory is out. */
static position *position_of(copier *c, const char *topic, int partition)
{
	position *at = c->positions;
	while (at && (at->partition != partition || strcmp(at->topic, topic)))
		at = at->other;
	if (at)
		return at;
	at = (position *)calloc(1, sizeof(*at));
	if (!at || !(at->topic = strdup(topic)))
		return NULL;
	at->partition = partition;
	at->other = c->positions;
	return c->positions = at;
}

/* A line becomes a record of the transaction, or the place in the group. It belongs to us. */
static int take_line(copier *c, char *line)
{
	read_record *r = &c->records[c->n];
	char *rest = line, *topic = take_field(&rest);
	long long partition = 0, offset = 0, generation = -1;
	if (!strcmp(topic, "#group") && take_number(&rest, &generation)) {
		c->group.generation_id = (int32_t)generation;
		snprintf(c->member, sizeof(c->member), "%s", take_field(&rest));
		c->group.member_id = c->member;
		free(line);
		return 0;
	}
	if (!take_number(&rest, &partition) || !take_number(&rest, &offset)) {
		fprintf(stderr, "not TOPIC, PARTITION, OFFSET, VALUE: %s\n", topic);
		free(line);
		return 1;
	}
	position *at = position_of(c, topic, (int)partition);
	if (!at || offset < at->next) {
		free(line);
		return !at;
	}
	at->next = offset + 1;
	r->line = line;
	r->value = rest;
	r->next = KP_OFFSET_INIT;
	r->next.topic = topic;
	r->next.partition = (int32_t)partition;
	r->next.offset = offset + 1;
	c->n++;
	return 0;
}

/* What came of reading: BAD is a line that makes no sense or is too long. */
typedef enum came { FULL, IDLE, END, BAD } came;

/* FULL: there is more text. */
static came read_text(copier *c)
{
	struct pollfd wait = {c->reader_fd, POLLIN, 0};
	if (poll(&wait, 1, IDLE_MS) <= 0)
		return IDLE;
	ssize_t n = read(c->reader_fd, c->text + c->len, TEXT_SIZE - c->len);
	if (n <= 0)
		return c->len ? BAD : END;
	c->len += (size_t)n;
	return FULL;
}

/* Lines until the transaction is full. */
static came read_records(copier *c)
{
	while (c->n < c->per_transaction) {
		char *end = (char *)memchr(c->text, '\n', c->len);
		if (!end) {
			came what = read_text(c);
			if (what != FULL)
				return what;
			continue;
		}
		*end = 0;
		if (strlen(c->text) != (size_t)(end - c->text)) {
			fprintf(stderr, "a value has a zero byte: %.60s\n", c->text);
			return BAD;
		}
		char *line = strdup(c->text);
		c->len -= (size_t)(end + 1 - c->text);
		memmove(c->text, end + 1, c->len);
		if (!line || take_line(c, line))
			return BAD;
	}
	return FULL;
}

/* ------------------------------------------------------------------ the transaction */

static int send_record(const copier *c, const read_record *r)
{
	char key[300];
	kp_record record = KP_RECORD_INIT;
	for (char *at = r->value; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	record.key = key; /* the records of a partition stay in order */
	record.key_len = (size_t)snprintf(key, sizeof(key), "%s-%d", r->next.topic, (int)r->next.partition);
	record.value = r->value;
	record.value_len = strlen(r->value);
	return kp_send(c->to, &record);
}

/* The last of each partition. */
static size_t gather_offsets(copier *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		const kp_offset *next = &c->records[i].next;
		size_t at = 0;
		while (at < n && (c->offsets[at].partition != next->partition || strcmp(c->offsets[at].topic, next->topic)))
			at++;
		c->offsets[at] = *next;
		n += at == n;
	}
	return n;
}

typedef int call(copier *c, kp_txn_error *err);

static int init(copier *c, kp_txn_error *err)
{
	return kp_init_transactions(c->producer, WAIT_MS, err);
}

static int send_offsets(copier *c, kp_txn_error *err)
{
	return kp_send_offsets_to_transaction(c->producer, &c->group, c->offsets, gather_offsets(c), WAIT_MS, err);
}

static int commit(copier *c, kp_txn_error *err)
{
	return kp_commit_transaction(c->producer, WAIT_MS, err);
}

static int abort_it(copier *c, kp_txn_error *err)
{
	return kp_abort_transaction(c->producer, WAIT_MS, err);
}

/* The same call again, as long as that is what helps. */
static int persist(copier *c, call *what, kp_txn_error *err)
{
	int failed = what(c, err);
	for (int i = 1; i < MAX_TRIES && failed && err->next == KP_TXN_NEXT_RETRY; i++)
		failed = what(c, err);
	return failed;
}

static int attempt(copier *c, kp_txn_error *err)
{
	int failed = kp_begin_transaction(c->producer, err);
	if (failed)
		return failed;
	for (size_t i = 0; i < c->n && !failed; i++)
		failed = send_record(c, &c->records[i]);
	if (failed) {
		snprintf(err->text, sizeof(err->text), "a record was not taken: %s", kp_error_text(failed));
		err->cause = failed;
		err->next = KP_TXN_NEXT_ABORT;
		return failed;
	}
	failed = persist(c, send_offsets, err);
	return failed ? failed : persist(c, commit, err);
}

/* The partitions are another member's now: what was read of them is no longer ours to copy. */
static int has_lost_its_place(int cause)
{
	return cause == KP_ERR_ILLEGAL_GENERATION || cause == KP_ERR_UNKNOWN_MEMBER_ID || cause == KP_ERR_FENCED_INSTANCE_ID;
}

/* 0: copied. Else not, or it cannot be known yet: who starts again begins at the committed offsets. */
static int copy(copier *c, kp_txn_error *err)
{
	int failed = 0, cause = 0;
	for (int i = 0; i < MAX_TRIES && c->n; i++) {
		failed = attempt(c, err);
		if (!failed || err->next != KP_TXN_NEXT_ABORT)
			break;
		cause = err->cause;
		fprintf(stderr, "%s\n", err->text);
		if (persist(c, abort_it, err) || has_lost_its_place(cause))
			break;
	}
	if (failed)
		return failed;
	if (c->n)
		printf("committed %zu\n", c->n);
	fflush(stdout);
	while (c->n)
		free(c->records[--c->n].line);
	return 0;
}

static int run(copier *c, const char *command)
{
	kp_txn_error err = KP_TXN_ERROR_INIT;
	int failed = persist(c, init, &err);
	FILE *reader = failed ? NULL : popen(command, "r");
	c->reader_fd = reader ? fileno(reader) : -1;
	for (came what = FULL; reader && !failed && what != END;) {
		what = read_records(c);
		failed = what == BAD || copy(c, &err);
	}
	if (failed && *err.text)
		fprintf(stderr, "%s\n", err.text);
	/* who ends early does not wait for the reader, whose pipe breaks */
	return failed || !reader || pclose(reader) ? 1 : 0;
}

int main(int argc, char **argv)
{
	static copier c;
	char err[256] = "usage: copier HOST:PORT GROUP TRANSACTIONAL_ID TO READER [PER_TRANSACTION]";
	kp_config *config = kp_config_new();
	c.per_transaction = argc > 6 ? (size_t)strtoul(argv[6], NULL, 10) : 100;
	c.text = (char *)malloc(TEXT_SIZE);
	c.records = (read_record *)calloc(c.per_transaction, sizeof(*c.records));
	c.offsets = (kp_offset *)calloc(c.per_transaction, sizeof(*c.offsets));
	if (config && argc > 5 && c.text && c.records && c.offsets && c.per_transaction > 0 &&
	    !kp_config_set(config, "bootstrap.servers", argv[1], err, sizeof(err)) &&
	    !kp_config_set(config, "transactional.id", argv[3], err, sizeof(err)) && !kp_config_load_env(config, err, sizeof(err)))
		c.producer = kp_producer_new(config, NULL, err, sizeof(err));
	kp_config_free(config);
	c.to = c.producer ? kp_topic_open(c.producer, argv[4]) : NULL;
	if (!c.to) {
		fprintf(stderr, "%s\n", c.producer ? "this is no topic name" : err);
		return 2;
	}
	c.group = KP_GROUP_METADATA_INIT;
	c.group.group_id = argv[2];
	int failed = run(&c, argv[5]);
	kp_close(c.producer, WAIT_MS, NULL);
	kp_producer_free(c.producer);
	return failed;
}
