// SPDX-License-Identifier: GPL-2.0-or-later
/* What single words of a configuration may be. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/config_private.h"
#include "lib/util.h"

bool config_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool config_has_blank(const char *s)
{
	while (*s && !config_is_blank(*s))
		s++;
	return *s != '\0';
}

bool config_has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] < 0x20 && !config_is_blank(s[i])) || s[i] == 0x7f)
			return true;
	return false;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool config_is_safe(const char *s, const char *others)
{
	if (!*s || *s == '-')
		return false;
	while (*s && (is_alnum(*s) || strchr(others, *s)))
		s++;
	return !*s;
}

bool config_is_address(const char *s)
{
	const char *zone = strchr(s, '%');
	char buf[INET6_ADDRSTRLEN];
	struct in6_addr addr;
	size_t len = zone ? (size_t)(zone - s) : strlen(s);

	if (len >= sizeof(buf) || (zone && !config_is_safe(zone + 1, "_.-")))
		return false;
	memcpy(buf, s, len);
	buf[len] = '\0';
	return inet_pton(AF_INET6, buf, &addr) == 1 ||
	       (!zone && inet_pton(AF_INET, buf, &addr) == 1);
}

bool config_is_host(const char *s)
{
	return config_is_safe(s, "._-") || config_is_address(s);
}

/* Of an ip= value: the next field, which ends at a ':' that is not in brackets; without the
 * brackets. False where it does not fit or brackets are missing. */
static bool next_field(const char **cursor, char *field, size_t size)
{
	const char *s = *cursor, *end;
	size_t len;

	if (*s == '[') {
		end = strchr(++s, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		*cursor = end + 1;
	} else {
		end = s + strcspn(s, ":");
		*cursor = end;
	}
	len = end - s;
	if (len >= size)
		return false;
	memcpy(field, s, len);
	field[len] = '\0';
	return true;
}

static bool is_method(const char *s)
{
	static const char *const methods[] = { "dhcp", "dhcp6", "auto6",    "either6", "link6",
					       "on",   "any",	"dhcp4or6", "none",    "off" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (streq(s, methods[i]))
			return true;
	return false;
}

static bool is_prefix_address(const char *s)
{
	char addr[64];
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : strlen(s);

	if (len >= sizeof(addr))
		return false;
	memcpy(addr, s, len);
	addr[len] = '\0';
	return config_is_address(addr) &&
	       (!slash || (slash[1] && strspn(slash + 1, "0123456789") == strlen(slash + 1)));
}

static bool is_netmask(const char *s)
{
	return !*s || config_is_address(s) ||
	       (strlen(s) <= 3 && strspn(s, "0123456789") == strlen(s));
}

/*
 * dracut.cmdline(7): METHOD; INTERFACE:METHOD[:MTU[:MAC]]; or
 * ADDRESS:PEER:GATEWAY:NETMASK:HOSTNAME:INTERFACE:METHOD and then [:MTU[:MAC]] or
 * [:DNS[:DNS]]. A MAC has five ':' of its own, so up to 14 fields.
 */
bool config_is_ip(const char *s)
{
	enum {
		FIELDS = 14
	};
	char f[FIELDS][64];
	unsigned nr = 0;

	if (!config_is_safe(*s == '[' || *s == ':' ? s + 1 : s, ":[]./_%-"))
		return false;
	for (;; s++) {
		if (nr == FIELDS || !next_field(&s, f[nr++], sizeof(f[0])))
			return false;
		if (!*s)
			break;
	}
	if (nr == 1)
		return is_method(f[0]);
	if (is_method(f[1]))
		return config_is_safe(f[0], "._-");
	return nr >= 7 && (!*f[0] || is_prefix_address(f[0])) &&
	       (!*f[2] || config_is_address(f[2])) && is_netmask(f[3]) &&
	       (!*f[5] || config_is_safe(f[5], "._-")) && is_method(f[6]);
}

bool config_is_nameserver(const char *s)
{
	return config_is_address(s);
}

bool config_is_module(const char *s)
{
	return config_is_safe(s, "_-");
}

bool config_is_file(const char *s)
{
	return *s != '-';
}

/* The options of fence_kdump_send(8) are letters or names, their values numbers or names. */
bool config_is_fence_arg(const char *s)
{
	if (after_prefix(s, "--"))
		s += 2;
	else if (*s == '-')
		s++;
	return config_is_safe(s, "=-");
}
