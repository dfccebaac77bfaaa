/*
 * rpc.h - one connection's conversation: frames, correlation, what is in flight, which versions the broker speaks.
 *
 * Stepped: bytes, events and `now` go in; bytes to write come out, answers go to the handler. No socket, clock or thread.
 *
 *   kp_rpc_call ─▶ outbox [ r3 | r2 ]─▶ kp_rpc_output/kp_rpc_written ─▶ in flight [ r1 | r0 ] ─▶ kp_rpc_input ─▶ on_answer
 *
 * Life: NEW ─ kp_rpc_open ─▶ NEGOTIATING (ApiVersions) ─▶ READY ─ kp_rpc_close ─▶ CLOSED ─ kp_rpc_open ─▶ NEGOTIATING …
 * Brokers answer in request order (the protocol's rule); an answer with another correlation id is KP_ERR_PROTOCOL.
 */
#ifndef KP_RPC_RPC_H
#define KP_RPC_RPC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"
#include "wire/messages.h"
#include "wire/writer.h"

#define KP_RPC_MAX_FRAME (100u << 20)     /* a longer answer is not Kafka's (receive.message.max.bytes of librdkafka) */
#define KP_RPC_MAX_FIRST_FRAME (1u << 20) /* the same before the peer has proved to be a broker */
#define KP_RPC_API_COUNT 128              /* API keys with a version table */

typedef struct kp_rpc kp_rpc;

/* A request from its encoding to its end. */
typedef struct kp_rpc_request {
	kp_list link;                    /* in the outbox, then in flight */
	kp_buf bytes;                    /* frame length, header and body without the referenced batches */
	kp_wire_refs refs;               /* the batches, in place; they must stay until on_written or on_failed */
	size_t total, written;           /* bytes to send, and handed to the kernel so far */
	int64_t timeout_us, deadline_us; /* the deadline runs from the call */
	int32_t correlation_id;
	int16_t api_key, version;
	bool expects_answer; /* acks=0: none comes */
	void *opaque;
} kp_rpc_request;

/* How the owner hears of things. Called from inside input, written, close and expire; may call kp_rpc_call, not open or close. */
typedef struct kp_rpc_handler {
	void (*on_ready)(void *owner);
	/* The whole request is with the kernel. */
	void (*on_written)(void *owner, kp_rpc_request *r);
	/* body: the answer behind its header, valid during the call. The request is recycled afterwards. */
	void (*on_answer)(void *owner, kp_rpc_request *r, kp_slice body);
	/* The connection ended first. r->written == r->total says whether the broker may have got all of it. */
	void (*on_failed)(void *owner, kp_rpc_request *r, int error);
} kp_rpc_handler;

typedef enum kp_rpc_state { KP_RPC_NEW, KP_RPC_NEGOTIATING, KP_RPC_READY, KP_RPC_CLOSED } kp_rpc_state;

struct kp_rpc {
	const kp_rpc_handler *handler;
	void *owner;
	kp_rpc_state state;
	kp_list outbox, in_flight, spare;
	size_t n_in_flight; /* outbox included; without those that expect no answer once written */
	kp_buf inbox;       /* the start of a frame that has not wholly arrived */
	int32_t next_correlation_id;
	char client_id[256];
	struct {
		int16_t min, max; /* max -1: the broker does not offer the API */
	} offered[KP_RPC_API_COUNT];
	int64_t features_epoch;      /* of the finalized features; -1: the broker names none */
	int16_t transaction_version; /* finalized feature transaction.version, 0 when unknown */
	int64_t throttled_until_us;  /* KIP-219: its owner sends no Produce request before then */
	uint64_t sent_bytes, received_bytes;
	char error_text[160]; /* what kp_rpc_input objected to */
};

void kp_rpc_init(kp_rpc *c, const kp_rpc_handler *handler, void *owner, const char *client_id);
void kp_rpc_deinit(kp_rpc *c); /* fails nothing: close first */

/* The transport is open: asks for ApiVersions. 0 or KP_ERR_NO_MEMORY. */
KP_MUST_USE int kp_rpc_open(kp_rpc *c, int64_t now_us, int64_t request_timeout_us);
/* The transport is gone, or is to be given up: fails everything outstanding in order, with `error`. */
void kp_rpc_close(kp_rpc *c, int error);

/* Highest version that both sides speak, at most `cap`; -1 when there is none or the state is not READY. */
int kp_rpc_version(const kp_rpc *c, int16_t api_key, int cap);

/*
 * Encode a request and put it into the outbox. NULL with *error set: KP_ERR_NO_MEMORY, or what kp_wire_write said.
 * timeout_us counts from now to the answer.
 */
kp_rpc_request *kp_rpc_call(kp_rpc *c, int16_t api_key, int version, const void *body, bool expects_answer, void *opaque,
                            int64_t now_us, int64_t timeout_us, int *error);

/* Whoever made the calls with this opaque listens no more: theirs becomes NULL. */
void kp_rpc_disown(kp_rpc *c, const void *opaque);

/* Bytes to write next, as at most max pieces; 0 when there is nothing. */
int kp_rpc_output(kp_rpc *c, struct iovec *iov, int max);
/* n of them were taken by the transport. */
void kp_rpc_written(kp_rpc *c, size_t n);
bool kp_rpc_has_output(const kp_rpc *c);

/* Bytes that arrived. 0, or KP_ERR_PROTOCOL / KP_ERR_NO_MEMORY / KP_ERR_NOT_SUPPORTED with error_text set: close the connection. */
KP_MUST_USE int kp_rpc_input(kp_rpc *c, const uint8_t *ptr, size_t len, int64_t now_us);

/* Earliest deadline of what is in flight, KP_TIME_NEVER if nothing is. */
int64_t kp_rpc_deadline(const kp_rpc *c);
/* A broker asked for quiet (throttle_time_ms): deadlines of what is in flight move by it too. */
void kp_rpc_throttle(kp_rpc *c, int64_t now_us, int32_t throttle_ms);

#endif
