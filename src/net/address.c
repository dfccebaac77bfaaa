#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 4007: the zone is an interface's name or its number. */
static bool parse_zone(const char *zone, uint32_t *scope_id)
{
	*scope_id = if_nametoindex(zone);
	if (*scope_id != 0)
		return true;
	char *end;
	unsigned long v = strtoul(zone, &end, 10);
	if (*zone < '0' || *zone > '9' || *end || v > UINT32_MAX)
		return false;
	*scope_id = (uint32_t)v;
	return true;
}

static bool parse_v6(const char *host, struct sockaddr_in6 *v6)
{
	char text[INET6_ADDRSTRLEN];
	const char *zone = strchr(host, '%');
	size_t len = zone ? (size_t)(zone - host) : strlen(host);
	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return false;
	return !zone || parse_zone(zone + 1, &v6->sin6_scope_id);
}

bool kp_address_parse(const char *host, uint16_t port, kp_address *out)
{
	kp_address a;
	memset(&a, 0, sizeof(a));
	if (inet_pton(AF_INET, host, &a.u.v4.sin_addr) == 1)
		a.u.v4.sin_family = AF_INET;
	else if (parse_v6(host, &a.u.v6))
		a.u.v6.sin6_family = AF_INET6;
	else
		return false;
	kp_address_set_port(&a, port);
	*out = a;
	return true;
}

bool kp_address_from(const struct sockaddr *sa, size_t len, kp_address *out)
{
	kp_address a;
	memset(&a, 0, sizeof(a));
	if (sa->sa_family == AF_INET && len >= sizeof(a.u.v4))
		memcpy(&a.u.v4, sa, sizeof(a.u.v4));
	else if (sa->sa_family == AF_INET6 && len >= sizeof(a.u.v6))
		memcpy(&a.u.v6, sa, sizeof(a.u.v6));
	else
		return false;
	*out = a;
	return true;
}

socklen_t kp_address_len(const kp_address *a)
{
	return a->u.any.sa_family == AF_INET6 ? sizeof(a->u.v6) : sizeof(a->u.v4);
}

uint16_t kp_address_port(const kp_address *a)
{
	return ntohs(a->u.any.sa_family == AF_INET6 ? a->u.v6.sin6_port : a->u.v4.sin_port);
}

void kp_address_set_port(kp_address *a, uint16_t port)
{
	if (a->u.any.sa_family == AF_INET6)
		a->u.v6.sin6_port = htons(port);
	else
		a->u.v4.sin_port = htons(port);
}

bool kp_address_equal(const kp_address *a, const kp_address *b)
{
	if (a->u.any.sa_family != b->u.any.sa_family || kp_address_port(a) != kp_address_port(b))
		return false;
	if (a->u.any.sa_family == AF_INET)
		return a->u.v4.sin_addr.s_addr == b->u.v4.sin_addr.s_addr;
	return a->u.v6.sin6_scope_id == b->u.v6.sin6_scope_id &&
	       memcmp(&a->u.v6.sin6_addr, &b->u.v6.sin6_addr, sizeof(a->u.v6.sin6_addr)) == 0;
}

bool kp_address_is_loopback(const kp_address *a)
{
	if (a->u.any.sa_family == AF_INET)
		return ntohl(a->u.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	const struct in6_addr *v6 = &a->u.v6.sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
}

void kp_address_format(const kp_address *a, char text[KP_ADDRESS_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN] = "?";
	if (a->u.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a->u.v4.sin_addr, ip, sizeof(ip));
		snprintf(text, KP_ADDRESS_TEXT_MAX, "%s:%u", ip, kp_address_port(a));
		return;
	}
	inet_ntop(AF_INET6, &a->u.v6.sin6_addr, ip, sizeof(ip));
	char zone[IF_NAMESIZE + 1] = "";
	if (a->u.v6.sin6_scope_id) {
		zone[0] = '%';
		if (!if_indextoname(a->u.v6.sin6_scope_id, zone + 1))
			snprintf(zone + 1, sizeof(zone) - 1, "%u", a->u.v6.sin6_scope_id);
	}
	snprintf(text, KP_ADDRESS_TEXT_MAX, "[%s%s]:%u", ip, zone, kp_address_port(a));
}
