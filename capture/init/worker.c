// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/init/hooks.h"
#include "capture/init/memory.h"
#include "capture/init/modules.h"
#include "capture/init/pstore.h"
#include "capture/init/record.h"
#include "capture/init/retain.h"
#include "capture/net/net.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define CMDLINE_MAX  (64u << 10)
#define QUICK_WAIT_S 10 /* for targets that get the log alone */

struct worker {
	struct init_state *st;
	const struct init_saver *saver;
	struct steps steps;
	struct target target;
	struct state_target *t; /* what the state has of it */
	bool core_open;
};

static void alive(void *ctx)
{
	struct worker *w = ctx;

	steps_alive(&w->st->progress, clock_ms());
}

static int fail_target(struct worker *w, int err)
{
	return steps_fail(&w->st->progress, err, "%s", w->target.error);
}

static void report(void *ctx, const char *message)
{
	(void)ctx;
	log_error("%s", message);
}

static void read_config(struct config *config)
{
	_free_ char *text = NULL, *cmdline = NULL;
	size_t len;
	int err;

	config_init(config);
	err = io_read_file(CONFIG_PATH, CONFIG_MAX_BYTES, &text, &len);
	if (err)
		log_error("cannot read %s: %s", CONFIG_PATH, strerror(-err));
	else
		config_parse(text, len, CONFIG_PATH, config, report, NULL);
	err = io_read_file("/proc/cmdline", CMDLINE_MAX, &cmdline, NULL);
	if (err)
		log_error("cannot read the kernel command line: %s", strerror(-err));
	else
		config_override(cmdline, config, report, NULL);
}

/* The image's builder wrote down where the root file system is. */
static void add_rootfs(struct config *config)
{
	_free_ char *text = NULL;
	struct config rootfs;
	size_t len;

	if (config->nr_targets && config->failure_action != CONFIG_DUMP_TO_ROOTFS)
		return;
	config_init(&rootfs);
	if (io_read_file(WORKER_ROOTFS_PATH, CONFIG_LINE_MAX, &text, &len)) {
		log_error("no %s in the image: the root file system cannot be a target",
			  WORKER_ROOTFS_PATH);
		return;
	}
	config_parse(text, len, WORKER_ROOTFS_PATH, &rootfs, report, NULL);
	if (!rootfs.nr_targets)
		return;
	strcpy(rootfs.targets[0].path, config->path);
	config->targets[config->nr_targets++] = rootfs.targets[0];
}

static int step_config(void *ctx)
{
	struct worker *w = ctx;
	struct config config;

	read_config(&config);
	add_rootfs(&config);
	w->st->config = config;
	atomic_store(&w->st->configured, true);
	if (!config.nr_targets)
		return steps_fail(&w->st->progress, -ENODATA, "no target is configured");
	for (unsigned i = 0; i < config.nr_targets; i++)
		log_info("target %u: %s %s, path %s", i + 1, config.targets[i].type,
			 config.targets[i].where, config.targets[i].path);
	log_info("then %s, after a failure %s", config_action_name(config.final_action),
		 config_action_name(config.failure_action));
	return 0;
}

static int step_modules(void *ctx)
{
	struct worker *w = ctx;
	struct modules_count count;
	int err = modules_load_list(MODULES_LIST, alive, w, &count);

	if (err == -ENOENT) {
		log_info("no list of modules: the kernel has to have what is needed");
		return STEPS_SKIP;
	}
	if (err)
		return err;
	log_info("%u loaded, %u there already, %u not needed here, %u failed", count.loaded,
		 count.present, count.unneeded, count.failed);
	if (count.failed) {
		snprintf(w->st->progress.state[steps_current(&w->steps)].error, STEPS_ERROR_SIZE,
			 "%u modules could not be loaded", count.failed);
		return -EIO;
	}
	return 0;
}

/* The network is for who needs it: without one, a dump to a disk must not wait for DHCP. */
static bool wants_network(const struct config *config)
{
	struct target target = { .ops = NULL };

	for (unsigned i = 0; i < config->nr_targets; i++)
		if (target_init(&target, config, &config->targets[i], STATE_MOUNT_POINT) == 0 &&
		    target.ops->network)
			return true;
	return *config->fence_kdump_nodes;
}

