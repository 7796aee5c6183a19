/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little of rtnetlink(7) that brings an interface up. All return 0 or -errno. */
#ifndef CAPTURE_NET_RTNL_H
#define CAPTURE_NET_RTNL_H

#include "capture/net/ip.h"

/** rtnl_open() - Return: a socket, owned by the caller, or -errno. */
int rtnl_open(void);

/** rtnl_link_up() - @mtu of 0 leaves that as it is. */
int rtnl_link_up(int fd, int ifindex, unsigned mtu);

/** rtnl_set_mac() - Many drivers take that while the interface is down alone. */
int rtnl_set_mac(int fd, int ifindex, const uint8_t mac[6]);

/** rtnl_add_address() - One that is there already is fine. */
int rtnl_add_address(int fd, int ifindex, const struct ip_address *address);

/**
 * rtnl_add_route() - Through @gateway, which need not be in a network of the interface's.
 * @to: NULL for all that has no better route
 * @gateway: NULL, or family 0, where @to is on the link itself
 */
int rtnl_add_route(int fd, int ifindex, const struct ip_address *to,
		   const struct ip_address *gateway);

/** enum rtnl_v6 - What became of the IPv6 addresses of an interface. */
enum rtnl_v6 {
	RTNL_V6_NONE,	   /* but link-local ones */
	RTNL_V6_TENTATIVE, /* duplicate address detection is under way (RFC 4862) */
	RTNL_V6_DUPLICATE, /* somebody else has it */
	RTNL_V6_READY,
};

/**
 * rtnl_find_v6() - Look for an address that is more than link-local.
 * @want: this very one, or NULL for any
 * @found_ret: gets it where there is one in whatever state
 */
int rtnl_find_v6(int fd, int ifindex, const struct ip_address *want, enum rtnl_v6 *state_ret,
		 struct ip_address *found_ret);

#endif
