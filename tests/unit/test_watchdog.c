// SPDX-License-Identifier: GPL-2.0-or-later
/* The watchdog's process. No device of a kernel: a file takes no ioctl, and a FIFO without a
 * reader makes open(2) hang as a broken driver does. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/init/watchdog.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "tests/unit/test.h"

struct kept {
	struct watchdog *w;
	char folder[64];
	char path[96];
};

static void end_kept(struct kept *k)
{
	log_set_level(LOG_LVL_INFO);
	if (k->w->pid > 0) {
		kill(k->w->pid, SIGKILL);
		waitpid(k->w->pid, NULL, 0);
	}
	munmap(k->w, sizeof(*k->w));
	unlink(k->path);
	rmdir(k->folder);
}

#define _kept_ __cleanup(end_kept)

static void make_kept(struct kept *k)
{
	const char *tmp = getenv("TMPDIR");

	*k = (struct kept){ .w = mmap(NULL, sizeof(*k->w), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0) };
	CHECK(k->w != MAP_FAILED);
	snprintf(k->folder, sizeof(k->folder), "%.40s/vmcore-test-XXXXXX", tmp ? tmp : "/tmp");
	CHECK(mkdtemp(k->folder));
	snprintf(k->path, sizeof(k->path), "%s/watchdog0", k->folder);
	log_set_level(LOG_LVL_NONE);
}

static void try_now(struct kept *k)
{
	k->w->tried_ms = 0;
	watchdog_try(k->w, k->path);
}

TEST(watchdog, no_process_before_there_is_a_device)
{
	struct kept k _kept_;
	pid_t pid;

	make_kept(&k);
	try_now(&k);
	CHECK_EQ(k.w->pid, 0);
	CHECK_EQ(mkfifo(k.path, 0600), 0);
	watchdog_try(k.w, k.path); /* it was looked for just now */
	CHECK_EQ(k.w->pid, 0);
	try_now(&k);
	pid = k.w->pid;
	CHECK(pid > 0);
	clock_sleep_ms(300); /* it shares the memory */
	CHECK_EQ(k.w->pid, pid);
	try_now(&k);
	CHECK_EQ(k.w->pid, pid);
	/* One that has died is replaced. */
	kill(pid, SIGKILL);
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	try_now(&k);
	CHECK(k.w->pid > 0 && k.w->pid != pid);
}

/* open(2) hangs for ever; who starts, feeds and stops it goes on. */
TEST(watchdog, a_driver_that_hangs_holds_nobody_up)
{
	uint64_t start = clock_ms();
	struct kept k _kept_;

	make_kept(&k);
	CHECK_EQ(mkfifo(k.path, 0600), 0);
	try_now(&k);
	for (int i = 0; i < 100; i++)
		watchdog_feed(k.w);
	CHECK(clock_ms() - start < 1000);
	watchdog_stop(k.w);
	CHECK(!atomic_load(&k.w->stopped));
	CHECK(clock_ms() - start < 6000);
	CHECK_EQ(kill(k.w->pid, 0), 0);
}

TEST(watchdog, stop_is_answered)
{
	struct kept k _kept_;
	int fd;

	make_kept(&k);
	fd = open(k.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	close(fd);
	watchdog_stop(k.w); /* there is none */
	CHECK(!atomic_load(&k.w->stop));
	try_now(&k);
	watchdog_stop(k.w);
	CHECK(atomic_load(&k.w->stopped));
}

/* It is opened again and again, since somebody else may have it. */
TEST(watchdog, what_cannot_be_opened_is_told_once)
{
	_close_ int saved = dup(STDERR_FILENO), out = memfd_create("log", 0);
	struct kept k _kept_;
	char text[512] = "", *eol;

	make_kept(&k);
	CHECK(saved >= 0 && out >= 0);
	dup2(out, STDERR_FILENO);
	log_set_level(LOG_LVL_ERROR);
	k.w->tried_ms = 0;
	watchdog_try(k.w, "/dev/null/watchdog");
	clock_sleep_ms(2500);
	log_set_level(LOG_LVL_NONE);
	dup2(saved, STDERR_FILENO);
	CHECK(io_pread_full(out, text, sizeof(text) - 1, 0) > 0);
	CHECK(strstr(text, "/dev/null/watchdog: Not a directory"));
	eol = strchr(text, '\n');
	CHECK(eol && !eol[1]);
}
