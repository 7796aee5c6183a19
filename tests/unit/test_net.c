// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "capture/net/dhcp.h"
#include "capture/net/dns.h"
#include "capture/net/ip.h"
#include "capture/net/net.h"
#include "capture/net/rtnl.h"
#include "lib/cleanup.h"
#include "lib/util.h"
#include "tests/unit/test.h"

TEST(net, ip_lines)
{
	static const struct {
		const char *word;
		int err;
		enum ip_method method;
		const char *iface, *client;
		unsigned prefix;
		const char *gateway;
		unsigned mtu;
	} cases[] = {
		{ "dhcp", 0, IP_DHCP, "", "none", 0, "none", 0 },
		{ "any", 0, IP_DHCP, "", "none", 0, "none", 0 },
		{ "eth0:dhcp", 0, IP_DHCP, "eth0", "none", 0, "none", 0 },
		{ "eth0:auto6:1400", 0, IP_AUTO6, "eth0", "none", 0, "none", 1400 },
		{ "52-54-00-12-34-56:dhcp", 0, IP_DHCP, "52-54-00-12-34-56", "none", 0, "none", 0 },
		{ "192.0.2.9::192.0.2.1:255.255.255.0:host:eth1:none", 0, IP_NONE, "eth1",
		  "192.0.2.9", 24, "192.0.2.1", 0 },
		{ "192.0.2.9::192.0.2.1:24::eth1:off:9000", 0, IP_NONE, "eth1", "192.0.2.9", 24,
		  "192.0.2.1", 9000 },
		{ "192.0.2.9/20:::::eth1:none", 0, IP_NONE, "eth1", "192.0.2.9", 20, "none", 0 },
		{ "[2001:db8::9]::[fe80::1]:64::eth0:none:[2001:db8::53]", 0, IP_NONE, "eth0",
		  "2001:db8::9", 64, "fe80::1", 0 },
		{ "::::host:eth0:dhcp", 0, IP_DHCP, "eth0", "none", 0, "none", 0 },
		{ "", -EINVAL, 0, "", "", 0, "", 0 },
		{ "eth0", -EINVAL, 0, "", "", 0, "", 0 },
		{ "eth0:bootp", -EINVAL, 0, "", "", 0, "", 0 },
		{ "averyveryverylongname:dhcp", -EINVAL, 0, "", "", 0, "", 0 },
		{ "../../x:dhcp", -EINVAL, 0, "", "", 0, "", 0 },
		{ "eth0:dhcp:17", -EINVAL, 0, "", "", 0, "", 0 },
		{ "192.0.2.9:::255.0.255.0::eth0:none", -EINVAL, 0, "", "", 0, "", 0 },
		{ "192.0.2.9:::33::eth0:none", -EINVAL, 0, "", "", 0, "", 0 },
		{ "192.0.2.9::[2001:db8::1]:24::eth0:none", -EINVAL, 0, "", "", 0, "", 0 },
		{ "[2001:db8::9:::64::eth0:none", -EINVAL, 0, "", "", 0, "", 0 },
		{ "eth0:dhcp:1500:52:54:00:12:34:56", 0, IP_DHCP, "eth0", "none", 0, "none", 1500 },
		{ "eth0:dhcp::52:54:00:12:34", -EINVAL, 0, "", "", 0, "", 0 },
		{ "eth0:dhcp::52:54:00:12:34:5g", -EINVAL, 0, "", "", 0, "", 0 },
		{ "1:2:3:4:5:6:7:8:9:10:11", -EINVAL, 0, "", "", 0, "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;
		struct ip_line line;
		char buf[INET6_ADDRSTRLEN];

		CHECK_EQ(ip_parse(cases[i].word, &line, &why), cases[i].err);
		if (cases[i].err) {
			CHECK(why);
			continue;
		}
		CHECK_EQ(line.method, cases[i].method);
		CHECK_STR(line.iface, cases[i].iface);
		CHECK_STR(ip_format(&line.client, buf, sizeof(buf)), cases[i].client);
		CHECK_EQ(line.client.family ? line.client.prefix : 0, cases[i].prefix);
		CHECK_STR(ip_format(&line.gateway, buf, sizeof(buf)), cases[i].gateway);
		CHECK_EQ(line.mtu, cases[i].mtu);
	}
}

TEST(net, leases)
{
	static const char text[] = "PATH=/bin\nip=10.0.2.15\nsubnet=255.255.255.0\n"
				   "router=10.0.2.2 10.0.2.7\ndns=10.0.2.3 nonsense 10.0.2.4\n"
				   "mtu=1400\ndomain=$(reboot)\n" DHCP_END "\n";
	struct dhcp_lease lease = { .mtu = 1 };
	char buf[INET6_ADDRSTRLEN];

	CHECK_EQ(dhcp_parse(text, &lease), 0);
	CHECK_STR(ip_format(&lease.address, buf, sizeof(buf)), "10.0.2.15");
	CHECK_EQ(lease.address.prefix, 24);
	CHECK_STR(ip_format(&lease.gateway, buf, sizeof(buf)), "10.0.2.2");
	CHECK_EQ(lease.nr_nameservers, 2);
	CHECK_STR(ip_format(&lease.nameservers[1], buf, sizeof(buf)), "10.0.2.4");
	CHECK_EQ(lease.mtu, 1400);
}

TEST(net, leases_that_are_none)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "", -EAGAIN },
		{ "ip=10.0.2.15\n", -EAGAIN },
		{ "ip=10.0.2.15\n" DHCP_END, -EAGAIN }, /* still being written */
		{ DHCP_END "\n", -EBADMSG },
		{ "ip=0.0.0.0\n" DHCP_END "\n", -EBADMSG },
		{ "ip=127.0.0.1\n" DHCP_END "\n", -EBADMSG },
		{ "ip=224.0.0.1\n" DHCP_END "\n", -EBADMSG },
		{ "ip=10.0.2.15.1\n" DHCP_END "\n", -EBADMSG },
		{ "ipv6=ff02::1\n" DHCP_END "\n", -EBADMSG },
	};
	struct dhcp_lease lease;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_EQ(dhcp_parse(cases[i].text, &lease), cases[i].err);
}

