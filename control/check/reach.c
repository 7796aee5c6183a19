// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/check/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "control/bounded.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/util.h"

#define MAX_ADDRESSES 8u

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t size_of(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0" */
static bool parse_address(const char *text, unsigned port, union address *ret)
{
	char plain[INET6_ADDRSTRLEN];
	const char *scope = strchr(text, '%');
	union address a = { .any.sa_family = AF_INET };

	a.v4.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, text, &a.v4.sin_addr) != 1) {
		size_t len = scope ? (size_t)(scope - text) : strlen(text);

		a = (union address){ .v6.sin6_family = AF_INET6 };
		a.v6.sin6_port = htons((uint16_t)port);
		a.v6.sin6_scope_id = scope ? if_nametoindex(scope + 1) : 0;
		snprintf(plain, sizeof(plain), "%.*s", (int)MIN(len, sizeof(plain)), text);
		if (inet_pton(AF_INET6, plain, &a.v6.sin6_addr) != 1)
			return false;
	}
	*ret = a;
	return true;
}

static bool same_host(const struct sockaddr *a, const union address *b)
{
	const union address *x = (const void *)a;

	if (!a || a->sa_family != b->any.sa_family)
		return false;
	return a->sa_family == AF_INET ?
		       x->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr :
		       !memcmp(&x->v6.sin6_addr, &b->v6.sin6_addr, sizeof(x->v6.sin6_addr));
}

/* A socket for datagrams is bound to the way by connect(2), and nothing is sent. */
static int find_way(const union address *to, char interface[IF_NAMESIZE])
{
	_close_ int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address probe = *to, from;
	socklen_t len = sizeof(from);
	struct ifaddrs *all;

	probe.v4.sin_port = htons(9); /* at one place in both; discard, but nothing goes there */
	if (fd < 0 || connect(fd, &probe.any, size_of(&probe)) ||
	    getsockname(fd, &from.any, &len) || getifaddrs(&all))
		return -errno;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (!same_host(i->ifa_addr, &from))
			continue;
		snprintf(interface, IF_NAMESIZE, "%s", i->ifa_name);
		break;
	}
	freeifaddrs(all);
	return 0;
}

static int connect_to(const union address *to, uint64_t deadline)
{
	_close_ int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	uint64_t now;
	int err = 0, ready;

	if (fd < 0)
		return -errno;
	if (!connect(fd, &to->any, size_of(to)))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	do {
		now = clock_ms();
		ready = now < deadline ? poll(&p, 1, (int)(deadline - now)) : 0;
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return ready ? -errno : -ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? -errno : -err;
}

/* Lines "ADDRESS STREAM NAME", the same address for each kind of socket. */
static unsigned look_up(const char *host, unsigned port, union address list[MAX_ADDRESSES])
{
	const char *const argv[] = { "getent", "ahosts", "--", host, NULL };
	char words[4096];
	unsigned nr = 0;

	if (parse_address(host, port, &list[0]))
		return 1;
	if (bounded_read(argv, REACH_SECONDS, words, sizeof(words)))
		return 0;
	for (char *save, *line = strtok_r(words, "\n", &save); line && nr < MAX_ADDRESSES;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, " STREAM"))
			continue;
		line[strcspn(line, " \t")] = '\0';
		nr += parse_address(line, port, &list[nr]);
	}
	return nr;
}

int reach_host(const char *host, unsigned port, struct reach *reach_ret)
{
	union address list[MAX_ADDRESSES];
	struct reach r = { .address = "" };
	unsigned nr = look_up(host, port, list);
	const uint64_t deadline = clock_ms() + REACH_SECONDS * 1000;
	int err = -ENOENT;

	for (unsigned i = 0; i < nr && err; i++) {
		const union address *a = &list[i];
		uint64_t now = clock_ms();

		r = (struct reach){ .address = "" };
		inet_ntop(a->any.sa_family,
			  a->any.sa_family == AF_INET ? (const void *)&a->v4.sin_addr :
							(const void *)&a->v6.sin6_addr,
			  r.address, sizeof(r.address));
		err = find_way(a, r.interface);
		/* Each of those that are left gets its share of the time. */
		if (!err && port)
			err = connect_to(a, now + (deadline - MIN(now, deadline)) / (nr - i));
	}
	*reach_ret = r;
	return err;
}
