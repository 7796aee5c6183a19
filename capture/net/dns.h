/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS messages (RFC 1035, AAAA RFC 3596): a question out, addresses in. */
#ifndef CAPTURE_NET_DNS_H
#define CAPTURE_NET_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "capture/net/ip.h"

#define DNS_QUERY_MAX	(12u + 255u + 4u)
#define DNS_MESSAGE_MAX 512u /* of an answer by UDP (RFC 1035, 4.2.1) */

/**
 * dns_query() - Write the question for the addresses of @name.
 * @family: AF_INET asks for A, AF_INET6 for AAAA
 *
 * Return: its bytes, or -EINVAL where that is no name.
 */
int dns_query(const char *name, int family, uint16_t id, uint8_t buf[DNS_QUERY_MAX]);

/**
 * dns_answer() - Take the addresses out of a message.
 * @query, @query_len: what was asked, which it must repeat
 * @addresses, @max: get them
 *
 * Names in the answer are not followed: a server that resolves for others sends the
 * aliases and what they end at together, and whoever can send an answer to our question
 * can send any address.
 *
 * Return: how many; -ENOENT there is no such name; -EAGAIN the server cannot tell;
 * -EBADMSG it is no answer to this question.
 */
int dns_answer(const uint8_t *message, size_t len, const uint8_t *query, size_t query_len,
	       struct ip_address *addresses, unsigned max);

#endif
