// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/init/fence.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/test.h"

TEST(fence, arguments)
{
	static const struct {
		const char *text;
		int err;
		struct fence_args args;
	} cases[] = {
		{ "", 0, { 7410, AF_UNSPEC, 0, 10 } },
		{ "-p 7000 -f ipv6 -c 3 -i 5", 0, { 7000, AF_INET6, 3, 5 } },
		{ "-p7000 -fipv4 -c0 -i1", 0, { 7000, AF_INET, 0, 1 } },
		{ "--ipport=7000 --family=auto --count=1 --interval=60",
		  0,
		  { 7000, AF_UNSPEC, 1, 60 } },
		{ "--ipport 7000  -v --verbose=2 --interval 2", 0, { 7000, AF_UNSPEC, 0, 2 } },
		{ "-p 0", -EINVAL, { 7410, AF_UNSPEC, 0, 10 } },
		{ "-p 65536 -i 5", -EINVAL, { 7410, AF_UNSPEC, 0, 5 } },
		{ "-f ipx", -EINVAL, { 7410, AF_UNSPEC, 0, 10 } },
		{ "-i -1", -EINVAL, { 7410, AF_UNSPEC, 0, 10 } },
		{ "-i 5x", -EINVAL, { 7410, AF_UNSPEC, 0, 10 } },
		{ "-z -i 5", -EINVAL, { 7410, AF_UNSPEC, 0, 5 } },
		{ "-c", -EINVAL, { 7410, AF_UNSPEC, 0, 10 } },
	};

	log_set_level(LOG_LVL_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fence_args args;

		CHECK_EQ(fence_parse_args(cases[i].text, &args), cases[i].err);
		CHECK_EQ(args.port, cases[i].args.port);
		CHECK_EQ(args.family, cases[i].args.family);
		CHECK_EQ(args.count, cases[i].args.count);
		CHECK_EQ(args.interval_s, cases[i].args.interval_s);
	}
	log_set_level(LOG_LVL_INFO);
}

TEST(fence, addresses)
{
	static const struct {
		const char *name;
		int family, err, got;
	} cases[] = {
		{ "10.0.0.1", AF_UNSPEC, 0, AF_INET },
		{ "10.0.0.1", AF_INET6, -EINVAL, 0 },
		{ "fd00::1", AF_UNSPEC, 0, AF_INET6 },
		{ "fd00::1", AF_INET, -EINVAL, 0 },
		{ "fe80::1%lo", AF_UNSPEC, 0, AF_INET6 },
		{ "fe80::1%nonexistent0", AF_UNSPEC, -ENODEV, 0 },
		{ "node1", AF_UNSPEC, -EINVAL, 0 },
		{ "10.0.0.256", AF_UNSPEC, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sockaddr_storage addr = { .ss_family = 0 };

		CHECK_EQ(fence_lookup_number(cases[i].name, cases[i].family, &addr), cases[i].err);
		CHECK_EQ(addr.ss_family, cases[i].got);
	}
}

static int listen_at(int family, unsigned *port_ret)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	void *addr = family == AF_INET ? (void *)&in : (void *)&in6;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && (bind(fd, addr, len) || getsockname(fd, addr, &len))) {
		close(fd);
		return -1;
	}
	*port_ret = ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
	return fd;
}

static ssize_t receive(int fd, unsigned char *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 5000) == 1 ? recv(fd, buf, size, 0) : -1;
}

/* A node that cannot be found does not keep the others from being told. */
static void check_datagrams(int family, const char *node)
{
	unsigned char buf[64];
	struct config config;
	unsigned port;
	int fd = listen_at(family, &port), status;
	pid_t pid;

	if (fd < 0 && family == AF_INET6)
		return; /* a machine without IPv6 */
	config_init(&config);
	snprintf(config.fence_kdump_nodes, sizeof(config.fence_kdump_nodes), "nowhere %s", node);
	snprintf(config.fence_kdump_args, sizeof(config.fence_kdump_args), "-p %u -i 1", port);
	log_set_level(LOG_LVL_NONE);
	pid = fence_start(&config, fence_lookup_number);
	log_set_level(LOG_LVL_INFO);
	for (int i = 0; i < 2; i++) {
		ssize_t n = pid > 0 ? receive(fd, buf, sizeof(buf)) : -1;

		/* A magic number and a version, as the agent of x86 sends and takes them. */
		if (n != 8 || get_le32(buf) != 0x1b302a40 || get_le32(buf + 4) != 1)
			test_fail(__FILE__, __LINE__, "datagram %d has %zd bytes", i, n);
	}
	close(fd);
	if (pid > 0) {
		CHECK_EQ(waitpid(pid, &status, WNOHANG), 0); /* it goes on */
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
}

TEST(fence, datagrams_ipv4)
{
	check_datagrams(AF_INET, "127.0.0.1");
}

TEST(fence, datagrams_ipv6)
{
	check_datagrams(AF_INET6, "::1");
}

TEST(fence, nobody_to_tell)
{
	struct config config;

	config_init(&config);
	CHECK_EQ(fence_start(&config, fence_lookup_number), 0);
}

TEST(fence, count_is_kept)
{
	struct config config;
	unsigned char buf[64];
	unsigned port;
	_close_ int fd = listen_at(AF_INET, &port);
	int status = -1;
	pid_t pid;

	CHECK(fd >= 0);
	config_init(&config);
	snprintf(config.fence_kdump_nodes, sizeof(config.fence_kdump_nodes), "127.0.0.1");
	snprintf(config.fence_kdump_args, sizeof(config.fence_kdump_args), "-c 1 -p %u", port);
	log_set_level(LOG_LVL_NONE);
	pid = fence_start(&config, fence_lookup_number);
	log_set_level(LOG_LVL_INFO);
	CHECK(pid > 0);
	CHECK_EQ(receive(fd, buf, sizeof(buf)), 8);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
