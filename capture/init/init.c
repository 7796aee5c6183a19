// SPDX-License-Identifier: GPL-2.0-or-later
/* PID 1: starts the worker, watches it, and ends everything whatever became of it. */
#include "capture/init/init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/init/child.h"
#include "capture/init/fence.h"
#include "capture/init/final.h"
#include "capture/init/hooks.h"
#include "capture/init/memory.h"
#include "capture/init/mounts.h"
#include "capture/init/record.h"
#include "capture/init/worker.h"
#include "capture/net/net.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define LOOKUP_S	10 /* for a cluster node's name */
#define TICK_MS		100
#define SAMPLE_MS	1000
#define RECORD_LIMIT_MS 30000
#define START_AGAIN_MS	1000 /* memory may come back from a worker that is dying yet */
#define MAX_WORKERS	(2 * STATE_MAX_TARGETS + STEPS_MAX / 8)

static struct init_state *create_state(void)
{
	struct init_state *st =
		mmap(NULL, sizeof(*st), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct steps steps;

	if (st == MAP_FAILED)
		return NULL;
	st->start_ms = clock_ms();
	config_init(&st->config);
	atomic_store(&st->described_at, -1);
	steps = worker_steps(st);
	steps_init(&steps);
	return st;
}

static pid_t start_worker(struct init_state *st, const struct init_saver *saver)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	/* Where memory runs out, this is the process to go: PID 1 can still tell. */
	io_write_file("/proc/self/oom_score_adj", "1000");
	_exit(worker_run(st, saver) ? 1 : 0);
}

