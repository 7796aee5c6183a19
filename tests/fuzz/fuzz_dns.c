// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as an answer to a question, with the question's head put right. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/net/dns.h"
#include "lib/util.h"

#define MAX_ADDRESSES 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int answer(const uint8_t *data, size_t size, int family, const uint8_t *query, int len)
{
	/* On the heap and of this size, so that a byte too far is seen. */
	struct ip_address *addresses = calloc(MAX_ADDRESSES, sizeof(*addresses));
	uint8_t *message = malloc(size ? size : 1);
	int got = -EBADMSG;

	if (addresses && message) {
		memcpy(message, data, size);
		got = dns_answer(message, size, query, len, addresses, MAX_ADDRESSES);
	}
	if (got > (int)MAX_ADDRESSES ||
	    (got < 0 && got != -ENOENT && got != -EAGAIN && got != -EBADMSG))
		abort();
	for (int i = 0; i < got; i++)
		if (addresses[i].family != family)
			abort();
	free(addresses);
	free(message);
	return got;
}

static void ask(const uint8_t *data, size_t size, int family)
{
	uint8_t query[DNS_QUERY_MAX], message[DNS_MESSAGE_MAX];
	const int len = dns_query("dumps.example.com", family, 0x1234, query);
	size_t rest;

	if (len < 0 || (size_t)len > sizeof(query))
		abort();
	answer(data, size, family, query, len);
	rest = MIN(size, sizeof(message) - len);
	memcpy(message, query, len);
	message[2] |= 0x80; /* an answer … */
	message[6] = 0;
	message[7] = rest ? data[0] : 0; /* … of so many records */
	if (rest)
		memcpy(message + len, data, rest);
	if (answer(message, len + rest, family, query, len) == -EBADMSG)
		abort();
}

/* Any string as a name: what is taken fits, whatever it is. */
static void name(const uint8_t *data, size_t size)
{
	uint8_t query[DNS_QUERY_MAX];
	char text[400];
	int len;

	size = MIN(size, sizeof(text) - 1);
	memcpy(text, data, size);
	text[size] = '\0';
	len = dns_query(text, AF_INET, 0, query);
	if (len >= 0 && ((size_t)len > sizeof(query) || len < 12 + 3 + 4))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ask(data, size, AF_INET);
	ask(data, size, AF_INET6);
	name(data, size);
	return 0;
}
