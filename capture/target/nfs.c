// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NFS, by mount(2) alone: since Linux 2.6.23 the kernel takes the options as text, asks
 * mountd and rpcbind of version 3 itself, and only names and the version to try are left
 * to mount.nfs(8) (nfs(5); kernel: fs/nfs/fs_context.c).
 *
 * A server that stops answering must not hold the capture up. The mount is "soft": after
 * device_timeout without an answer a request fails, the write with it, and the dump is
 * incomplete. A "hard" mount would wait for ever, and a shorter soft one would give up on
 * a server that reboots. Of version 4, requests do not fail even so while the connection
 * stands (kernel: RPC_TASK_NO_RETRANS_TIMEOUT), which it does where the server hangs: so a
 * process beside asks the server all the time, and after device_timeout without an answer
 * has the kernel give up what waits. All that waits for NFS dies of a SIGKILL (TASK_KILLABLE,
 * kernel 150030b78a45, 2.6.25), so the supervisor's limits hold in any case.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/net/ip.h"
#include "capture/net/net.h"
#include "capture/target/nfs.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

#define PING_MS	  3000
#define POLL_MS	  100
#define WATCH_MS  1000
#define RETRANS	  2u
#define TIMEO_MIN 10u /* tenths of a second */
#define TIMEO_MAX 600u

static const char *const nfs_types[] = { "nfs", "nfs4", NULL };
/* 4.1 first: what 4.2 adds is of little use here, and with a kernel that reads by READ_PLUS
 * (CONFIG_NFS_V4_2_READ_PLUS; Debian's 6.12) a file with holes on NFS-Ganesha 4.3 ends in EIO. */
static const char *const versions[] = { "4.1", "4.2", "4.0", "3" };

struct nfs {
	struct nfs_where where;
	struct net_host host;
	unsigned address; /* which of the host's answered */
	pid_t watcher;	  /* 0 for none */
	bool gone;	  /* the server did not answer when a file was given up */
};

static const struct sockaddr_storage *server_address(const struct nfs *nfs)
{
	return &nfs->host.addresses[nfs->address];
}

static void format_address(const struct sockaddr_storage *ss, char *buf, size_t size)
{
	const void *addr = ss->ss_family == AF_INET ?
				   (const void *)&((const struct sockaddr_in *)ss)->sin_addr :
				   (const void *)&((const struct sockaddr_in6 *)ss)->sin6_addr;

	inet_ntop(ss->ss_family, addr, buf, size);
}

static bool wait_for(int fd, short events, uint64_t end_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = clock_ms();

	return now < end_ms && poll(&p, 1, end_ms - now) > 0;
}

/* A call of procedure 0 without anything in it (RFC 5531), as a record of TCP's. Whatever
 * version of NFS the server has, this it answers. */
static int ping_socket(int fd, uint64_t end_ms)
{
	static const uint32_t call[] = {
		0x80000000 + 40, 0x766d6372, 0, 2, 100003, 3, 0, 0, 0, 0, 0
	};
	uint8_t buf[sizeof(call)], answer[12];
	size_t got = 0;

	for (size_t i = 0; i < ARRAY_SIZE(call); i++) {
		uint32_t word = htonl(call[i]);

		memcpy(buf + i * 4, &word, 4);
	}
	if (send(fd, buf, sizeof(buf), MSG_NOSIGNAL) != sizeof(buf))
		return -errno;
	while (got < sizeof(answer)) {
		ssize_t n;

		if (!wait_for(fd, POLLIN, end_ms))
			return -ETIMEDOUT;
		n = recv(fd, answer + got, sizeof(answer) - got, 0);
		if (n <= 0)
			return n ? -errno : -ECONNRESET;
		got += n;
	}
	/* The same transaction, and a reply. */
	return memcmp(answer + 4, buf + 4, 4) || answer[11] != 1 ? -EPROTO : 0;
}

