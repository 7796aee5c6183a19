// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/worker.h"

#include <errno.h>

#include "capture/init/worker_private.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

#define QUICK_WAIT_S	10 /* for targets that get the log alone */
#define MODULES_WORKERS 8u /* that may die of a module each */

void worker_alive(void *ctx)
{
	struct worker *w = ctx;

	steps_alive(&w->st->progress, clock_ms());
}

int worker_fail_target(struct worker *w, int err)
{
	return steps_fail(&w->st->progress, err, "%s", w->target.error);
}

enum {
	PREPARE_CONFIG,
	PREPARE_MODULES,
	PREPARE_NETWORK,
};

static const struct step prepare_rows[] = {
	[PREPARE_CONFIG] = { "config", STEP_REQUIRED, 20, 0, { 0 }, worker_step_config },
	[PREPARE_MODULES] = { "modules", STEP_BEST_EFFORT, 180, 0, { 0 }, worker_step_modules },
	[PREPARE_NETWORK] = { "network",
			      STEP_BEST_EFFORT,
			      30,
			      offsetof(struct config, device_timeout),
			      { 0 },
			      worker_step_network },
};

enum {
	CORE_OPEN,
	CORE_PSTORE,
};

static const struct step core_rows[] = {
	[CORE_OPEN] = { "core", STEP_BEST_EFFORT, 60, 0, { 0 }, worker_step_core },
	[CORE_PSTORE] = { "pstore", STEP_BEST_EFFORT, 60, 0, { 0 }, worker_step_pstore },
};

static const struct step target_rows[] = {
	{ "target",
	  STEP_REQUIRED,
	  30,
	  offsetof(struct config, device_timeout),
	  { .wait = 1 },
	  worker_step_target },
	{ "mount", STEP_REQUIRED, 300, 0, { .call = 2 }, worker_step_mount },
	{ "directory", STEP_REQUIRED, 60, 0, { .call = 2 }, worker_step_directory },
	{ "log", STEP_BEST_EFFORT, 120, 0, { .call = 1, .commit = 1 }, worker_step_log },
	/* A hook has a limit of its own. */
	{ "pre", STEP_BEST_EFFORT, 0, 0, { 0 }, worker_step_pre },
	{ "room", STEP_BEST_EFFORT, 0, 0, { 0 }, worker_step_room },
	{ "dump", STEP_BEST_EFFORT, 0, 0, { 0 }, worker_step_dump },
	{ "post", STEP_ALWAYS, 0, 0, { 0 }, worker_step_post },
	{ "retain", STEP_BEST_EFFORT, 300, 0, { 0 }, worker_step_retain },
	{ "manifest", STEP_ALWAYS, 60, 0, { .call = 1 }, worker_step_manifest },
	{ "unmount", STEP_ALWAYS, 300, 0, { 0 }, worker_step_unmount },
};

/* To a target that could not know yet where the dump went. */
static const struct step tell_rows[] = {
	{ "target", STEP_REQUIRED, 30, 0, { .wait = 1 }, worker_step_target },
	{ "mount", STEP_REQUIRED, 60, 0, { .call = 2 }, worker_step_mount },
	{ "directory", STEP_REQUIRED, 60, 0, { .call = 2 }, worker_step_directory },
	{ "manifest", STEP_ALWAYS, 60, 0, { .call = 1 }, worker_step_manifest },
	{ "unmount", STEP_ALWAYS, 60, 0, { 0 }, worker_step_unmount },
};

static const struct step after_death_rows[] = {
	{ "post", STEP_ALWAYS, 0, 0, { 0 }, worker_step_post },
};

static const struct step emergency_rows[] = {
	{ "emergency", STEP_ALWAYS, 0, 0, { 0 }, worker_step_emergency },
};

enum {
	PREPARE,
	CORE,
	TARGET,
	TELL,
	AFTER_DEATH,
	EMERGENCY,
};

static const struct steps_table worker_tables[] = {
	[PREPARE] = { prepare_rows, ARRAY_SIZE(prepare_rows) },
	[CORE] = { core_rows, ARRAY_SIZE(core_rows) },
	[TARGET] = { target_rows, ARRAY_SIZE(target_rows) },
	[TELL] = { tell_rows, ARRAY_SIZE(tell_rows) },
	[AFTER_DEATH] = { after_death_rows, ARRAY_SIZE(after_death_rows) },
	[EMERGENCY] = { emergency_rows, ARRAY_SIZE(emergency_rows) },
};

