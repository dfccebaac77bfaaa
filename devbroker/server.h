/*
 * server.h - the core behind sockets: one listener per node, frames in, answers out, back-pressure both ways.
 *
 *   socket ─▶ [in: a frame not yet whole] ─▶ kp_db_request ─▶ answers ─▶ [out: not yet written] ─▶ socket
 *
 * A frame is parsed where recv has put it. A connection is not read while its request is held, or while more than KP_DBSERVER_OUT_MAX of
 * its answers are unwritten.
 *
 * Threads: everything on the loop's thread.
 */
#ifndef KP_DEVBROKER_SERVER_H
#define KP_DEVBROKER_SERVER_H

#include "devbroker/core.h"
#include "net/loop.h"

#define KP_DBSERVER_OUT_MAX ((size_t)8 << 20)

/*
 * What clients may take, all connections together. Past a bound the connections longest unused are closed; see server_room.c. 0 is the
 * default.
 */
typedef struct kp_dbserver_limits {
	size_t frame_bytes_max;  /* room for frames not yet whole; 512 MiB */
	size_t answer_bytes_max; /* unwritten; 512 MiB */
	size_t connections_max;  /* 100,000, or what the limit of open files leaves */
	int64_t idle_us; /* without a whole request or answer for so long a connection is closed; 10 minutes, as connections.max.idle.ms */
} kp_dbserver_limits;

typedef struct kp_dbserver kp_dbserver;
typedef struct kp_fault_server kp_fault_server;

typedef struct kp_dbserver_options {
	kp_db_options core;          /* endpoints are set by the server */
	const char *host;            /* to listen on; a name is resolved */
	const char *advertised_host; /* what clients are told */
	uint16_t port;               /* of node 1, node i has port + i - 1; 0: free ones */
	kp_dbserver_limits limits;
	void (*say)(const char *line, void *opaque);       /* what an operator should know; or NULL */
	void (*say_fault)(const char *line, void *opaque); /* a fault fired; or NULL */
	void *say_opaque;
	const char *fault_script; /* NULL: none */
	const char *control_path; /* of a Unix socket for commands about faults; NULL: none */
} kp_dbserver_options;

/* Listens. NULL with a line in err: bad option, address in use, cannot resolve, no memory. */
KP_MUST_USE kp_dbserver *kp_dbserver_new(kp_loop *loop, const kp_dbserver_options *o, char *err, size_t err_size);
/* Closes everything; call kp_loop_run afterwards only if something else needs it. */
void kp_dbserver_free(kp_dbserver *s);
uint16_t kp_dbserver_port(const kp_dbserver *s, int32_t node);
kp_fault_server *kp_dbserver_faults(kp_dbserver *s); /* NULL: there is neither a script nor a control socket */
kp_db *kp_dbserver_core(kp_dbserver *s);
uint64_t kp_dbserver_n_accepted(const kp_dbserver *s);
/* Call it after anything was done to the core from outside the server. */
void kp_dbserver_poke(kp_dbserver *s);

#endif
