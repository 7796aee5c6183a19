// SPDX-License-Identifier: GPL-2.0-or-later
/* From a name to addresses, without the C library's resolver: static programs have none. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "capture/net/dns.h"
#include "capture/net/ip.h"
#include "capture/net/net.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/util.h"

#define FILE_MAX      (64u << 10)
#define DNS_PORT      53
#define ASK_AGAIN_MS  2000
#define POLL_MS	      200
#define FAMILIES      2
#define MAX_IN_FAMILY 4u

struct lookup {
	const char *host;
	uint64_t end_ms;
	void (*alive)(void *ctx);
	void *alive_ctx;
	struct net_host *found;
};

static void fill_sockaddr(const struct ip_address *address, uint16_t port,
			  struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *in = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (address->family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr = address->v4;
	} else {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		in6->sin6_addr = address->v6;
	}
}

static void add_found(struct net_host *found, const struct ip_address *address)
{
	if (found->nr < NET_MAX_ADDRESSES)
		fill_sockaddr(address, 0, &found->addresses[found->nr++]);
}

/* Words of a line, up to a comment. Returns NULL at its end. */
static char *next_word(char **cursor)
{
	char *s = *cursor + strspn(*cursor, " \t\r"), *end;

	if (!*s || *s == '#' || *s == ';')
		return NULL;
	end = s + strcspn(s, " \t\r");
	*cursor = end + (*end != '\0');
	*end = '\0';
	return s;
}

static void look_in_hosts(struct lookup *l)
{
	_free_ char *text = NULL;
	char *rest, *line;

	if (io_read_file(NET_HOSTS, FILE_MAX, &text, NULL))
		return;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char *word = next_word(&line);
		struct ip_address address;

		if (!word || ip_parse_address(word, &address))
			continue;
		while ((word = next_word(&line)))
			if (strcasecmp(word, l->host) == 0)
				add_found(l->found, &address);
	}
}

static unsigned read_nameservers(struct ip_address *servers, unsigned max)
{
	_free_ char *text = NULL;
	char *rest, *line;
	unsigned nr = 0;

	if (io_read_file(NET_RESOLV_CONF, FILE_MAX, &text, NULL))
		return 0;
	for (rest = text; nr < max && (line = strsep(&rest, "\n"));) {
		char *word = next_word(&line);

		if (word && streq(word, "nameserver") && (word = next_word(&line)) &&
		    ip_parse_address(word, &servers[nr]) == 0)
			nr++;
	}
	return nr;
}

/* The two questions, A and AAAA, that are sent to one server. */
struct question {
	uint8_t query[DNS_QUERY_MAX];
	int len;
	int answer; /* as of dns_answer(); -ETIMEDOUT for none yet */
	struct ip_address addresses[MAX_IN_FAMILY];
};

static int connect_to(const struct ip_address *server)
{
	struct sockaddr_storage to;
	_close_ int fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	fill_sockaddr(server, DNS_PORT, &to);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to,
			      server->family == AF_INET ? sizeof(struct sockaddr_in) :
							  sizeof(struct sockaddr_in6)))
		return -errno;
	return take_fd(&fd);
}

static void take_answers(int fd, struct question q[FAMILIES])
{
	uint8_t message[DNS_MESSAGE_MAX];
	ssize_t n;

	while ((n = recv(fd, message, sizeof(message), 0)) >= 0) {
		for (int i = 0; i < FAMILIES; i++) {
			int got = dns_answer(message, n, q[i].query, q[i].len, q[i].addresses,
					     MAX_IN_FAMILY);

			if (got != -EBADMSG && q[i].answer == -ETIMEDOUT)
				q[i].answer = got;
		}
	}
}