static int step_network(void *ctx)
{
	struct worker *w = ctx;
	const struct config *config = &w->st->config;
	struct net net = {
		.ip = config->ip,
		.nameservers = config->nameservers,
		.wait_s = config->device_timeout,
		.alive = alive,
		.alive_ctx = w,
	};
	int err;

	if (!wants_network(config))
		return STEPS_SKIP;
	err = net_up(&net);
	if (*net.description)
		log_info("%s", net.description);
	return err ? steps_fail(&w->st->progress, err, "%s", net.error) : 0;
}

static int step_core(void *ctx)
{
	struct worker *w = ctx;
	const struct config *config = &w->st->config;
	const char *collector = *config->core_collector ? config->core_collector : NULL;
	int err = w->saver->configure(w->saver->ctx, collector);

	if (err && collector) /* a mistake there must not lose the dump */
		err = w->saver->configure(w->saver->ctx, NULL);
	if (err)
		return err;
	err = w->saver->open(w->saver->ctx, config->vmcore);
	if (err)
		return steps_fail(&w->st->progress, err, "cannot open %.120s: %s", config->vmcore,
				  strerror(-err));
	w->core_open = true;
	record_describe(w->st, w->saver);
	return 0;
}

static int save_log(void *ctx, int fd)
{
	const struct init_saver *saver = ctx;

	return saver->save_log(saver->ctx, fd);
}

static int step_pstore(void *ctx)
{
	struct worker *w = ctx;
	size_t saved;
	int err;

	if (!w->core_open || w->st->pstore_done)
		return STEPS_SKIP;
	w->st->pstore_done = true; /* before it is: if it kills a worker, then one */
	err = pstore_save(PSTORE_DEVICE, save_log, (void *)w->saver, pstore_room(), &saved);
	if (err == -ENOENT)
		return STEPS_SKIP;
	if (err)
		return steps_fail(&w->st->progress, err, "cannot write the log to %s: %s",
				  PSTORE_DEVICE, strerror(-err));
	log_info("the log's last %zu bytes are in pstore", saved);
	return 0;
}

static int step_target(void *ctx)
{
	struct worker *w = ctx;
	int err = w->target.ops->wait(&w->target);

	if (err)
		return fail_target(w, err);
	snprintf(w->t->device, sizeof(w->t->device), "%s", w->target.device.node);
	snprintf(w->t->text, sizeof(w->t->text), "%s", w->target.description);
	log_info("found %s", w->target.description);
	return 0;
}

static int step_mount(void *ctx)
{
	struct worker *w = ctx;
	uint64_t space;
	int err;

	w->t->attached = true; /* before it is: whoever comes after must try to unmount */
	err = w->target.ops->open(&w->target);
	snprintf(w->t->fstype, sizeof(w->t->fstype), "%s", w->target.fstype);
	if (err)
		return fail_target(w, err);
	if (w->target.ops->space(&w->target, &space) == 0)
		log_info("%s is open, %" PRIu64 " MiB free", w->target.where->where, space >> 20);
	return 0;
}

static int step_directory(void *ctx)
{
	struct worker *w = ctx;
	int err;

	if (w->t->dir_name[0]) {
		strcpy(w->target.dir_name, w->t->dir_name);
		err = w->target.ops->reopen(&w->target);
	} else {
		err = w->target.ops->make_dir(&w->target, time(NULL));
	}
	if (err)
		return fail_target(w, err);
	strcpy(w->t->dir_name, w->target.dir_name);
	log_info("%s/%s", w->target.where->path, w->t->dir_name);
	/* If the machine dies in what follows, this is the record that stays. */
	err = record_write(w->st, &w->steps, w->st->target, &w->target);
	return err ? fail_target(w, err) : 0;
}

