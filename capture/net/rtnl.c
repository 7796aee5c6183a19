// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/net/rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define ANSWER_S 5 /* the kernel answers at once or not at all */

/* A request that grows by attributes; what goes in has a fixed size, so it cannot overflow. */
struct request {
	struct nlmsghdr nh;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg route;
	};
	char attributes[128];
};

int rtnl_open(void)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	struct timeval limit = { .tv_sec = ANSWER_S };
	_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (struct sockaddr *)&self, sizeof(self)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -errno;
	return take_fd(&fd);
}

static void request_init(struct request *r, int type, int flags, size_t body)
{
	memset(r, 0, sizeof(*r));
	r->nh.nlmsg_len = NLMSG_LENGTH(body);
	r->nh.nlmsg_type = type;
	r->nh.nlmsg_flags = NLM_F_REQUEST | flags;
}

static void request_add(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *rta = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->nh.nlmsg_len));

	rta->rta_type = type;
	rta->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), data, len);
	r->nh.nlmsg_len = NLMSG_ALIGN(r->nh.nlmsg_len) + RTA_ALIGN(rta->rta_len);
}

static size_t address_len(const struct ip_address *a)
{
	return a->family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* Receive whole messages of the kernel's alone. */
static ssize_t receive(int fd, void *buf, size_t size)
{
	for (;;) {
		struct sockaddr_nl from = { .nl_family = 0 };
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, size, 0, (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (from.nl_pid == 0)
			return n;
	}
}

static int send_request(int fd, struct request *r)
{
	return send(fd, r, r->nh.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* Send and wait for the acknowledgement. */
static int transact(int fd, struct request *r)
{
	_Alignas(struct nlmsghdr) char buf[4096];
	struct nlmsghdr *nh = (struct nlmsghdr *)buf;
	int err;

	r->nh.nlmsg_flags |= NLM_F_ACK;
	err = send_request(fd, r);
	while (!err) {
		ssize_t n = receive(fd, buf, sizeof(buf));

		if (n < 0)
			return n;
		if (NLMSG_OK(nh, (size_t)n) && nh->nlmsg_type == NLMSG_ERROR &&
		    nh->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr)))
			return ((struct nlmsgerr *)NLMSG_DATA(nh))->error;
	}
	return err;
}

int rtnl_link_up(int fd, int ifindex, unsigned mtu)
{
	struct request r;
	uint32_t value = mtu;

	request_init(&r, RTM_NEWLINK, 0, sizeof(r.link));
	r.link.ifi_index = ifindex;
	r.link.ifi_flags = r.link.ifi_change = IFF_UP;
	if (mtu)
		request_add(&r, IFLA_MTU, &value, sizeof(value));
	return transact(fd, &r);
}

int rtnl_set_mac(int fd, int ifindex, const uint8_t mac[6])
{
	struct request r;

	request_init(&r, RTM_NEWLINK, 0, sizeof(r.link));
	r.link.ifi_index = ifindex;
	request_add(&r, IFLA_ADDRESS, mac, 6);
	return transact(fd, &r);
}

int rtnl_add_address(int fd, int ifindex, const struct ip_address *address)
{
	struct request r;
	int err;

	request_init(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(r.addr));
	r.addr.ifa_family = address->family;
	r.addr.ifa_prefixlen = address->prefix;
	r.addr.ifa_index = ifindex;
	request_add(&r, IFA_LOCAL, &address->v4, address_len(address));
	request_add(&r, IFA_ADDRESS, &address->v4, address_len(address));
	if (address->family == AF_INET && address->prefix < 31) {
		uint32_t host = htonl(UINT32_MAX >> address->prefix);
		struct in_addr all = { address->v4.s_addr | host };

		request_add(&r, IFA_BROADCAST, &all, sizeof(all));
	}
	err = transact(fd, &r);
	return err == -EEXIST ? 0 : err;
}

int rtnl_add_route(int fd, int ifindex, const struct ip_address *to,
		   const struct ip_address *gateway)
{
	uint32_t index = ifindex;
	struct request r;
	int err;

	request_init(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(r.route));
	r.route.rtm_family = to ? to->family : gateway->family;
	r.route.rtm_table = RT_TABLE_MAIN;
	r.route.rtm_protocol = RTPROT_STATIC;
	r.route.rtm_scope = RT_SCOPE_LINK;
	r.route.rtm_type = RTN_UNICAST;
	request_add(&r, RTA_OIF, &index, sizeof(index));
	if (to) {
		r.route.rtm_dst_len = to->prefix;
		request_add(&r, RTA_DST, &to->v4, address_len(to));
	}
	if (gateway && gateway->family) {
		/* Clouds hand out addresses with a prefix of 32 bits and a gateway beyond. */
		r.route.rtm_flags = RTNH_F_ONLINK;
		r.route.rtm_scope = RT_SCOPE_UNIVERSE;
		request_add(&r, RTA_GATEWAY, &gateway->v4, address_len(gateway));
	}
	err = transact(fd, &r);
	return err == -EEXIST ? 0 : err;
}

/* An address in a dump; true where it is of interest. */
static bool read_v6(struct nlmsghdr *nh, int ifindex, enum rtnl_v6 *state_ret,
		    struct ip_address *address_ret)
{
	struct ifaddrmsg *ifa = NLMSG_DATA(nh);
	struct rtattr *rta = IFA_RTA(ifa);
	int len = IFA_PAYLOAD(nh);
	struct ip_address a = { .family = 0 };
	uint32_t flags = ifa->ifa_flags;

	if (ifa->ifa_family != AF_INET6 || (int)ifa->ifa_index != ifindex ||
	    ifa->ifa_scope == RT_SCOPE_LINK || ifa->ifa_scope == RT_SCOPE_HOST)
		return false;
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len)) {
		if (rta->rta_type == IFA_FLAGS && RTA_PAYLOAD(rta) >= sizeof(flags))
			memcpy(&flags, RTA_DATA(rta), sizeof(flags));
		if (rta->rta_type != IFA_ADDRESS || RTA_PAYLOAD(rta) < sizeof(a.v6))
			continue;
		a.family = AF_INET6;
		a.prefix = ifa->ifa_prefixlen;
		memcpy(&a.v6, RTA_DATA(rta), sizeof(a.v6));
	}
	if (!a.family)
		return false;
	*address_ret = a;
	*state_ret = flags & IFA_F_DADFAILED ? RTNL_V6_DUPLICATE :
		     flags & IFA_F_TENTATIVE ? RTNL_V6_TENTATIVE :
					       RTNL_V6_READY;
	return true;
}

