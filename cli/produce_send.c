/*
 * produce_send.c - blocks of input into records that point into the block, in an array that goes to kp_send_many. It is handed over
 * before the next block moves the bytes, so nothing is copied or allocated per record here.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/produce.h"
#include "cli/signals.h"
#include "cli/talk.h"

#define PROGRESS_MS 500

void produce_progress(void *opaque)
{
	produce *p = opaque;
	char lines[CLI_NUMBER_SIZE], bytes[CLI_NUMBER_SIZE], rate[CLI_NUMBER_SIZE];
	if (!cli_progress_due(PROGRESS_MS))
		return;
	cli_counts counts = cli_tally_get(&p->tally, NULL);
	double seconds = (double)(cli_now_ns() - p->first_send_ns) / 1e9;
	uint64_t ended = cli_counts_ended(&counts);
	cli_progress("%s records, %s read; %.0f%% ended, %s records/s%s",
	             cli_format_count(lines, (double)(p->accepted + p->refused)), cli_format_bytes(bytes, (double)p->bytes),
	             p->accepted + p->refused ? 100.0 * (double)ended / (double)(p->accepted + p->refused) : 0,
	             cli_format_count(rate, p->first_send_ns ? (double)ended / seconds : 0), cli_stop_count() ? " (stopping)" : "");
}

/* kp_send_many has waited for room already, unless the configuration tells it not to. */
static bool wait_for_room(produce *p)
{
	produce_progress(p);
	produce_txn_watch(p);
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	p->has_given_up = !cli_session_may_wait(&p->session);
	return !p->has_given_up;
}

/*
 * As many as the library takes; *error: why it did not take the next one. Not inlined, so that what the library does per record is
 * inlined here (GCC gives up on that in a larger function: 40 instructions a record).
 */
static __attribute__((noinline)) size_t try_send(produce *p, size_t done, int *error)
{
	*error = KP_ERR_QUEUE_FULL;
	if (p->has_given_up)
		return 0;
	size_t accepted = kp_send_many(p->session.topic, p->records + done, p->n - done, error);
	for (size_t i = done; i < done + accepted; i++)
		p->bytes += p->records[i].key_len + p->records[i].value_len;
	p->accepted += accepted;
	return accepted;
}

/* Records whose line is not in --report yet, as long as it can be written and does not keep up. */
static uint64_t unreported(produce *p)
{
	if (p->report.file.fd < 0 || !cli_sink_backlog(&p->report))
		return 0;
	return p->accepted + p->refused + p->malformed - cli_sink_written(&p->report);
}

/* --rate, and a --report whose reader is slow: false when a stop came meanwhile. */
static bool wait_for_turn(produce *p)
{
	for (;;) {
		int64_t wait_ns = p->pace.rate > 0 ? cli_pace_wait_ns(&p->pace, cli_now_ns()) : 0;
		bool is_behind = unreported(p) > PRODUCE_REPORT_BACKLOG;
		if (!wait_ns && !is_behind)
			return true;
		int64_t wait_ms = is_behind ? 1 : wait_ns / 1000000 + 1;
		if (cli_wait_readable(-1, wait_ms < PROGRESS_MS ? (int)wait_ms : PROGRESS_MS) == CLI_WAIT_STOPPED)
			return false;
		produce_progress(p);
		produce_txn_watch(p);
	}
}

static uint64_t ordinal_of(const kp_record *r)
{
	return (uint64_t)(uintptr_t)r->opaque >> PRODUCE_TAG_BITS;
}

/*
 * A stop between two records of a file: what was read ahead can be read again, so the record sent last is where it stops. From a pipe
 * it cannot, so it goes out at once.
 */
static bool drop_array(produce *p)
{
	uint64_t number;
	uint64_t first = ordinal_of(&p->records[0]);
	if (!cli_inputs_origin(&p->inputs, first, &number)->is_regular)
		return false;
	p->ordinal = first - 1;
	p->n = 0;
	p->is_done = true;
	return true;
}

static void send_array(produce *p)
{
	for (size_t done = 0; done < p->n;) {
		int error;
		if (p->txn.is_doomed) {
			produce_txn_drop(p, &p->records[done++]);
			continue;
		}
		done += try_send(p, done, &error);
		if (done == p->n || (error == KP_ERR_QUEUE_FULL && !p->has_given_up && wait_for_room(p)))
			continue;
		if (produce_txn_refused(p, &p->records[done], error))
			continue;
		p->refused++;
		produce_refuse(p, &p->records[done++], error);
	}
}

/* How many records make the array full: those that --rate lets go at once, --count still wants and the transaction has room for. */
static void set_limit(produce *p)
{
	uint64_t left = p->options->max_records - p->accepted - p->refused, room = produce_txn_left(&p->txn);
	p->limit = cli_pace_group(&p->pace, PRODUCE_ARRAY);
	if (left < p->limit)
		p->limit = left;
	if (room < p->limit)
		p->limit = room;
	p->is_done |= left == 0;
}

