/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A const table of steps, run in order, and what a supervisor in another process
 * needs to watch them. struct steps_progress lives in memory that both share; it
 * is written by the process that runs the steps, and since that process may crash,
 * the reader trusts nothing in it beyond its size.
 */
#ifndef CAPTURE_INIT_STEPS_H
#define CAPTURE_INIT_STEPS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define STEPS_MAX	 16
#define STEPS_ERROR_SIZE 192
#define STEPS_SKIP	 1 /* returned by a step that had nothing to work on */

enum step_need {
	STEP_REQUIRED,	  /* a failure skips what follows, save STEP_ALWAYS */
	STEP_BEST_EFFORT, /* a failure is recorded and the next step runs */
	STEP_ALWAYS,	  /* best effort, and runs after a failure as well */
};

/**
 * struct step - A row of the table.
 * @limit_s: longest time in seconds; 0 for none of its own
 * @extra_limit: offset in the limits' config of an unsigned to add to it, or 0
 * @run: 0, STEPS_SKIP, or -errno, logged, by preference with steps_fail()
 */
struct step {
	const char *name;
	enum step_need need;
	unsigned limit_s;
	size_t extra_limit;
	int (*run)(void *ctx);
};

enum step_outcome {
	STEP_PENDING,
	STEP_RUNNING,
	STEP_OK,
	STEP_FAILED,
	STEP_SKIPPED,
};

struct step_state {
	enum step_outcome outcome;
	int err;	   /* -errno of a failure */
	uint64_t start_ms; /* on clock_ms() */
	uint64_t ms;	   /* duration, once it is over */
	char error[STEPS_ERROR_SIZE];
};

struct steps_progress {
	atomic_int current; /* index of the step under way or last run; -1 before the first */
	atomic_uint_least64_t progress_ms; /* last sign of life */
	struct step_state state[STEPS_MAX];
};

/** struct steps - A table at work. @now_ms is clock_ms() but in tests. */
struct steps {
	const struct step *table;
	size_t nr; /* at most STEPS_MAX */
	struct steps_progress *progress;
	uint64_t (*now_ms)(void);
};

/** steps_init() - Nothing run yet. */
void steps_init(const struct steps *s);

/** steps_run() - Run the table; @ctx goes to each step.
 * Return: 0, or the first step's failure. */
int steps_run(const struct steps *s, void *ctx);

/** steps_fail() - Log a sentence as error and keep it as the current step's.
 * Return: @err, for `return steps_fail(…)`. */
int steps_fail(struct steps_progress *progress, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** steps_alive() - A sign of life at @now_ms. */
static inline void steps_alive(struct steps_progress *progress, uint64_t now_ms)
{
	atomic_store(&progress->progress_ms, now_ms);
}

/** steps_current() - Index of the step under way, -1 where there is none. */
int steps_current(const struct steps *s);

/**
 * struct steps_limits - What the supervisor enforces.
 * @start_ms: when the whole began
 * @timeout_s: longest time without a sign of life
 * @max_time_s: longest time for the whole
 * @config: what struct step.extra_limit points into
 */
struct steps_limits {
	uint64_t start_ms;
	unsigned timeout_s;
	unsigned max_time_s;
	const void *config;
};

/**
 * steps_overdue() - Whether a limit has passed.
 * @why: gets the sentence
 *
 * Return: 0, or -ETIMEDOUT with @why filled.
 */
int steps_overdue(const struct steps *s, const struct steps_limits *limits, char *why, size_t size);

/** steps_close() - After the death of the runner: the step that was under way has failed
 * with @err and @why (where it left no sentence of its own). */
void steps_close(const struct steps *s, int err, const char *why);

/** steps_outcome_name() - "ok", "failed", "skipped", "running" or "pending". */
const char *steps_outcome_name(enum step_outcome outcome);

#endif
