/*
 * negotiate.h - which versions the broker speaks: ApiVersions, from our highest down to 0 (KIP-35, KIP-511).
 */
#ifndef KP_RPC_NEGOTIATE_H
#define KP_RPC_NEGOTIATE_H

#include "rpc/rpc.h"

#define KP_RPC_API_VERSIONS_MAX 4

KP_MUST_USE int kp_rpc_ask_versions(kp_rpc *c, int version, int64_t now_us, int64_t timeout_us);
/*
 * Take the answer: the state becomes READY, or the question is put again in a version that the broker listed with its
 * UNSUPPORTED_VERSION (35). KP_ERR_PROTOCOL, KP_ERR_NOT_SUPPORTED, KP_ERR_NO_MEMORY with error_text set.
 */
KP_MUST_USE int kp_rpc_take_versions(kp_rpc *c, const kp_rpc_request *r, kp_slice body, int64_t now_us);

#endif
