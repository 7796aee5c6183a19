// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"
#include "loader/loader.h"

static void interface_down(int fd, const char *name)
{
	struct ifreq ifr = { 0 };

	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) || !(ifr.ifr_flags & IFF_UP))
		return;
	ifr.ifr_flags &= ~IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		log_warn("cannot take the network interface %s down: %s", name, strerror(errno));
	else
		log_debug("took %s down", name);
}

/* As kexec(8) does it: every interface but the loopback. A card that is left running
 * writes into the next kernel's memory. */
static void interfaces_down(void)
{
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *all = fd < 0 ? NULL : if_nameindex();

	if (!all) {
		log_debug("no list of network interfaces: %s", strerror(errno));
		return;
	}
	for (const struct if_nameindex *i = all; i->if_index; i++)
		if (!streq(i->if_name, "lo"))
			interface_down(fd, i->if_name);
	if_freenameindex(all);
}

int cmd_exec(const struct options *opts)
{
	struct facts facts = { 0 };
	char why[1024];
	int err;

	/* Before the network goes down for nothing. */
	facts_read("", false, &facts);
	if (facts.status.loaded == 0) {
		log_error("nothing is loaded: load a kernel with -l first");
		return EXIT_FAILED;
	}
	if (facts.no_cap) {
		errors_explain(OP_EXEC, EPERM, &facts, why, sizeof(why));
		log_error("%s", why);
		return EXIT_FAILED;
	}
	if (!(opts->flags & OPT_NO_SYNC))
		sync();
	if (!(opts->flags & OPT_NO_IFDOWN))
		interfaces_down();
	log_debug("starting the loaded kernel");
	err = syscall_reboot_kexec();
	errors_explain(OP_EXEC, -err, &facts, why, sizeof(why));
	log_error("%s", why);
	return EXIT_FAILED;
}