TEST(net, leases_with_routes)
{
	static const char text[] =
		"ip=192.0.2.9\nrouter=192.0.2.1\nmtu=99999999999\n"
		"staticroutes=192.0.2.1/32 0.0.0.0 0.0.0.0/0 192.0.2.1 x y\n" DHCP_END "\n";
	struct dhcp_lease lease;

	CHECK_EQ(dhcp_parse(text, &lease), 0);
	CHECK_EQ(lease.address.prefix, 32);
	CHECK_EQ(lease.nr_routes, 2);
	CHECK_EQ(lease.routes[0].gateway.family, 0);
	CHECK_EQ(lease.routes[1].to.prefix, 0);
	CHECK_EQ(lease.mtu, 0);
}

TEST(net, leases_have_no_end_of_routes)
{
	char text[2048] = "ip=192.0.2.9\nstaticroutes=192.0.2.1/32 0.0.0.0";
	struct dhcp_lease lease;

	for (int i = 0; i < 30; i++)
		strcat(text, " 198.51.100.0/24 192.0.2.7");
	strcat(text, "\n" DHCP_END "\n");
	CHECK_EQ(dhcp_parse(text, &lease), 0);
	CHECK_EQ(lease.nr_routes, DHCP_MAX_ROUTES);
}

/* An answer to the query: flags, records of (type, data). */
static size_t make_answer(const uint8_t *query, size_t query_len, unsigned rcode, uint8_t *out)
{
	static const uint8_t cname[] = { 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12 };
	static const uint8_t a[] = { 3, 'w', 'w', 'w', 0xc0, 12, 0,   1, 0, 1,
				     0, 0,   0,	  9,   0,    4,	 192, 0, 2, 5 };

	memcpy(out, query, query_len);
	out[2] |= 0x80;
	out[3] = rcode;
	out[7] = 2;
	memcpy(out + query_len, cname, sizeof(cname));
	memcpy(out + query_len + sizeof(cname), a, sizeof(a));
	return query_len + sizeof(cname) + sizeof(a);
}