static int step_log(void *ctx)
{
	struct worker *w = ctx;
	struct target_file file;
	int err;

	if (!w->core_open || w->t->log_saved)
		return STEPS_SKIP;
	err = w->target.ops->create(&w->target, RECORD_LOG_TMP, &file);
	if (err)
		return fail_target(w, err);
	err = w->saver->save_log(w->saver->ctx, file.fd);
	if (err) {
		w->target.ops->abandon(&w->target, &file);
		record_describe(w->st, w->saver);
		return err;
	}
	err = w->target.ops->commit(&w->target, &file, RECORD_LOG_NAME);
	record_describe(w->st, w->saver);
	if (err)
		return fail_target(w, err);
	w->t->log_saved = true;
	log_info("%s saved", RECORD_LOG_NAME);
	return 0;
}

/* Where this capture's directory is in this system, or "" where it is not. */
static void find_directory(const struct worker *w, char *buf, size_t size)
{
	char link[32], mount_point[STATE_MOUNT_POINT_SIZE];
	ssize_t len = -1;

	if (w->target.dir_fd >= 0) {
		/* With the symbolic links of the target's path followed as they were. */
		snprintf(link, sizeof(link), "/proc/self/fd/%d", w->target.dir_fd);
		len = readlink(link, buf, size - 1);
		buf[len > 0 ? len : 0] = '\0';
		return;
	}
	state_mount_point(w->st->target, mount_point);
	snprintf(buf, size, "%s%s/%s", mount_point, w->st->config.targets[w->st->target].path,
		 w->t->dir_name);
	if (access(buf, X_OK))
		*buf = '\0';
}

/* The hooks of a kind, with what there is to tell of the current target. */
static void call_hooks(struct worker *w, enum hooks_kind kind, const char *argument,
		       struct hooks_result *result_ret)
{
	char mount_point[STATE_MOUNT_POINT_SIZE] = "", directory[768] = "", reason[1024];
	int i = w->t ? (int)w->st->target : -1;
	struct hooks_call call = {
		.kind = kind,
		.config = &w->st->config,
		.argument = argument,
		.verdict = state_verdict(w->st, i),
		.reason = state_reason(w->st, &w->steps, i, reason, sizeof(reason)),
		.alive = alive,
		.alive_ctx = w,
	};

	if (w->t) {
		find_directory(w, directory, sizeof(directory));
		state_mount_point(w->st->target, mount_point);
		call.where = w->st->config.targets[w->st->target].where;
		call.directory = directory;
		call.mount_point = *directory ? mount_point : NULL;
		call.dump = w->t->dump_name;
	}
	hooks_run(&call, result_ret);
}

/* As kdump.conf(5) has it, anything but a status of 0 of kdump_pre means no dump; that
 * includes a program that cannot be run: it may be what keeps a shared disk from harm. */
static int step_pre(void *ctx)
{
	struct worker *w = ctx;
	struct hooks_result result;

	if (w->st->pre_done || state_dump_saved(w->st))
		return STEPS_SKIP;
	call_hooks(w, HOOKS_PRE, NULL, &result);
	w->st->pre_done = true;
	if (result.program_failed) {
		w->st->refused = true;
		snprintf(w->st->failure, sizeof(w->st->failure), "%.150s: no dump is wanted",
			 result.why);
		return steps_fail(&w->st->progress, -ECANCELED, "%s", w->st->failure);
	}
	if (result.failed)
		return steps_note(&w->st->progress, -ECHILD, result.why);
	return result.ran ? 0 : STEPS_SKIP;
}

static bool wants_dump(const struct worker *w)
{
	return w->core_open && !w->st->refused && !state_dump_saved(w->st);
}

/* Earlier captures give way where not even the least would fit, one after the other. */
static bool make_room(struct worker *w)
{
	return !retain_remove_oldest(w->target.dir_fd, w->t->dir_name, alive, w) &&
	       (!w->target.ops->sync || !w->target.ops->sync(&w->target));
}

static int step_retain(void *ctx)
{
	struct worker *w = ctx;
	struct retain_count count;
	int err;

	if (!w->t->dump_saved || w->target.dir_fd < 0 || !retain_wanted(&w->st->config))
		return STEPS_SKIP;
	err = retain_apply(w->target.dir_fd, w->t->dir_name, &w->st->config, alive, w, &count);
	if (err == -EIO)
		return steps_note(&w->st->progress, err,
				  "not every earlier capture could be removed");
	return err;
}

