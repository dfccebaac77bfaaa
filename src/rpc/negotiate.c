#include "rpc/negotiate.h"

#include <kproducer/error.h>

#include <stdio.h>

#include "base/version.h"
#include "wire/msg_api_versions.h"
#include "wire/reader.h"

#define VERSIONS_ARENA_MAX (1u << 20)

int kp_rpc_ask_versions(kp_rpc *c, int version, int64_t now_us, int64_t timeout_us)
{
	kp_api_versions_request body;
	int err;
	kp_wire_init(&kp_api_versions_request_schema, &body, 1);
	if (version >= 3) {
		body.client_software_name = kp_slice_cstr("kproducer");
		body.client_software_version = kp_slice_cstr(KP_VERSION_TEXT);
	}
	return kp_rpc_call(c, KP_API_API_VERSIONS, version, &body, true, NULL, now_us, timeout_us, &err) ? 0 : err;
}

static void learn(kp_rpc *c, const kp_api_versions_response *a)
{
	for (size_t i = 0; i < KP_RPC_API_COUNT; i++)
		c->offered[i].min = 0, c->offered[i].max = -1;
	for (int32_t i = 0; i < a->api_keys.n; i++) {
		const kp_api_versions_response_api *k = &a->api_keys.items[i];
		if (k->api_key >= 0 && k->api_key < KP_RPC_API_COUNT)
			c->offered[k->api_key].min = k->min_version, c->offered[k->api_key].max = k->max_version;
	}
	c->features_epoch = a->finalized_features_epoch;
	c->transaction_version = 0;
	for (int32_t i = 0; i < a->finalized_features.n; i++)
		if (kp_slice_equal(a->finalized_features.items[i].name, kp_slice_cstr("transaction.version")))
			c->transaction_version = a->finalized_features.items[i].max_version_level;
}

/* The version to ask in again after error 35: what the broker lists for ApiVersions itself, else 0. */
static int fall_back(const kp_api_versions_response *a, int asked)
{
	for (int32_t i = 0; i < a->api_keys.n; i++)
		if (a->api_keys.items[i].api_key == KP_API_API_VERSIONS && a->api_keys.items[i].max_version < asked &&
		    a->api_keys.items[i].max_version > 0)
			return a->api_keys.items[i].max_version;
	return 0;
}

int kp_rpc_take_versions(kp_rpc *c, const kp_rpc_request *r, kp_slice body, int64_t now_us)
{
	kp_api_versions_response a;
	kp_arena arena;
	kp_arena_init(&arena, VERSIONS_ARENA_MAX);
	int err = kp_wire_read(&kp_api_versions_response_message, r->version, body, &arena, &a, NULL);
	/* A broker that does not know the version answers in version 0 (KIP-511). */
	if (err == KP_ERR_PROTOCOL && r->version > 0)
		err = kp_wire_read(&kp_api_versions_response_message, 0, body, &arena, &a, NULL);
	if (err) {
		snprintf(c->error_text, sizeof(c->error_text), "the answer to ApiVersions v%d is not Kafka's", r->version);
	} else if (a.error_code == KP_ERR_UNSUPPORTED_VERSION && r->version > 0) {
		err = kp_rpc_ask_versions(c, fall_back(&a, r->version), now_us, r->timeout_us);
	} else if (a.error_code) {
		snprintf(c->error_text, sizeof(c->error_text), "ApiVersions was refused: %s", kp_error_name(a.error_code));
		err = KP_ERR_NOT_SUPPORTED;
	} else {
		learn(c, &a);
		c->state = KP_RPC_READY;
	}
	kp_arena_deinit(&arena);
	return err;
}
