/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces, as sysfs tells of them. */
#ifndef CAPTURE_NET_LINK_H
#define CAPTURE_NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_MAX_SEEN 32u

/**
 * struct link - An interface.
 * @hardware: has a device behind it, and so is no bridge, tunnel …
 * @driver: for people; "unknown" where sysfs does not tell
 */
struct link {
	char name[IFNAMSIZ];
	int index;
	bool hardware;
	uint8_t mac[6];
	char driver[32];
};

/** link_scan() - All but the loopback, by number, @max at most. Return: how many. */
unsigned link_scan(struct link *links, unsigned max);

/** link_matches() - Whether @iface, a name or a hardware address (see ip.h), means it. */
bool link_matches(const struct link *link, const char *iface);

/** link_has_carrier() - False as well where the interface is down. */
bool link_has_carrier(const struct link *link);

/** link_list() - "eth0 (e1000, link up), eth1 (igb, no link)", for people. */
void link_list(char *buf, size_t size);

#endif
