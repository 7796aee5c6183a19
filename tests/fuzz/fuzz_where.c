// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as where a target beyond the network is, with the options behind the first line, and as
 * an ip line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/net/ip.h"
#include "capture/target/nfs.h"
#include "capture/target/ssh.h"
#include "lib/cleanup.h"
#include "lib/udev_link.h"
#include "lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(const char *s, size_t size)
{
	if (strnlen(s, size) == size)
		abort();
}

#define STRING(s) check_string(s, sizeof(s))

static void nfs(const char *where, const char *options)
{
	struct nfs_where w;

	if (nfs_parse_where(where, options, &w))
		return;
	STRING(w.host);
	STRING(w.export);
	STRING(w.options);
	STRING(w.version);
	if (!*w.host || *w.export != '/' || !w.port || w.port > 65535)
		abort();
}

/* Of what ssh_args_build() makes no word is one that the configuration could make an option. */
static void ssh(const char *where, const char *options)
{
	struct ssh_host host;
	struct ssh_args *args = malloc(sizeof(*args));
	const char *why = NULL;

	if (!args || ssh_parse_where(where, options, &host, &why)) {
		if (args && !why)
			abort();
		free(args);
		return;
	}
	STRING(host.user);
	STRING(host.host);
	STRING(host.alias);
	if (!*host.user || !*host.host || *host.user == '-' || *host.host == '-' || !host.port ||
	    host.port > 65535 || strpbrk(host.host, " '\"/;"))
		abort();
	if (!ssh_args_build(args, "/usr/bin/ssh", &host, options, "exit 0")) {
		if (args->nr < 7 || args->argv[args->nr] ||
		    !streq(args->argv[args->nr - 2], host.host) ||
		    !streq(args->argv[args->nr - 3], host.user))
			abort();
	}
	free(args);
}

static void ip(const char *word)
{
	struct ip_line line;
	const char *why = NULL;

	if (ip_parse(word, &line, &why)) {
		if (!why)
			abort();
		return;
	}
	STRING(line.iface);
	STRING(line.hostname);
	if (strchr(line.iface, '/') || (line.mtu && (line.mtu < 576 || line.mtu > 65535)) ||
	    (line.client.family && line.client.prefix > 128))
		abort();
}

static void df(const char *text)
{
	uint64_t bytes = 1;

	if (!ssh_parse_df(text, &bytes) && bytes != UINT64_MAX && bytes % 1024)
		abort();
}

static void udev(const char *path)
{
	char spec[UDEV_SPEC_SIZE];

	if (!udev_link_spec(path, spec) &&
	    (strnlen(spec, sizeof(spec)) == sizeof(spec) || !strchr(spec, '=')))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = malloc(size + 1);
	char *options;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	df(text);
	options = strchr(text, '\n');
	if (options)
		*options++ = '\0';
	nfs(text, options ? options : "");
	ssh(text, options ? options : "");
	ip(text);
	udev(text);
	return 0;
}
