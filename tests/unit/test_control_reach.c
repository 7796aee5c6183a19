// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/check/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/unit/test.h"

/* A port of this machine, where nobody listens unless @listens. Return: the socket. */
static int port_of_ours(int listens, unsigned *port_ret)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || (listens && listen(fd, 1)) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		return -1;
	*port_ret = ntohs(a.sin_port);
	return fd;
}

TEST(control, servers_are_reached_or_not)
{
	struct reach reach;
	unsigned open, closed;
	_close_ int listener = port_of_ours(1, &open), other = port_of_ours(0, &closed);

	CHECK(listener >= 0 && other >= 0);
	CHECK_EQ(reach_host("127.0.0.1", open, &reach), 0);
	CHECK_STR(reach.address, "127.0.0.1");
	CHECK_STR(reach.interface, "lo");
	CHECK_EQ(reach_host("127.0.0.1", closed, &reach), -ECONNREFUSED);
	CHECK_EQ(reach_host("localhost", open, &reach), 0);
	CHECK_EQ(reach_host("127.0.0.1", 0, &reach), 0);
	CHECK_EQ(reach_host("no-such-host.invalid", 1, &reach), -ENOENT);
	CHECK_STR(reach.address, "");
	CHECK_EQ(reach_host("::1::2", 1, &reach), -ENOENT);
	CHECK_EQ(reach_host("--help", 1, &reach), -ENOENT);
}