/* Return: 0; -ETIMEDOUT connected or not, there is no answer; -errno of connect(2). */
static int ping(const struct sockaddr_storage *address, unsigned port)
{
	uint64_t end = clock_ms() + PING_MS;
	struct sockaddr_storage to = *address;
	_close_ int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(int);
	int err = 0;

	((struct sockaddr_in *)&to)->sin_port = htons(port); /* where IPv6 has it too */
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to,
		    to.ss_family == AF_INET ? sizeof(struct sockaddr_in) :
					      sizeof(struct sockaddr_in6)) &&
	    errno != EINPROGRESS)
		return -errno;
	if (!wait_for(fd, POLLOUT, end))
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) || err)
		return -(err ? err : errno);
	return ping_socket(fd, end);
}

static int ping_all(struct target *target)
{
	struct nfs *nfs = target->priv;
	int err = -EHOSTUNREACH;

	for (unsigned i = 0; i < nfs->host.nr && err; i++) {
		target->alive(target->alive_ctx);
		err = ping(&nfs->host.addresses[i], nfs->where.port);
		if (!err)
			nfs->address = i;
	}
	return err;
}

static int fail_ping(struct target *target, int err)
{
	struct nfs *nfs = target->priv;
	char address[INET6_ADDRSTRLEN];

	format_address(&nfs->host.addresses[0], address, sizeof(address));
	return target_fail(target, err, "no NFS server at %.60s (%s) port %u within %u s: %s",
			   nfs->where.host, address, nfs->where.port, target->wait_s,
			   err == -ETIMEDOUT	? "no answer" :
			   err == -ECONNREFUSED ? "the machine answers, but no server is there" :
						  strerror(-err));
}

static int wait_answer(struct target *target, uint64_t end_ms)
{
	int err;

	for (;;) {
		err = ping_all(target);
		if (!err)
			return 0;
		if (clock_ms() >= end_ms)
			return fail_ping(target, err);
		clock_sleep_ms(POLL_MS * 5);
	}
}

static int find_server(struct target *target)
{
	uint64_t end_ms = clock_ms() + target->wait_s * UINT64_C(1000);
	struct nfs *nfs = target->priv;
	char address[INET6_ADDRSTRLEN];
	int err = nfs_parse_where(target->where->where, target->where->options, &nfs->where);
	if (err)
		return target_fail(target, err, "\"%.80s\" is not HOST:/PATH",
				   target->where->where);
	if (streq(target->where->type, "nfs4") && !*nfs->where.version)
		strcpy(nfs->where.version, "4");
	err = net_lookup(nfs->where.host, target->wait_s, target->alive, target->alive_ctx,
			 &nfs->host, target->error, sizeof(target->error));
	if (!err && !nfs->where.udp) /* what UDP does not answer says nothing */
		err = wait_answer(target, end_ms);
	if (err)
		return err;
	format_address(server_address(nfs), address, sizeof(address));
	snprintf(target->description, sizeof(target->description), "NFS server %.100s (%s)",
		 nfs->where.host, address);
	return 0;
}

/* A target that did not come is not closed. */
static int nfs_wait(struct target *target)
{
	int err;

	target->priv = calloc(1, sizeof(struct nfs));
	if (!target->priv)
		return target_fail(target, -ENOMEM, "no memory");
	err = find_server(target);
	if (err) {
		free(target->priv);
		target->priv = NULL;
	}
	return err;
}

static void client_address(const struct sockaddr_storage *server, char *buf, size_t size)
{
	struct sockaddr_storage to = *server, self = { .ss_family = server->ss_family };
	_close_ int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(self);

	((struct sockaddr_in *)&to)->sin_port = htons(NFS_PORT);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, len) == 0)
		getsockname(fd, (struct sockaddr *)&self, &len);
	format_address(&self, buf, size);
}

