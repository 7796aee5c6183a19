// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/net/dhcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/util.h"

#define BUSYBOX	  "/bin/busybox"
#define SCRIPT	  "/tmp/udhcpc.script"
#define KILL_MS	  2000
#define WORD_SIZE 64

/* Renewals bring the same again. */
static const char script_text[] = "#!/bin/busybox sh\n"
				  "[ \"$1\" = bound ] || exit 0\n"
				  "/bin/busybox env\n"
				  "echo " DHCP_END "\n";

static int write_script(void)
{
	_close_ int fd = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0700);

	if (fd < 0)
		return -errno;
	return io_write_full(fd, script_text, sizeof(script_text) - 1);
}

static void exec_client(const char *iface, int family, const char *hostname, int out)
{
	char option[80];
	/* Asks every 2 s, as often as it takes; whoever started it sets the limit. */
	const char *argv[20] = { "busybox", family == AF_INET6 ? "udhcpc6" : "udhcpc",
				 "-f",	    "-i",
				 iface,	    "-s",
				 SCRIPT,    "-t",
				 "100000",  "-T",
				 "2",	    "-A",
				 "2" };
	int n = 13, null = open("/dev/null", O_RDWR);

	if (family == AF_INET) {
		argv[n++] = "-O";
		argv[n++] = "staticroutes";
		argv[n++] = "-O";
		argv[n++] = "mtu";
	}
	if (family == AF_INET && *hostname) {
		snprintf(option, sizeof(option), "hostname:%s", hostname);
		argv[n++] = "-x";
		argv[n++] = option;
	}
	dup2(null, 0);
	dup2(out, 1);
	dup2(null, 2);
	execve(BUSYBOX, (char **)argv, (char *[]){ "PATH=/bin", NULL });
	_exit(127);
}

int dhcp_start(const char *iface, int family, const char *hostname, struct dhcp_client *client_ret)
{
	char path[64];
	_close_ int fd = -1;
	int err = write_script();
	pid_t pid;

	if (err)
		return err;
	snprintf(path, sizeof(path), "/tmp/lease%d.%.32s", family == AF_INET6 ? 6 : 4, iface);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		exec_client(iface, family, hostname, fd);
	*client_ret = (struct dhcp_client){ .pid = pid, .fd = take_fd(&fd) };
	return 0;
}

/* The next of some words with blanks between; false at the end and for one too long. */
static bool next_word(const char **cursor, char word[WORD_SIZE])
{
	const char *s = *cursor + strspn(*cursor, " ");
	size_t len = strcspn(s, " ");

	*cursor = s + len;
	if (!len || len >= WORD_SIZE)
		return false;
	memcpy(word, s, len);
	word[len] = '\0';
	return true;
}

static void take_nameservers(struct dhcp_lease *lease, const char *value)
{
	char word[WORD_SIZE];

	while (lease->nr_nameservers < ARRAY_SIZE(lease->nameservers) && next_word(&value, word))
		if (ip_parse_address(word, &lease->nameservers[lease->nr_nameservers]) == 0)
			lease->nr_nameservers++;
}

/* "10.0.0.0/8 192.0.2.1 0.0.0.0/0 192.0.2.2"; a gateway of zeros is none. */
static void take_routes(struct dhcp_lease *lease, const char *value)
{
	char to[WORD_SIZE], gateway[WORD_SIZE];

	while (lease->nr_routes < DHCP_MAX_ROUTES && next_word(&value, to) &&
	       next_word(&value, gateway)) {
		struct dhcp_route *route = &lease->routes[lease->nr_routes];

		if (ip_parse_address(to, &route->to) ||
		    ip_parse_address(gateway, &route->gateway) || route->to.family != AF_INET ||
		    route->gateway.family != AF_INET)
			continue;
		if (!route->gateway.v4.s_addr)
			route->gateway.family = 0;
		lease->nr_routes++;
	}
}

static void take_variable(struct dhcp_lease *lease, unsigned *prefix, const char *name,
			  const char *value)
{
	char word[WORD_SIZE];
	unsigned mtu;

	if (streq(name, "ip") || streq(name, "ipv6")) {
		ip_parse_address(value, &lease->address);
	} else if (streq(name, "subnet")) {
		ip_parse_mask(value, AF_INET, prefix);
	} else if (streq(name, "router")) {
		if (next_word(&value, word))
			ip_parse_address(word, &lease->gateway);
	} else if (streq(name, "dns")) {
		take_nameservers(lease, value);
	} else if (streq(name, "staticroutes")) {
		take_routes(lease, value);
	} else if (streq(name, "mtu")) {
		/* Below 576 no host need take what is sent (RFC 791). */
		if (sscanf(value, "%5u", &mtu) == 1 && mtu >= 576 && mtu <= 65535)
			lease->mtu = mtu;
	}
}

static bool usable(const struct dhcp_lease *lease)
{
	const struct ip_address *a = &lease->address;

	if (a->family == AF_INET6)
		return !IN6_IS_ADDR_MULTICAST(&a->v6) && !IN6_IS_ADDR_UNSPECIFIED(&a->v6) &&
		       !IN6_IS_ADDR_LOOPBACK(&a->v6);
	return a->family == AF_INET && a->v4.s_addr && !IN_MULTICAST(ntohl(a->v4.s_addr)) &&
	       (ntohl(a->v4.s_addr) >> 24) != IN_LOOPBACKNET;
}

int dhcp_parse(const char *text, struct dhcp_lease *lease_ret)
{
	struct dhcp_lease lease = { .nr_routes = 0 };
	unsigned prefix = 32;
	char line[1024];

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t len = strcspn(text, "\n");
		char *value;

		if (len >= sizeof(line) || text[len] != '\n')
			continue;
		memcpy(line, text, len);
		line[len] = '\0';
		if (streq(line, DHCP_END)) {
			if (!usable(&lease))
				return -EBADMSG;
			if (lease.address.family == AF_INET)
				lease.address.prefix = prefix;
			if (lease.gateway.family != AF_INET)
				lease.gateway.family = 0;
			*lease_ret = lease;
			return 0;
		}
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		take_variable(&lease, &prefix, line, value);
	}
	return -EAGAIN;
}

int dhcp_poll(struct dhcp_client *client, struct dhcp_lease *lease_ret)
{
	_free_ char *text = NULL;
	struct stat sb;
	int status, err;

	if (fstat(client->fd, &sb))
		return -errno;
	text = calloc(1, DHCP_MAX_BYTES + 1);
	if (!text)
		return -ENOMEM;
	if (sb.st_size > 0 && io_pread_full(client->fd, text, DHCP_MAX_BYTES, 0) < 0)
		return -EIO;
	err = dhcp_parse(text, lease_ret);
	if (err == -EAGAIN && client->pid && waitpid(client->pid, &status, WNOHANG) != 0) {
		client->pid = 0;
		return -ECHILD;
	}
	return err;
}

void dhcp_leave(struct dhcp_client *client)
{
	if (client->fd >= 0)
		close(take_fd(&client->fd));
	client->pid = 0;
}

void dhcp_stop(struct dhcp_client *client)
{
	uint64_t start = clock_ms();

	if (client->pid > 0) {
		kill(client->pid, SIGKILL);
		while (waitpid(client->pid, NULL, WNOHANG) == 0 && clock_ms() - start < KILL_MS)
			clock_sleep_ms(10);
	}
	dhcp_leave(client);
}
