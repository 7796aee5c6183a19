/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a server is there, in limited time. */
#ifndef CONTROL_CHECK_REACH_H
#define CONTROL_CHECK_REACH_H

#include <net/if.h>
#include <netinet/in.h>

#define REACH_SECONDS 10u /* for all addresses together */

/**
 * struct reach - How it was reached, or tried.
 * @address: the last one that was tried, as people write it; empty where the name has none
 * @interface: by which the kernel would send to it; empty where there is no way
 */
struct reach {
	char address[INET6_ADDRSTRLEN + IF_NAMESIZE];
	char interface[IF_NAMESIZE];
};

/**
 * reach_host() - Connect to a TCP port, and close it again.
 * @host: a name, which getent(1) looks up as this system does, or an address
 * @port: 0 for the way alone
 *
 * Return: 0; -ENOENT there is no such name, -ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH … of the last
 * address. Not logged.
 */
int reach_host(const char *host, unsigned port, struct reach *reach_ret);

#endif