static void mount_options(const struct target *target, const char *version, char *buf, size_t size)
{
	const struct nfs *nfs = target->priv;
	const char *v6 = server_address(nfs)->ss_family == AF_INET6 ? "6" : "";
	unsigned timeo = target->config->device_timeout * 10 / (RETRANS + 1);
	char server[INET6_ADDRSTRLEN], client[INET6_ADDRSTRLEN];
	const bool v3 = *version == '3';
	size_t len;

	/* Each try waits longer by timeo, so that all of them together take device_timeout. */
	timeo = MAX(timeo, TIMEO_MIN);
	timeo = MIN(timeo, TIMEO_MAX);
	format_address(server_address(nfs), server, sizeof(server));
	client_address(server_address(nfs), client, sizeof(client));
	len = snprintf(buf, size, "soft,timeo=%u,retrans=%u,vers=%s,proto=%s%s,addr=%s", timeo,
		       RETRANS, version, nfs->where.udp ? "udp" : "tcp", v6, server);
	if (v3) /* nolock: nobody else has the file, and statd is not here */
		len += snprintf(buf + len, size - len, ",nolock,mountaddr=%s", server);
	else
		len += snprintf(buf + len, size - len, ",clientaddr=%s", client);
	if (v3 && !nfs->where.has_mountproto)
		len += snprintf(buf + len, size - len, ",mountproto=tcp%s", v6);
	/* What the configuration says comes last and so wins. */
	if (*nfs->where.options)
		snprintf(buf + len, size - len, ",%s", nfs->where.options);
}

/* In a process of its own, that can be killed while the kernel waits for the server. */
static int mount_once(struct target *target, const char *version)
{
	const struct nfs *nfs = target->priv;
	uint64_t end = clock_ms() + (target->config->device_timeout + 5) * UINT64_C(1000);
	char options[768], source[560];
	int status;
	pid_t pid;

	snprintf(source, sizeof(source), strchr(nfs->where.host, ':') ? "[%s]:%s" : "%s:%s",
		 nfs->where.host, nfs->where.export);
	mount_options(target, version, options, sizeof(options));
	log_debug("mount %s: %s", source, options);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(mount(source, target->mount_point, "nfs",
			    MS_NOATIME | MS_NOSUID | MS_NODEV | MS_NOEXEC, options) ?
			      errno :
			      0);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		target->alive(target->alive_ctx);
		if (clock_ms() > end && kill(pid, SIGKILL) == 0)
			end += 5000;
		clock_sleep_ms(POLL_MS);
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ETIMEDOUT;
}

static const char *mount_problem(int err)
{
	switch (err) {
	case -EACCES:
	case -EPERM:
		return "the server does not export it to this address, or refuses access";
	case -ENOENT:
		return "the server has no such export, or none for this address";
	case -ENOTDIR:
		return "that is no directory on the server";
	case -ECONNREFUSED:
		return "no server is there (version 3 also needs rpcbind and mountd, or port= and "
		       "mountport= in mount_options)";
	case -EPROTONOSUPPORT:
		return "the server has none of the versions that were tried";
	case -ETIMEDOUT:
	case -EIO:
		return "the server does not answer";
	case -ENODEV:
		return "the kernel has no NFS: its modules are not in the image";
	case -EINVAL:
		return "the kernel refuses the options";
	case -ESTALE:
		return "the server has lost it (stale)";
	default:
		return strerror(-err);
	}
}

/* Whether an older version is worth a try, as mount.nfs(8) judges it: the paths of version 4
 * are another tree, and it may be refused where 3 is not. */
static bool is_of_version(int err)
{
	return err == -EPROTONOSUPPORT || err == -EINVAL || err == -ENOENT || err == -EACCES ||
	       err == -EPERM || err == -ECONNREFUSED || err == -EPROTO || err == -ENODEV;
}

/* Ends the waiting of others for a server that answers no more, over and over, since what
 * is given up may be tried again (MNT_FORCE; kernel: nfs_umount_begin()). Never returns. */
static void watch(const struct target *target)
{
	const struct nfs *nfs = target->priv;
	const uint64_t limit_ms = target->config->device_timeout * UINT64_C(1000);
	uint64_t answered_ms = clock_ms();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (clock_ms() - answered_ms < limit_ms) {
		clock_sleep_ms(WATCH_MS);
		if (ping(server_address(nfs), nfs->where.port) == 0)
			answered_ms = clock_ms();
	}
	for (;;) {
		umount2(target->mount_point, MNT_FORCE);
		clock_sleep_ms(POLL_MS);
	}
}

