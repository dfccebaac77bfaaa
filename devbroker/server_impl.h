/*
 * server_impl.h - what server.c, server_conn.c and server_room.c share.
 */
#ifndef KP_DEVBROKER_SERVER_IMPL_H
#define KP_DEVBROKER_SERVER_IMPL_H

#include "base/list.h"
#include "devbroker/fault_server.h"
#include "devbroker/server.h"
#include "net/conn.h"

typedef struct kp_dbserver_node {
	kp_dbserver *server;
	int32_t id;
	kp_listener *listener;
	bool is_stuck; /* a fault: nothing is read from its connections and nothing written */
} kp_dbserver_node;

#define KP_DBSERVER_SPARES 16
/* A connection keeps no more room than this many times the bytes of a begun frame. */
#define KP_DBSERVER_ROOM_PER_BYTE 256

typedef enum kp_dbserver_notice {
	KP_DBSERVER_SAY_FRAMES,
	KP_DBSERVER_SAY_ANSWERS,
	KP_DBSERVER_SAY_CONNECTIONS,
	KP_DBSERVER_SAY_EXHAUSTED,
	KP_DBSERVER_N_NOTICES
} kp_dbserver_notice;

struct kp_dbserver {
	kp_loop *loop;
	kp_db *db;
	kp_task *task;
	int64_t deadline_us; /* that the task has */
	kp_dbserver_node *nodes;
	int32_t n_nodes;
	kp_list conns; /* all, the longest unused first */
	kp_list ready; /* those that need attention */
	size_t n_conns;
	size_t in_bytes;  /* allocated for frames under assembly */
	size_t out_bytes; /* unwritten */
	kp_buf spare[KP_DBSERVER_SPARES];
	size_t n_spare;
	kp_dbserver_limits limits;
	size_t connections_given; /* limits.connections_max as the options had it; 0: as the limit of open files allows */
	uint64_t file_limit;      /* when limits.connections_max was last found */
	void (*say)(const char *line, void *opaque);
	void *say_opaque;
	int64_t said_us[KP_DBSERVER_N_NOTICES];
	uint64_t n_accepted;
	kp_fault_server *faults; /* or NULL */
};

/* Faults that a request brought about come before anything else is carried out. */
static inline bool kp_dbserver_has_due_faults(const kp_dbserver *s)
{
	return s->faults && kp_fault_server_is_due(s->faults);
}

typedef struct kp_dbserver_out {
	kp_list link;
	kp_buf bytes;
} kp_dbserver_out;

/* Its address is the core's number for it. */
typedef struct kp_dbserver_conn {
	kp_list link, ready;
	kp_dbserver *server;
	int32_t node;
	kp_conn *net;
	int64_t used_us;  /* opened, or a request carried out or an answer written whole */
	kp_buf in;        /* bytes not yet carried out, a frame's length first */
	kp_list out;      /* of kp_dbserver_out, oldest first */
	size_t out_sent;  /* of the first one */
	size_t out_bytes; /* unwritten, all together */
	bool is_blocked;  /* the kernel is full; on_writable follows */
	bool is_closing;  /* nothing more is carried out; closed when everything is written */
} kp_dbserver_conn;

void kp_dbserver_collect(kp_dbserver *s);
/* After requests: step the core, write, go on. Connections may be gone afterwards. */
void kp_dbserver_turn(kp_dbserver *s, int64_t now_us);

void kp_dbserver_conn_open(kp_dbserver *s, int32_t node, kp_conn *net, int64_t now_us);
void kp_dbserver_conn_wake(kp_dbserver_conn *c);                    /* it is attended to in the next turn */
void kp_dbserver_conn_close(kp_dbserver_conn *c);                   /* frees it */
void kp_dbserver_conn_answer(kp_dbserver_conn *c, kp_db_answer *a); /* takes the bytes */
/* Write what there is, carry out what has been waiting, pause or resume, close when it is time (then c is freed). */
void kp_dbserver_conn_attend(kp_dbserver_conn *c, int64_t now_us);

/* Of the frame at the front of `in`, its length included; 0: not known yet. */
size_t kp_dbserver_frame_size(const kp_dbserver_conn *c);
/* Where the connection's next bytes go: a kp_conn_room. */
uint8_t *kp_dbserver_room(void *conn, size_t *cap);
/* Room for n more bytes in `in`; false when memory is out. */
KP_MUST_USE bool kp_dbserver_room_grow(kp_dbserver_conn *c, size_t n);
/* What was there is carried out: give back the room that the rest does not need. */
void kp_dbserver_room_settle(kp_dbserver_conn *c);
/* Close connections until all hold no more than they may. */
void kp_dbserver_keep_bounds(kp_dbserver *s, int64_t now_us);
/* Make place for another connection by closing the longest unused one; false when there is none. */
bool kp_dbserver_close_oldest(kp_dbserver *s, int64_t now_us);
/* Close those that were unused for too long; when the next one will be. */
int64_t kp_dbserver_close_idle(kp_dbserver *s, int64_t now_us);
void kp_dbserver_say(kp_dbserver *s, kp_dbserver_notice notice, int64_t now_us, const char *format, ...) KP_PRINTF(4, 5);

#endif