int rtnl_find_v6(int fd, int ifindex, const struct ip_address *want, enum rtnl_v6 *state_ret,
		 struct ip_address *found_ret)
{
	_Alignas(struct nlmsghdr) char buf[16384];
	enum rtnl_v6 best = RTNL_V6_NONE, state;
	struct ip_address address;
	struct request r;
	int err;

	request_init(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(r.addr));
	r.addr.ifa_family = AF_INET6;
	err = send_request(fd, &r);
	if (err)
		return err;
	for (;;) {
		ssize_t n = receive(fd, buf, sizeof(buf));
		struct nlmsghdr *nh = (struct nlmsghdr *)buf;

		if (n < 0)
			return n;
		for (; NLMSG_OK(nh, n); nh = NLMSG_NEXT(nh, n)) {
			if (nh->nlmsg_type == NLMSG_ERROR)
				return -EIO;
			if (nh->nlmsg_type == NLMSG_DONE) {
				*state_ret = best;
				return 0;
			}
			if (nh->nlmsg_type != RTM_NEWADDR ||
			    nh->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifaddrmsg)) ||
			    !read_v6(nh, ifindex, &state, &address) || state <= best ||
			    (want && memcmp(&want->v6, &address.v6, sizeof(address.v6))))
				continue;
			best = state;
			*found_ret = address;
		}
	}
}
