// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/fence.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

/* ClusterLabs/fence-agents, agents/kdump/message.h and options.h. */
#define MAGIC		0x1B302A40u
#define VERSION		1u
#define DEFAULT_PORT	7410
#define DEFAULT_SECONDS 10

#define RETRY_MS 1000

struct node {
	char name[FENCE_NAME_SIZE];
	struct sockaddr_storage addr;
	bool found;
	bool told;
	unsigned sent;
	uint64_t due_ms;
};

static socklen_t addr_len(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					     sizeof(struct sockaddr_in);
}

static int number4(const char *name, struct sockaddr_storage *addr_ret)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, name, &in.sin_addr) != 1)
		return -EINVAL;
	memcpy(addr_ret, &in, sizeof(in));
	return 0;
}

static int number6(const char *name, struct sockaddr_storage *addr_ret)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(name, "%");

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, name, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
		return -EINVAL;
	if (name[len]) {
		in6.sin6_scope_id = if_nametoindex(name + len + 1);
		if (!in6.sin6_scope_id)
			return -ENODEV; /* not yet, perhaps */
	}
	memcpy(addr_ret, &in6, sizeof(in6));
	return 0;
}

int fence_lookup_number(const char *name, int family, struct sockaddr_storage *addr_ret)
{
	int err = family == AF_INET6 ? -EINVAL : number4(name, addr_ret);

	return err && family != AF_INET ? number6(name, addr_ret) : err;
}

static void set_port(struct sockaddr_storage *addr, unsigned port)
{
	if (addr->ss_family == AF_INET6)
		((struct sockaddr_in6 *)addr)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)addr)->sin_port = htons(port);
}

void fence_message(unsigned char message_ret[FENCE_MESSAGE_SIZE])
{
	const uint32_t words[] = { MAGIC, VERSION };

	memcpy(message_ret, words, FENCE_MESSAGE_SIZE);
}

/* "-p 7410", "-p7410", "--ipport=7410" or "--ipport 7410". */
static const struct {
	char letter;
	const char *name;
	size_t offset; /* in struct fence_args */
	unsigned min, max;
} arg_rows[] = {
	{ 'p', "--ipport", offsetof(struct fence_args, port), 1, 65535 },
	{ 'f', "--family", offsetof(struct fence_args, family), 0, 0 },
	{ 'c', "--count", offsetof(struct fence_args, count), 0, 1000000 },
	{ 'i', "--interval", offsetof(struct fence_args, interval_s), 1, 3600 },
};

static bool set_number(unsigned *field, const char *value, unsigned min, unsigned max)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (end == value || *end || *value == '-' || n < min || n > max)
		return false;
	*field = n;
	return true;
}

static bool set_family(int *field, const char *value)
{
	if (streq(value, "auto"))
		*field = AF_UNSPEC;
	else if (streq(value, "ipv4"))
		*field = AF_INET;
	else if (streq(value, "ipv6"))
		*field = AF_INET6;
	else
		return false;
	return true;
}

/* The row of a word, and its value where that is in the same word; -1 for none. */
static int find_row(const char *word, const char **value_ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(arg_rows); i++) {
		const char *rest = after_prefix(word, arg_rows[i].name);

		if (rest && (!*rest || *rest == '=')) {
			*value_ret = *rest ? rest + 1 : NULL;
			return i;
		}
		if (word[0] == '-' && word[1] == arg_rows[i].letter) {
			*value_ret = word[2] ? word + 2 : NULL;
			return i;
		}
	}
	return -1;
}

static bool is_verbose(const char *word)
{
	return after_prefix(word, "-v") || after_prefix(word, "--verbose");
}

static int take_arg(const char *word, char **rest, struct fence_args *args)
{
	const char *value = NULL;
	int row = find_row(word, &value);
	bool ok;

	if (row >= 0 && !value)
		value = strsep(rest, " ");
	if (row < 0 || !value) {
		log_error("fence_kdump_args: %.40s: %s", word,
			  row < 0 ? "not an argument of fence_kdump_send" : "has no value");
		return -EINVAL;
	}
	if (arg_rows[row].letter == 'f')
		ok = set_family(&args->family, value);
	else
		ok = set_number((unsigned *)((char *)args + arg_rows[row].offset), value,
				arg_rows[row].min, arg_rows[row].max);
	if (!ok)
		log_error("fence_kdump_args: %s: \"%.40s\" is not possible", arg_rows[row].name,
			  value);
	return ok ? 0 : -EINVAL;
}

int fence_parse_args(const char *text, struct fence_args *args_ret)
{
	struct fence_args args = { DEFAULT_PORT, AF_UNSPEC, 0, DEFAULT_SECONDS };
	char buf[sizeof(((struct config *)0)->fence_kdump_args)], *rest = buf, *word;
	int err = 0;

	snprintf(buf, sizeof(buf), "%s", text);
	while ((word = strsep(&rest, " ")))
		if (*word && !is_verbose(word) && take_arg(word, &rest, &args))
			err = -EINVAL;
	*args_ret = args;
	return err;
}

static unsigned split_nodes(const char *text, struct node *nodes)
{
	unsigned nr = 0;

	while (*(text += strspn(text, " ")) && nr < FENCE_MAX_NODES) {
		size_t len = strcspn(text, " ");

		if (len < FENCE_NAME_SIZE) {
			nodes[nr] = (struct node){ .found = false };
			memcpy(nodes[nr++].name, text, len);
		}
		text += len;
	}
	return nr;
}

static int send_one(struct node *node, const struct fence_args *args, fence_lookup_fn *lookup)
{
	unsigned char message[FENCE_MESSAGE_SIZE];
	ssize_t n;
	int fd, err;

	if (!node->found) {
		err = lookup(node->name, args->family, &node->addr);
		if (err)
			return err;
		set_port(&node->addr, args->port);
		node->found = true;
	}
	/* One of its own each time: an error that came back belongs to this node alone. */
	fd = socket(node->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	fence_message(message);
	n = sendto(fd, message, sizeof(message), MSG_DONTWAIT, (struct sockaddr *)&node->addr,
		   addr_len(&node->addr));
	err = n == sizeof(message) ? 0 : n < 0 ? -errno : -EIO;
	close(fd);
	return err;
}

static void __attribute__((noreturn))
send_for_ever(struct node *nodes, unsigned nr, const struct fence_args *args,
	      fence_lookup_fn *lookup)
{
	unsigned left = nr;

	while (left) {
		left = 0;
		for (unsigned i = 0; i < nr; i++) {
			struct node *node = &nodes[i];
			int err;

			if (args->count && node->sent >= args->count)
				continue;
			left++;
			if (clock_ms() < node->due_ms)
				continue;
			err = send_one(node, args, lookup);
			node->due_ms = clock_ms() + (err ? RETRY_MS : args->interval_s * 1000);
			node->sent += !err;
			if (!err && !node->told)
				log_info("fence_kdump: told %s", node->name);
			node->told |= !err;
		}
		clock_sleep_ms(100);
	}
	_exit(0);
}

pid_t fence_start(const struct config *config, fence_lookup_fn *lookup)
{
	struct fence_args args;
	struct node *nodes;
	unsigned nr;
	pid_t pid;

	if (!*config->fence_kdump_nodes)
		return 0;
	fence_parse_args(config->fence_kdump_args, &args);
	pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_NAME, "vmcore-fence");
	nodes = calloc(FENCE_MAX_NODES, sizeof(*nodes));
	if (!nodes)
		_exit(1);
	nr = split_nodes(config->fence_kdump_nodes, nodes);
	send_for_ever(nodes, nr, &args, lookup);
}
