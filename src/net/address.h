/*
 * address.h - an IPv4 or IPv6 address with its port. Pure functions, any thread.
 */
#ifndef KP_NET_ADDRESS_H
#define KP_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/compiler.h"

typedef struct kp_address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} u;
} kp_address;

/* "[" 45 characters "%" interface "]:" port */
#define KP_ADDRESS_TEXT_MAX 80

/* Numeric addresses only ("10.0.0.1", "::1", "fe80::1%eth0"); false when `host` is a name. */
KP_MUST_USE bool kp_address_parse(const char *host, uint16_t port, kp_address *out);
/* From the system's form; false when it is neither IPv4 nor IPv6, or cut off. */
KP_MUST_USE bool kp_address_from(const struct sockaddr *sa, size_t len, kp_address *out);
socklen_t kp_address_len(const kp_address *a);
uint16_t kp_address_port(const kp_address *a);
void kp_address_set_port(kp_address *a, uint16_t port);
bool kp_address_equal(const kp_address *a, const kp_address *b); /* the port counts */
bool kp_address_is_loopback(const kp_address *a);                /* 127.0.0.0/8, also as mapped into IPv6, and ::1 */
/* "127.0.0.1:9092", "[::1]:9092", always terminated. */
void kp_address_format(const kp_address *a, char text[KP_ADDRESS_TEXT_MAX]);

#endif
