// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/final.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/init/child.h"
#include "capture/init/pstore.h"
#include "capture/init/record.h"
#include "capture/init/worker.h"
#include "capture/target/stack.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define BEAT_S	   120 /* PID 1 may be held up this long, by its console say */
#define FINAL_S	   15  /* from the beginning of the end to the guard's reset, */
#define DETACH_S   50  /* and for each target that is still mounted */
#define FLUSH_MS   45000
#define SHELL_PATH "/bin/busybox"

/* emergency_restart() asks no driver and no file system, unlike reboot(2). */
static void sysrq_reset(void)
{
	io_write_file("/proc/sys/kernel/sysrq", "1");
	io_write_file("/proc/sysrq-trigger", "b");
}

void final_reset(void)
{
	for (;;) {
		sysrq_reset();
		reboot(RB_AUTOBOOT);
		clock_sleep_ms(1000);
	}
}

static void __attribute__((noreturn)) guard_main(const struct init_state *st)
{
	sigset_t all;

	prctl(PR_SET_NAME, "vmcore-guard");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int fd = 0; fd < 64; fd++)
		close(fd);
	while (clock_ms() < atomic_load(&st->guard_deadline_ms))
		clock_sleep_ms(1000);
	final_reset();
}

pid_t final_start_guard(struct init_state *st)
{
	pid_t pid;

	final_beat(st);
	pid = fork();
	if (pid == 0)
		guard_main(st);
	if (pid < 0)
		log_error("cannot start the guard: %s", strerror(errno));
	return pid;
}

void final_spare_guard(pid_t guard)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)guard);
	if (guard > 0)
		io_write_file(path, "-1000");
}

void final_beat(struct init_state *st)
{
	atomic_store(&st->guard_deadline_ms, clock_ms() + BEAT_S * 1000);
	watchdog_feed(&st->watchdog);
}

static void beat(void *ctx)
{
	final_beat(ctx);
}

static void __attribute__((noreturn)) exec_shell(void)
{
	static char *const argv[] = { "sh", NULL };
	static char *const envp[] = { "PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/", "TERM=linux",
				      "PS1=vmcore-save# ", NULL };

	setsid();
	ioctl(STDIN_FILENO, TIOCSCTTY, 1);
	io_write_file("/proc/self/oom_score_adj", "1000");
	execve(SHELL_PATH, argv, envp);
	log_error("cannot start %s: %s", SHELL_PATH, strerror(errno));
	_exit(127);
}

static bool ends_nothing(enum config_action action)
{
	return action == CONFIG_SHELL || action == CONFIG_DUMP_TO_ROOTFS;
}

enum config_action final_action_after(const struct init_state *st, enum config_action action)
{
	if (ends_nothing(action))
		action = st->config.final_action;
	return ends_nothing(action) ? CONFIG_REBOOT : action;
}

void final_shell(struct init_state *st)
{
	unsigned limit_s = st->config.shell_timeout;
	int status = 0;
	pid_t pid;

	log_set_step("shell");
	log_info("a shell on this console; when it exits, or after %u s: %s", limit_s,
		 config_action_name(final_action_after(st, CONFIG_SHELL)));
	pid = fork();
	if (pid == 0)
		exec_shell();
	if (pid < 0) {
		log_error("cannot start a shell: %s", strerror(errno));
		return;
	}
	if (!child_wait(pid, limit_s * 1000, &status, beat, st)) {
		log_warn("time is up after %u s", limit_s);
		/* Its jobs have groups of their own; reboot(2) is what ends those. */
		if (!child_kill(pid))
			log_error("the shell does not die");
	}
}

struct flush {
	struct init_state *st;
	char mount_point[STATE_MOUNT_POINT_SIZE];
};

/* The guard's deadline stays: it may be the last one. */
static void feed(void *ctx)
{
	const struct flush *flush = ctx;

	watchdog_feed(&flush->st->watchdog);
}

static int flush_target(void *ctx)
{
	const char *mount_point = ((struct flush *)ctx)->mount_point;
	int fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd >= 0) {
		err = syncfs(fd) ? -errno : 0;
		close(fd);
	}
	if (umount2(mount_point, 0) == 0 || errno == EINVAL || errno == ENOENT) {
		stack_stop();
		return err;
	}
	/* Something holds it: read-only is as good for the disk. */
	if (mount(NULL, mount_point, NULL, MS_REMOUNT | MS_RDONLY, NULL))
		return -errno;
	return err;
}

void final_detach(struct init_state *st, unsigned i)
{
	struct flush flush = { .st = st };
	int err;

	if (!st->targets[i].attached)
		return;
	if (st->targets[i].gone) {
		log_info("%s does not answer: it is left as it is", st->config.targets[i].where);
		st->targets[i].attached = false;
		return;
	}
	state_mount_point(i, flush.mount_point);
	err = child_run(flush_target, &flush, FLUSH_MS, feed);
	st->targets[i].attached = false;
	if (err)
		log_error("cannot flush and unmount %s: %s", st->config.targets[i].where,
			  child_problem(err));
}

static void say_result(struct init_state *st, const char *action)
{
	const struct steps steps = worker_steps(st);
	int best = state_best(st);
	char size[32] = "", where[704] = "", reason[1024];
	const char *why = state_reason(st, &steps, -1, reason, sizeof(reason));

	if (best >= 0) {
		const struct state_target *t = &st->targets[best];
		bool dump = t->dump_saved || t->dump_started;

		if (dump)
			snprintf(size, sizeof(size), " (%" PRIu64 " MiB)",
				 DIV_ROUND_UP(t->dump_bytes, 1 << 20));
		snprintf(where, sizeof(where), ": %s/%s/%s%s on %s",
			 config_path_prefix(st->config.targets[best].path), t->dir_name,
			 dump ? t->dump_name : RECORD_LOG_NAME, size,
			 st->config.targets[best].where);
	}
	log_set_step("done");
	if (why)
		log_error("%s%s: %s; %s", state_verdict(st, -1), where, why, action);
	else
		log_info("%s%s; %s", state_verdict(st, -1), where, action);
}

static uint64_t final_limit_ms(const struct init_state *st)
{
	uint64_t s = FINAL_S;

	for (unsigned i = 0; i < st->config.nr_targets; i++)
		if (st->targets[i].attached && !st->targets[i].gone)
			s += DETACH_S;
	return s * 1000;
}

void final_act(struct init_state *st, enum config_action action)
{
	const char *name;

	action = final_action_after(st, action);
	name = config_action_name(action);

	/*
	 * From here on giving up is forbidden: no check, no wait without a limit and no
	 * failure may keep the machine from coming back. The guard's last deadline is
	 * set, and nothing moves it any more.
	 */
	atomic_store(&st->guard_deadline_ms, clock_ms() + final_limit_ms(st));
	log_set_step("final");
	for (unsigned i = 0; i < st->config.nr_targets; i++)
		final_detach(st, i);
	if (pstore_keep_log("") == 0)
		log_info("this log goes to pstore (erst) at the reboot");
	say_result(st, name);
	/* The watchdog runs on, for a reboot that hangs; what is halted is to stay so. */
	if (action == CONFIG_HALT) {
		watchdog_stop(&st->watchdog);
		reboot(RB_HALT_SYSTEM);
	} else if (action == CONFIG_POWEROFF) {
		reboot(RB_POWER_OFF);
	} else {
		reboot(RB_AUTOBOOT);
	}
	log_error("%s failed: %s; resetting", name, strerror(errno));
	final_reset();
}
