// SPDX-License-Identifier: GPL-2.0-or-later
/* Interfaces from nothing to an address: a small state machine for each, run side by side. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/net/dhcp.h"
#include "capture/net/ip.h"
#include "capture/net/link.h"
#include "capture/net/net.h"
#include "capture/net/rtnl.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define POLL_MS	      100
#define MAX_JOBS      16u
#define SETTLE_MS     3000  /* for interfaces to appear after their drivers */
#define DHCP_ALONE_MS 10000 /* for an IPv4 address where there is an IPv6 one */
#define OTHERS_MS     3000  /* for further interfaces where nothing says which */
#define ROUTER_MS     10000 /* for an answer of an IPv6 router before DHCPv6 is tried */

enum job_state {
	JOB_BIND,    /* no interface yet */
	JOB_CARRIER, /* waits for a link */
	JOB_ADDRESS, /* waits for an address, or for duplicate address detection */
	JOB_DONE,
	JOB_FAILED,
};

/* A line, and the interface that it turned out to mean. */
struct job {
	struct ip_line line;
	enum job_state state;
	uint64_t since_ms; /* of the state */
	struct link link;
	struct dhcp_client dhcp;
	struct ip_address address;
	struct ip_address gateway;
	int err;
	char error[192];
};

struct up {
	struct net *net;
	int rtnl;
	bool all; /* no line says which: every interface that there is */
	uint64_t start_ms;
	struct job jobs[MAX_JOBS];
	unsigned nr_jobs;
	struct ip_address nameservers[IP_MAX_NAMESERVERS];
	unsigned nr_nameservers;
};

static void job_enter(struct job *job, enum job_state state)
{
	job->state = state;
	job->since_ms = clock_ms();
}

static void __attribute__((format(printf, 3, 4)))
job_fail(struct job *job, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(job->error, sizeof(job->error), fmt, ap);
	va_end(ap);
	job->err = err;
	job_enter(job, JOB_FAILED);
	dhcp_stop(&job->dhcp);
}

static void add_nameserver(struct up *up, const struct ip_address *address)
{
	if (address->family && up->nr_nameservers < IP_MAX_NAMESERVERS)
		up->nameservers[up->nr_nameservers++] = *address;
}

static struct job *add_job(struct up *up, const struct ip_line *line)
{
	struct job *job;

	if (up->nr_jobs == MAX_JOBS)
		return NULL;
	job = &up->jobs[up->nr_jobs++];
	*job = (struct job){ .line = *line, .dhcp = { .fd = -1 } };
	job_enter(job, JOB_BIND);
	for (size_t i = 0; i < ARRAY_SIZE(line->nameservers); i++)
		add_nameserver(up, &line->nameservers[i]);
	return job;
}

static bool is_taken(const struct up *up, const struct link *link)
{
	for (unsigned i = 0; i < up->nr_jobs; i++)
		if (up->jobs[i].link.index == link->index)
			return true;
	return false;
}

static void job_bind(struct up *up, struct job *job, const struct link *link)
{
	int err;

	if (job->line.has_mac && rtnl_set_mac(up->rtnl, link->index, job->line.mac))
		log_warn("%s keeps its hardware address, its driver cannot change it", link->name);
	err = rtnl_link_up(up->rtnl, link->index, job->line.mtu);
	job->link = *link;
	if (err)
		job_fail(job, err, "cannot switch %s (%s) on: %s", link->name, link->driver,
			 strerror(-err));
	else
		job_enter(job, JOB_CARRIER);
}

/* The one that has a link; to find that out, all are switched on. */
static const struct link *first_with_carrier(struct up *up, const struct link *links, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		if (!links[i].hardware || is_taken(up, &links[i]))
			continue;
		rtnl_link_up(up->rtnl, links[i].index, 0);
		if (link_has_carrier(&links[i]))
			return &links[i];
	}
	return NULL;
}

/* Names differ where udev is not there to give them: where there is one, it must be that. */
static const struct link *only_one(struct up *up, const struct job *job, const struct link *links,
				   unsigned nr)
{
	const struct link *found = NULL;
	uint8_t mac[6];

	if (clock_ms() - up->start_ms < SETTLE_MS || ip_parse_mac(job->line.iface, '-', mac))
		return NULL;
	for (unsigned i = 0; i < nr; i++) {
		if (!links[i].hardware)
			continue;
		if (found || is_taken(up, &links[i]))
			return NULL;
		found = &links[i];
	}
	if (found)
		log_warn("there is no interface %s here; taking %s, the only one", job->line.iface,
			 found->name);
	return found;
}

