// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/ssh.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/util.h"

#define MAX_DIR_NAME 90
#define SEPARATORS   ", \t" /* of options */

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_made_of(const char *s, const char *others)
{
	for (; *s; s++)
		if (!is_alnum(*s) && !strchr(others, *s))
			return false;
	return true;
}

static int parse_port(const char *text, unsigned *port_ret)
{
	unsigned port = 0;
	const char *s = text;

	while (*s >= '0' && *s <= '9' && port <= 65535)
		port = port * 10 + (*s++ - '0');
	if (s == text || *s || !port || port > 65535)
		return -EINVAL;
	*port_ret = port;
	return 0;
}

/* The host's end in "HOST", "HOST:PORT", "[HOST]" and "[HOST]:PORT"; an address of IPv6
 * is the one that has several colons. */
static const char *host_end(const char **host, const char **rest_ret)
{
	const char *end = strchr(*host, ']');

	if (**host == '[' && end) {
		++*host;
		*rest_ret = end + 1;
		return end;
	}
	end = strchr(*host, ':');
	if (!end || strchr(end + 1, ':'))
		end = *host + strlen(*host);
	*rest_ret = end;
	return end;
}

/* "Port=N" among the options, which is how the configuration passes on what stood behind the
 * host. */
static int port_option(const char *options, unsigned *port_ret)
{
	char text[8];

	for (; *options; options += strcspn(options, SEPARATORS)) {
		options += strspn(options, SEPARATORS);
		if (strncasecmp(options, "Port=", 5))
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(options + 5, SEPARATORS),
			 options + 5);
		return parse_port(text, port_ret);
	}
	return 0;
}

int ssh_parse_where(const char *where, const char *options, struct ssh_host *host_ret,
		    const char **why_ret)
{
	const char *at = strrchr(where, '@'), *host, *end, *rest;
	struct ssh_host h = { .port = SSH_DEFAULT_PORT };

	*why_ret = "it must be USER@HOST, with :PORT behind it where that is not 22";
	if (!at || at == where)
		return -EINVAL;
	host = at + 1;
	end = host_end(&host, &rest);
	if ((size_t)(at - where) >= sizeof(h.user) || (size_t)(end - host) >= sizeof(h.host))
		return -EINVAL;
	memcpy(h.user, where, at - where);
	memcpy(h.host, host, end - host);
	if (!h.host[0] || (*rest && (*rest != ':' || parse_port(rest + 1, &h.port))) ||
	    port_option(options, &h.port))
		return -EINVAL;
	/* Nothing that a client could take for an option, or a shell for more than a word. */
	*why_ret = "there is a character in the user or host that cannot be";
	if (h.user[0] == '-' || h.host[0] == '-' || !is_made_of(h.user, "._-+@$\\") ||
	    !is_made_of(h.host, ".:_-%"))
		return -EINVAL;
	/* As ssh(1) calls it in known_hosts. */
	if (h.port == SSH_DEFAULT_PORT)
		snprintf(h.alias, sizeof(h.alias), "%s", h.host);
	else
		snprintf(h.alias, sizeof(h.alias), "[%s]:%u", h.host, h.port);
	*host_ret = h;
	return 0;
}

int ssh_quote(char *buf, size_t size, const char *text)
{
	size_t len = strlen(buf), at = len;

	/* All but ' stands for itself between two of them. */
	if (size - at < 3)
		return -ENAMETOOLONG;
	buf[at++] = '\'';
	for (const char *s = text; *s; s++) {
		const char *piece = *s == '\'' ? "'\\''" : (const char[]){ *s, '\0' };
		size_t n = strlen(piece);

		if (size - at < n + 2) {
			buf[len] = '\0';
			return -ENAMETOOLONG;
		}
		memcpy(buf + at, piece, n);
		at += n;
	}
	buf[at++] = '\'';
	buf[at] = '\0';
	return 0;
}

static int append(char *buf, size_t size, const char *text, size_t n)
{
	size_t len = strlen(buf);

	if (n >= size - len)
		return -ENAMETOOLONG;
	memcpy(buf + len, text, n);
	buf[len + n] = '\0';
	return 0;
}

int ssh_script(char *buf, size_t size, const char *fmt, ...)
{
	char number[24];
	va_list ap;
	int err = 0;

	buf[0] = '\0';
	va_start(ap, fmt);
	for (; *fmt && !err; fmt++) {
		const char *s = number;

		if (*fmt != '%') {
			err = append(buf, size, fmt, 1);
			continue;
		}
		fmt++;
		if (*fmt == 'q') {
			err = ssh_quote(buf, size, va_arg(ap, const char *));
			continue;
		}
		if (*fmt == 's')
			s = va_arg(ap, const char *);
		else if (*fmt == 'u')
			snprintf(number, sizeof(number), "%u", va_arg(ap, unsigned));
		else if (*fmt == 'U')
			snprintf(number, sizeof(number), "%" PRIu64, va_arg(ap, uint64_t));
		else
			s = "%"; /* for %% */
		err = append(buf, size, s, strlen(s));
	}
	va_end(ap);
	return err;
}

static int add_arg(struct ssh_args *args, const char *text)
{
	size_t n = strlen(text) + 1;

	if (args->nr == SSH_MAX_ARGS || n > sizeof(args->text) - args->used)
		return -E2BIG;
	memcpy(args->text + args->used, text, n);
	args->argv[args->nr++] = args->text + args->used;
	args->argv[args->nr] = NULL;
	args->used += n;
	return 0;
}

