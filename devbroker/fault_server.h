/*
 * fault_server.h - the faults of a server: the script's rules, what is due in the cluster and on its sockets, the control socket.
 *
 * Threads: the loop's.
 */
#ifndef KP_DEVBROKER_FAULT_SERVER_H
#define KP_DEVBROKER_FAULT_SERVER_H

#include "devbroker/faults.h"
#include "devbroker/server.h"

/* The script's rules are in force and the control socket listens. NULL with a line in err. */
KP_MUST_USE kp_fault_server *kp_fault_server_new(kp_dbserver *s, const kp_dbserver_options *o, char *err, size_t err_size);
void kp_fault_server_free(kp_fault_server *fs);
kp_faults *kp_fault_server_faults(kp_fault_server *fs);

/* Do what is due. Connections may be gone afterwards. */
void kp_fault_server_run(kp_fault_server *fs, int64_t now_us);
bool kp_fault_server_is_due(const kp_fault_server *fs); /* a request has made something due */
int64_t kp_fault_server_deadline(const kp_fault_server *fs);

/* For the control socket. 0, or an error with its reason in why. */
KP_MUST_USE int kp_fault_server_do(kp_fault_server *fs, const kp_fault_action *a, int64_t now_us, char *why, size_t why_size);
/* Parse and add. 0, or an error with a line for each mistake in `errors`. */
KP_MUST_USE int kp_fault_server_add(kp_fault_server *fs, kp_slice script, uint64_t *first_id, kp_buf *errors);
void kp_fault_server_changed(kp_fault_server *fs); /* rules were removed */

/* fault_control.c: one command in, its answer appended to `out`. */
void kp_fault_command(kp_fault_server *fs, kp_dbserver *s, kp_slice line, kp_buf *out);

#endif
