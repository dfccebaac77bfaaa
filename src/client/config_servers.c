/*
 * config_servers.c - bootstrap.servers: "host[:port], [PLAINTEXT://]host:port, [::1]:9092, ...".
 */
#include <stdio.h>

#include "base/mem.h"
#include "client/config_value.h"
#include "kproducer/error.h"

/* Cut s at the first `c`: the part in front, and what is behind it in *rest (a null slice when there is no c). */
static kp_slice cut(kp_slice s, uint8_t c, kp_slice *rest)
{
	const uint8_t *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
	size_t n = at ? (size_t)(at - s.ptr) : s.len;
	*rest = at ? kp_slice_of(at + 1, s.len - n - 1) : kp_slice_null();
	return kp_slice_of(s.ptr, n);
}

/* A listener's prefix is no part of the address. Returns what is wrong with it, or NULL. */
static const char *strip_protocol(kp_slice *s)
{
	const uint8_t *at = s->len ? memmem(s->ptr, s->len, "://", 3) : NULL;
	if (!at)
		return NULL;
	kp_slice protocol = kp_slice_of(s->ptr, (size_t)(at - s->ptr));
	if (!kp_slice_equal_nocase(protocol, "PLAINTEXT"))
		return "connections are PLAINTEXT only in this version";
	*s = kp_slice_of(at + 3, s->len - protocol.len - 3);
	return NULL;
}

static bool is_host_char(uint8_t c, bool is_ipv6)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
	return letter || digit || c == '.' || c == '-' || c == '_' || c == '%' || (is_ipv6 && c == ':');
}

static const char *parse_host(kp_slice host, bool is_ipv6, kp_bootstrap_server *out)
{
	if (!host.len)
		return "there is no host name";
	if (host.len >= sizeof out->host)
		return "the host name is longer than 255 bytes";
	for (size_t i = 0; i < host.len; i++)
		if (!is_host_char(host.ptr[i], is_ipv6))
			return host.ptr[i] == ':' ? "an IPv6 address must stand in brackets, as [::1]:9092"
			                          : "the host name has a character that host names cannot have";
	memcpy(out->host, host.ptr, host.len);
	out->host[host.len] = '\0';
	return NULL;
}

static const char *parse_port(kp_slice port, kp_bootstrap_server *out)
{
	kp_number n;
	out->port = KP_BOOTSTRAP_DEFAULT_PORT;
	if (kp_slice_is_null(port))
		return NULL;
	if (kp_number_parse(port, &n) != KP_NUMBER_OK || n.thousandths || n.whole < 1 || n.whole > 65535 || port.ptr[0] == '+')
		return "the port is not a number from 1 to 65535";
	out->port = (uint16_t)n.whole;
	return NULL;
}

/* Returns what is wrong, or NULL. */
static const char *parse_server(kp_slice text, kp_bootstrap_server *out)
{
	const char *wrong = strip_protocol(&text);
	kp_slice host, port;
	bool is_ipv6 = text.len && text.ptr[0] == '[';
	if (wrong)
		return wrong;
	if (is_ipv6) {
		host = cut(kp_slice_of(text.ptr + 1, text.len - 1), ']', &port);
		if (kp_slice_is_null(port) || (port.len && port.ptr[0] != ':'))
			return "the bracket is not closed in front of the port";
		port = port.len ? kp_slice_of(port.ptr + 1, port.len - 1) : kp_slice_null();
	} else {
		host = cut(text, ':', &port);
		if (!kp_slice_is_null(port) && port.len && memchr(port.ptr, ':', port.len))
			return "an IPv6 address must stand in brackets, as [::1]:9092";
	}
	wrong = parse_host(host, is_ipv6, out);
	return wrong ? wrong : parse_port(port, out);
}

static bool is_listed(const kp_bootstrap_server *list, size_t n, const kp_bootstrap_server *server)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].port == server->port && strcmp(list[i].host, server->host) == 0)
			return true;
	return false;
}

static size_t count_entries(kp_slice text)
{
	size_t n = text.len ? 1 : 0;
	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == ',';
	return n;
}

int kp_servers_set(kp_settings *s, const char *name, kp_slice text, kp_err_line err)
{
	size_t n_entries = count_entries(text), n = 0;
	kp_bootstrap_server *list = n_entries ? kp_mem_calloc(n_entries, sizeof *list) : NULL;
	if (n_entries && !list)
		return KP_ERR_NO_MEMORY;
	for (kp_slice rest = text; n_entries && !kp_slice_is_null(rest);) {
		kp_slice entry = kp_slice_trim(cut(rest, ',', &rest));
		const char *wrong = entry.len ? parse_server(entry, &list[n]) : "an entry is empty";
		if (wrong) {
			kp_mem_free(list);
			return kp_config_refuse(err, "%s: \"%.*s\": %s (host[:port], ...)", name,
			                        entry.len > 80 ? 80 : (int)entry.len, (const char *)entry.ptr, wrong);
		}
		n += !is_listed(list, n, &list[n]);
	}
	kp_mem_free(s->bootstrap);
	s->bootstrap = list;
	s->n_bootstrap = n;
	return 0;
}

void kp_servers_get(const kp_settings *s, kp_text *out)
{
	for (size_t i = 0; i < s->n_bootstrap; i++) {
		const kp_bootstrap_server *b = &s->bootstrap[i];
		bool is_ipv6 = strchr(b->host, ':') != NULL;
		kp_text_add(out, "%s%s%s%s:%u", i ? "," : "", is_ipv6 ? "[" : "", b->host, is_ipv6 ? "]" : "", (unsigned)b->port);
	}
}
