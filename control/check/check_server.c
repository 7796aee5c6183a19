// SPDX-License-Identifier: GPL-2.0-or-later
/* check: targets beyond the network. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "control/check/check.h"
#include "control/check/reach.h"
#include "lib/cleanup.h"
#include "lib/util.h"

#define NFS_PORT 2049u
#define SSH_PORT 22u

/* The value of NAME=VALUE in a list with commas between; 0 for none. */
static unsigned port_of(const char *options, const char *name)
{
	const size_t len = strlen(name);

	for (; *options; options += strcspn(options, ","), options += *options == ',')
		if (!strncasecmp(options, name, len) && options[len] == '=')
			return (unsigned)strtoul(options + len + 1, NULL, 10) & 0xffff;
	return 0;
}

static bool has_option(const char *options, const char *word)
{
	const size_t len = strlen(word);

	for (; *options; options += strcspn(options, ","), options += *options == ',')
		if (!strncmp(options, word, len) && (!options[len] || options[len] == ','))
			return true;
	return false;
}

/* HOST of "HOST:/export", "[ADDRESS]:/export" and "USER@HOST". */
static void host_of(const struct config_target *t, char *host, size_t size)
{
	const char *start = t->where, *end = start + strlen(start);

	if (streq(t->type, "ssh")) {
		start = strrchr(start, '@') ? strrchr(start, '@') + 1 : start;
	} else {
		const char *colon = strstr(start, *start == '[' ? "]:/" : ":/");

		end = colon ? colon : end;
		start += *start == '[';
	}
	snprintf(host, size, "%.*s", (int)(end - start), start);
}

/* What leads there; below --root the cards are those of the system there. */
static void find_devices(struct check *c, struct check_target *s, const struct reach *r)
{
	if (*c->sys.in->root || !*r->interface)
		devices_of_target(c->sys.in, s->target, s->devices);
	else
		devices_of_card(c->sys.in, r->interface, s->devices);
}

/* Return: whether it answers. @port: 0 where nothing that would answer is asked. */
static bool check_answer(struct check *c, struct check_target *s, const char *host, unsigned port)
{
	const struct config_target *t = s->target;
	struct reach r;
	int err = reach_host(host, port, &r);

	find_devices(c, s, &r);
	if (err == -ENOENT)
		check_tell(c, s->bad, "target",
			   "correct it in " CONFIG_PATH ", or the name service",
			   "%s %s: no address is known of %s", t->type, t->where, host);
	else if (err)
		check_tell(c, s->bad, "target", "is the server up, and does it let this host in?",
			   "%s %s: port %u of %s: %s", t->type, t->where, port, r.address,
			   strerror(-err));
	else if (streq(r.interface, "lo") && !*c->sys.in->root)
		check_tell(c, s->bad, "target", "name another host in " CONFIG_PATH,
			   "%s %s is this host itself, which is down when it is needed", t->type,
			   t->where);
	else
		check_tell(c, CHECK_OK, "target", "", "%s %s, %s %s", t->type, t->where, r.address,
			   port ? "answers" : "is not asked over UDP");
	return !err;
}

static void check_nfs(struct check *c, struct check_target *s)
{
	static const char *const helpers[] = { "/sbin/mount.nfs", "/usr/sbin/mount.nfs" };
	const struct config_target *t = s->target;
	const bool udp = has_option(t->options, "udp") || has_option(t->options, "proto=udp");
	const unsigned port = port_of(t->options, "port");
	char host[256];
	bool helper = false;

	snprintf(s->fs, sizeof(s->fs), "nfs");
	host_of(t, host, sizeof(host));
	if (!check_answer(c, s, host, udp ? 0 : port ? port : NFS_PORT))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
		_free_ char *path = ctl_path(c->sys.in, helpers[i]);

		helper |= path && !access(path, X_OK);
	}
	if (helper)
		check_look(c, s, t->where, "nfs");
	else
		check_tell(c, CHECK_WARN, "mount", "install nfs-common or nfs-utils",
			   "%s: not looked at, since there is no mount.nfs", t->path);
}

void check_server(struct check *c, struct check_target *s)
{
	const struct config_target *t = s->target;
	unsigned port = port_of(t->options, "Port");
	char host[256];

	if (streq(t->type, "nfs")) {
		check_nfs(c, s);
		return;
	}
	port = port ? port : SSH_PORT;
	host_of(t, host, sizeof(host));
	if (check_answer(c, s, host, port))
		check_login(c, s, host, port);
}
