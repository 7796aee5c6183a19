// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

#define TRY_MS	200
#define FEED_MS 1000

/* What was asked for, or the largest of a few that the driver takes. EINVAL: out of its
 * range; EOPNOTSUPP: it has one timeout (kernel, Documentation/watchdog/watchdog-api.rst). */
static unsigned set_timeout(int fd)
{
	static const int tries[] = { WATCHDOG_TIMEOUT_S, 45, 30, 20, 15, 10 };
	int now = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		int timeout = tries[i]; /* the driver puts in what it took */

		if (ioctl(fd, WDIOC_SETTIMEOUT, &timeout) == 0 || errno != EINVAL)
			break;
	}
	return ioctl(fd, WDIOC_GETTIMEOUT, &now) == 0 && now > 0 ? now : 0;
}

void watchdog_try(struct watchdog *w, const char *path)
{
	struct watchdog_info info = { .options = 0 };
	int fd;

	if (w->fd || (w->tried_ms && clock_ms() - w->tried_ms < TRY_MS))
		return;
	w->tried_ms = clock_ms();
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd <= 0) {
		if (errno != ENOENT && errno != w->problem)
			log_error("%s: %s", path, strerror(errno));
		w->problem = errno;
		return;
	}
	if (ioctl(fd, WDIOC_GETSUPPORT, &info))
		log_warn("%s does not say what it is: %s", path, strerror(errno));
	w->fd = fd;
	w->timeout_s = set_timeout(fd);
	watchdog_feed(w);
	log_info("watchdog %.*s: resets the machine if not fed for %u s",
		 (int)sizeof(info.identity), (const char *)info.identity, w->timeout_s);
}

void watchdog_feed(struct watchdog *w)
{
	uint64_t now = clock_ms();

	if (!w->fd || (w->fed_ms && now - w->fed_ms < FEED_MS))
		return;
	w->fed_ms = now;
	/* Not a byte written, which would feed it as well: see struct watchdog. */
	ioctl(w->fd, WDIOC_KEEPALIVE, 0);
}

void watchdog_stop(struct watchdog *w)
{
	int off = WDIOS_DISABLECARD;

	if (!w->fd)
		return;
	if (ioctl(w->fd, WDIOC_SETOPTIONS, &off))
		log_error("the watchdog cannot be stopped (%s): it will reset the machine in %u s",
			  strerror(errno), w->timeout_s);
	else
		log_info("watchdog stopped");
}
