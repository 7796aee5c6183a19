// SPDX-License-Identifier: GPL-2.0-or-later
/* The hooks of kdump.conf(5), as steps. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/init/hooks.h"
#include "capture/init/record.h"
#include "capture/init/worker_private.h"

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
	*buf = '\0';
	if (w->t->hangs)
		return;
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
		.until_ms = state_end_ms(w->st),
		.group_ret = &w->st->hook_group,
		.alive = worker_alive,
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
int worker_step_pre(void *ctx)
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

int worker_step_post(void *ctx)
{
	struct worker *w = ctx;
	struct hooks_result result;

	if (!w->t->dump_tried || w->t->post_done)
		return STEPS_SKIP;
	w->t->post_done = true;
	/* They find a manifest beside the dump, and if the machine dies now, it is true. */
	if (w->in_directory)
		record_write(w->st, &w->steps, w->st->target, &w->target);
	call_hooks(w, HOOKS_POST, w->t->dump_saved ? "0" : "1", &result);
	if (result.failed)
		return steps_note(&w->st->progress, -ECHILD, result.why);
	return result.ran ? 0 : STEPS_SKIP;
}

int worker_step_emergency(void *ctx)
{
	struct worker *w = ctx;
	struct hooks_result result;

	call_hooks(w, HOOKS_EMERGENCY, NULL, &result);
	if (result.failed)
		return steps_note(&w->st->progress, -ECHILD, result.why);
	return result.ran ? 0 : STEPS_SKIP;
}
