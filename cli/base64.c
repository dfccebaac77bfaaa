/*
 * base64.c - see base64.h.
 */
#include "cli/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool cli_base64_decode(const char *in, size_t len, char *out, size_t *out_len)
{
	uint32_t bits = 0;
	size_t n_digits = 0, n_padding = 0, n = 0;
	for (size_t i = 0; i < len; i++) {
		if (in[i] == '\\' && i + 1 < len && in[i + 1] == '/')
			continue;
		int digit = digit_of((unsigned char)in[i]);
		n_padding += in[i] == '=';
		if ((digit < 0) != (n_padding > 0) || (digit < 0 && in[i] != '='))
			return false;
		n_digits++;
		if (digit < 0)
			continue;
		bits = bits << 6 | (uint32_t)digit;
		if (n_digits % 4 == 1)
			continue;
		if (out)
			out[n] = (char)(bits >> (6 - 2 * ((n_digits - 1) % 4)));
		n++;
	}
	*out_len = n;
	return n_digits % 4 == 0 && n_padding <= 2 && n_digits >= n_padding;
}

static void encode(const unsigned char in[3], char out[4])
{
	out[0] = alphabet[in[0] >> 2];
	out[1] = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
	out[2] = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
	out[3] = alphabet[in[2] & 63];
}

size_t cli_base64_put(cli_base64 *b, const void *bytes, size_t n, char *out)
{
	const unsigned char *in = bytes;
	size_t len = 0;
	while (n > 0) {
		if (b->n == 0 && n >= 3) {
			encode(in, out + len);
			len += 4;
			in += 3;
			n -= 3;
			continue;
		}
		b->carry[b->n++] = *in++;
		n--;
		if (b->n == 3) {
			encode(b->carry, out + len);
			len += 4;
			b->n = 0;
		}
	}
	return len;
}

size_t cli_base64_end(cli_base64 *b, char out[4])
{
	size_t n = b->n;
	if (!n)
		return 0;
	memset(b->carry + n, 0, 3 - n);
	encode(b->carry, out);
	memset(out + n + 1, '=', 3 - n);
	b->n = 0;
	return 4;
}