/* One round with one server. */
static void ask(struct lookup *l, const struct ip_address *server, struct question q[FAMILIES])
{
	uint64_t end = MIN(clock_ms() + ASK_AGAIN_MS, l->end_ms);
	_close_ int fd = connect_to(server);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return;
	for (int i = 0; i < FAMILIES; i++)
		if (q[i].answer == -ETIMEDOUT && send(fd, q[i].query, q[i].len, MSG_NOSIGNAL) < 0)
			return;
	while ((q[0].answer == -ETIMEDOUT || q[1].answer == -ETIMEDOUT) && clock_ms() < end) {
		if (l->alive)
			l->alive(l->alive_ctx);
		if (poll(&p, 1, POLL_MS) > 0) {
			take_answers(fd, q);
			if (p.revents & (POLLERR | POLLHUP))
				return;
		}
	}
}

/* Round after round through all servers until both questions are answered. */
static int ask_all(struct lookup *l, const struct ip_address *servers, unsigned nr)
{
	static const int families[FAMILIES] = { AF_INET, AF_INET6 };
	struct question q[FAMILIES];
	uint16_t id[FAMILIES] = { 0 };

	if (getrandom(id, sizeof(id), GRND_NONBLOCK) != sizeof(id))
		id[0] = id[1] = clock_ms(); /* too early for randomness */
	for (int i = 0; i < FAMILIES; i++) {
		q[i].answer = -ETIMEDOUT;
		q[i].len = dns_query(l->host, families[i], id[i], q[i].query);
		if (q[i].len < 0)
			return -EINVAL;
	}
	while (clock_ms() < l->end_ms) {
		for (unsigned s = 0; s < nr; s++) {
			for (int i = 0; i < FAMILIES;
			     i++) /* who cannot tell is as good as silent */
				if (q[i].answer == -EAGAIN)
					q[i].answer = -ETIMEDOUT;
			ask(l, &servers[s], q);
			if (q[0].answer >= 0 && q[1].answer != -ETIMEDOUT)
				goto answered;
			if (q[0].answer == -ENOENT || q[1].answer == -ENOENT)
				return -ENOENT;
		}
		if (q[0].answer > 0 || q[1].answer > 0)
			break; /* a server that only knows one kind */
		if (l->alive)
			l->alive(l->alive_ctx);
		clock_sleep_ms(POLL_MS);
	}
answered:
	for (int i = 0; i < FAMILIES; i++)
		for (int a = 0; a < q[i].answer; a++)
			add_found(l->found, &q[i].addresses[a]);
	return l->found->nr ? 0 : q[0].answer == -ETIMEDOUT ? -ETIMEDOUT : -ENOENT;
}

static int look_in_dns(struct lookup *l, char *error, size_t size)
{
	struct ip_address servers[IP_MAX_NAMESERVERS];
	unsigned nr = read_nameservers(servers, IP_MAX_NAMESERVERS);
	char first[INET6_ADDRSTRLEN];
	int err = nr ? ask_all(l, servers, nr) : -ENONET;

	if (err == -ENONET)
		snprintf(error, size, "%.80s is in no hosts file and there is no name server",
			 l->host);
	else if (err == -ETIMEDOUT)
		snprintf(error, size, "no name server has answered for %.80s (first %s)", l->host,
			 ip_format(&servers[0], first, sizeof(first)));
	else if (err == -EINVAL)
		snprintf(error, size, "%.80s is no name of a host", l->host);
	else if (err)
		snprintf(error, size, "the name server %s knows no address of %.80s",
			 ip_format(&servers[0], first, sizeof(first)), l->host);
	return err;
}

int net_lookup(const char *host, unsigned wait_s, void (*alive)(void *ctx), void *alive_ctx,
	       struct net_host *host_ret, char *error, size_t size)
{
	struct net_host found = { .nr = 0 };
	struct lookup l = { host, clock_ms() + wait_s * UINT64_C(1000), alive, alive_ctx, &found };
	struct ip_address address;
	int err = 0;

	if (!strchr(host, '/') && ip_parse_address(host, &address) == 0)
		add_found(&found, &address);
	else
		look_in_hosts(&l);
	if (!found.nr)
		err = look_in_dns(&l, error, size);
	if (!err)
		*host_ret = found;
	return err;
}