/* How much of the dump the target can take; the last resort takes what goes in. */
static int step_room(void *ctx)
{
	struct worker *w = ctx;
	const bool last = w->st->phase == STATE_TOO_SMALL || w->st->config.nr_targets == 1;
	bool spare = w->target.dir_fd >= 0 && retain_wanted(&w->st->config);
	uint64_t space, need;
	int err;

	w->t->too_small = false;
	if (!wants_dump(w))
		return STEPS_SKIP;
	for (;;) {
		if (w->target.ops->space(&w->target, &space))
			return STEPS_SKIP;
		err = w->saver->fit(w->saver->ctx, space, last && !spare, &need, alive, w);
		if (err != -ENOSPC || !spare)
			break;
		spare = make_room(w);
	}
	if (err != -ENOSPC)
		return err;
	w->t->too_small = true;
	return steps_fail(&w->st->progress, err,
			  "no room on %.80s: %" PRIu64 " MiB free, the dump takes about %" PRIu64,
			  w->target.where->where, space >> 20, need >> 20);
}

/* Asked to be noted alone: why the dump is not complete stays the target's sentence. */
static uint64_t dump_bytes(struct worker *w, const char *name)
{
	char error[sizeof(w->target.error)];
	uint64_t bytes;

	memcpy(error, w->target.error, sizeof(error));
	if (w->target.ops->bytes(&w->target, name, &bytes))
		bytes = 0;
	memcpy(w->target.error, error, sizeof(error));
	return bytes;
}

static void note_dump(struct worker *w, const char *name)
{
	snprintf(w->t->dump_name, sizeof(w->t->dump_name), "%s", name);
	w->t->dump_bytes = dump_bytes(w, name);
}

/* Returns the dump's failure; a target's sentence of it is in target->error. */
static int save_dump(struct worker *w, struct target_file *file)
{
	const char *name = file->stream ? RECORD_DUMP_FLAT : RECORD_DUMP_NAME;
	int err = w->saver->save_dump(w->saver->ctx, file, alive, w);

	record_describe(w->st, w->saver);
	if (err) {
		target_fail(&w->target, err, "the dump is not complete: %s",
			    target_write_problem(err));
		w->target.ops->abandon(&w->target, file);
		note_dump(w, RECORD_DUMP_TMP);
		w->t->dump_started = w->t->dump_bytes > 0;
		return err;
	}
	err = w->target.ops->commit(&w->target, file, name);
	note_dump(w, err ? RECORD_DUMP_TMP : name);
	w->t->dump_saved = !err;
	return err;
}

static int step_dump(void *ctx)
{
	struct worker *w = ctx;
	struct target_file file;
	int err;

	w->t->dump_tried = !w->t->too_small && !w->st->refused && !state_dump_saved(w->st);
	if (!wants_dump(w) || w->t->too_small)
		return STEPS_SKIP;
	err = w->target.ops->create(&w->target, RECORD_DUMP_TMP, &file);
	if (err)
		return fail_target(w, err);
	/* If the machine dies during the dump, this is the record that stays. */
	w->t->dump_started = true;
	snprintf(w->t->dump_name, sizeof(w->t->dump_name), "%s", RECORD_DUMP_TMP);
	record_write(w->st, &w->steps, w->st->target, &w->target);
	alive(w);
	err = save_dump(w, &file);
	if (err)
		return fail_target(w, err);
	log_info("%s saved, %" PRIu64 " MiB", w->t->dump_name,
		 DIV_ROUND_UP(w->t->dump_bytes, 1 << 20));
	return 0;
}

static int step_post(void *ctx)
{
	struct worker *w = ctx;
	struct hooks_result result;

	if (!w->t->dump_tried || w->t->post_done)
		return STEPS_SKIP;
	w->t->post_done = true;
	/* They find a manifest beside the dump, and if the machine dies now, it is true. */
	if (w->target.ops && w->t->dir_name[0])
		record_write(w->st, &w->steps, w->st->target, &w->target);
	call_hooks(w, HOOKS_POST, w->t->dump_saved ? "0" : "1", &result);
	if (result.failed)
		return steps_note(&w->st->progress, -ECHILD, result.why);
	return result.ran ? 0 : STEPS_SKIP;
}