static void step_bind(struct up *up, struct job *job)
{
	struct link links[LINK_MAX_SEEN];
	unsigned nr = link_scan(links, LINK_MAX_SEEN);
	const struct link *link = NULL;

	if (!*job->line.iface)
		link = first_with_carrier(up, links, nr);
	for (unsigned i = 0; *job->line.iface && i < nr && !link; i++)
		if (link_matches(&links[i], job->line.iface))
			link = &links[i];
	if (!link && *job->line.iface)
		link = only_one(up, job, links, nr);
	if (link)
		job_bind(up, job, link);
}

/* Where no line says which: a job for each interface, as they appear. */
static void bind_all(struct up *up)
{
	struct link links[LINK_MAX_SEEN];
	unsigned nr = link_scan(links, LINK_MAX_SEEN);
	struct ip_line any = { .method = IP_ANY };

	for (unsigned i = 0; i < nr; i++) {
		struct job *job;

		if (!links[i].hardware || is_taken(up, &links[i]))
			continue;
		job = add_job(up, &any);
		if (!job)
			return;
		job_bind(up, job, &links[i]);
	}
}

static int start_dhcp(struct job *job, int family)
{
	int err = dhcp_start(job->link.name, family, job->line.hostname, &job->dhcp);

	if (err)
		job_fail(job, err, "cannot start the DHCP client for %s: %s", job->link.name,
			 strerror(-err));
	return err;
}

static int set_address(struct up *up, struct job *job)
{
	const struct ip_address *gateway = &job->gateway;
	int err = rtnl_add_address(up->rtnl, job->link.index, &job->address);

	if (err) {
		job_fail(job, err, "cannot give %s its address: %s", job->link.name,
			 strerror(-err));
		return err;
	}
	if (!gateway->family)
		return 0;
	err = rtnl_add_route(up->rtnl, job->link.index, NULL, gateway);
	if (err)
		job_fail(job, err, "cannot set the gateway of %s: %s", job->link.name,
			 strerror(-err));
	return err;
}

/* DHCP waits for its lease, and an IPv6 address for its duplicates. */
static void step_carrier(struct up *up, struct job *job)
{
	if (!link_has_carrier(&job->link))
		return;
	job_enter(job, JOB_ADDRESS);
	switch (job->line.method) {
	case IP_NONE:
		job->address = job->line.client;
		job->gateway = job->line.gateway;
		if (!job->address.family)
			job_enter(job, JOB_DONE);
		else if (set_address(up, job) == 0 && job->address.family == AF_INET)
			job_enter(job, JOB_DONE);
		break;
	case IP_DHCP:
	case IP_ANY:
		start_dhcp(job, AF_INET);
		break;
	case IP_DHCP6:
		start_dhcp(job, AF_INET6);
		break;
	case IP_AUTO6:
	case IP_EITHER6:
		break;
	}
}

static void apply_lease(struct up *up, struct job *job, const struct dhcp_lease *lease)
{
	int index = job->link.index;

	job->address = lease->address;
	job->gateway = lease->nr_routes ? (struct ip_address){ .family = 0 } : lease->gateway;
	if (lease->mtu && !job->line.mtu && rtnl_link_up(up->rtnl, index, lease->mtu))
		log_warn("%s does not take the MTU %u of DHCP", job->link.name, lease->mtu);
	if (set_address(up, job))
		return;
	for (unsigned i = 0; i < lease->nr_routes; i++) {
		const struct dhcp_route *route = &lease->routes[i];

		if (rtnl_add_route(up->rtnl, index, &route->to, &route->gateway))
			log_warn("a route of DHCP on %s cannot be set", job->link.name);
		else if (!route->to.prefix)
			job->gateway = route->gateway;
	}
	for (unsigned i = 0; i < lease->nr_nameservers; i++)
		add_nameserver(up, &lease->nameservers[i]);
	dhcp_leave(&job->dhcp);
	if (job->address.family == AF_INET)
		job_enter(job, JOB_DONE);
	/* else duplicate address detection is to come */
}

static void poll_dhcp(struct up *up, struct job *job)
{
	struct dhcp_lease lease;
	int err = dhcp_poll(&job->dhcp, &lease);

	if (!err) {
		apply_lease(up, job, &lease);
	} else if (err == -ECHILD && job->line.method != IP_DHCP && job->line.method != IP_ANY &&
		   clock_ms() - job->since_ms < ROUTER_MS) {
		/* It ends at once where the interface's own address is not there yet, or still
		 * tentative: it sends from that one. */
		dhcp_leave(&job->dhcp);
		start_dhcp(job, AF_INET6);
	} else if (err == -ECHILD)
		job_fail(job, err,
			 "the DHCP client for %s could not run: busybox lacks it, or the "
			 "kernel packet sockets",
			 job->link.name);
	else if (err != -EAGAIN)
		job_fail(job, err, "what DHCP says on %s cannot be used: %s", job->link.name,
			 strerror(-err));
}