static void hand_over(produce *p)
{
	if (!p->n || (!wait_for_turn(p) && drop_array(p)))
		return;
	if (!p->first_send_ns)
		p->first_send_ns = cli_now_ns();
	produce_txn_begin(p);
	send_array(p);
	if (p->pace.rate > 0)
		cli_pace_sent(&p->pace, p->n, cli_now_ns());
	produce_txn_count(p, ordinal_of(&p->records[0]), ordinal_of(&p->records[p->n - 1]), p->n);
	p->n = 0;
	set_limit(p);
}

/* One that was malformed: the transaction that those before it are in cannot be committed. */
static void doom_malformed(produce *p)
{
	char place[512];
	if (!p->txn.is_on)
		return;
	hand_over(p);
	if (p->is_done)
		return;
	produce_txn_doom(p, "%s: malformed", produce_txn_place(p, p->ordinal, p->ordinal, place, sizeof(place)));
	produce_txn_count(p, p->ordinal, p->ordinal, 1);
	set_limit(p);
}

static void add_malformed(produce *p, kp_record *r)
{
	p->ordinal++;
	p->malformed++;
	r->opaque = produce_opaque(p->ordinal, 0);
	produce_refuse_malformed(p, r, p->reader.problem, true);
	doom_malformed(p);
}

/*
 * A record longer than any may be. Its pieces go to the --failed file under the lock that the report callback needs too, so first
 * what is under way must end: then the callback has nothing to say.
 */
static void add_long_piece(produce *p, kp_record *r, bool is_last)
{
	bool is_first = !p->is_in_long;
	char place[512];
	if (is_first) {
		hand_over(p);
		if (p->is_done)
			return;
		p->ordinal++;
		p->refused++;
		if (p->options->delimiter_len)
			produce_split_key(p->options, r);
		if (p->options->failed_path)
			produce_settle(p);
	}
	r->opaque = produce_opaque(p->ordinal, p->tags);
	produce_refuse_long(p, r, is_first, is_last);
	p->is_in_long = !is_last;
	if (!is_last)
		return;
	produce_txn_doom(p, "%s: %s", produce_txn_place(p, p->ordinal, p->ordinal, place, sizeof(place)),
	                 kp_error_name(KP_ERR_RECORD_TOO_LARGE));
	produce_txn_count(p, p->ordinal, p->ordinal, 1);
	set_limit(p);
}

/* What is no plain record. false: nothing more can be read from this input. */
static bool handle(produce *p, cli_read_event event, kp_record *r)
{
	switch (event) {
	case CLI_READ_BLANK:
		p->ordinal++;
		p->skipped++;
		return true;
	case CLI_READ_BAD: add_malformed(p, r); return true;
	case CLI_READ_PIECE:
	case CLI_READ_LONG_END: add_long_piece(p, r, event == CLI_READ_LONG_END); return true;
	default: return false;
	}
}

/*
 * Records until something else comes, which stands in the next place of the array, or until p->is_done. This one is for text in
 * which nothing is to be found, which is most.
 */
static cli_read_event send_plain(produce *p)
{
	cli_read_event event = CLI_READ_RECORD;
	while (!p->is_done) {
		kp_record *r = &p->records[p->n];
		if (!cli_reader_next_plain(&p->reader, r) && (event = cli_reader_next(&p->reader, r)) != CLI_READ_RECORD)
			break;
		r->opaque = produce_opaque(++p->ordinal, p->tags);
		if (++p->n == p->limit)
			hand_over(p);
	}
	return event;
}

static cli_read_event send_prepared(produce *p)
{
	const bool is_text = p->options->format->is_text;
	cli_read_event event = CLI_READ_RECORD;
	while (!p->is_done) {
		kp_record *r = &p->records[p->n];
		*r = p->model;
		if (!(is_text && cli_reader_next_plain(&p->reader, r)) &&
		    (event = cli_reader_next(&p->reader, r)) != CLI_READ_RECORD)
			break;
		p->ordinal++;
		switch (produce_prepare(p, r)) {
		case PRODUCE_SEND:
			if (++p->n == p->limit)
				hand_over(p);
			break;
		case PRODUCE_SKIP: break;
		case PRODUCE_MALFORMED: doom_malformed(p); break;
		}
	}
	return event;
}

/* All records of the block. false: nothing more can be read from this input. */
static bool send_records(produce *p)
{
	bool goes_on = true;
	while (!p->is_done && goes_on) {
		cli_read_event event = p->is_plain ? send_plain(p) : send_prepared(p);
		if (p->is_done || event == CLI_READ_MORE || event == CLI_READ_END)
			break;
		goes_on = handle(p, event, &p->records[p->n]);
	}
	hand_over(p);
	return goes_on;
}

