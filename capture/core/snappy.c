// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snappy's raw format: the length as a varint, then elements. The low two bits of an
 * element's first byte say what it is:
 *
 *	0	literal; length - 1 in the upper six bits, or 60 to 63 for 1 to 4 bytes of it
 *	1	copy; length - 4 in three bits, the offset in the upper three and one byte more
 *	2, 3	copy; length - 1 in the upper six bits, offset in 2 or 4 bytes
 *
 * A copy may overlap itself. Little-endian. Source: format_description.txt of snappy.
 */
#include <errno.h>
#include <string.h>

#include "capture/core/unpack.h"

struct snappy {
	const uint8_t *in, *in_end;
	uint8_t *out, *out_at, *out_end;
};

/* The next @nr bytes, at most 4, as a number. */
static int take_number(struct snappy *s, unsigned nr, uint32_t *number_ret)
{
	uint32_t v = 0;

	if ((size_t)(s->in_end - s->in) < nr)
		return -EBADMSG;
	for (unsigned i = 0; i < nr; i++)
		v |= (uint32_t)*s->in++ << (8 * i);
	*number_ret = v;
	return 0;
}

static int take_varint(struct snappy *s, uint64_t *number_ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint32_t byte;

		if (take_number(s, 1, &byte))
			return -EBADMSG;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*number_ret = v;
			return 0;
		}
	}
	return -EBADMSG;
}

static int literal(struct snappy *s, uint32_t tag)
{
	uint32_t code = tag >> 2, len = code;

	if (code >= 60 && take_number(s, code - 59, &len))
		return -EBADMSG;
	if (len >= (size_t)(s->in_end - s->in) || len >= (size_t)(s->out_end - s->out_at))
		return -EBADMSG;
	memcpy(s->out_at, s->in, (size_t)len + 1);
	s->in += (size_t)len + 1;
	s->out_at += (size_t)len + 1;
	return 0;
}

static int copy(struct snappy *s, uint32_t tag)
{
	uint32_t kind = tag & 3, offset, len = (tag >> 2) + 1;

	if (take_number(s, kind == 3 ? 4 : kind, &offset))
		return -EBADMSG;
	if (kind == 1) {
		offset |= (tag >> 5) << 8;
		len = (tag >> 2 & 7) + 4;
	}
	if (!offset || offset > (size_t)(s->out_at - s->out) ||
	    len > (size_t)(s->out_end - s->out_at))
		return -EBADMSG;
	for (const uint8_t *from = s->out_at - offset; len; len--)
		*s->out_at++ = *from++;
	return 0;
}

int unpack_snappy(const uint8_t *in, size_t len, uint8_t *out, size_t out_len)
{
	struct snappy s = { in, in + len, out, out, out + out_len };
	uint64_t says = 0;

	if (take_varint(&s, &says) || says != out_len)
		return -EBADMSG;
	while (s.in < s.in_end) {
		uint32_t tag = *s.in++;

		if ((tag & 3) ? copy(&s, tag) : literal(&s, tag))
			return -EBADMSG;
	}
	return s.out_at == s.out_end ? 0 : -EBADMSG;
}