/* How a worker that left no word came to its end. */
static void describe_death(struct init_state *st, int status, uint64_t oom_kills_before)
{
	struct steps steps = worker_steps(st);
	int current = steps_current(&steps);

	if (WIFEXITED(status) && current >= 0 &&
	    st->progress.state[current].outcome != STEP_RUNNING)
		return; /* it ran to its end, and its steps tell */
	if (WIFEXITED(status))
		snprintf(st->failure, sizeof(st->failure),
			 "the capture left in the middle with status %d", WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGKILL && memory_oom_kills() > oom_kills_before)
		snprintf(st->failure, sizeof(st->failure),
			 "the kernel killed the capture for lack of memory: crashkernel is too "
			 "small");
	else
		snprintf(st->failure, sizeof(st->failure), "the capture died of signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	log_error("%s", st->failure);
}

static void end_overdue(struct init_state *st, pid_t pid, const char *why)
{
	snprintf(st->failure, sizeof(st->failure), "%s", why);
	log_error("%s; ending the capture", why);
	if (!child_kill(pid))
		log_error("the capture does not die, it is stuck in the kernel; going on without");
}

/* In the process that sends: it may take its time. */
static int look_up_node(const char *name, int family, struct sockaddr_storage *addr_ret)
{
	struct net_host host;
	char error[192];
	int err = fence_lookup_number(name, family, addr_ret);

	if (!err)
		return 0;
	err = net_lookup(name, LOOKUP_S, NULL, NULL, &host, error, sizeof(error));
	for (unsigned i = 0; !err && i < host.nr; i++) {
		if (family != AF_UNSPEC && host.addresses[i].ss_family != family)
			continue;
		*addr_ret = host.addresses[i];
		return 0;
	}
	return err ? err : -ENOENT;
}

/* The machine's watchdog, whose driver may just have been loaded, and the cluster's peers. */
static void keep_outside_informed(struct init_state *st, const struct config *config)
{
	pid_t pid;

	if (config->watchdog)
		watchdog_try(&st->watchdog, WATCHDOG_PATH);
	if (st->fence_started)
		return;
	st->fence_started = true;
	pid = fence_start(config, look_up_node);
	if (pid < 0)
		log_error("cannot tell the cluster's nodes: %s", strerror(-pid));
}

/* The target under way says itself what an act of it may take. */
static struct step_acts acts_of_target(const struct init_state *st, const struct config *config)
{
	struct target target = { .ops = NULL };
	const unsigned i = st->target;

	if (i >= config->nr_targets ||
	    target_init(&target, config, &config->targets[i], STATE_MOUNT_POINT))
		return (struct step_acts){ .wait = 0 };
	return (struct step_acts){ target.ops->limits.wait, target.ops->limits.call,
				   target.ops->limits.commit };
}

/* Returns once the worker is dead, or given up as undead. */
static void supervise(struct init_state *st, pid_t pid)
{
	struct steps steps = worker_steps(st);
	uint64_t oom_kills = memory_oom_kills(), sampled_ms = 0;
	char why[STEPS_ERROR_SIZE - 8];
	int status;

	for (;;) {
		/* Asked first: what is copied then is what the worker has read, and whole. */
		const bool configured = atomic_load(&st->configured);
		/* A copy: the worker replaces the configuration while it reads it. */
		struct config config = st->config;
		struct steps_limits limits = {
			.start_ms = st->start_ms,
			.config = &config,
		};

		state_sanitize_config(&config);
		limits.timeout_s = config.timeout;
		limits.max_time_s = config.max_time;
		limits.acts_s = acts_of_target(st, &config);
		final_beat(st);
		if (configured)
			keep_outside_informed(st, &config);
		if (child_wait(pid, TICK_MS, &status, NULL, NULL)) {
			describe_death(st, status, oom_kills);
			return;
		}
		if (clock_ms() - sampled_ms >= SAMPLE_MS) {
			memory_sample(st, pid);
			sampled_ms = clock_ms();
		}
		if (steps_overdue(&steps, &limits, why, sizeof(why))) {
			end_overdue(st, pid, why);
			return;
		}
	}
}

static int rescue(void *ctx)
{
	struct init_state *st = ctx;
	struct steps steps = worker_steps(st);

	io_write_file("/proc/self/oom_score_adj", "1000");
	return record_rescue(st, &steps);
}

static int post_mortem(void *ctx)
{
	io_write_file("/proc/self/oom_score_adj", "1000");
	worker_post_mortem(ctx);
	return 0;
}

static int emergency(void *ctx)
{
	io_write_file("/proc/self/oom_score_adj", "1000");
	worker_emergency(ctx);
	return 0;
}

static void beat(void *ctx)
{
	final_beat(ctx);
}

/* Return: false where the target does not answer. */
static bool record(struct init_state *st)
{
	int err;

	log_set_step("record");
	err = child_run_again(rescue, st, RECORD_LIMIT_MS, beat);
	if (err)
		log_error("what happened could not be recorded on the target: %s",
			  child_problem(err));
	state_sanitize(st);
	return err != -ETIMEDOUT;
}

static int report(void *ctx)
{
	struct init_state *st = ctx;
	const struct steps steps = worker_steps(st);

	return record_report(st, &steps);
}

/* For whoever waits for a word on a serial port, such as a rehearsal. */
static void run_report(struct init_state *st)
{
	int err = *st->config.report ? child_run(report, st, RECORD_LIMIT_MS, beat) : 0;

	if (err)
		log_error("cannot write what happened to %s: %s", st->config.report,
			  child_problem(err));
}

/* What watched over a hook has died, or was ended with it. */
static void end_hook(struct init_state *st)
{
	if (st->hook_group > 1 && kill(-st->hook_group, SIGKILL) == 0)
		log_error("the hook that was running is ended as well");
	st->hook_group = 0;
}

/* Each hook is bounded where it is started; this is for the process that does that. */
static void run_hooks(struct init_state *st, int (*run)(void *ctx))
{
	const uint64_t each_ms = hooks_limit_ms(&st->config, state_end_ms(st), clock_ms());
	const uint64_t limit_ms = (HOOKS_MAX + 2) * (each_ms + HOOKS_KILL_LIMIT_S * 1000);
	const struct steps steps = worker_steps(st);
	int err = child_run(run, st, MIN(limit_ms, (uint64_t)UINT32_MAX), beat);

	if (err)
		log_error("the hooks could not be run: %s", child_problem(err));
	end_hook(st);
	state_sanitize(st);
	steps_close(&steps, -ECANCELED, child_problem(err));
}

/* What a dead worker left open on the target that it was at. */
static void clear_up(struct init_state *st)
{
	struct state_target *t = &st->targets[st->target];

	if (st->target >= st->config.nr_targets || !t->attached)
		return;
	if (t->dir_name[0] && !t->recorded)
		t->hangs = !record(st);
	if (t->dump_tried && !t->post_done) {
		run_hooks(st, post_mortem);
		if (t->dir_name[0] && !t->recorded && !t->hangs)
			record(st); /* with what became of the hooks */
	}
	log_set_step("unmount");
	final_beat(st);
	final_detach(st, st->target);
}

/* Return: false where none could be started, and so nothing was tried. */
static bool run_worker(struct init_state *st, const struct init_saver *saver)
{
	struct steps steps = worker_steps(st);
	pid_t pid;

	/* The time without progress is not the last one's. */
	steps_alive(&st->progress, clock_ms());
	pid = start_worker(st, saver);
	if (pid < 0) {
		snprintf(st->failure, sizeof(st->failure), "cannot start the capture: %s",
			 strerror(-pid));
		log_error("%s", st->failure);
		return false;
	}
	log_set_step("watch");
	supervise(st, pid);
	end_hook(st);
	state_sanitize(st);
	steps_close(&steps, -ECANCELED, st->failure);
	return true;
}

/* A worker that dies costs what it was at; the next one goes on behind that. */
static void run_capture(struct init_state *st, const struct init_saver *saver)
{
	char say[WORKER_SAY_SIZE];

	for (unsigned tries = 0; tries < MAX_WORKERS; tries++) {
		if (!run_worker(st, saver)) {
			final_beat(st);
			clock_sleep_ms(START_AGAIN_MS);
			continue;
		}
		if (st->phase == STATE_DONE)
			return;
		clear_up(st);
		if (clock_ms() > state_end_ms(st))
			return;
		if (!worker_go_on(st, say, sizeof(say)))
			return;
		log_set_step("watch");
		log_warn("%s", say);
	}
}

void init_main(const struct init_saver *saver, void (*guarded)(void))
{
	struct init_state *st = create_state();
	struct utsname u = { .release = "?" };
	enum config_action action;
	pid_t guard;

	if (!st)
		final_reset();
	log_set_name("vmcore-save");
	log_set_step("start");
	guard = final_start_guard(st);
	if (guard > 0 && guarded)
		guarded();
	mounts_setup();
	final_spare_guard(guard);
	uname(&u);
	log_info("version %s on kernel %s", VMCORE_SAVE_VERSION, u.release);

	run_capture(st, saver);
	if (!state_dump_saved(st) && !st->refused)
		run_hooks(st, emergency);
	run_report(st);

	action = state_dump_saved(st) || st->refused ? st->config.final_action :
						       st->config.failure_action;
	if (action == CONFIG_SHELL)
		final_shell(st);
	final_act(st, action);
}