static void poll_v6(struct up *up, struct job *job)
{
	struct ip_address found;
	enum rtnl_v6 state;
	const bool own = job->address.family == AF_INET6;

	if (rtnl_find_v6(up->rtnl, job->link.index, own ? &job->address : NULL, &state, &found))
		return;
	if (state == RTNL_V6_DUPLICATE) {
		job_fail(job, -EADDRINUSE, "another machine on %s has this one's IPv6 address",
			 job->link.name);
	} else if (state == RTNL_V6_READY) {
		if (job->line.method == IP_ANY && clock_ms() - job->since_ms < DHCP_ALONE_MS)
			return;
		job->address = found;
		dhcp_stop(&job->dhcp);
		job_enter(job, JOB_DONE);
	} else if (job->line.method == IP_EITHER6 && job->dhcp.fd < 0 && !own &&
		   clock_ms() - job->since_ms > ROUTER_MS) {
		start_dhcp(job, AF_INET6);
	}
}

static void step_address(struct up *up, struct job *job)
{
	if (job->dhcp.fd >= 0)
		poll_dhcp(up, job);
	if (job->state == JOB_ADDRESS && job->line.method != IP_DHCP &&
	    (job->line.method != IP_DHCP6 || job->dhcp.fd < 0))
		poll_v6(up, job);
}

/* What a job was waiting for when time was up. */
static void job_give_up(struct job *job, unsigned wait_s)
{
	const char *name = job->link.name, *driver = job->link.driver;
	char list[128];

	switch (job->state) {
	case JOB_BIND:
		link_list(list, sizeof(list));
		if (*job->line.iface)
			job_fail(job, -ENODEV, "no network interface %s within %u s; there is: %s",
				 job->line.iface, wait_s, list);
		else
			job_fail(job, -ENODEV,
				 "no network interface with a link within %u s; there is: %s",
				 wait_s, list);
		break;
	case JOB_CARRIER:
		job_fail(job, -ENETDOWN, "%s (%s) has no link within %u s: is the cable there?",
			 name, driver, wait_s);
		break;
	case JOB_ADDRESS:
		if (job->dhcp.fd >= 0)
			job_fail(job, -ETIMEDOUT,
				 "no answer from a DHCP server on %s (%s, link up) within %u s",
				 name, driver, wait_s);
		else if (job->address.family)
			job_fail(job, -ETIMEDOUT,
				 "duplicate address detection on %s (%s, link up) "
				 "has not ended within %u s",
				 name, driver, wait_s);
		else
			job_fail(job, -ETIMEDOUT,
				 "no IPv6 router has answered on %s (%s, link up) within %u s",
				 name, driver, wait_s);
		break;
	case JOB_DONE:
	case JOB_FAILED:
		break;
	}
}

static void job_step(struct up *up, struct job *job)
{
	switch (job->state) {
	case JOB_BIND:
		step_bind(up, job);
		break;
	case JOB_CARRIER:
		step_carrier(up, job);
		break;
	case JOB_ADDRESS:
		step_address(up, job);
		break;
	case JOB_DONE:
	case JOB_FAILED:
		break;
	}
}

/* Whether waiting any longer is of use. */
static bool is_settled(const struct up *up)
{
	const uint64_t now = clock_ms();
	bool pending = up->all && now - up->start_ms < SETTLE_MS && !up->nr_jobs;

	for (unsigned i = 0; i < up->nr_jobs; i++) {
		const struct job *job = &up->jobs[i];

		if (job->state == JOB_DONE && up->all && now - job->since_ms >= OTHERS_MS)
			return true;
		if (job->state < JOB_DONE)
			pending = true;
	}
	return !pending && up->nr_jobs;
}

