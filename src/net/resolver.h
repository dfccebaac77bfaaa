/*
 * resolver.h - names to addresses, on the loop (c-ares): /etc/hosts first, then DNS, both families, in RFC 6724 order.
 *
 * Each look-up has a c-ares channel of its own: it is cancelled by destroying it, and a change of /etc/resolv.conf counts from the
 * next look-up on. Look-ups are rare (one per connection attempt), so reading those files again costs nothing that matters.
 */
#ifndef KP_NET_RESOLVER_H
#define KP_NET_RESOLVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "net/address.h"
#include "net/loop.h"

typedef struct kp_resolve kp_resolve;

/* At most this many addresses of a name are used. */
#define KP_RESOLVE_ADDRESSES_MAX 32

/*
 * The end of a look-up; the kp_resolve is gone when this is called. err 0: n >= 1 addresses, valid during the call; otherwise
 * KP_ERR_RESOLVE or KP_ERR_NO_MEMORY, and text says why ("Domain name not found").
 */
typedef void kp_resolve_done(void *opaque, int err, const char *text, const kp_address *addresses, size_t n);

/* Loop thread; does not block but for reading local files. `done` comes from the loop, never from inside. NULL: memory is out. */
KP_MUST_USE kp_resolve *kp_resolve_start(kp_loop *l, const char *host, uint16_t port, kp_resolve_done *done, void *opaque);
/* `done` is not called any more. NULL is fine. */
void kp_resolve_cancel(kp_resolve *r);

/*
 * Ask these servers from the next look-up on ("127.0.0.1:5353,[::1]:53"), and do not look into /etc/resolv.conf; NULL goes back to
 * the system's. For tests. 0 or KP_ERR_NO_MEMORY.
 */
KP_MUST_USE int kp_resolver_set_servers(kp_loop *l, const char *servers);

#endif