static int step_emergency(void *ctx)
{
	struct worker *w = ctx;
	struct hooks_result result;

	call_hooks(w, HOOKS_EMERGENCY, NULL, &result);
	if (result.failed)
		return steps_note(&w->st->progress, -ECHILD, result.why);
	return result.ran ? 0 : STEPS_SKIP;
}

static int step_manifest(void *ctx)
{
	struct worker *w = ctx;
	int err;

	if (!w->t->dir_name[0])
		return STEPS_SKIP;
	memory_sample(w->st, getpid());
	err = record_write(w->st, &w->steps, w->st->target, &w->target);
	if (err)
		return fail_target(w, err);
	w->t->recorded = true;
	return 0;
}

static int step_unmount(void *ctx)
{
	struct worker *w = ctx;
	int err;

	if (!w->t->attached)
		return STEPS_SKIP;
	err = w->target.ops->close(&w->target);
	if (err)
		return fail_target(w, err);
	w->t->attached = false;
	return 0;
}

static const struct step prepare_rows[] = {
	{ "config", STEP_REQUIRED, 20, 0, step_config },
	{ "modules", STEP_BEST_EFFORT, 180, 0, step_modules },
	{ "network", STEP_BEST_EFFORT, 30, offsetof(struct config, device_timeout), step_network },
};

static const struct step core_rows[] = {
	{ "core", STEP_BEST_EFFORT, 60, 0, step_core },
	{ "pstore", STEP_BEST_EFFORT, 60, 0, step_pstore },
};

static const struct step target_rows[] = {
	{ "target", STEP_REQUIRED, 30, offsetof(struct config, device_timeout), step_target },
	{ "mount", STEP_REQUIRED, 300, 0, step_mount },
	{ "directory", STEP_REQUIRED, 60, 0, step_directory },
	{ "log", STEP_BEST_EFFORT, 120, 0, step_log },
	{ "pre", STEP_BEST_EFFORT, 0, 0, step_pre }, /* a hook has a limit of its own */
	{ "room", STEP_BEST_EFFORT, 0, 0, step_room },
	{ "dump", STEP_BEST_EFFORT, 0, 0, step_dump },
	{ "post", STEP_ALWAYS, 0, 0, step_post },
	{ "retain", STEP_BEST_EFFORT, 300, 0, step_retain },
	{ "manifest", STEP_ALWAYS, 60, 0, step_manifest },
	{ "unmount", STEP_ALWAYS, 300, 0, step_unmount },
};

static const struct step after_death_rows[] = {
	{ "post", STEP_ALWAYS, 0, 0, step_post },
};

static const struct step emergency_rows[] = {
	{ "emergency", STEP_ALWAYS, 0, 0, step_emergency },
};

enum {
	PREPARE,
	CORE,
	TARGET,
	AFTER_DEATH,
	EMERGENCY,
};

static const struct steps_table worker_tables[] = {
	[PREPARE] = { prepare_rows, ARRAY_SIZE(prepare_rows) },
	[CORE] = { core_rows, ARRAY_SIZE(core_rows) },
	[TARGET] = { target_rows, ARRAY_SIZE(target_rows) },
	[AFTER_DEATH] = { after_death_rows, ARRAY_SIZE(after_death_rows) },
	[EMERGENCY] = { emergency_rows, ARRAY_SIZE(emergency_rows) },
};

_Static_assert(ARRAY_SIZE(prepare_rows) + ARRAY_SIZE(emergency_rows) +
			       STATE_MAX_TARGETS *
				       (ARRAY_SIZE(core_rows) + 2 * ARRAY_SIZE(target_rows) +
					ARRAY_SIZE(after_death_rows)) <=
		       STEPS_MAX,
	       "each run has an entry");

struct steps worker_steps(struct init_state *st)
{
	return (struct steps){
		.tables = worker_tables,
		.nr_tables = ARRAY_SIZE(worker_tables),
		.progress = &st->progress,
		.group = STATE_ALL_TARGETS,
		.now_ms = clock_ms,
	};
}

