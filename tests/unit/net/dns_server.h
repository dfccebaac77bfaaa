/*
 * dns_server.h - a DNS server for tests, on the loop under test: answers every name with the same addresses, or not at all.
 */
#ifndef KP_TEST_DNS_SERVER_H
#define KP_TEST_DNS_SERVER_H

#include <arpa/inet.h>
#include <sys/socket.h>

#include "net_test.h"

typedef struct dns_server {
	kp_watch *watch;
	int fd;
	bool is_silent;
	bool is_truncating;       /* "ask again over TCP" */
	bool has_name;            /* false: NXDOMAIN */
	const char *addresses[4]; /* numeric, ends with NULL */
	int n_queries;
	bool stops_on_query;
	kp_loop *loop;
} dns_server;

/* The question's end behind the 12 bytes of header: name, type, class. */
static inline size_t question_end(const uint8_t *q, size_t len)
{
	size_t at = 12;
	while (at < len && q[at])
		at += q[at] + 1u;
	return at + 5;
}

/* RFC 1035: the query's header and question, then one record for each address of the family that was asked for. */
static inline size_t dns_answer(const dns_server *s, const uint8_t *q, size_t len, uint8_t *out)
{
	size_t at = question_end(q, len);
	assert_true(at <= len);
	memcpy(out, q, at);
	uint8_t type = q[at - 3]; /* QTYPE: A or AAAA */
	int family = type == 28 ? AF_INET6 : AF_INET;
	out[2] = s->is_truncating ? 0x86 : 0x84; /* QR, AA, TC */
	out[3] = s->has_name ? 0x80 : 0x83;      /* RA, RCODE */
	memset(out + 6, 0, 6);
	for (int i = 0; s->has_name && !s->is_truncating && s->addresses[i]; i++) {
		uint8_t ip[16];
		if (inet_pton(family, s->addresses[i], ip) != 1)
			continue;
		uint8_t size = family == AF_INET6 ? 16 : 4;
		const uint8_t record[12] = {0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, size};
		memcpy(out + at, record, sizeof(record));
		memcpy(out + at + sizeof(record), ip, size);
		at += sizeof(record) + size;
		out[7]++; /* ANCOUNT */
	}
	return at;
}

static inline void dns_on_query(void *opaque, unsigned seen)
{
	dns_server *s = opaque;
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	uint8_t q[512], out[1024];
	(void)seen;
	ssize_t n = recvfrom(s->fd, q, sizeof(q), 0, (struct sockaddr *)&from, &from_len);
	if (n < 17)
		return;
	s->n_queries++;
	if (s->stops_on_query)
		kp_loop_stop(s->loop);
	if (s->is_silent)
		return;
	size_t len = dns_answer(s, q, (size_t)n, out);
	assert_int_equal(sendto(s->fd, out, len, 0, (struct sockaddr *)&from, from_len), (ssize_t)len);
}

/* Bind it, and have the loop's look-ups ask it; returns its port. */
static inline uint16_t dns_start(dns_server *s, kp_loop *l)
{
	kp_address a;
	struct sockaddr_in own;
	socklen_t len = sizeof(own);
	char text[KP_ADDRESS_TEXT_MAX];
	assert_true(kp_address_parse("127.0.0.1", 0, &a));
	s->loop = l;
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, &a.u.any, kp_address_len(&a)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&own, &len), 0);
	kp_address_set_port(&a, ntohs(own.sin_port));
	kp_address_format(&a, text);
	assert_int_equal(kp_resolver_set_servers(l, text), 0);
	s->watch = kp_watch_new(l, s->fd, KP_IO_READ, dns_on_query, s);
	assert_non_null(s->watch);
	return ntohs(own.sin_port);
}

static inline void dns_stop(dns_server *s)
{
	kp_watch_close(s->watch);
	close(s->fd);
}

#endif