static int start_watcher(struct target *target)
{
	struct nfs *nfs = target->priv;
	pid_t pid;

	if (nfs->where.udp)
		return 0;
	pid = fork();
	if (pid < 0)
		return target_fail(target, -errno, "cannot start a process: %s", strerror(errno));
	if (pid == 0)
		watch(target);
	nfs->watcher = pid;
	return 0;
}

static void end_child(pid_t pid)
{
	uint64_t end_ms = clock_ms() + PING_MS;

	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, WNOHANG) == 0 && clock_ms() < end_ms)
		clock_sleep_ms(10);
}

static int nfs_open(struct target *target)
{
	const struct nfs *nfs = target->priv;
	const char *only = nfs->where.version;
	int err = -EPROTONOSUPPORT, first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(versions) && is_of_version(err); i++) {
		/* "4" stands for all of its minor versions. */
		if (*only && !streq(only, versions[i]) &&
		    (strlen(only) > 1 || *only != *versions[i]))
			continue;
		if (i && *versions[i] == '4' && err != -EPROTONOSUPPORT && err != -EINVAL)
			continue; /* another minor version changes nothing about that */
		err = mount_once(target, versions[i]);
		snprintf(target->fstype, sizeof(target->fstype), "nfs %s", versions[i]);
		if (!err) {
			err = start_watcher(target);
			return err ? err : tree_open(target);
		}
		if (!first || first == -EPROTONOSUPPORT || first == -EINVAL)
			first = err;
	}
	snprintf(target->fstype, sizeof(target->fstype), "nfs");
	return target_fail(target, first ? first : err, "cannot mount %.80s: %s",
			   target->where->where, mount_problem(first ? first : err));
}

static bool answers(struct target *target)
{
	struct nfs *nfs = target->priv;

	if (!nfs || !nfs->host.nr || nfs->where.udp)
		return true;
	if (!nfs->gone)
		nfs->gone = ping(server_address(nfs), nfs->where.port) != 0;
	return !nfs->gone;
}

static int fail_gone(struct target *target)
{
	return target_fail(target, -ETIMEDOUT, "the NFS server %.100s has stopped answering",
			   target->where->where);
}

/* Closing flushes what is not written, which ends since the watcher makes it. Left open, the
 * file would do so when this process ends, where nobody is there to make it. */
static int nfs_abandon(struct target *target, struct target_file *file)
{
	if (answers(target))
		return tree_abandon(target, file);
	close(take_fd(&file->fd));
	return fail_gone(target);
}

static int nfs_replace(struct target *target, const char *name, const char *data, size_t len)
{
	const struct nfs *nfs = target->priv;

	return nfs && nfs->gone ? fail_gone(target) : tree_replace(target, name, data, len);
}

static int nfs_bytes(struct target *target, const char *name, uint64_t *bytes_ret)
{
	const struct nfs *nfs = target->priv;

	return nfs && nfs->gone ? fail_gone(target) : tree_bytes(target, name, bytes_ret);
}

/*
 * The end of a mount of version 4 tells the server so and waits for its answer, and what
 * cannot be written there counts against what may be written to other targets. So of a
 * server that is gone the mount stays, the open directory keeps the watcher's force from
 * ending it, and the watcher goes on until this process ends.
 */
static int nfs_close(struct target *target)
{
	struct nfs *nfs = target->priv;
	int err;

	if (answers(target)) {
		err = tree_close(target);
		if (nfs && nfs->watcher)
			end_child(nfs->watcher);
	} else {
		target->dir_fd = -1;
		err = fail_gone(target);
	}
	free(nfs);
	target->priv = NULL;
	return err;
}

const struct target_ops target_nfs_ops = {
	.name = "NFS",
	.types = nfs_types,
	.limits = { .wait = NET_MAX_ADDRESSES * PING_MS / 1000 },
	.network = true,
	.wait = nfs_wait,
	.open = nfs_open,
	.make_dir = tree_make_dir,
	.reopen = tree_reopen,
	.space = tree_space,
	.create = tree_create,
	.commit = tree_commit,
	.abandon = nfs_abandon,
	.replace = nfs_replace,
	.bytes = nfs_bytes,
	.sync = tree_sync,
	.close = nfs_close,
};
