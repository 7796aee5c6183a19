// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "capture/init/state.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define KLOG_CONSOLE_LEVEL 8 /* syslog(2), SYSLOG_ACTION_CONSOLE_LEVEL */

static const struct {
	const char *path, *type;
	unsigned long flags;
} early_mounts[] = {
	{ "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC },
};

/*
 * What becomes of the capture kernel's own troubles. A panic resets the machine, and a soft
 * lockup is made one: with the one CPU that there is, PID 1 does not run any more. It has to
 * last for four times the usual, since an emulator or firmware may hold a CPU up for long.
 * All else is left to PID 1, which has a limit on each step: an oops costs the worker and
 * the target that it was at, but the next target may still get the dump, and what then hangs
 * on a lock that the dead one held is given up. So with a task that hangs, and with memory
 * that runs out, where the worker is killed first (see its oom_score_adj). Set whatever the
 * defaults are: the command line may be the crashed system's, with its oops=panic.
 */
static const struct {
	const char *path, *value;
	bool optional; /* not every kernel is built with it */
} early_settings[] = {
	{ "/proc/sys/kernel/panic", "10", false },
	{ "/proc/sys/kernel/panic_on_oops", "0", false },
	{ "/proc/sys/kernel/panic_on_warn", "0", true },
	{ "/proc/sys/kernel/hung_task_panic", "0", true },
	{ "/proc/sys/kernel/watchdog_thresh", "40", true },
	{ "/proc/sys/kernel/softlockup_panic", "1", true },
	{ "/proc/sys/kernel/hardlockup_panic", "1", true },
	{ "/proc/sys/vm/panic_on_oom", "0", false },
	{ "/proc/sys/kernel/sysrq", "1", false },
	{ "/proc/self/oom_score_adj", "-1000", false },
};

static int open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	if (fd < 0) {
		mknod("/dev/null", S_IFCHR | 0600, makedev(1, 3));
		fd = open("/dev/null", O_RDWR);
	}
	return fd;
}

/* Descriptors 0 to 2 must not be left for files: something may write messages there. */
static void setup_stdio(void)
{
	int fd = open_console();

	if (fd < 0)
		return;
	for (int std = 0; std <= 2; std++)
		if (fd != std)
			dup2(fd, std);
	if (fd > 2)
		close(fd);
}

/* Through kmsg, lines end up in the kernel's own log too, in order with its messages. The
 * kernel drops lines of a writer it finds too busy, unless printk_devkmsg says "on". */
static void setup_log(void)
{
	_free_ char *mode = NULL;

	io_write_file("/proc/sys/kernel/printk_devkmsg", "on\n");
	if (io_read_file("/proc/sys/kernel/printk_devkmsg", 64, &mode, NULL) ||
	    !after_prefix(mode, "on"))
		return;
	if (klogctl(KLOG_CONSOLE_LEVEL, NULL, 7) == 0)
		log_open_kmsg(1);
}

void mounts_setup(void)
{
	int problems[ARRAY_SIZE(early_mounts)] = { 0 };

	/* In a full image, somebody was PID 1 before and has done it. */
	for (size_t i = 0; getpid() == 1 && i < ARRAY_SIZE(early_mounts); i++) {
		mkdir(early_mounts[i].path, 0755);
		if (mount(early_mounts[i].type, early_mounts[i].path, early_mounts[i].type,
			  early_mounts[i].flags, NULL) &&
		    errno != EBUSY)
			problems[i] = errno;
	}
	mkdir(STATE_MOUNT_POINT, 0700);
	setup_stdio();
	setup_log();
	for (size_t i = 0; i < ARRAY_SIZE(early_mounts); i++)
		if (problems[i])
			log_error("cannot mount %s: %s", early_mounts[i].path,
				  strerror(problems[i]));
	for (size_t i = 0; i < ARRAY_SIZE(early_settings); i++) {
		int err = io_write_file(early_settings[i].path, early_settings[i].value);

		if (err && !(err == -ENOENT && early_settings[i].optional))
			log_warn("cannot set %s: %s", early_settings[i].path, strerror(-err));
	}
}
