// SPDX-License-Identifier: GPL-2.0-or-later
/* The turn of a target. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/init/memory.h"
#include "capture/init/record.h"
#include "capture/init/worker_private.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/retain.h"
#include "lib/util.h"

int worker_step_target(void *ctx)
{
	struct worker *w = ctx;
	int err = -EOPNOTSUPP; /* of target_init() */

	if (w->target.ops) {
		/* Some are mounted to see whether they are there. */
		mkdir(w->target.mount_point, 0755);
		err = w->target.ops->wait(&w->target);
	}
	if (err)
		return worker_fail_target(w, err);
	snprintf(w->t->device, sizeof(w->t->device), "%s", w->target.device.node);
	log_info("found %s", w->target.description);
	return 0;
}

int worker_step_mount(void *ctx)
{
	struct worker *w = ctx;
	uint64_t space;
	int err;

	w->t->attached = true; /* before it is: whoever comes after must try to unmount */
	err = w->target.ops->open(&w->target);
	snprintf(w->t->fstype, sizeof(w->t->fstype), "%s", w->target.fstype);
	if (err)
		return worker_fail_target(w, err);
	if (w->target.ops->space(&w->target, &space) == 0)
		log_info("%s is open, %" PRIu64 " MiB free", w->target.where->where, space >> 20);
	return 0;
}

/* Whether there are earlier captures that may give way. */
static bool may_make_room(const struct worker *w)
{
	return w->target.dir_fd >= 0 && retain_wanted(&w->st->config);
}

