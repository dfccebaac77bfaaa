#include "cli/trail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "cli/utf8.h"

static const char *stage_name(kp_stage stage)
{
	switch (stage) {
	case KP_STAGE_NO_METADATA: return "NO_METADATA";
	case KP_STAGE_NO_LEADER: return "NO_LEADER";
	case KP_STAGE_QUEUED: return "QUEUED";
	case KP_STAGE_IN_FLIGHT: return "IN_FLIGHT";
	default: return "DONE";
	}
}

/* As a member; what is not UTF-8 is shown as '?'. */
static char *put_cause(char *out, const char *text)
{
	static const char name[] = ",\"cause\":\"";
	memcpy(out, name, sizeof(name) - 1);
	out += sizeof(name) - 1;
	for (size_t i = 0, n; i < CLI_TRAIL_CAUSE_MAX && text[i]; i += n) {
		n = cli_utf8_length(text + i, 4);
		if (cli_json_is_special((unsigned char)text[i]))
			out += cli_json_escape((unsigned char)text[i], out);
		else if (n) {
			memcpy(out, text + i, n);
			out += n;
		} else {
			*out++ = '?';
			n = 1;
		}
	}
	*out++ = '"';
	return out;
}

char *cli_trail_put(const kp_report *r, char *out)
{
	char *end = out + CLI_TRAIL_FIGURES;
	out += snprintf(out, CLI_TRAIL_FIGURES, "\"stage\":\"%s\",", stage_name(r->stage));
	if (r->last_error)
		out += snprintf(out, (size_t)(end - out), "\"last_error\":\"%s\",", kp_error_name(r->last_error));
	if (r->node_id >= 0)
		out += snprintf(out, (size_t)(end - out), "\"node\":%" PRId32 ",", r->node_id);
	out += snprintf(out, (size_t)(end - out),
	                "\"no_metadata_us\":%" PRId64 ",\"no_leader_us\":%" PRId64 ",\"queued_us\":%" PRId64
	                ",\"in_flight_us\":%" PRId64,
	                r->no_metadata_us, r->no_leader_us, r->queued_us, r->in_flight_us);
	return r->cause ? put_cause(out, r->cause) : out;
}
