/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture itself, as tables of steps in a process of its own. */
#ifndef CAPTURE_INIT_WORKER_H
#define CAPTURE_INIT_WORKER_H

#include "capture/init/init.h"
#include "capture/init/state.h"

#define WORKER_SAY_SIZE	   960
#define WORKER_ROOTFS_PATH "/etc/vmcore-save/rootfs" /* "ext4 UUID=…": a line as of a target */

/** worker_steps() - The tables, with their progress in @st. */
struct steps worker_steps(struct init_state *st);

/** worker_run() - Run all steps that are left. Return: 0, or the first failure. */
int worker_run(struct init_state *st, const struct init_saver *saver);

/** worker_post_mortem() - In a process of its own, after a worker's death: the hooks that
 * follow a dump, where it died in one. */
void worker_post_mortem(struct init_state *st);

/** worker_emergency() - In a process of its own, after all has failed: the hooks for that. */
void worker_emergency(struct init_state *st);

/**
 * worker_go_on() - After a worker's death: set aside what it was at, so that the next
 * worker_run() goes on behind that.
 * @say, @size: gets the sentence: what is lost, and what is next
 *
 * Return: false where nothing is left to be done.
 */
bool worker_go_on(struct init_state *st, char *say, size_t size);

#endif