/* One block for the reader: its size, 0 at the end, -1 with errno. Waits for input in slices, so that signals and progress live. */
static ssize_t read_block(produce *p, const cli_input *input)
{
	size_t room;
	char *space = cli_reader_space(&p->reader, &room);
	if (!space) {
		errno = ENOMEM;
		return -1;
	}
	if (p->pace.rate > 0 && !input->is_regular)
		room = PRODUCE_PACED_BLOCK;
	for (;;) {
		cli_wait_result wait = cli_wait_readable(input->fd, PROGRESS_MS);
		produce_progress(p);
		produce_txn_watch(p);
		if (p->is_done)
			return 0;
		if (wait == CLI_WAIT_TIMEOUT)
			continue;
		if (wait == CLI_WAIT_STOPPED) {
			errno = EINTR;
			return -1;
		}
		ssize_t n = read(input->fd, space, room);
		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
	}
}

/* The input ends in the middle of an overlong record: as if it had not begun. */
static void forget_long(produce *p)
{
	if (!p->is_in_long)
		return;
	p->is_in_long = false;
	p->ordinal--;
	p->refused--;
	pthread_mutex_lock(&p->lock);
	cli_failed_abandon(&p->failed);
	pthread_mutex_unlock(&p->lock);
}

static void say_stopped(produce *p, const cli_input *input, bool is_between)
{
	bool has_part = !is_between && cli_reader_pending(&p->reader);
	const char *noun = p->reader.format->noun;
	forget_long(p);
	cli_error("stopped by %s after %s %" PRIu64 " of %s%s%s%s", cli_stop_signal_name(), noun,
	          p->ordinal - input->first_ordinal + 1, input->name, has_part ? "; the unfinished " : "", has_part ? noun : "",
	          has_part ? " behind it was not sent" : "");
}

/* This input is over before its end; the others are read all the same. */
static void say_unreadable(produce *p, const cli_input *input, const char *reason)
{
	forget_long(p);
	cli_error("cannot read %s behind %s %" PRIu64 ": %s", input->name, p->reader.format->noun,
	          p->ordinal - input->first_ordinal + 1, reason);
	p->has_read_error = true;
	produce_txn_doom(p, "%s could not be read to its end", input->name);
}

/* false: stop here. */
static bool send_input(produce *p, const cli_input *input)
{
	cli_reader_restart(&p->reader);
	for (;;) {
		ssize_t n = read_block(p, input);
		if (n < 0 && cli_stop_count()) {
			say_stopped(p, input, false);
			return false;
		}
		if (n < 0) {
			say_unreadable(p, input, strerror(errno));
			return true;
		}
		cli_reader_filled(&p->reader, (size_t)n);
		if (!send_records(p))
			say_unreadable(p, input, p->reader.problem);
		else if (p->is_done && cli_stop_count())
			say_stopped(p, input, true);
		else if (n > 0 && !p->is_done)
			continue;
		return !p->is_done;
	}
}

static void records_init(produce *p)
{
	const produce_options *o = p->options;
	kp_record r = KP_RECORD_INIT;
	r.headers = o->headers.list;
	r.n_headers = o->headers.n;
	r.partition = o->partition;
	r.key = o->key;
	r.key_len = o->key ? strlen(o->key) : 0;
	p->model = r;
	for (size_t i = 0; i < PRODUCE_ARRAY; i++)
		p->records[i] = r;
	p->tags = PRODUCE_HAS_BYTES | (o->partition >= 0 ? PRODUCE_HAS_PARTITION : 0) | (o->headers.n ? PRODUCE_HAS_HEADERS : 0);
	p->is_plain = o->format->is_text && !o->delimiter_len && !o->key_from.is_set && !o->key_required && !o->null_text &&
	              !o->skip_empty;
	p->pace.rate = o->rate;
	set_limit(p);
}

int produce_send_inputs(produce *p)
{
	const cli_format *format = p->options->format;
	/* A longer one is too large for certain, for a record is more than its key and value. */
	if (!cli_reader_init(&p->reader, format, PRODUCE_BLOCK, p->max_request_size + p->options->delimiter_len)) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	records_init(p);
	if (isatty(p->inputs.list[0].fd))
		cli_say("reading %ss from the terminal; Ctrl-D ends", format->noun);
	for (size_t i = 0; i < p->inputs.n; i++) {
		cli_inputs_start(&p->inputs, i, p->ordinal + 1);
		if (!send_input(p, &p->inputs.list[i]))
			break;
	}
	produce_txn_finish(p);
	cli_reader_deinit(&p->reader);
	return CLI_GO_ON;
}
