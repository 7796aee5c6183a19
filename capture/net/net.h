/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network of a capture, for whatever sends a dump: addresses, and names of hosts. */
#ifndef CAPTURE_NET_NET_H
#define CAPTURE_NET_NET_H

#include <sys/socket.h>

#define NET_RESOLV_CONF "/etc/resolv.conf"
#define NET_HOSTS	"/etc/hosts"

/**
 * struct net - What to bring up, and what came of it.
 * @ip: words as capture/net/ip.h has them, blanks between; borrowed. Empty: every interface
 *	with a link asks for an IPv4 address by DHCP and takes an IPv6 one that a router offers
 * @nameservers: addresses, blanks between; borrowed. They come before those of DHCP
 * @wait_s: longest time for all of it
 * @alive: called with @alive_ctx several times a second
 * @description: of each interface that is up: driver, address, gateway
 * @error: a sentence after a failure
 */
struct net {
	const char *ip;
	const char *nameservers;
	unsigned wait_s;
	void (*alive)(void *ctx);
	void *alive_ctx;
	char description[256];
	char error[192];
};

/**
 * net_up() - Bring up what net->ip says. Logs nothing but warnings.
 *
 * Name servers go into NET_RESOLV_CONF, for net_lookup() in this process and those after
 * it. DHCP's clients stay behind as children of the caller.
 *
 * Return: 0 with net->description; -errno with net->error where a line of it is not up
 * (others may be).
 */
int net_up(struct net *net);

#define NET_MAX_ADDRESSES 8u

/** struct net_host - Addresses, the first one to try first; their ports are 0. */
struct net_host {
	struct sockaddr_storage addresses[NET_MAX_ADDRESSES];
	unsigned nr;
};

/**
 * net_lookup() - Addresses of a host by what it is itself (an address, an IPv6 one with
 * or without brackets), by NET_HOSTS, by DNS: in this order, the first that knows it.
 * @host: a full name; there is no search list
 * @wait_s: longest time
 * @alive: called several times a second; may be NULL
 * @error, @size: get a sentence after a failure
 *
 * Return: 0 with *@host_ret; -ENOENT no such host; -ETIMEDOUT no name server answers;
 * -ENONET there is none; -EINVAL that is no name.
 */
int net_lookup(const char *host, unsigned wait_s, void (*alive)(void *ctx), void *alive_ctx,
	       struct net_host *host_ret, char *error, size_t size);

#endif
