// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/steps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/util.h"

#define AHEAD_MS 1000

void steps_init(const struct steps *s)
{
	memset(s->progress->state, 0, sizeof(s->progress->state));
	atomic_store(&s->progress->progress_ms, s->now_ms());
	atomic_store(&s->progress->current, -1);
}

/* A new entry behind the last one. */
static struct step_state *add_run(const struct steps *s, const struct step *step, int *index_ret)
{
	int i = MIN(steps_current(s) + 1, STEPS_MAX - 1);
	struct step_state *st = &s->progress->state[i];

	*st = (struct step_state){ .step = step, .group = s->group };
	*index_ret = i;
	return st;
}

static int run_one(const struct steps *s, const struct step *step, void *ctx)
{
	int i, err;
	struct step_state *st = add_run(s, step, &i);

	st->start_ms = s->now_ms();
	st->outcome = STEP_RUNNING;
	steps_alive(s->progress, st->start_ms);
	/* Last: whoever sees the new index sees its start as well. */
	atomic_store(&s->progress->current, i);
	log_set_step(step->name);

	err = step->run(ctx);
	if (err < 0 && !st->error[0])
		snprintf(st->error, sizeof(st->error), "%s", strerror(-err));
	st->err = err < 0 ? err : 0;
	st->ms = s->now_ms() - st->start_ms;
	st->outcome = err == 0 ? STEP_OK : err < 0 ? STEP_FAILED : STEP_SKIPPED;
	return err < 0 ? err : 0;
}

static void skip_one(const struct steps *s, const struct step *step)
{
	int i;

	add_run(s, step, &i)->outcome = STEP_SKIPPED;
	atomic_store(&s->progress->current, i);
}

int steps_run(const struct steps *s, const struct steps_table *table, size_t start, void *ctx)
{
	bool stopped = false;
	int first = 0;

	for (size_t i = start; i < table->nr; i++) {
		const struct step *step = &table->rows[i];
		int err;

		if (stopped && step->need != STEP_ALWAYS) {
			skip_one(s, step);
			continue;
		}
		err = run_one(s, step, ctx);
		if (err && !first)
			first = err;
		if (err && step->need == STEP_REQUIRED)
			stopped = true;
	}
	return first;
}

int steps_fail(struct steps_progress *progress, int err, const char *fmt, ...)
{
	char text[STEPS_ERROR_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s", text);
	return steps_note(progress, err, text);
}

int steps_note(struct steps_progress *progress, int err, const char *why)
{
	int i = atomic_load(&progress->current);

	if (i >= 0 && i < STEPS_MAX)
		snprintf(progress->state[i].error, STEPS_ERROR_SIZE, "%s", why);
	return err;
}

int steps_current(const struct steps *s)
{
	int i = atomic_load(&s->progress->current);

	return i >= 0 && i < STEPS_MAX ? i : -1;
}

const struct step *steps_row(const struct steps *s, int i)
{
	const struct step *step = i >= 0 && i < STEPS_MAX ? s->progress->state[i].step : NULL;

	for (size_t t = 0; t < s->nr_tables; t++)
		for (size_t row = 0; row < s->tables[t].nr; row++)
			if (&s->tables[t].rows[row] == step)
				return step;
	return NULL;
}

/* A time that has not come yet, but for what passed since the clock was read, was written by
 * somebody who has run wild: it must not put a limit off. */
static uint64_t elapsed_ms(uint64_t now, uint64_t since)
{
	if (since > now)
		return since - now > AHEAD_MS ? UINT64_MAX : 0;
	return now - since;
}

static unsigned acts_limit_s(const struct step_acts *acts, const struct step_acts *each_s)
{
	return acts->wait * each_s->wait + acts->call * each_s->call +
	       acts->commit * each_s->commit;
}

int steps_overdue(const struct steps *s, const struct steps_limits *limits, char *why, size_t size)
{
	uint64_t now = s->now_ms();
	int i = steps_current(s);
	const struct step *step = steps_row(s, i);
	const char *name = step ? step->name : "start";

	if (elapsed_ms(now, limits->start_ms) > limits->max_time_s * UINT64_C(1000)) {
		snprintf(why, size, "%s: the whole capture took more than max_time, %u s", name,
			 limits->max_time_s);
		return -ETIMEDOUT;
	}
	/* Of a step that is over, or that cost the last runner its life, no limit is left. */
	if (step && step->limit_s && s->progress->state[i].outcome == STEP_RUNNING) {
		unsigned limit = step->limit_s, extra = 0;

		if (step->extra_limit)
			memcpy(&extra, (const char *)limits->config + step->extra_limit,
			       sizeof(extra));
		limit += acts_limit_s(&step->acts, &limits->acts_s);
		if (elapsed_ms(now, s->progress->state[i].start_ms) >
		    ((uint64_t)limit + extra) * 1000) {
			snprintf(why, size, "%s: not done after %llu s", name,
				 (unsigned long long)limit + extra);
			return -ETIMEDOUT;
		}
	}
	if (elapsed_ms(now, atomic_load(&s->progress->progress_ms)) >
	    limits->timeout_s * UINT64_C(1000)) {
		snprintf(why, size, "%s: no progress for %u s", name, limits->timeout_s);
		return -ETIMEDOUT;
	}
	return 0;
}

void steps_close(const struct steps *s, int err, const char *why)
{
	int current = steps_current(s);
	uint64_t now = s->now_ms();
	struct step_state *st;

	if (current < 0)
		return;
	st = &s->progress->state[current];
	if (st->outcome != STEP_RUNNING)
		return;
	st->outcome = STEP_FAILED;
	st->err = err;
	st->ms = now > st->start_ms ? now - st->start_ms : 0;
	snprintf(st->error, sizeof(st->error), "%s", why);
}

const char *steps_outcome_name(enum step_outcome outcome)
{
	static const char *const names[] = {
		[STEP_PENDING] = "pending", [STEP_RUNNING] = "running", [STEP_OK] = "ok",
		[STEP_FAILED] = "failed",   [STEP_SKIPPED] = "skipped",
	};

	return (unsigned)outcome < ARRAY_SIZE(names) ? names[outcome] : "unknown";
}
