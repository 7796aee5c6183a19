/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an nfs line and its mount_options mean. */
#ifndef CAPTURE_TARGET_NFS_H
#define CAPTURE_TARGET_NFS_H

#include <stdbool.h>

#define NFS_PORT 2049u

/**
 * struct nfs_where - "HOST:/PATH" taken apart.
 * @host: an IPv6 address without its brackets
 * @options: those of mount_options that go to the kernel as they are
 * @version: "3", "4", "4.1" …; empty where any will do
 * @port: of the server; NFS_PORT where nothing else is said
 */
struct nfs_where {
	char host[128];
	char export[256];
	char options[256];
	char version[8];
	unsigned port;
	bool udp;
	bool has_mountproto;
};

/** nfs_parse_where() - Return: 0 or -EINVAL. */
int nfs_parse_where(const char *where, const char *options, struct nfs_where *where_ret);

#endif
