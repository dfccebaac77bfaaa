/*
 * schema_dump.c - print our field tables as JSON, in the shape of Kafka's schemas, for tests/conformance/test_schema.py.
 */
#include <inttypes.h>
#include <stdio.h>

#include "wire/messages.h"

static const char *type_name(const kp_wire_field *f, uint8_t type)
{
	static const char *const names[] = {
		[KP_WIRE_BOOL] = "bool",   [KP_WIRE_INT8] = "int8",     [KP_WIRE_INT16] = "int16", [KP_WIRE_UINT16] = "uint16",
		[KP_WIRE_INT32] = "int32", [KP_WIRE_UINT32] = "uint32", [KP_WIRE_INT64] = "int64", [KP_WIRE_FLOAT64] = "float64",
		[KP_WIRE_UUID] = "uuid",   [KP_WIRE_STRING] = "string", [KP_WIRE_BYTES] = "bytes", [KP_WIRE_RECORDS] = "records",
	};
	return type == KP_WIRE_STRUCT ? f->sub->name : names[type];
}

static void print_range(const char *key, kp_wire_range range)
{
	if (range.end <= range.min)
		printf("\"%s\": \"none\", ", key);
	else if (range.end == KP_WIRE_OPEN)
		printf("\"%s\": \"%d+\", ", key, range.min);
	else if (range.end == range.min + 1)
		printf("\"%s\": \"%d\", ", key, range.min);
	else
		printf("\"%s\": \"%d-%d\", ", key, range.min, range.end - 1);
}

static void print_default(const kp_wire_field *f)
{
	if (f->is_default_null)
		printf("\"default\": \"null\", ");
	else if (f->type == KP_WIRE_BOOL)
		printf("\"default\": \"%s\", ", f->default_value ? "true" : "false");
	else if (f->type < KP_WIRE_UUID)
		printf("\"default\": \"%" PRId64 "\", ", f->default_value);
	else
		printf("\"default\": \"\", ");
}

static void print_fields(const kp_wire_struct *s)
{
	printf("\"fields\": [");
	for (uint32_t i = 0; i < s->n_fields; i++) {
		const kp_wire_field *f = &s->fields[i];
		bool is_array = f->type == KP_WIRE_ARRAY;
		printf("%s\n{\"name\": \"%s\", \"type\": \"%s%s\", ", i ? "," : "", f->name, is_array ? "[]" : "",
		       type_name(f, is_array ? f->elem : f->type));
		print_range("versions", f->versions);
		print_range("nullableVersions", f->nullable);
		print_range("taggedVersions", f->tagged);
		if (f->tagged.end > f->tagged.min)
			printf("\"tag\": %d, ", f->tag);
		print_default(f);
		if (f->is_never_flexible)
			printf("\"flexibleVersions\": \"none\", ");
		if (f->sub)
			print_fields(f->sub);
		printf("\"ignorable\": %s}", f->is_ignorable ? "true" : "false");
	}
	printf("],\n");
}

static void print_message(const kp_wire_message *m)
{
	static const char *const kinds[] = {
		[KP_WIRE_REQUEST] = "request", [KP_WIRE_RESPONSE] = "response", [KP_WIRE_HEADER] = "header"};
	printf("{\"name\": \"%s\", \"type\": \"%s\", ", m->root->name, kinds[m->kind]);
	if (m->kind != KP_WIRE_HEADER)
		printf("\"apiKey\": %d, ", m->api_key);
	print_range("validVersions", (kp_wire_range){m->min_version, (int8_t)(m->max_version + 1)});
	print_range("flexibleVersions", (kp_wire_range){m->flexible_min, KP_WIRE_OPEN});
	print_fields(m->root);
	printf("\"latestVersionUnstable\": %s}", m->is_latest_unstable ? "true" : "false");
}

int main(void)
{
	printf("[");
	for (const kp_wire_message *const *m = kp_wire_messages; *m; m++) {
		printf("%s\n", m == kp_wire_messages ? "" : ",");
		print_message(*m);
	}
	printf("]\n");
	return 0;
}
