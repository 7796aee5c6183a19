// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define TRY_MS	1000
#define POLL_MS 200
#define FEED_MS 1000
#define STOP_MS 3000

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

/* Somebody else may have it open, for a while. */
static int wait_open(const char *path)
{
	int fd, problem = 0;

	while ((fd = open(path, O_WRONLY | O_CLOEXEC)) < 0) {
		if (errno != problem)
			log_error("%s: %s", path, strerror(errno));
		problem = errno;
		clock_sleep_ms(TRY_MS);
	}
	return fd;
}

static unsigned set_up(int fd, const char *path)
{
	struct watchdog_info info = { .options = 0 };
	unsigned timeout_s = set_timeout(fd);

	ioctl(fd, WDIOC_KEEPALIVE, 0);
	if (ioctl(fd, WDIOC_GETSUPPORT, &info))
		log_warn("%s does not say what it is: %s", path, strerror(errno));
	log_info("watchdog %.*s: resets the machine if not fed for %u s",
		 (int)sizeof(info.identity), (const char *)info.identity, timeout_s);
	return timeout_s;
}

static void switch_off(struct watchdog *w, int fd, unsigned timeout_s)
{
	int off = WDIOS_DISABLECARD;

	if (ioctl(fd, WDIOC_SETOPTIONS, &off))
		log_error("the watchdog cannot be stopped (%s): it will reset the machine in %u s",
			  strerror(errno), timeout_s);
	else
		log_info("watchdog stopped");
	atomic_store(&w->stopped, true);
}

/* Where it dies, the watchdog resets the machine: so memory that runs out spares it. */
static void __attribute__((noreturn)) keeper_main(struct watchdog *w, const char *path)
{
	unsigned timeout_s, seen = atomic_load(&w->beats);
	sigset_t all;
	int fd;

	prctl(PR_SET_NAME, "vmcore-watchdog");
	io_write_file("/proc/self/oom_score_adj", "-1000");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	fd = wait_open(path);
	timeout_s = set_up(fd, path);
	for (uint64_t fed_ms = clock_ms();; clock_sleep_ms(POLL_MS)) {
		const unsigned beats = atomic_load(&w->beats);

		if (atomic_load(&w->stop) && !atomic_load(&w->stopped))
			switch_off(w, fd, timeout_s);
		if (beats == seen || clock_ms() - fed_ms < FEED_MS)
			continue;
		seen = beats;
		fed_ms = clock_ms();
		ioctl(fd, WDIOC_KEEPALIVE, 0);
	}
}

void watchdog_try(struct watchdog *w, const char *path)
{
	pid_t pid;

	/* The answer of devtmpfs: no driver is asked. */
	if (w->tried_ms && clock_ms() - w->tried_ms < TRY_MS)
		return;
	w->tried_ms = clock_ms();
	if ((w->pid > 0 && kill(w->pid, 0) == 0) || (access(path, F_OK) && errno == ENOENT))
		return;
	pid = fork();
	if (pid == 0)
		keeper_main(w, path);
	if (pid < 0)
		log_error("cannot start the watchdog's process: %s", strerror(errno));
	else
		w->pid = pid; /* not by the child as well: this is shared */
}

void watchdog_feed(struct watchdog *w)
{
	atomic_fetch_add(&w->beats, 1);
}

void watchdog_stop(struct watchdog *w)
{
	const uint64_t start = clock_ms();

	if (w->pid <= 0)
		return;
	atomic_store(&w->stop, true);
	while (!atomic_load(&w->stopped)) {
		if (clock_ms() - start > STOP_MS) {
			log_error("the watchdog does not answer: it may reset the machine");
			return;
		}
		clock_sleep_ms(POLL_MS);
	}
}
