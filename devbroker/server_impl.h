/*
 * server_impl.h - what server.c and server_conn.c share.
 */
#ifndef KP_DEVBROKER_SERVER_IMPL_H
#define KP_DEVBROKER_SERVER_IMPL_H

#include "base/list.h"
#include "devbroker/server.h"
#include "net/conn.h"

typedef struct kp_dbserver_node {
	kp_dbserver *server;
	int32_t id;
	kp_listener *listener;
} kp_dbserver_node;

struct kp_dbserver {
	kp_loop *loop;
	kp_db *db;
	kp_task *task;
	int64_t deadline_us; /* that the task has */
	kp_dbserver_node *nodes;
	int32_t n_nodes;
	kp_list conns, ready; /* all; those that need attention */
	size_t in_bytes;      /* allocated for frames under assembly */
	uint64_t n_accepted;
};

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

void kp_dbserver_conn_open(kp_dbserver *s, int32_t node, kp_conn *net);
void kp_dbserver_conn_close(kp_dbserver_conn *c);                   /* frees it */
void kp_dbserver_conn_answer(kp_dbserver_conn *c, kp_db_answer *a); /* takes the bytes */
/* Write what there is, carry out what has been waiting, pause or resume, close when it is time (then c is freed). */
void kp_dbserver_conn_attend(kp_dbserver_conn *c, int64_t now_us);

#endif