/* The oldest capture goes. Before there is a directory of this one, its name is as it would be. */
static bool make_room(struct worker *w)
{
	_close_ int parent = openat(w->target.dir_fd, w->in_directory ? ".." : ".",
				    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char own[DIR_NAME_SIZE];

	if (parent < 0)
		return false;
	dir_format_name(own, time(NULL), ':', 0);
	return !retain_remove_oldest(parent, w->in_directory ? w->t->dir_name : own, worker_alive,
				     w) &&
	       (!w->target.ops->sync || !w->target.ops->sync(&w->target));
}

/* After @err of what takes up next to nothing: whether another try has more room. One only, so
 * that a disk with another problem does not cost all earlier captures. */
static bool has_freed_room(struct worker *w, int err)
{
	if ((err != -ENOSPC && err != -EDQUOT) || !may_make_room(w))
		return false;
	log_warn("%s; an earlier capture gives way", w->target.error);
	return make_room(w);
}

static int enter_directory(struct worker *w)
{
	int err = 0;

	if (w->t->dir_name[0] && !w->in_directory) {
		strcpy(w->target.dir_name, w->t->dir_name);
		err = w->target.ops->reopen(&w->target);
	} else if (!w->in_directory) {
		err = w->target.ops->make_dir(&w->target, time(NULL));
	}
	if (err)
		return err;
	w->in_directory = true;
	strcpy(w->t->dir_name, w->target.dir_name);
	/* If the machine dies in what follows, this is the record that stays. */
	return record_write(w->st, &w->steps, w->st->target, &w->target);
}

int worker_step_directory(void *ctx)
{
	struct worker *w = ctx;
	int err = enter_directory(w);

	if (has_freed_room(w, err))
		err = enter_directory(w);
	if (err)
		return worker_fail_target(w, err);
	log_info("%s/%s", config_path_prefix(w->target.where->path), w->t->dir_name);
	return 0;
}

static int save_log(struct worker *w)
{
	struct target_file file;
	int err = w->target.ops->create(&w->target, RECORD_LOG_TMP, &file);

	if (err)
		return err;
	err = w->saver->save_log(w->saver->ctx, file.fd);
	if (err) {
		target_fail(&w->target, err, "the log is not complete: %s",
			    target_write_problem(err));
		w->target.ops->abandon(&w->target, &file);
	} else {
		err = w->target.ops->commit(&w->target, &file, RECORD_LOG_NAME);
	}
	record_describe(w->st, w->saver);
	return err;
}

int worker_step_log(void *ctx)
{
	struct worker *w = ctx;
	int err;

	if (!w->core_open || w->t->log_saved)
		return STEPS_SKIP;
	err = save_log(w);
	if (has_freed_room(w, err))
		err = save_log(w);
	if (err)
		return worker_fail_target(w, err);
	w->t->log_saved = true;
	log_info("%s saved", RECORD_LOG_NAME);
	return 0;
}

static bool wants_dump(const struct worker *w)
{
	return w->core_open && !w->st->refused && !state_dump_saved(w->st);
}

int worker_step_retain(void *ctx)
{
	struct worker *w = ctx;
	struct retain_count count;
	int err;

	if (!w->t->dump_saved || w->target.dir_fd < 0 || !retain_wanted(&w->st->config))
		return STEPS_SKIP;
	err = retain_apply(w->target.dir_fd, w->t->dir_name, &w->st->config, worker_alive, w,
			   &count);
	if (err == -EIO)
		return steps_note(&w->st->progress, err,
				  "not every earlier capture could be removed");
	return err;
}

/* How much of the dump the target can take; the last resort takes what goes in. Earlier captures
 * give way where not even the least would fit, one after the other. */
int worker_step_room(void *ctx)
{
	struct worker *w = ctx;
	const bool last = w->st->phase == STATE_TOO_SMALL || w->st->config.nr_targets == 1;
	bool spare = may_make_room(w);
	uint64_t space, need;
	int err;

	w->t->too_small = false;
	if (!wants_dump(w))
		return STEPS_SKIP;
	w->t->squeezed = last;
	for (;;) {
		if (w->target.ops->space(&w->target, &space))
			return STEPS_SKIP;
		err = w->saver->fit(w->saver->ctx, space, last && !spare, &need, worker_alive, w);
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

/* Asked to be noted alone: why the dump is not complete stays the target's sentence.
 * Return: whether there is something, or may be, where the target does not answer. */
static bool note_dump(struct worker *w, const char *name)
{
	char error[sizeof(w->target.error)];
	uint64_t bytes = 0;
	int err;

	memcpy(error, w->target.error, sizeof(error));
	err = w->target.ops->bytes(&w->target, name, &bytes);
	memcpy(w->target.error, error, sizeof(error));
	snprintf(w->t->dump_name, sizeof(w->t->dump_name), "%s", name);
	w->t->dump_bytes = err ? 0 : bytes;
	return err ? err != -ENOENT : bytes > 0;
}

/* Returns the dump's failure; a target's sentence of it is in target->error. */
static int save_dump(struct worker *w, struct target_file *file)
{
	const char *name = file->stream ? RECORD_DUMP_FLAT : RECORD_DUMP_NAME;
	int err = w->saver->save_dump(w->saver->ctx, file, worker_alive, w);

	record_describe(w->st, w->saver);
	if (err) {
		target_fail(&w->target, err, "the dump is not complete: %s",
			    target_write_problem(err));
		w->target.ops->abandon(&w->target, file);
		w->t->dump_started = note_dump(w, RECORD_DUMP_TMP);
		return err;
	}
	err = w->target.ops->commit(&w->target, file, name);
	if (err) {
		w->saver->lose_dump(w->saver->ctx, err);
		record_describe(w->st, w->saver);
	}
	note_dump(w, err ? RECORD_DUMP_TMP : name);
	w->t->dump_saved = !err;
	return err;
}

int worker_step_dump(void *ctx)
{
	struct worker *w = ctx;
	struct target_file file;
	int err;

	w->t->dump_tried = !w->t->too_small && !w->st->refused && !state_dump_saved(w->st);
	if (!wants_dump(w) || w->t->too_small)
		return STEPS_SKIP;
	err = w->target.ops->create(&w->target, RECORD_DUMP_TMP, &file);
	if (err)
		return worker_fail_target(w, err);
	/* If the machine dies during the dump, this is the record that stays. */
	w->t->dump_started = true;
	snprintf(w->t->dump_name, sizeof(w->t->dump_name), "%s", RECORD_DUMP_TMP);
	record_write(w->st, &w->steps, w->st->target, &w->target);
	worker_alive(w);
	err = save_dump(w, &file);
	if (err)
		return worker_fail_target(w, err);
	log_info("%s saved, %" PRIu64 " MiB", w->t->dump_name,
		 DIV_ROUND_UP(w->t->dump_bytes, 1 << 20));
	return 0;
}

int worker_step_manifest(void *ctx)
{
	struct worker *w = ctx;
	int err;

	/* On a second visit it has a name, but may not be there any more. */
	if (!w->in_directory)
		return STEPS_SKIP;
	memory_sample(w->st, getpid());
	err = record_write(w->st, &w->steps, w->st->target, &w->target);
	if (err)
		return worker_fail_target(w, err);
	w->t->recorded = true;
	w->t->knows_dump = state_dump_saved(w->st);
	return 0;
}

int worker_step_unmount(void *ctx)
{
	struct worker *w = ctx;
	int err;

	if (!w->t->attached)
		return STEPS_SKIP;
	err = w->target.ops->close(&w->target);
	w->t->gone = err == -ETIMEDOUT;
	if (err)
		return worker_fail_target(w, err);
	w->t->attached = false;
	return 0;
}
