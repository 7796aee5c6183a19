/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DHCP by busybox's udhcpc and udhcpc6, which do nothing but ask: their script prints
 * what they were told into a file. They stay, and renew the lease while the dump is sent.
 */
#ifndef CAPTURE_NET_DHCP_H
#define CAPTURE_NET_DHCP_H

#include <sys/types.h>

#include "capture/net/ip.h"

#define DHCP_MAX_ROUTES 16u
#define DHCP_MAX_BYTES	(64u << 10)	  /* of what the script prints */
#define DHCP_END	"vmcore_save_end" /* the line behind a lease */

struct dhcp_route {
	struct ip_address to;
	struct ip_address gateway; /* family 0: on the link */
};

/**
 * struct dhcp_lease - What a server has said, as far as it can be used.
 * @gateway: family 0 where there is none; not used where there are @routes (RFC 3442)
 * @mtu: 0 for what the interface has
 */
struct dhcp_lease {
	struct ip_address address;
	struct ip_address gateway;
	struct dhcp_route routes[DHCP_MAX_ROUTES];
	unsigned nr_routes;
	struct ip_address nameservers[IP_MAX_NAMESERVERS];
	unsigned nr_nameservers;
	unsigned mtu;
};

/**
 * struct dhcp_client - A client at work.
 * @pid: 0 once it is over
 * @fd: of the file that it prints into; owned; -1 for none
 */
struct dhcp_client {
	pid_t pid;
	int fd;
};

/** dhcp_start() - Start a client for @family on @iface. @hostname may be empty.
 * Return: 0 with *@client_ret, or -errno. */
int dhcp_start(const char *iface, int family, const char *hostname, struct dhcp_client *client_ret);

/**
 * dhcp_poll() - Whether it has a lease by now.
 *
 * Return: 0 with *@lease_ret; -EAGAIN not yet; -ECHILD it has ended without one; -EBADMSG
 * what the server said is no lease.
 */
int dhcp_poll(struct dhcp_client *client, struct dhcp_lease *lease_ret);

/** dhcp_leave() - Let the client go on by itself. */
void dhcp_leave(struct dhcp_client *client);

/** dhcp_stop() - End the client. */
void dhcp_stop(struct dhcp_client *client);

/**
 * dhcp_parse() - Read what the script has printed: a process environment, a variable on
 * each line, and then DHCP_END.
 * @text: NUL-terminated, and as hostile as the network is
 *
 * Return: 0; -EAGAIN there is no end yet; -EBADMSG.
 */
int dhcp_parse(const char *text, struct dhcp_lease *lease_ret);

#endif
