// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/net/ip.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define FIELDS	   14
#define FIELD_SIZE 72

static const struct {
	const char *name;
	enum ip_method method;
} method_names[] = {
	{ "dhcp", IP_DHCP },	{ "on", IP_DHCP },     { "any", IP_DHCP },
	{ "dhcp6", IP_DHCP6 },	{ "auto6", IP_AUTO6 }, { "either6", IP_EITHER6 },
	{ "dhcp4or6", IP_ANY }, { "link6", IP_NONE },  { "none", IP_NONE },
	{ "off", IP_NONE },
};

static bool read_number(const char *text, unsigned max, unsigned *number_ret)
{
	unsigned n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		n = n * 10 + (*text - '0');
		if (n > max)
			return false;
	}
	*number_ret = n;
	return true;
}

int ip_parse_mask(const char *text, int family, unsigned *prefix_ret)
{
	const unsigned longest = family == AF_INET ? 32 : 128;
	struct in_addr mask;
	uint32_t bits;

	if (!strchr(text, '.'))
		return read_number(text, longest, prefix_ret) ? 0 : -EINVAL;
	if (family != AF_INET || inet_pton(AF_INET, text, &mask) != 1)
		return -EINVAL;
	bits = ~ntohl(mask.s_addr);
	if (bits & (bits + 1)) /* a hole in it */
		return -EINVAL;
	*prefix_ret = 32 - __builtin_popcount(bits);
	return 0;
}

int ip_parse_address(const char *text, struct ip_address *address_ret)
{
	struct ip_address a = { .family = AF_INET, .prefix = 32 };
	char buf[FIELD_SIZE], *slash, *end;
	size_t len = strlen(text);

	if (len >= sizeof(buf))
		return -EINVAL;
	strcpy(buf, text);
	slash = strchr(buf, '/');
	if (slash)
		*slash++ = '\0';
	text = buf;
	if (*buf == '[') {
		end = strchr(buf, ']');
		/* The prefix may stand on either side of the bracket. */
		if (end && !end[1])
			*end = '\0';
		else if (end || !slash || !strchr(slash, ']'))
			return -EINVAL;
		else
			*strchr(slash, ']') = '\0';
		text++;
	}
	if (inet_pton(AF_INET, text, &a.v4) != 1) {
		a.family = AF_INET6;
		a.prefix = 128;
		if (inet_pton(AF_INET6, text, &a.v6) != 1)
			return -EINVAL;
	}
	if (slash && ip_parse_mask(slash, a.family, &a.prefix))
		return -EINVAL;
	*address_ret = a;
	return 0;
}

bool ip_parse_mac(const char *text, char sep, uint8_t mac_ret[6])
{
	for (int i = 0; i < 6; i++, text += 3) {
		char hex[3] = { text[0], text[0] ? text[1] : '\0' };

		if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) ||
		    text[2] != (i < 5 ? sep : '\0'))
			return false;
		mac_ret[i] = strtoul(hex, NULL, 16);
	}
	return true;
}

const char *ip_format(const struct ip_address *address, char *buf, size_t size)
{
	if (!address->family || !inet_ntop(address->family, &address->v4, buf, size))
		snprintf(buf, size, "none");
	return buf;
}

/* Colons within brackets do not part fields. */
static int split(const char *word, char fields[FIELDS][FIELD_SIZE])
{
	bool in_brackets = false;
	size_t len = 0;
	int nr = 0;

	for (; *word; word++) {
		if (*word == '[')
			in_brackets = true;
		if (*word == ']')
			in_brackets = false;
		if (*word == ':' && !in_brackets) {
			fields[nr][len] = '\0';
			len = 0;
			if (++nr == FIELDS)
				return -EINVAL;
		} else if (len == FIELD_SIZE - 1) {
			return -EINVAL;
		} else {
			fields[nr][len++] = *word;
		}
	}
	fields[nr][len] = '\0';
	return in_brackets ? -EINVAL : nr + 1;
}

