// SPDX-License-Identifier: GPL-2.0-or-later
/* check: whether a server lets us in by ssh, with the key and the host keys of the image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/bounded.h"
#include "control/check/check.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/util.h"

#define SSH_PORT       22u
#define LOGIN_SECONDS  20u
#define KEYGEN_SECONDS 10u
#define MAX_WORDS      160u /* a list of options has at most 128 */
#define NR_FILES       4u

/* struct hosts - @alias: the host as known_hosts has it; @files: where its key may be; owned */
struct hosts {
	char alias[300];
	char *files[NR_FILES];
};

static void hosts_deinit(struct hosts *h)
{
	for (size_t i = 0; i < NR_FILES; i++)
		free(h->files[i]);
}

/* The files from which the build takes the host keys: docs/ssh.md. */
static int hosts_init(struct hosts *h, const struct check *c, const char *host, unsigned port)
{
	static const char *const names[NR_FILES] = { "/.ssh/known_hosts", "/.ssh/known_hosts2",
						     "/etc/ssh/ssh_known_hosts",
						     "/etc/ssh/ssh_known_hosts2" };
	const char *home = getenv("HOME");

	*h = (struct hosts){ .alias = "" };
	if (port == SSH_PORT)
		snprintf(h->alias, sizeof(h->alias), "%s", host);
	else
		snprintf(h->alias, sizeof(h->alias), "[%s]:%u", host, port);
	home = home && *home == '/' ? home : "/root";
	for (size_t i = 0; i < NR_FILES; i++) {
		if (asprintf(&h->files[i], "%s%s%s", c->sys.in->root, i < 2 ? home : "", names[i]) <
		    0) {
			h->files[i] = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

/* Names may be hashed there, which only OpenSSH's own program can compare. */
static int is_known(const struct hosts *h, bool *known_ret)
{
	*known_ret = false;
	for (size_t i = 0; i < NR_FILES; i++) {
		const char *const argv[] = {
			"ssh-keygen", "-F", h->alias, "-f", h->files[i], NULL
		};
		char words[64];
		int err;

		if (access(h->files[i], R_OK))
			continue;
		err = bounded_read(argv, KEYGEN_SECONDS, words, sizeof(words));
		if (err == -ENOENT || err == -ETIMEDOUT)
			return err;
		*known_ret |= !err && *words;
	}
	return 0;
}

/* "-o" before each word of a list with commas between; @list is cut. Of ssh(1)'s options the
 * first counts, and nothing of the configuration may take back how the server is checked. */
static unsigned add_options(const char **argv, unsigned nr, char *list)
{
	for (char *save, *word = strtok_r(list, ",", &save); word && nr + 2 < MAX_WORDS;
	     word = strtok_r(NULL, ",", &save)) {
		argv[nr++] = "-o";
		argv[nr++] = word;
	}
	return nr;
}

static int log_in(const struct check_target *s, const struct hosts *h, const char *key, char *words,
		  size_t size)
{
	static const char *const fixed[] = {
		"ssh",
		"-F",
		"none",
		"-o",
		"BatchMode=yes",
		"-o",
		"StrictHostKeyChecking=yes",
		"-o",
		"IdentitiesOnly=yes",
		"-o",
		"ConnectTimeout=10",
		"-o",
		"LogLevel=ERROR",
	};
	_free_ char *user = NULL, *global = NULL, *options = strdup(s->target->options);
	const char *argv[MAX_WORDS + 12] = { NULL };
	unsigned nr = ARRAY_SIZE(fixed);

	if (asprintf(&user, "UserKnownHostsFile=\"%s\" \"%s\"", h->files[0], h->files[1]) < 0)
		user = NULL;
	if (asprintf(&global, "GlobalKnownHostsFile=\"%s\" \"%s\"", h->files[2], h->files[3]) < 0)
		global = NULL;
	if (!user || !global || !options)
		return -ENOMEM;
	memcpy(argv, fixed, sizeof(fixed));
	argv[nr++] = "-o";
	argv[nr++] = user;
	argv[nr++] = "-o";
	argv[nr++] = global;
	argv[nr++] = "-i";
	argv[nr++] = key;
	nr = add_options(argv, nr, options);
	argv[nr++] = "--";
	argv[nr++] = s->target->where;
	argv[nr++] = "true";
	return bounded_run(argv, LOGIN_SECONDS, words, size);
}

/* The last line is the reason; before it may be the server's greeting. */
static char *last_line(char *words)
{
	size_t len = strlen(words);
	char *newline;

	while (len && (words[len - 1] == '\n' || words[len - 1] == '\r'))
		words[--len] = '\0';
	newline = strrchr(words, '\n');
	return text_clean(newline ? newline + 1 : words);
}

static void try_key(struct check *c, struct check_target *s, const struct hosts *h)
{
	const char *where = s->target->where;
	_free_ char *key = ctl_path(c->sys.in, c->config.sshkey), *why = NULL;
	char words[2048] = "";
	int err = key && !access(key, R_OK) ? log_in(s, h, key, words, sizeof(words)) : -ENOKEY;

	why = last_line(words);
	if (!err)
		check_tell(c, CHECK_OK, "login", "", "%s takes %s", where, c->config.sshkey);
	else if (err == -ENOKEY)
		check_tell(c, s->bad, "login", "docs/ssh.md, \"Before the crash\"",
			   "there is no key %s", c->config.sshkey);
	else if (err == -ENOENT)
		check_tell(c, s->bad, "login", "install OpenSSH's client", "there is no ssh");
	else
		check_tell(c, s->bad, "login", "let the server take the key by ssh-copy-id(1)",
			   "%s does not let %s in: %s", where, c->config.sshkey,
			   err == -ETIMEDOUT ? "no answer" :
			   why && *why	     ? why :
					       strerror(-err));
}

void check_login(struct check *c, struct check_target *s, const char *host, unsigned port)
{
	struct hosts h;
	bool known = false;
	int err = hosts_init(&h, c, host, port);

	if (!err)
		err = is_known(&h, &known);
	if (err)
		check_tell(c, s->bad, "host key", "install OpenSSH's client",
			   "%s: ssh-keygen cannot look for it: %s", h.alias, strerror(-err));
	else if (!known)
		check_tell(c, s->bad, "host key",
			   "log in once as root and compare it, then \"" CTL_PROGRAM
			   " rebuild --force\"",
			   "none of %s is known", h.alias);
	else
		check_tell(c, CHECK_OK, "host key", "", "that of %s is known", h.alias);
	if (!err && known)
		try_key(c, s, &h);
	hosts_deinit(&h);
}
