// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/full.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "capture/init/final.h"
#include "lib/clock.h"
#include "lib/log.h"

#define TAKEN_PATH     "/run/vmcore-save.taken"	  /* there from the beginning of a capture on */
#define GUARDED_PATH   "/run/vmcore-save.guarded" /* and from the beginning of its own guard on */
#define INITRAMFS_PATH "/etc/initrd-release"	  /* systemd's INITRD_INTERFACE; dracut makes it */

static int refuse_outside(void)
{
	if (access(INITRAMFS_PATH, F_OK) == 0)
		return 0;
	log_error("there is no " INITRAMFS_PATH ": this is not an initramfs, and it would end "
		  "in a reboot");
	return -EPERM;
}

static void __attribute__((noreturn)) wait_for_reboot(void)
{
	for (;;)
		pause();
}

/* Return: 0, or -errno: -EEXIST where it was there. */
static int make_mark(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* The outer guard goes only now that the capture's own is there, so that there is always one;
 * where this mark cannot be made, there are two. */
static void relieve_guard(void)
{
	make_mark(GUARDED_PATH);
}

int full_capture(const struct init_saver *saver)
{
	int err = refuse_outside();
	pid_t pid;

	if (err)
		return err;
	if (make_mark(TAKEN_PATH) == -EEXIST) {
		log_info("a capture is under way");
		wait_for_reboot();
	}
	pid = fork();
	if (pid < 0) {
		err = -errno;
		unlink(TAKEN_PATH);
		log_error("cannot start the capture: %s", strerror(-err));
		return err;
	}
	if (pid)
		wait_for_reboot();
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	init_main(saver, relieve_guard);
}

/* Nothing of it can hang: no log, no memory, no disk. */
static void __attribute__((noreturn)) guard_main(unsigned seconds)
{
	uint64_t deadline_ms = clock_ms() + seconds * UINT64_C(1000);
	sigset_t all;

	setsid();
	prctl(PR_SET_NAME, "vmcore-guard");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int fd = 0; fd < 64; fd++)
		close(fd);
	while (clock_ms() < deadline_ms) {
		if (access(GUARDED_PATH, F_OK) == 0)
			_exit(0);
		clock_sleep_ms(1000);
	}
	final_reset();
}

int full_guard(unsigned seconds)
{
	int err = refuse_outside();
	pid_t pid;

	if (err)
		return err;
	pid = fork();
	if (pid == 0)
		guard_main(seconds);
	if (pid < 0) {
		err = -errno;
		log_error("cannot start the guard: %s", strerror(-err));
		return err;
	}
	log_info("the machine is reset if no capture has begun in %u s", seconds);
	return 0;
}
