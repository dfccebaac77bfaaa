/*
 * pace.c - see pace.h.
 */
#include "cli/pace.h"

size_t cli_pace_group(const cli_pace *p, size_t max)
{
	if (p->rate <= 0 || p->rate / 1000 >= (double)max)
		return max;
	return p->rate < 1000 ? 1 : (size_t)(p->rate / 1000);
}

int64_t cli_pace_wait_ns(const cli_pace *p, int64_t now_ns)
{
	return p->rate > 0 && p->due_ns > (double)now_ns ? (int64_t)(p->due_ns - (double)now_ns) + 1 : 0;
}

void cli_pace_sent(cli_pace *p, size_t n, int64_t now_ns)
{
	double oldest = (double)now_ns - PACE_ARREARS_NS;
	if (p->rate <= 0)
		return;
	if (p->due_ns == 0) /* the first ones */
		p->due_ns = (double)now_ns;
	if (p->due_ns < oldest)
		p->due_ns = oldest;
	p->due_ns += (double)n * 1e9 / p->rate;
}