static bool find_method(const char *name, enum ip_method *method_ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(method_names); i++) {
		if (streq(name, method_names[i].name)) {
			*method_ret = method_names[i].method;
			return true;
		}
	}
	return false;
}

static int take_iface(struct ip_line *line, const char *text, const char **why)
{
	uint8_t mac[6];

	*why = "that is no interface's name";
	if (strlen(text) >= IFNAMSIZ && !ip_parse_mac(text, '-', mac))
		return -EINVAL;
	if (strchr(text, '/') || streq(text, ".") || streq(text, "..")) /* a file name in sysfs */
		return -EINVAL;
	snprintf(line->iface, sizeof(line->iface), "%s", text);
	return 0;
}

/* What stands behind the method: name servers where it begins with an address. */
static int take_rest(struct ip_line *line, char rest[][FIELD_SIZE], int nr, const char **why)
{
	struct ip_address address;
	char mac[18];

	if (nr > 0 && ip_parse_address(rest[0], &address) == 0) {
		for (int i = 0; i < nr && i < 2; i++)
			if (*rest[i] && ip_parse_address(rest[i], &line->nameservers[i])) {
				*why = "a name server that is no address";
				return -EINVAL;
			}
		return 0;
	}
	*why = "the MTU is no number from 576 to 65535";
	if (nr > 0 && *rest[0] && (!read_number(rest[0], 65535, &line->mtu) || line->mtu < 576))
		return -EINVAL;
	if (nr <= 1)
		return 0;
	*why = "the hardware address is none";
	if (nr != 7)
		return -EINVAL;
	snprintf(mac, sizeof(mac), "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", rest[1], rest[2], rest[3],
		 rest[4], rest[5], rest[6]);
	line->has_mac = ip_parse_mac(mac, ':', line->mac);
	return line->has_mac ? 0 : -EINVAL;
}

static int take_long(struct ip_line *line, char f[FIELDS][FIELD_SIZE], const char **why)
{
	*why = "the client's address is no address";
	if (*f[0] && ip_parse_address(f[0], &line->client))
		return -EINVAL;
	*why = "the gateway is no address";
	if (*f[2] && ip_parse_address(f[2], &line->gateway))
		return -EINVAL;
	*why = "the netmask is none";
	if (*f[3] && ip_parse_mask(f[3], line->client.family == AF_INET6 ? AF_INET6 : AF_INET,
				   &line->client.prefix))
		return -EINVAL;
	*why = "the gateway is of another kind than the address";
	if (line->client.family && line->gateway.family &&
	    line->client.family != line->gateway.family)
		return -EINVAL;
	*why = "the host name is too long";
	if (strlen(f[4]) >= sizeof(line->hostname))
		return -EINVAL;
	strcpy(line->hostname, f[4]);
	return take_iface(line, f[5], why);
}

int ip_parse(const char *word, struct ip_line *line_ret, const char **why)
{
	struct ip_line line = { .method = IP_NONE };
	char f[FIELDS][FIELD_SIZE];
	int nr = split(word, f), err;

	*why = "this is no ip= of dracut.cmdline(7)";
	if (nr <= 0)
		return -EINVAL;
	if (nr == 1 && find_method(f[0], &line.method)) {
		*line_ret = line;
		return 0;
	}
	if (nr >= 2 && find_method(f[1], &line.method)) {
		err = take_iface(&line, f[0], why);
		nr -= 2;
		err = err ? err : take_rest(&line, f + 2, nr, why);
	} else if (nr >= 7 && (!*f[6] || find_method(f[6], &line.method))) {
		err = take_long(&line, f, why);
		nr -= 7;
		err = err ? err : take_rest(&line, f + 7, nr, why);
	} else {
		return -EINVAL;
	}
	if (!err)
		*line_ret = line;
	return err;
}
