/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an "ip" line says: the ip= parameter of dracut.cmdline(7).
 *
 *	METHOD
 *	IFACE:METHOD[:[MTU][:MAC]]
 *	CLIENT:[PEER]:[GATEWAY]:MASK:[HOSTNAME]:[IFACE]:METHOD[:[MTU][:MAC]|:DNS[:DNS]]
 *
 * IPv6 addresses stand in brackets; MASK is a netmask or the length of a prefix. IFACE
 * may be a hardware address with '-' between its bytes, 52-54-00-12-34-56: without udev
 * the capture kernel's names are not those of the crashed one.
 */
#ifndef CAPTURE_NET_IP_H
#define CAPTURE_NET_IP_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define IP_MAX_NAMESERVERS 4u

/** enum ip_method - How an interface gets its address. */
enum ip_method {
	IP_NONE,    /* the one that is written down, if any */
	IP_DHCP,    /* IPv4 */
	IP_DHCP6,   /* and the route by router advertisement */
	IP_AUTO6,   /* by router advertisement */
	IP_EITHER6, /* the same, else DHCPv6 */
	IP_ANY,	    /* nothing is written down: IPv4 by DHCP, IPv6 by router advertisement */
};

/** struct ip_address - @family is AF_INET, AF_INET6, or 0 for none; @prefix in bits. */
struct ip_address {
	int family;
	unsigned prefix;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/**
 * struct ip_line - One line, taken apart.
 * @iface: a name, or a hardware address as above; empty for the first one with a link
 * @client: with its prefix; family 0 for none
 * @mtu: 0 for what the interface has
 * @mac: to give the interface, where @has_mac
 */
struct ip_line {
	enum ip_method method;
	char iface[32];
	struct ip_address client;
	struct ip_address gateway;
	char hostname[64];
	unsigned mtu;
	bool has_mac;
	uint8_t mac[6];
	struct ip_address nameservers[2];
};

/**
 * ip_parse() - Take one word of config.ip apart.
 * @why: gets the reason in words where it cannot be done
 *
 * Return: 0 or -EINVAL.
 */
int ip_parse(const char *word, struct ip_line *line_ret, const char **why);

/** ip_parse_address() - Read an address, an IPv6 one with or without brackets, and
 * behind a '/' its prefix; the longest where there is none. Return: 0 or -EINVAL. */
int ip_parse_address(const char *text, struct ip_address *address_ret);

/** ip_parse_mask() - Read "255.255.255.0" or "24". Return: 0 with a prefix that
 * fits @family, or -EINVAL. */
int ip_parse_mask(const char *text, int family, unsigned *prefix_ret);

/** ip_parse_mac() - Read six bytes in hexadecimal with @sep between. */
bool ip_parse_mac(const char *text, char sep, uint8_t mac_ret[6]);

/** ip_format() - Into @buf, INET6_ADDRSTRLEN bytes or more. Return: @buf. */
const char *ip_format(const struct ip_address *address, char *buf, size_t size);

#endif
