/*
 * control.h - a Unix socket for commands: a line in, lines out. Whoever owns the socket's file may use it, up to 16 at a time.
 *
 * An answer is any number of lines, the last of which begins with "ok" or "error". Threads: the loop's.
 */
#ifndef KP_DEVBROKER_CONTROL_H
#define KP_DEVBROKER_CONTROL_H

#include "base/buf.h"
#include "base/slice.h"
#include "net/conn.h"

#define KP_CONTROL_LINE_MAX 65536

typedef struct kp_control kp_control;

/* Appends the answer, its last '\n' included. */
typedef void kp_control_command(void *opaque, kp_slice line, kp_buf *answer);

/* NULL with *err_text ("listen on PATH: why"). */
KP_MUST_USE kp_control *kp_control_new(kp_loop *loop, const char *path, kp_control_command *command, void *opaque,
                                       const char **err_text);
void kp_control_free(kp_control *k); /* NULL is fine */

#endif