static int read_lines(struct up *up)
{
	const char *cursor = up->net->ip, *why;
	char word[512];
	struct ip_line line;

	for (;;) {
		size_t len;
		int err;

		cursor += strspn(cursor, " ");
		len = strcspn(cursor, " ");
		if (!len)
			break;
		snprintf(word, sizeof(word), "%.*s", (int)MIN(len, sizeof(word) - 1), cursor);
		cursor += len;
		err = ip_parse(word, &line, &why);
		if (err) {
			snprintf(up->net->error, sizeof(up->net->error), "ip %.80s: %s", word, why);
			return err;
		}
		if (!add_job(up, &line)) {
			snprintf(up->net->error, sizeof(up->net->error), "more than %u ip lines",
				 MAX_JOBS);
			return -E2BIG;
		}
		if (*line.hostname && sethostname(line.hostname, strlen(line.hostname)))
			log_warn("cannot set the host name");
	}
	up->all = !up->nr_jobs;
	return 0;
}

static void read_nameservers(struct up *up)
{
	const char *cursor = up->net->nameservers;
	struct ip_address address;
	char word[64];
	size_t len;

	for (; (len = strcspn(cursor += strspn(cursor, " "), " ")); cursor += len) {
		snprintf(word, sizeof(word), "%.*s", (int)MIN(len, sizeof(word) - 1), cursor);
		if (ip_parse_address(word, &address) == 0)
			add_nameserver(up, &address);
	}
}

/* What the image has stays where there is nothing better. */
static void write_resolv_conf(const struct up *up)
{
	char text[IP_MAX_NAMESERVERS * (INET6_ADDRSTRLEN + 16)] = "", buf[INET6_ADDRSTRLEN];
	_close_ int fd = -1;
	size_t len = 0;

	if (!up->nr_nameservers)
		return;
	for (unsigned i = 0; i < up->nr_nameservers; i++)
		len += snprintf(text + len, sizeof(text) - len, "nameserver %s\n",
				ip_format(&up->nameservers[i], buf, sizeof(buf)));
	fd = open(NET_RESOLV_CONF, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || io_write_full(fd, text, len))
		log_warn("cannot write %s: %s", NET_RESOLV_CONF, strerror(errno));
}

static void describe(struct up *up)
{
	char address[INET6_ADDRSTRLEN], gateway[INET6_ADDRSTRLEN];
	struct net *net = up->net;
	size_t len = 0;

	for (unsigned i = 0; i < up->nr_jobs; i++) {
		const struct job *job = &up->jobs[i];

		if (job->state != JOB_DONE || len >= sizeof(net->description))
			continue;
		len += snprintf(
			net->description + len, sizeof(net->description) - len,
			"%s%s (%s) %s/%u, gateway %s", len ? "; " : "", job->link.name,
			job->link.driver, ip_format(&job->address, address, sizeof(address)),
			job->address.prefix, ip_format(&job->gateway, gateway, sizeof(gateway)));
	}
}

/* The first failure counts; where nothing said which interface, one that is up is enough. */
static int conclude(struct up *up)
{
	struct net *net = up->net;
	const struct job *worst = NULL;

	describe(up);
	for (unsigned i = 0; i < up->nr_jobs; i++) {
		const struct job *job = &up->jobs[i];

		if (job->state != JOB_FAILED)
			continue;
		/* No link is what most of them have; an answer that did not come tells more. */
		if (!worst || (worst->err == -ENETDOWN && job->err != -ENETDOWN))
			worst = job;
	}
	if (!up->nr_jobs) {
		snprintf(net->error, sizeof(net->error),
			 "there is no network interface: is its driver in the image?");
		return -ENODEV;
	}
	if (!worst || (up->all && *net->description))
		return 0;
	snprintf(net->error, sizeof(net->error), "%s", worst->error);
	return worst->err;
}

int net_up(struct net *net)
{
	struct up up = { .net = net, .rtnl = -1, .start_ms = clock_ms() };
	_close_ int rtnl = rtnl_open();
	int err;

	*net->description = *net->error = '\0';
	if (rtnl < 0) {
		snprintf(net->error, sizeof(net->error), "this kernel has no rtnetlink: %s",
			 strerror(-rtnl));
		return rtnl;
	}
	up.rtnl = rtnl;
	read_nameservers(&up);
	err = read_lines(&up);
	if (err)
		return err;
	while (!is_settled(&up) && clock_ms() - up.start_ms < net->wait_s * UINT64_C(1000)) {
		net->alive(net->alive_ctx);
		if (up.all)
			bind_all(&up);
		for (unsigned i = 0; i < up.nr_jobs; i++)
			job_step(&up, &up.jobs[i]);
		clock_sleep_ms(POLL_MS);
	}
	for (unsigned i = 0; i < up.nr_jobs; i++)
		job_give_up(&up.jobs[i], net->wait_s);
	write_resolv_conf(&up);
	return conclude(&up);
}
