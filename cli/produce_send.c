/*
 * produce_send.c - blocks of input into lines, lines into an array of records that point into the block, arrays into kp_send_many.
 * The array is handed over before the next block moves the bytes, so nothing is copied or allocated per line here.
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
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	p->has_given_up = !cli_session_may_wait(&p->session);
	return !p->has_given_up;
}

/* As many as the library takes; *error: why it did not take the next one. */
static size_t try_send(produce *p, size_t done, int *error)
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

static void hand_over(produce *p)
{
	if (!p->first_send_ns)
		p->first_send_ns = cli_now_ns();
	for (size_t done = 0; done < p->n;) {
		int error;
		done += try_send(p, done, &error);
		if (done == p->n || (error == KP_ERR_QUEUE_FULL && !p->has_given_up && wait_for_room(p)))
			continue;
		p->refused++;
		produce_refuse(p, &p->records[done++], error);
	}
	p->n = 0;
}

/* kcat's rule: a line without the delimiter is a value without a key. */
static void split_key(const produce_options *o, kp_record *r, cli_slice line)
{
	const char *at = o->delimiter_len == 1 ? memchr(line.ptr, o->delimiter[0], line.len)
	                                       : memmem(line.ptr, line.len, o->delimiter, o->delimiter_len);
	r->key = NULL;
	r->key_len = 0;
	if (!at)
		return;
	r->key = line.ptr;
	r->key_len = (size_t)(at - line.ptr);
	r->value = at + o->delimiter_len;
	r->value_len = line.len - r->key_len - o->delimiter_len;
}

static void add_line(produce *p, cli_slice line)
{
	const produce_options *o = p->options;
	p->ordinal++;
	if (!line.len && o->skip_empty) {
		p->skipped++;
		return;
	}
	kp_record *r = &p->records[p->n];
	r->value = line.ptr;
	r->value_len = line.len;
	r->opaque = (void *)(uintptr_t)p->ordinal;
	if (o->delimiter_len)
		split_key(o, r, line);
	if (++p->n == PRODUCE_ARRAY)
		hand_over(p);
}

/*
 * A line longer than any record may be. Its pieces go to the --failed file under the lock that the report callback needs too, so
 * first what is under way must end: then the callback has nothing to say.
 */
static void add_long_piece(produce *p, cli_slice piece, bool is_last, bool is_first)
{
	if (is_first) {
		hand_over(p);
		p->ordinal++;
		p->refused++;
		while (p->options->failed_path && kp_flush(p->session.producer, CLI_SLICE_MS) == KP_ERR_TIMED_OUT &&
		       cli_session_may_wait(&p->session))
			produce_progress(p);
	}
	produce_refuse_long(p, piece, is_last, p->lines.long_bytes);
}

static void send_lines(produce *p, bool *is_long)
{
	cli_slice slice;
	cli_lines_event event;
	while ((event = cli_lines_next(&p->lines, &slice)) != CLI_LINES_MORE && event != CLI_LINES_END) {
		if (event == CLI_LINES_LINE) {
			add_line(p, slice);
			continue;
		}
		add_long_piece(p, slice, event == CLI_LINES_LONG_END, !*is_long);
		*is_long = event == CLI_LINES_PIECE;
	}
	hand_over(p);
}

/* One block into the splitter: its size, 0 at the end, -1 with errno. Waits for input in slices, so that signals and progress live. */
static ssize_t read_block(produce *p, int fd)
{
	size_t room;
	char *space = cli_lines_space(&p->lines, &room);
	if (!space) {
		errno = ENOMEM;
		return -1;
	}
	for (;;) {
		cli_wait_result wait = cli_wait_readable(fd, PROGRESS_MS);
		produce_progress(p);
		if (wait == CLI_WAIT_TIMEOUT)
			continue;
		if (wait == CLI_WAIT_STOPPED) {
			errno = EINTR;
			return -1;
		}
		ssize_t n = read(fd, space, room);
		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
	}
}

static void say_stopped(const produce *p, const cli_input *input)
{
	uint64_t pending = cli_lines_pending(&p->lines);
	cli_error("stopped by %s after line %" PRIu64 " of %s%s", cli_stop_signal_name(), p->ordinal - input->first_ordinal + 1,
	          input->name, pending ? "; the unfinished line behind it was not sent" : "");
}

/* false: stop here. */
static bool send_input(produce *p, const cli_input *input)
{
	bool is_long = false;
	cli_lines_restart(&p->lines);
	for (;;) {
		ssize_t n = read_block(p, input->fd);
		if (n < 0 && cli_stop_count()) {
			say_stopped(p, input);
			return false;
		}
		if (n < 0) {
			cli_error("cannot read %s behind line %" PRIu64 ": %s", input->name, p->ordinal - input->first_ordinal + 1,
			          strerror(errno));
			p->has_read_error = true;
			return true;
		}
		cli_lines_filled(&p->lines, (size_t)n);
		send_lines(p, &is_long);
		if (n == 0)
			return true;
	}
}

static void records_init(produce *p)
{
	const produce_options *o = p->options;
	kp_record r = KP_RECORD_INIT;
	r.headers = o->headers;
	r.n_headers = o->n_headers;
	r.partition = o->partition;
	r.key = o->key;
	r.key_len = o->key ? strlen(o->key) : 0;
	for (size_t i = 0; i < PRODUCE_ARRAY; i++)
		p->records[i] = r;
}

int produce_send_inputs(produce *p)
{
	/* A longer line is too large for certain, for a record is more than its key and value. */
	if (!cli_lines_init(&p->lines, PRODUCE_BLOCK, p->max_request_size + p->options->delimiter_len)) {
		cli_error("out of memory");
		return CLI_FAILED;
	}
	records_init(p);
	if (isatty(p->inputs.list[0].fd))
		cli_say("reading lines from the terminal; Ctrl-D ends");
	for (size_t i = 0; i < p->inputs.n; i++) {
		cli_inputs_start(&p->inputs, i, p->ordinal + 1);
		if (!send_input(p, &p->inputs.list[i]))
			break;
	}
	cli_lines_deinit(&p->lines);
	return CLI_GO_ON;
}