TEST(net, dns)
{
	uint8_t query[DNS_QUERY_MAX], other[DNS_QUERY_MAX], answer[DNS_MESSAGE_MAX];
	struct ip_address found[2];
	char buf[INET6_ADDRSTRLEN], longest[300];
	int len = dns_query("nfs.example.org", AF_INET, 0x1234, query);
	size_t size;

	CHECK_EQ(len, 12 + 17 + 4);
	CHECK_EQ(dns_query("nfs.example.org.", AF_INET, 0x1234, other), len);
	size = make_answer(query, len, 0, answer);
	CHECK_EQ(dns_answer(answer, size, query, len, found, 2), 1);
	CHECK_STR(ip_format(&found[0], buf, sizeof(buf)), "192.0.2.5");
	/* However short, it is no more than nothing. */
	for (size_t cut = 0; cut < size; cut++)
		CHECK_EQ(dns_answer(answer, cut, query, len, found, 2),
			 cut < (size_t)len ? -EBADMSG : 0);
	make_answer(query, len, 3, answer);
	CHECK_EQ(dns_answer(answer, size, query, len, found, 2), -ENOENT);
	make_answer(query, len, 2, answer);
	CHECK_EQ(dns_answer(answer, size, query, len, found, 2), -EAGAIN);
	dns_query("nfs.example.org", AF_INET, 0x1235, other);
	CHECK_EQ(dns_answer(answer, size, other, len, found, 2), -EBADMSG);
	dns_query("nfs.example.com", AF_INET, 0x1234, other);
	CHECK_EQ(dns_answer(answer, size, other, len, found, 2), -EBADMSG);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	CHECK_EQ(dns_query(longest, AF_INET, 0, query), -EINVAL);
	for (size_t i = 50; i < sizeof(longest) - 1; i += 50)
		longest[i] = '.';
	CHECK_EQ(dns_query(longest, AF_INET, 0, query), -EINVAL);
	CHECK_EQ(dns_query("a..b", AF_INET, 0, query), -EINVAL);
	CHECK_EQ(dns_query("", AF_INET, 0, query), -EINVAL);
	CHECK_EQ(dns_query("a b", AF_INET, 0, query), -EINVAL);
}

TEST(net, numeric_hosts)
{
	static const struct {
		const char *host;
		int err, family;
	} cases[] = {
		{ "192.0.2.1", 0, AF_INET },
		{ "2001:db8::1", 0, AF_INET6 },
		{ "[2001:db8::1]", 0, AF_INET6 },
		{ "bad name", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct net_host host = { .nr = 0 };
		char error[128] = "";
		int err = net_lookup(cases[i].host, 0, NULL, NULL, &host, error, sizeof(error));

		if (cases[i].err) {
			CHECK(err < 0);
			CHECK(*error);
			continue;
		}
		CHECK_EQ(err, 0);
		CHECK_EQ(host.nr, 1);
		CHECK_EQ(host.addresses[0].ss_family, cases[i].family);
	}
}

/* Whatever interface 1 is called here, it is the loopback, with nothing but ::1. */
TEST(net, rtnetlink_reads_addresses)
{
	enum rtnl_v6 state = RTNL_V6_READY;
	struct ip_address found;
	_close_ int fd = rtnl_open();

	CHECK(fd >= 0);
	CHECK_EQ(rtnl_find_v6(fd, 1, NULL, &state, &found), 0);
	CHECK_EQ(state, RTNL_V6_NONE);
	CHECK(rtnl_link_up(fd, 1 << 30, 0) < 0);
}
