// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as what a DHCP client has printed of a server's answer. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/net/dhcp.h"
#include "lib/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const struct ip_address *a)
{
	const unsigned longest = a->family == AF_INET ? 32 : a->family == AF_INET6 ? 128 : 0;

	if ((a->family && !longest) || (longest && a->prefix > longest))
		abort();
}

/* What passed can be given to the kernel, and is bounded. */
static void check(const struct dhcp_lease *lease)
{
	if (!lease->address.family || lease->nr_routes > DHCP_MAX_ROUTES ||
	    lease->nr_nameservers > IP_MAX_NAMESERVERS ||
	    (lease->mtu && (lease->mtu < 576 || lease->mtu > 65535)))
		abort();
	check_address(&lease->address);
	check_address(&lease->gateway);
	for (unsigned i = 0; i < lease->nr_routes; i++) {
		check_address(&lease->routes[i].to);
		check_address(&lease->routes[i].gateway);
		if (lease->routes[i].to.family != AF_INET)
			abort();
	}
	for (unsigned i = 0; i < lease->nr_nameservers; i++) {
		check_address(&lease->nameservers[i]);
		if (!lease->nameservers[i].family)
			abort();
	}
}

static void parse(const char *text)
{
	struct dhcp_lease lease;
	int err = dhcp_parse(text, &lease);

	if (!err)
		check(&lease);
	else if (err != -EAGAIN && err != -EBADMSG)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char end[] = "\nip=192.0.2.7\n" DHCP_END "\n";
	_free_ char *text = malloc(size + sizeof(end));

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	parse(text);
	memcpy(text + size, end, sizeof(end)); /* most bytes have no end of their own */
	parse(text);
	return 0;
}
