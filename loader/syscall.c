// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/clock.h"
#include "loader/loader.h"

/* How often and how long a load waits for another kexec call to end. */
#define BUSY_TRIES    20
#define BUSY_PAUSE_MS 100

/* The C library's headers may be older than the call; the number is the architecture's own. */
#ifndef SYS_kexec_file_load
#if defined(__x86_64__)
#define SYS_kexec_file_load 320
#elif defined(__aarch64__) || defined(__riscv)
#define SYS_kexec_file_load 294
#endif
#endif

static int file_load(int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags)
{
#ifdef SYS_kexec_file_load
	unsigned long len = cmdline ? strlen(cmdline) + 1 : 0;

	if (syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, len, cmdline, flags) == 0)
		return 0;
	return -errno;
#else
	(void)kernel_fd, (void)initrd_fd, (void)cmdline, (void)flags;
	return -ENOSYS;
#endif
}

int syscall_kexec_file(int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags)
{
	int err = file_load(kernel_fd, initrd_fd, cmdline, flags);

	/* Kernels before 6.8 know no such flag and refuse it before they do anything. */
	if (err == -EINVAL && (flags & KEXEC_FILE_DEBUG)) {
		flags &= ~(unsigned long)KEXEC_FILE_DEBUG;
		err = file_load(kernel_fd, initrd_fd, cmdline, flags);
	}
	for (int i = 0; err == -EBUSY && i < BUSY_TRIES; i++) {
		clock_sleep_ms(BUSY_PAUSE_MS);
		err = file_load(kernel_fd, initrd_fd, cmdline, flags);
	}
	return err;
}

static int load(unsigned long entry, unsigned long nr, const struct syscall_segment *segments,
		unsigned long flags)
{
	return syscall(SYS_kexec_load, entry, nr, segments, flags) ? -errno : 0;
}

int syscall_kexec_load(unsigned long entry, unsigned long nr,
		       const struct syscall_segment *segments, unsigned long flags)
{
	int err = load(entry, nr, segments, flags);

	for (int i = 0; err == -EBUSY && i < BUSY_TRIES; i++) {
		clock_sleep_ms(BUSY_PAUSE_MS);
		err = load(entry, nr, segments, flags);
	}
	return err;
}

int syscall_reboot_kexec(void)
{
	reboot(RB_KEXEC);
	return -errno;
}
