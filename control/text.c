// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/util.h"

/* The character at @s (RFC 3629: no overlong forms, no surrogates) and how many bytes it has; 0
 * where there is none. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *c_ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c = s[0] & (0xffu >> (n == 1 ? 0 : n + 1));

	if (!n || n > len || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*c_ret = c;
	return n;
}

static bool is_harmless(uint32_t c)
{
	static const uint32_t harmful[][2] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0x61c, 0x61c },   { 0x200e, 0x200f },
		{ 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(harmful); i++) {
		if (c >= harmful[i][0] && c <= harmful[i][1])
			return false;
	}
	return true;
}

void text_put(FILE *to, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	while (len) {
		uint32_t c = 0;
		size_t n = decode(s, len, &c);

		if (n && is_harmless(c)) {
			fwrite(s, 1, n, to);
		} else {
			n = MAX(n, 1u);
			for (size_t i = 0; i < n; i++)
				fprintf(to, "\\x%02x", s[i]);
		}
		s += n;
		len -= n;
	}
}

char *text_clean(const char *s)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	text_put(to, s, strlen(s));
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}

const char *text_size(uint64_t bytes, char buf[TEXT_SIZE_SIZE])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buf, TEXT_SIZE_SIZE, "%u B", (unsigned)bytes);
		return buf;
	}
	for (; value >= 1023.95 && i + 1 < ARRAY_SIZE(units); i++)
		value /= 1024;
	snprintf(buf, TEXT_SIZE_SIZE, "%.1f %s", value, units[i]);
	return buf;
}

const char *text_time(int64_t when, char buf[TEXT_TIME_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm = { .tm_mday = 1 };

	gmtime_r(&t, &tm);
	strftime(buf, TEXT_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}
