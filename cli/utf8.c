/*
 * utf8.c - see utf8.h.
 */
#include "cli/utf8.h"

#include <stdint.h>
#include <string.h>

size_t cli_utf8_length(const void *bytes, size_t room)
{
	const unsigned char *s = bytes;
	unsigned char low = 0x80, high = 0xbf;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	if (n > room)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < n; i++, low = 0x80, high = 0xbf)
		if (s[i] < low || s[i] > high)
			return 0;
	return n;
}

bool cli_utf8_is_text(const void *bytes, size_t n)
{
	const char *s = bytes;
	for (size_t i = 0, length; i < n; i += length) {
		uint64_t eight;
		length = 8;
		if (n - i >= 8 && (memcpy(&eight, s + i, 8), !(eight & UINT64_C(0x8080808080808080))))
			continue; /* most text is plain */
		length = cli_utf8_length(s + i, n - i);
		if (!length)
			return false;
	}
	return true;
}

size_t cli_utf8_put(unsigned c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}
