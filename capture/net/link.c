// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/net/link.h"

#include <dirent.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/net/ip.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define SYS_NET "/sys/class/net"

static bool read_attribute(const char *name, const char *attribute, char *buf, size_t size)
{
	char path[128];
	_free_ char *text = NULL;

	snprintf(path, sizeof(path), SYS_NET "/%s/%s", name, attribute);
	if (io_read_file(path, 4096, &text, NULL))
		return false;
	text[strcspn(text, "\n")] = '\0';
	snprintf(buf, size, "%s", text);
	return true;
}

/* virtio_net hangs on a virtio device, whose driver is the interesting one. */
static void read_driver(struct link *link)
{
	char path[128], target[256];
	ssize_t len;
	const char *base;

	snprintf(path, sizeof(path), SYS_NET "/%s/device/driver", link->name);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		len = 0;
	target[len] = '\0';
	base = strrchr(target, '/');
	snprintf(link->driver, sizeof(link->driver), "%.31s", base ? base + 1 : "unknown");
}

static bool read_link(const char *name, struct link *link_ret)
{
	struct link link = { .hardware = false };
	char text[64], path[128];

	if (strlen(name) >= sizeof(link.name) ||
	    !read_attribute(name, "type", text, sizeof(text)) || atoi(text) == ARPHRD_LOOPBACK)
		return false;
	strcpy(link.name, name);
	if (!read_attribute(name, "ifindex", text, sizeof(text)))
		return false;
	link.index = atoi(text);
	if (read_attribute(name, "address", text, sizeof(text)))
		ip_parse_mac(text, ':', link.mac);
	snprintf(path, sizeof(path), SYS_NET "/%s/device", name);
	link.hardware = access(path, F_OK) == 0;
	read_driver(&link);
	*link_ret = link;
	return true;
}

static int by_index(const void *a, const void *b)
{
	return ((const struct link *)a)->index - ((const struct link *)b)->index;
}

unsigned link_scan(struct link *links, unsigned max)
{
	_closedir_ DIR *dir = opendir(SYS_NET);
	struct dirent *entry;
	unsigned nr = 0;

	while (dir && nr < max && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && read_link(entry->d_name, &links[nr]))
			nr++;
	qsort(links, nr, sizeof(*links), by_index);
	return nr;
}

bool link_matches(const struct link *link, const char *iface)
{
	uint8_t mac[6];

	return streq(link->name, iface) ||
	       (ip_parse_mac(iface, '-', mac) && memcmp(mac, link->mac, sizeof(mac)) == 0);
}

bool link_has_carrier(const struct link *link)
{
	char text[8];

	/* Reading it fails with EINVAL while the interface is down. */
	return read_attribute(link->name, "carrier", text, sizeof(text)) && streq(text, "1");
}

void link_list(char *buf, size_t size)
{
	struct link links[LINK_MAX_SEEN];
	unsigned nr = link_scan(links, LINK_MAX_SEEN);
	size_t len = 0;

	snprintf(buf, size, "none");
	for (unsigned i = 0; i < nr && len < size; i++)
		len += snprintf(buf + len, size - len, "%s%s (%s, %s)", i ? ", " : "",
				links[i].name, links[i].driver,
				link_has_carrier(&links[i]) ? "link up" : "no link");
}