static bool is_rootfs_fallback(const struct config *config, unsigned i)
{
	return config->failure_action == CONFIG_DUMP_TO_ROOTFS && i > 0 &&
	       i + 1 == config->nr_targets;
}

/* Whether target @i gets its turn in this phase. */
static bool has_turn(const struct init_state *st, unsigned i)
{
	const struct state_target *t = &st->targets[i];

	const int best = state_best(st);

	if (st->phase == STATE_TOO_SMALL)
		return t->too_small && (best < 0 || !st->targets[best].dump_started);
	return !(is_rootfs_fallback(&st->config, i) && state_dump_saved(st));
}

static int visit(struct worker *w)
{
	struct init_state *st = w->st;
	char mount_point[STATE_MOUNT_POINT_SIZE];
	int err;

	w->t = &st->targets[st->target];
	w->t->visited = true;
	w->t->recorded = false;
	w->steps.group = st->target;
	state_mount_point(st->target, mount_point);
	mkdir(mount_point, 0755);
	w->target = (struct target){ .alive = alive, .alive_ctx = w };
	err = target_init(&w->target, &st->config, &st->config.targets[st->target], mount_point);
	if (err) {
		log_error("%s", w->target.error);
		return err;
	}
	if (state_dump_saved(st))
		w->target.wait_s = MIN(w->target.wait_s, (unsigned)QUICK_WAIT_S);
	err = steps_run(&w->steps, &worker_tables[TARGET], 0, w);
	w->steps.group = STATE_ALL_TARGETS;
	return err;
}

static int visit_all(struct worker *w)
{
	struct init_state *st = w->st;
	int err, first = 0;

	for (; st->target < st->config.nr_targets; st->target++) {
		if (!has_turn(st, st->target))
			continue;
		err = visit(w);
		if (err && !first)
			first = err;
	}
	return first;
}

/* The row behind the last one that ran. */
static size_t next_row(const struct steps *s, const struct steps_table *table)
{
	const struct step *last = steps_row(s, steps_current(s));

	return last >= table->rows && last < table->rows + table->nr ? last - table->rows + 1 : 0;
}

int worker_run(struct init_state *st, const struct init_saver *saver)
{
	struct worker w = { .st = st, .saver = saver, .steps = worker_steps(st) };
	const struct steps_table *prepare = &worker_tables[PREPARE];
	int err = 0;

	if (st->phase == STATE_PREPARE) {
		err = steps_run(&w.steps, prepare, next_row(&w.steps, prepare), &w);
		st->phase = STATE_CORE;
	}
	if (!st->no_core)
		steps_run(&w.steps, &worker_tables[CORE], 0, &w);
	if (st->phase == STATE_CORE)
		st->phase = STATE_TARGETS;
	if (st->phase == STATE_TARGETS) {
		err = visit_all(&w);
		st->target = 0;
		st->phase = STATE_TOO_SMALL;
	}
	if (st->phase == STATE_TOO_SMALL)
		visit_all(&w);
	st->phase = STATE_DONE;
	return err;
}

void worker_post_mortem(struct init_state *st)
{
	struct worker w = {
		.st = st,
		.steps = worker_steps(st),
		.target = { .dir_fd = -1 },
		.t = &st->targets[st->target],
	};

	w.steps.group = st->target;
	steps_run(&w.steps, &worker_tables[AFTER_DEATH], 0, &w);
}

void worker_emergency(struct init_state *st)
{
	struct worker w = { .st = st, .steps = worker_steps(st), .target = { .dir_fd = -1 } };

	steps_run(&w.steps, &worker_tables[EMERGENCY], 0, &w);
}

bool worker_go_on(struct init_state *st)
{
	switch (st->phase) {
	case STATE_PREPARE:
		return true; /* behind the row that was the end of it */
	case STATE_CORE:
		st->no_core = true;
		return true;
	case STATE_TARGETS:
	case STATE_TOO_SMALL:
		st->target++;
		return true;
	default:
		return false;
	}
}
