/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Const tables of steps, run in order, and what a supervisor in another process needs
 * to watch them. Each run of a step leaves an entry in struct steps_progress, which
 * lives in memory that both share; it is written by the process that runs the steps,
 * and since that process may crash, the reader trusts nothing in it beyond its size.
 */
#ifndef CAPTURE_INIT_STEPS_H
#define CAPTURE_INIT_STEPS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define STEPS_MAX	 288 /* runs; what comes later takes the place of the last one */
#define STEPS_ERROR_SIZE 192
#define STEPS_SKIP	 1 /* returned by a step that had nothing to work on */

enum step_need {
	STEP_REQUIRED,	  /* a failure skips what follows in its table, save STEP_ALWAYS */
	STEP_BEST_EFFORT, /* a failure is recorded and the next step runs */
	STEP_ALWAYS,	  /* best effort, and runs after a failure as well */
};

/** struct step_acts - A number for each kind of a target's acts, as of struct target_limits. */
struct step_acts {
	unsigned wait, call, commit;
};

/**
 * struct step - A row of the table.
 * @limit_s: longest time in seconds; 0 for none of its own
 * @extra_limit: offset in the limits' config of an unsigned to add to it, or 0
 * @acts: how many acts of a target are in it, whose limits are added to it
 * @run: 0, STEPS_SKIP, or -errno, logged, by preference with steps_fail()
 */
struct step {
	const char *name;
	enum step_need need;
	unsigned limit_s;
	size_t extra_limit;
	struct step_acts acts;
	int (*run)(void *ctx);
};

enum step_outcome {
	STEP_PENDING,
	STEP_RUNNING,
	STEP_OK,
	STEP_FAILED,
	STEP_SKIPPED,
};

/** struct step_state - A run of a step. @step: borrowed, a row of a const table; @group: of
 * struct steps. */
struct step_state {
	const struct step *step;
	unsigned group;
	enum step_outcome outcome;
	int err;	   /* -errno of a failure */
	uint64_t start_ms; /* on clock_ms() */
	uint64_t ms;	   /* duration, once it is over */
	char error[STEPS_ERROR_SIZE];
};

struct steps_progress {
	atomic_int current; /* index of the run under way or the last one; -1 before the first */
	atomic_uint_least64_t progress_ms; /* last sign of life */
	struct step_state state[STEPS_MAX];
};

/** struct steps_table - Rows that run one after the other. */
struct steps_table {
	const struct step *rows;
	size_t nr;
};

/**
 * struct steps - Tables at work.
 * @tables, @nr_tables: all of them, so that no pointer has to be believed that the other
 *	process has left in shared memory
 * @group: noted with each run: which target it is about
 * @now_ms: clock_ms() but in tests
 */
struct steps {
	const struct steps_table *tables;
	size_t nr_tables;
	struct steps_progress *progress;
	unsigned group;
	uint64_t (*now_ms)(void);
};

/** steps_init() - Nothing run yet. */
void steps_init(const struct steps *s);

/** steps_run() - Run a table's rows from @first on; @ctx goes to each step.
 * Return: 0, or the first step's failure. */
int steps_run(const struct steps *s, const struct steps_table *table, size_t first, void *ctx);

/** steps_fail() - Log a sentence as error and keep it as the current step's.
 * Return: @err, for `return steps_fail(…)`. */
int steps_fail(struct steps_progress *progress, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** steps_note() - The same for a sentence that is in the log already. */
int steps_note(struct steps_progress *progress, int err, const char *why);

/** steps_alive() - A sign of life at @now_ms. */
static inline void steps_alive(struct steps_progress *progress, uint64_t now_ms)
{
	atomic_store(&progress->progress_ms, now_ms);
}

/** steps_current() - Index of the run under way or the last one, -1 where there is none. */
int steps_current(const struct steps *s);

/** steps_row() - The row that run @i was of; NULL where that cannot be. */
const struct step *steps_row(const struct steps *s, int i);

/**
 * struct steps_limits - What the supervisor enforces.
 * @start_ms: when the whole began
 * @timeout_s: longest time without a sign of life
 * @max_time_s: longest time for the whole
 * @config: what struct step.extra_limit points into
 * @acts_s: what an act of the target under way may take, in seconds
 */
struct steps_limits {
	uint64_t start_ms;
	unsigned timeout_s;
	unsigned max_time_s;
	const void *config;
	struct step_acts acts_s;
};

/**
 * steps_overdue() - Whether a limit has passed.
 * @why: gets the sentence
 *
 * Return: 0, or -ETIMEDOUT with @why filled.
 */
int steps_overdue(const struct steps *s, const struct steps_limits *limits, char *why, size_t size);

/** steps_close() - After the death of the runner: the step that was under way has failed
 * with @err and @why. */
void steps_close(const struct steps *s, int err, const char *why);

/** steps_outcome_name() - "ok", "failed", "skipped", "running" or "pending". */
const char *steps_outcome_name(enum step_outcome outcome);

#endif
