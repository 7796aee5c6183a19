// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "capture/init/memory.h"
#include "capture/init/modules.h"
#include "capture/init/record.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define CMDLINE_MAX   (64u << 10)
#define LOG_TMP_NAME  "vmcore-dmesg-incomplete.txt"
#define DUMP_TMP_NAME RECORD_DUMP_NAME "-incomplete"

struct worker {
	struct init_state *st;
	const struct init_saver *saver;
	struct steps steps;
	struct target target;
	int dir_fd; /* the dump's directory */
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

static int step_config(void *ctx)
{
	struct worker *w = ctx;
	_free_ char *text = NULL, *cmdline = NULL;
	struct config config;
	size_t len;
	int err;

	config_init(&config);
	err = io_read_file(CONFIG_PATH, CONFIG_MAX_BYTES, &text, &len);
	if (err)
		log_error("cannot read %s: %s", CONFIG_PATH, strerror(-err));
	else
		config_parse(text, len, CONFIG_PATH, &config, report, NULL);
	err = io_read_file("/proc/cmdline", CMDLINE_MAX, &cmdline, NULL);
	if (err)
		log_error("cannot read the kernel command line: %s", strerror(-err));
	else
		config_override(cmdline, &config, report, NULL);
	w->st->config = config;

	err = w->saver->configure(w->saver->ctx,
				  *config.core_collector ? config.core_collector : NULL);
	if (err && *config.core_collector) /* a mistake there must not lose the dump */
		err = w->saver->configure(w->saver->ctx, NULL);
	if (err)
		return err;
	w->target.ops = target_ops_for(&w->st->config);
	if (!w->target.ops)
		return steps_fail(&w->st->progress, -ENODATA, "no target is configured");
	log_info("%s %s, path %s; then %s, after a failure %s", config.fstype, config.device,
		 config.path, config_action_name(config.final_action),
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

static int step_target(void *ctx)
{
	struct worker *w = ctx;
	int err = w->target.ops->wait(&w->target);

	if (err)
		return fail_target(w, err);
	snprintf(w->st->device, sizeof(w->st->device), "%s", w->target.device.node);
	snprintf(w->st->target_text, sizeof(w->st->target_text), "%s", w->target.description);
	log_info("found %s", w->target.description);
	return 0;
}

/* Leaves the directory at config.path open in w->dir_fd; step_directory() goes into it. */
static int step_mount(void *ctx)
{
	struct worker *w = ctx;
	_close_ int root = -1;
	struct statvfs vfs;
	int err;

	w->st->mounted = true; /* before it is: whoever comes after must try to unmount */
	err = w->target.ops->open(&w->target, &root);
	snprintf(w->st->fstype, sizeof(w->st->fstype), "%s", w->target.fstype);
	if (err)
		return fail_target(w, err);
	if (fstatvfs(root, &vfs) == 0)
		log_info("%s mounted as %s, %" PRIu64 " MiB free", w->st->device, w->st->fstype,
			 (uint64_t)vfs.f_bfree * vfs.f_frsize >> 20);
	err = dir_open_path(root, w->st->config.path, &w->dir_fd);
	if (err)
		return steps_fail(&w->st->progress, err, "cannot make %.100s on %.40s: %s",
				  w->st->config.path, w->st->device, strerror(-err));
	return 0;
}

static int step_directory(void *ctx)
{
	struct worker *w = ctx;
	char name[DIR_NAME_SIZE];
	int fd, err = dir_create_stamped(w->dir_fd, time(NULL), name, &fd);

	if (err)
		return steps_fail(&w->st->progress, err, "cannot make a directory in %.100s: %s",
				  w->st->config.path, strerror(-err));
	close(w->dir_fd);
	w->dir_fd = fd;
	strcpy(w->st->dir_name, name);
	log_info("%s/%s", w->st->config.path, name);
	record_write(w->st, &w->steps, w->dir_fd);
	return 0;
}

static int step_core(void *ctx)
{
	struct worker *w = ctx;
	int err = w->saver->open(w->saver->ctx, w->st->config.vmcore);

	if (err) {
		snprintf(w->st->progress.state[steps_current(&w->steps)].error, STEPS_ERROR_SIZE,
			 "cannot open %.120s: %s", w->st->config.vmcore, strerror(-err));
		return err;
	}
	w->core_open = true;
	record_describe(w->st, w->saver);
	return 0;
}

static uint64_t file_size(int fd)
{
	struct stat sb;

	return fstat(fd, &sb) == 0 ? sb.st_size : 0;
}

static int step_log(void *ctx)
{
	struct worker *w = ctx;
	_close_ int fd = -1;
	int err;

	if (!w->core_open)
		return STEPS_SKIP;
	fd = dir_open_file(w->dir_fd, LOG_TMP_NAME);
	if (fd < 0)
		return steps_fail(&w->st->progress, fd, "cannot make %s: %s", LOG_TMP_NAME,
				  strerror(-fd));
	err = w->saver->save_log(w->saver->ctx, fd);
	if (err) {
		fsync(fd);
		if (!file_size(fd))
			unlinkat(w->dir_fd, LOG_TMP_NAME, 0);
		record_describe(w->st, w->saver);
		return err;
	}
	err = dir_commit_file(w->dir_fd, fd, LOG_TMP_NAME, RECORD_LOG_NAME);
	if (err)
		return steps_fail(&w->st->progress, err, "cannot save %s: %s", RECORD_LOG_NAME,
				  strerror(-err));
	w->st->log_saved = true;
	record_describe(w->st, w->saver);
	log_info("%s saved, %" PRIu64 " KiB", RECORD_LOG_NAME, (file_size(fd) + 1023) >> 10);
	return 0;
}

static int save_dump(struct worker *w, int fd)
{
	int err = w->saver->save_dump(w->saver->ctx, fd, alive, w);

	w->st->dump_bytes = file_size(fd);
	if (!err)
		err = dir_commit_file(w->dir_fd, fd, DUMP_TMP_NAME, RECORD_DUMP_NAME);
	else
		fsync(fd);
	return err;
}

static int step_dump(void *ctx)
{
	struct worker *w = ctx;
	_close_ int fd = -1;
	int err;

	if (!w->core_open)
		return STEPS_SKIP;
	fd = dir_open_file(w->dir_fd, DUMP_TMP_NAME);
	if (fd < 0)
		return steps_fail(&w->st->progress, fd, "cannot make %s: %s", DUMP_TMP_NAME,
				  strerror(-fd));
	/* If the machine dies during the dump, this is the record that stays. */
	w->st->dump_started = true;
	record_write(w->st, &w->steps, w->dir_fd);
	alive(w);
	err = save_dump(w, fd);
	record_describe(w->st, w->saver);
	if (err) {
		if (!w->st->dump_bytes && unlinkat(w->dir_fd, DUMP_TMP_NAME, 0) == 0)
			w->st->dump_started = false;
		return steps_fail(&w->st->progress, err, "the dump is not complete: %s",
				  strerror(-err));
	}
	w->st->dump_saved = true;
	log_info("%s saved, %" PRIu64 " MiB", RECORD_DUMP_NAME,
		 DIV_ROUND_UP(w->st->dump_bytes, 1 << 20));
	return 0;
}

static int step_manifest(void *ctx)
{
	struct worker *w = ctx;
	int err;

	if (!w->st->dir_name[0])
		return STEPS_SKIP;
	memory_sample(w->st, getpid());
	err = record_write(w->st, &w->steps, w->dir_fd);
	if (!err)
		w->st->recorded = true;
	return err;
}

static int step_unmount(void *ctx)
{
	struct worker *w = ctx;
	int err;

	if (!w->st->mounted)
		return STEPS_SKIP;
	if (w->dir_fd >= 0)
		close(take_fd(&w->dir_fd));
	err = w->target.ops->close(&w->target);
	if (err)
		return fail_target(w, err);
	w->st->mounted = false;
	return 0;
}

static const struct step worker_table[] = {
	{ "config", STEP_REQUIRED, 20, 0, step_config },
	{ "modules", STEP_BEST_EFFORT, 180, 0, step_modules },
	{ "target", STEP_REQUIRED, 30, offsetof(struct config, device_timeout), step_target },
	{ "mount", STEP_REQUIRED, 300, 0, step_mount },
	{ "directory", STEP_REQUIRED, 60, 0, step_directory },
	{ "core", STEP_BEST_EFFORT, 60, 0, step_core },
	{ "log", STEP_BEST_EFFORT, 120, 0, step_log },
	{ "dump", STEP_BEST_EFFORT, 0, 0, step_dump },
	{ "manifest", STEP_ALWAYS, 60, 0, step_manifest },
	{ "unmount", STEP_ALWAYS, 300, 0, step_unmount },
};

_Static_assert(ARRAY_SIZE(worker_table) <= STEPS_MAX, "struct steps_progress has room for all");

struct steps worker_steps(struct init_state *st)
{
	return (struct steps){
		.table = worker_table,
		.nr = ARRAY_SIZE(worker_table),
		.progress = &st->progress,
		.now_ms = clock_ms,
	};
}

int worker_run(struct init_state *st, const struct init_saver *saver)
{
	struct worker w = {
		.st = st,
		.saver = saver,
		.steps = worker_steps(st),
		.dir_fd = -1,
	};

	w.target.config = &st->config;
	w.target.mount_point = STATE_MOUNT_POINT;
	w.target.alive = alive;
	w.target.alive_ctx = &w;
	return steps_run(&w.steps, &w);
}
