/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the worker share; not for others. */
#ifndef CAPTURE_INIT_WORKER_PRIVATE_H
#define CAPTURE_INIT_WORKER_PRIVATE_H

#include "capture/init/worker.h"
#include "capture/target/target.h"

/**
 * struct worker - What a step gets as its context.
 * @st: shared with the supervisor
 * @saver: NULL where hooks alone are run
 * @target: the one whose turn it is
 * @t: what the state has of it; NULL where no target has its turn
 * @in_directory: @target is open, and in the capture's directory
 */
struct worker {
	struct init_state *st;
	const struct init_saver *saver;
	struct steps steps;
	struct target target;
	struct state_target *t;
	bool core_open;
	bool in_directory;
};

/** worker_alive() - A sign of life, of a struct worker. */
void worker_alive(void *ctx);

/** worker_fail_target() - The target's sentence becomes the step's. Return: @err. */
int worker_fail_target(struct worker *w, int err);

/* worker_prepare.c */
int worker_step_config(void *ctx);
int worker_step_modules(void *ctx);
int worker_step_network(void *ctx);
int worker_step_core(void *ctx);
int worker_step_pstore(void *ctx);

/* worker_target.c */
int worker_step_target(void *ctx);
int worker_step_mount(void *ctx);
int worker_step_directory(void *ctx);
int worker_step_log(void *ctx);
int worker_step_retain(void *ctx);
int worker_step_room(void *ctx);
int worker_step_dump(void *ctx);
int worker_step_manifest(void *ctx);
int worker_step_unmount(void *ctx);

/* worker_hooks.c */
int worker_step_pre(void *ctx);
int worker_step_post(void *ctx);
int worker_step_emergency(void *ctx);

#endif
