// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/target/nfs.h"
#include "capture/target/target.h"
#include "lib/util.h"

/* "HOST:/PATH" or "[V6ADDRESS]:/PATH" */
static int take_host(const char *where, struct nfs_where *w)
{
	const bool brackets = *where == '[';
	const char *colon = strstr(where, brackets ? "]:/" : ":/");
	const char *host = where + brackets;

	if (!colon || colon == host || (size_t)(colon - host) >= sizeof(w->host))
		return -EINVAL;
	snprintf(w->host, sizeof(w->host), "%.*s", (int)(colon - host), host);
	colon += brackets + 1;
	if (strlen(colon) >= sizeof(w->export))
		return -EINVAL;
	strcpy(w->export, colon);
	return 0;
}

/* What decides here; all but the version also goes to the kernel. True for "take it out". */
static bool take_option(struct nfs_where *w, const char *option)
{
	const char *value;

	if ((value = after_prefix(option, "vers=")) || (value = after_prefix(option, "nfsvers="))) {
		/* "4,minorversion=1" is the old way to say 4.1. */
		snprintf(w->version, sizeof(w->version), "%.7s", value);
		return true;
	}
	if ((value = after_prefix(option, "minorversion="))) {
		snprintf(w->version, sizeof(w->version), "4.%.3s", value);
		return true;
	}
	if ((value = after_prefix(option, "port="))) {
		unsigned long port = strtoul(value, NULL, 10);

		if (port > 0 && port <= 65535)
			w->port = port;
	} else if ((value = after_prefix(option, "proto="))) {
		w->udp = after_prefix(value, "udp") != NULL;
		return true; /* "tcp" or "tcp6" is the address's affair */
	} else if (streq(option, "udp") || streq(option, "tcp")) {
		w->udp = streq(option, "udp");
		return true;
	} else if (after_prefix(option, "mountproto=")) {
		w->has_mountproto = true;
	}
	/* of a line that was copied from fstab(5) */
	return target_mount_flag(option, strlen(option));
}

int nfs_parse_where(const char *where, const char *options, struct nfs_where *where_ret)
{
	struct nfs_where w = { .port = NFS_PORT };
	char option[sizeof(w.options)];
	size_t len, used = 0;
	int err = take_host(where, &w);

	if (err)
		return err;
	for (; *options; options += len + (options[len] == ',')) {
		len = strcspn(options, ",");
		if (!len)
			continue;
		if (len >= sizeof(option))
			return -EINVAL;
		snprintf(option, sizeof(option), "%.*s", (int)len, options);
		if (take_option(&w, option))
			continue;
		if (used + len + 2 > sizeof(w.options))
			return -EINVAL;
		used += snprintf(w.options + used, sizeof(w.options) - used, "%s%s",
				 used ? "," : "", option);
	}
	*where_ret = w;
	return 0;
}
