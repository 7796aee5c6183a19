/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture itself, as a table of steps in a process of its own. */
#ifndef CAPTURE_INIT_WORKER_H
#define CAPTURE_INIT_WORKER_H

#include "capture/init/init.h"
#include "capture/init/state.h"

/** worker_steps() - The table, with its progress in @st. */
struct steps worker_steps(struct init_state *st);

/** worker_run() - Run all steps. Return: 0, or the first failure. */
int worker_run(struct init_state *st, const struct init_saver *saver);

#endif
