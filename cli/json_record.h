/*
 * json_record.h - a line of --input-format json: an object with the record's members, and back into a record that points into it.
 *
 *   {"key": "k", "value": "v", "headers": [{"key": "h", "value": "1"}], "partition": 2, "timestamp": 1700000000000}
 *
 * key, value: a string or null; key_base64, value_base64: bytes. value (or value_base64) must be there, the others may be missing.
 * headers: as above, or an object {"h": "1"} where no name comes twice. What --failed and consumers write beside (outcome, error, input, record,
 * topic, offset) is passed over; any other member is a mistake, for it might be a misspelt one. No member may come twice.
 */
#ifndef KP_CLI_JSON_RECORD_H
#define KP_CLI_JSON_RECORD_H

#include <kproducer/kproducer.h>

#include "cli/json_scan.h"

struct json_header;
struct header_chunk;

typedef struct cli_json_parser {
	struct json_header *found; /* headers of the record that is read */
	size_t n_found, cap_found;
	struct header_chunk *chunks; /* arrays that records given out point to */
	unsigned given;              /* CLI_GIVEN_… of the record read last */
} cli_json_parser;

void cli_json_parser_deinit(cli_json_parser *p);
/* Records given out are not used any more. */
void cli_json_parser_reset(cli_json_parser *p);
/*
 * Read a line, which is changed on success. The members that it gives are written to *out and named in p->given.
 * false: *out is untouched, s tells the mistake (also when memory is out).
 */
bool cli_json_record(cli_json_parser *p, cli_json_scan *s, kp_record *out);

#endif