_Static_assert(ARRAY_SIZE(prepare_rows) + MODULES_WORKERS + ARRAY_SIZE(emergency_rows) +
			       STATE_MAX_TARGETS *
				       (ARRAY_SIZE(core_rows) + 2 * ARRAY_SIZE(target_rows) +
					ARRAY_SIZE(tell_rows) + ARRAY_SIZE(after_death_rows)) <=
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

/* Whether one that is too small has already taken as much as goes in. */
static bool was_squeezed(const struct init_state *st)
{
	for (unsigned i = 0; i < st->config.nr_targets; i++)
		if (st->targets[i].squeezed && st->targets[i].dump_started)
			return true;
	return false;
}

/* Whether target @i gets its turn in @phase. */
static bool has_turn(const struct init_state *st, enum state_phase phase, unsigned i)
{
	const struct state_target *t = &st->targets[i];

	/* Whatever is left of a dump that failed elsewhere. */
	if (phase == STATE_TOO_SMALL)
		return t->too_small && !state_dump_saved(st) && !was_squeezed(st);
	/* One that cost a worker its life is better left alone. */
	if (phase == STATE_TELL)
		return t->recorded && !t->knows_dump && state_dump_saved(st);
	return !(t->fallback && state_dump_saved(st));
}

static int visit(struct worker *w)
{
	struct init_state *st = w->st;
	char mount_point[STATE_MOUNT_POINT_SIZE];
	int err;

	w->t = &st->targets[st->target];
	w->t->visited = true;
	w->t->recorded = false;
	w->in_directory = false;
	w->steps.group = st->target;
	state_mount_point(st->target, mount_point);
	w->target = (struct target){ .alive = worker_alive, .alive_ctx = w };
	/* Where there is no such kind of target, its first step tells. */
	target_init(&w->target, &st->config, &st->config.targets[st->target], mount_point);
	if (state_dump_saved(st))
		w->target.wait_s = MIN(w->target.wait_s, (unsigned)QUICK_WAIT_S);
	err = steps_run(&w->steps, &worker_tables[st->phase == STATE_TELL ? TELL : TARGET], 0, w);
	w->steps.group = STATE_ALL_TARGETS;
	return err;
}

static int visit_all(struct worker *w)
{
	struct init_state *st = w->st;
	int err, first = 0;

	for (; st->target < st->config.nr_targets; st->target++) {
		if (!has_turn(st, st->phase, st->target))
			continue;
		err = visit(w);
		if (err && !first)
			first = err;
	}
	return first;
}

static bool died_in(struct init_state *st, const struct step *row)
{
	const struct steps steps = worker_steps(st);
	const int i = steps_current(&steps);

	return steps_row(&steps, i) == row && st->progress.state[i].outcome == STEP_FAILED &&
	       st->progress.state[i].err == -ECANCELED;
}

/* The row of preparing to go on with: behind the last one that ran. Modules are many, and the
 * ones behind a bad one may be the disk's. */
static size_t next_row(struct init_state *st)
{
	const struct steps steps = worker_steps(st);
	const struct step *last = steps_row(&steps, steps_current(&steps));

	if (died_in(st, &prepare_rows[PREPARE_MODULES]) && st->modules_deaths < MODULES_WORKERS)
		return PREPARE_MODULES;
	for (size_t i = 0; i < ARRAY_SIZE(prepare_rows); i++)
		if (last == &prepare_rows[i])
			return i + 1;
	return 0;
}

int worker_run(struct init_state *st, const struct init_saver *saver)
{
	struct worker w = { .st = st, .saver = saver, .steps = worker_steps(st) };
	const struct steps_table *prepare = &worker_tables[PREPARE];
	int err = 0;

	if (st->phase == STATE_PREPARE) {
		err = steps_run(&w.steps, prepare, next_row(st), &w);
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
	if (st->phase == STATE_TOO_SMALL) {
		visit_all(&w);
		st->target = 0;
		st->phase = STATE_TELL;
	}
	if (st->phase == STATE_TELL)
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

/* Set aside what the worker was at. @lost gets what that was. */
static bool set_aside(struct init_state *st, char *lost, size_t size)
{
	const struct steps steps = worker_steps(st);
	const struct step *row = steps_row(&steps, steps_current(&steps));

	/* Each worker opens the core: one that dies of it has not come to a target yet. */
	if (st->phase == STATE_CORE ||
	    (st->phase > STATE_PREPARE && died_in(st, &core_rows[CORE_OPEN]))) {
		st->no_core = !died_in(st, &core_rows[CORE_PSTORE]);
		snprintf(lost, size, "%s", st->no_core ? "the core" : "the log in pstore");
		return st->phase < STATE_DONE;
	}
	/* The log's end is not tried twice; the core is as good as before. */
	if (st->phase > STATE_PREPARE && died_in(st, &core_rows[CORE_PSTORE])) {
		snprintf(lost, size, "the log in pstore");
		return st->phase < STATE_DONE;
	}
	switch (st->phase) {
	case STATE_PREPARE:
		st->modules_deaths += died_in(st, &prepare_rows[PREPARE_MODULES]);
		snprintf(lost, size, "the step %s", row ? row->name : "start");
		return true; /* behind the row that was the end of it */
	case STATE_TARGETS:
	case STATE_TOO_SMALL:
	case STATE_TELL:
		snprintf(lost, size, "target %u (%s), where it is %s", st->target + 1,
			 st->config.targets[st->target].where, state_verdict(st, st->target));
		st->target++;
		return true;
	default:
		return false;
	}
}

/* What the next worker will be at. */
static void say_next(struct init_state *st, char *next, size_t size)
{
	static const char *const what_for[] = {
		[STATE_TARGETS] = "",
		[STATE_TOO_SMALL] = ", for as much as goes in",
		[STATE_TELL] = ", to tell where the dump is",
	};

	if (st->phase == STATE_PREPARE) {
		const size_t row = next_row(st);

		snprintf(next, size, "%s",
			 row < ARRAY_SIZE(prepare_rows) ? prepare_rows[row].name :
							  core_rows[CORE_OPEN].name);
		return;
	}
	for (enum state_phase phase = st->phase == STATE_CORE ? STATE_TARGETS : st->phase;
	     phase <= STATE_TELL; phase++)
		for (unsigned i = phase == st->phase ? st->target : 0; i < st->config.nr_targets;
		     i++)
			if (has_turn(st, phase, i)) {
				snprintf(next, size, "target %u (%s)%s", i + 1,
					 st->config.targets[i].where, what_for[phase]);
				return;
			}
	snprintf(next, size, "the end, no target is left");
}

bool worker_go_on(struct init_state *st, char *say, size_t size)
{
	char lost[WORKER_SAY_SIZE / 2], next[WORKER_SAY_SIZE / 2 - 16];

	if (!set_aside(st, lost, sizeof(lost)))
		return false;
	say_next(st, next, sizeof(next));
	snprintf(say, size, "lost: %s; next: %s", lost, next);
	return true;
}