static int add_args(struct ssh_args *args, const char *const *words)
{
	int err = 0;

	for (; *words && !err; words++)
		err = add_arg(args, *words);
	return err;
}

static int add_options(struct ssh_args *args, const char *options)
{
	char word[256];

	while (*options) {
		size_t n = strcspn(options, SEPARATORS);
		int err;

		if (!n) {
			options++;
			continue;
		}
		if (n >= sizeof(word) || !is_alnum(*options) || !memchr(options, '=', n))
			return -EINVAL;
		memcpy(word, options, n);
		word[n] = '\0';
		err = add_args(args, (const char *const[]){ "-o", word, NULL });
		if (err)
			return err;
		options += n;
	}
	return 0;
}

/* Of an option that is given twice, the first one counts; ssh_config(5). INFO is the level of
 * what tells that a server no longer answers. */
static int add_client_options(struct ssh_args *args, const struct ssh_host *host,
			      const char *options)
{
	const char *const safe[] = {
		"-F",
		"none",
		"-T",
		"-x",
		"-a",
		"-i",
		SSH_KEY_PATH,
		"-o",
		"BatchMode=yes",
		"-o",
		"IdentitiesOnly=yes",
		"-o",
		"StrictHostKeyChecking=yes",
		"-o",
		"UserKnownHostsFile=" SSH_KNOWN_HOSTS_PATH,
		"-o",
		"GlobalKnownHostsFile=none",
		"-o",
		"UpdateHostKeys=no",
		"-o",
		"ControlPath=none",
		NULL,
	};
	char alias[sizeof(host->alias) + 16], connect[40], alive[40], count[40];
	const char *const usual[] = { "-o", alias, "-o", connect,	   "-o", alive,
				      "-o", count, "-o", "LogLevel=INFO", NULL };
	int err = add_args(args, safe);

	snprintf(alias, sizeof(alias), "HostKeyAlias=%s", host->alias);
	snprintf(connect, sizeof(connect), "ConnectTimeout=%u", SSH_CONNECT_S);
	snprintf(alive, sizeof(alive), "ServerAliveInterval=%u", SSH_ALIVE_S);
	snprintf(count, sizeof(count), "ServerAliveCountMax=%u", SSH_ALIVE_COUNT);
	if (!err)
		err = add_options(args, options);
	return err ? err : add_args(args, usual);
}

int ssh_args_build(struct ssh_args *args, const char *client, const struct ssh_host *host,
		   const char *options, const char *script)
{
	char command[2 * SSH_SCRIPT_SIZE] = "exec sh -c ", port[12];
	const char *const there[] = { "-p", port, "-l", host->user, host->host, command, NULL };
	int err;

	args->nr = 0;
	args->used = 0;
	snprintf(port, sizeof(port), "%u", host->port);
	err = add_arg(args, client);
	if (!err)
		err = add_client_options(args, host, options);
	if (!err && ssh_quote(command, sizeof(command), script))
		err = -E2BIG;
	return err ? err : add_args(args, there);
}

void ssh_line_add(struct ssh_line *line, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' || data[i] == '\r') {
			ssh_line_text(line);
			line->len = 0;
		} else if (line->len + 1 < sizeof(line->next)) {
			bool printable = data[i] >= ' ' && data[i] <= '~';

			line->next[line->len++] = printable ? data[i] : '?';
			line->next[line->len] = '\0';
		}
	}
}

const char *ssh_line_text(struct ssh_line *line)
{
	if (line->len && line->next[strspn(line->next, " ")])
		memcpy(line->text, line->next, sizeof(line->text));
	return line->text;
}

/* "123", or "-123" of a file system that is fuller than it may be, which counts as 0. */
static bool parse_number(const char *word, size_t len, uint64_t *number_ret)
{
	bool negative = len > 1 && *word == '-';
	uint64_t number = 0;

	for (size_t i = negative; i < len; i++) {
		if (word[i] < '0' || word[i] > '9' || i > 18)
			return false;
		number = number * 10 + (word[i] - '0');
	}
	*number_ret = negative ? 0 : number;
	return len > 0;
}

/* The line behind the heading is name, blocks, used, available, percent, where (df in POSIX).
 * Blanks may be in the first and the last: the percent sign behind three numbers tells. */
int ssh_parse_df(const char *text, uint64_t *bytes_ret)
{
	const char *word = strchr(text, '\n');
	uint64_t kib = 0;
	unsigned numbers = 0;
	size_t len;

	for (; word && *word; word += len) {
		word += strspn(word, " \t\n");
		len = strcspn(word, " \t\n");
		if (numbers >= 3 && len && word[len - 1] == '%') {
			if (__builtin_mul_overflow(kib, UINT64_C(1024), bytes_ret))
				*bytes_ret = UINT64_MAX;
			return 0;
		}
		numbers = parse_number(word, len, &kib) ? numbers + 1 : 0;
	}
	return -EBADMSG;
}

bool ssh_is_name(const char *text)
{
	return (is_alnum(text[0]) || text[0] == ':') && strlen(text) <= MAX_DIR_NAME &&
	       is_made_of(text, ".:_-%");
}
