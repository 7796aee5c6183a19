// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/net/dns.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/util.h"

#define HEADER	    12u
#define LABEL_MAX   63u
#define NAME_MAX_   255u
#define TYPE_A	    1
#define TYPE_AAAA   28
#define CLASS_IN    1
#define FLAG_ANSWER 0x80
#define RCODE_MASK  0x0f
#define RCODE_NAME  3 /* no such name */

static unsigned get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = value >> 8;
	p[1] = value;
}

/* Labels as lengths and letters, then the root's length of zero. */
static int put_name(const char *name, uint8_t *buf)
{
	size_t at = 0;

	while (*name) {
		size_t len = strcspn(name, ".");

		if (!len || len > LABEL_MAX || at + len + 2 > NAME_MAX_)
			return -EINVAL;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
				return -EINVAL;
		buf[at++] = len;
		memcpy(buf + at, name, len);
		at += len;
		name += len;
		if (*name)
			name++;
	}
	if (!at)
		return -EINVAL;
	buf[at++] = 0;
	return at;
}

int dns_query(const char *name, int family, uint16_t id, uint8_t buf[DNS_QUERY_MAX])
{
	int len = put_name(name, buf + HEADER);

	if (len < 0)
		return len;
	memset(buf, 0, HEADER);
	put16(buf, id);
	buf[2] = 0x01; /* recursion desired */
	put16(buf + 4, 1);
	put16(buf + HEADER + len, family == AF_INET ? TYPE_A : TYPE_AAAA);
	put16(buf + HEADER + len + 2, CLASS_IN);
	return HEADER + len + 4;
}

/* Behind a name, which ends with a zero or a pointer. Returns 0 where it runs out. */
static size_t skip_name(const uint8_t *message, size_t len, size_t at)
{
	while (at < len) {
		unsigned label = message[at];

		if (!label)
			return at + 1;
		if (label >= 0xc0)
			return at + 2;
		if (label > LABEL_MAX)
			return 0;
		at += 1 + label;
	}
	return 0;
}

/* Servers may keep the case of letters or not. */
static bool repeats(const uint8_t *message, const uint8_t *query, size_t query_len)
{
	if (memcmp(message, query, 2))
		return false;
	for (size_t i = HEADER; i < query_len; i++)
		if (tolower(message[i]) != tolower(query[i]))
			return false;
	return true;
}

static bool take_address(const uint8_t *data, size_t len, unsigned type, struct ip_address *a)
{
	if (type == TYPE_A && len == sizeof(a->v4)) {
		*a = (struct ip_address){ .family = AF_INET, .prefix = 32 };
		memcpy(&a->v4, data, len);
		return true;
	}
	if (type == TYPE_AAAA && len == sizeof(a->v6)) {
		*a = (struct ip_address){ .family = AF_INET6, .prefix = 128 };
		memcpy(&a->v6, data, len);
		return true;
	}
	return false;
}

int dns_answer(const uint8_t *message, size_t len, const uint8_t *query, size_t query_len,
	       struct ip_address *addresses, unsigned max)
{
	unsigned nr = 0, wanted = get16(query + query_len - 4), records;
	size_t at = query_len;

	if (len < query_len || !(message[2] & FLAG_ANSWER) || get16(message + 4) != 1 ||
	    !repeats(message, query, query_len))
		return -EBADMSG;
	if ((message[3] & RCODE_MASK) == RCODE_NAME)
		return -ENOENT;
	if (message[3] & RCODE_MASK)
		return -EAGAIN;
	for (records = get16(message + 6); records && nr < max; records--) {
		unsigned type, class, size;

		at = skip_name(message, len, at);
		if (!at || !range_within(at, 10, len))
			break;
		type = get16(message + at);
		class = get16(message + at + 2);
		size = get16(message + at + 8);
		at += 10;
		if (!range_within(at, size, len))
			break;
		if (type == wanted && class == CLASS_IN &&
		    take_address(message + at, size, type, &addresses[nr]))
			nr++;
		at += size;
	}
	return nr;
}
