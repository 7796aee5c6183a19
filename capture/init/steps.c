// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/steps.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/util.h"

void steps_init(const struct steps *s)
{
	memset(s->progress->state, 0, sizeof(s->progress->state));
	atomic_store(&s->progress->progress_ms, s->now_ms());
	atomic_store(&s->progress->current, -1);
}

static int run_one(const struct steps *s, size_t i, void *ctx)
{
	struct step_state *st = &s->progress->state[i];
	int err;

	st->start_ms = s->now_ms();
	st->outcome = STEP_RUNNING;
	steps_alive(s->progress, st->start_ms);
	/* Last: whoever sees the new index sees its start as well. */
	atomic_store(&s->progress->current, i);
	log_set_step(s->table[i].name);

	err = s->table[i].run(ctx);
	if (err < 0 && !st->error[0])
		snprintf(st->error, sizeof(st->error), "%s", strerror(-err));
	st->err = err < 0 ? err : 0;
	st->ms = s->now_ms() - st->start_ms;
	st->outcome = err == 0 ? STEP_OK : err < 0 ? STEP_FAILED : STEP_SKIPPED;
	return err < 0 ? err : 0;
}

int steps_run(const struct steps *s, void *ctx)
{
	bool stopped = false;
	int first = 0;

	for (size_t i = 0; i < s->nr; i++) {
		int err;

		if (stopped && s->table[i].need != STEP_ALWAYS) {
			s->progress->state[i].outcome = STEP_SKIPPED;
			continue;
		}
		err = run_one(s, i, ctx);
		if (err && !first)
			first = err;
		if (err && s->table[i].need == STEP_REQUIRED)
			stopped = true;
	}
	return first;
}

int steps_fail(struct steps_progress *progress, int err, const char *fmt, ...)
{
	int i = atomic_load(&progress->current);
	char text[STEPS_ERROR_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s", text);
	if (i >= 0 && i < STEPS_MAX)
		memcpy(progress->state[i].error, text, sizeof(text));
	return err;
}

int steps_current(const struct steps *s)
{
	int i = atomic_load(&s->progress->current);

	return i >= 0 && (size_t)i < s->nr ? i : -1;
}

static uint64_t elapsed_ms(uint64_t now, uint64_t since)
{
	return now > since ? now - since : 0;
}

int steps_overdue(const struct steps *s, const struct steps_limits *limits, char *why, size_t size)
{
	uint64_t now = s->now_ms();
	int i = steps_current(s);
	const char *name = i < 0 ? "start" : s->table[i].name;

	if (elapsed_ms(now, limits->start_ms) > limits->max_time_s * UINT64_C(1000)) {
		snprintf(why, size, "%s: the whole capture took more than max_time, %u s", name,
			 limits->max_time_s);
		return -ETIMEDOUT;
	}
	if (i >= 0 && s->table[i].limit_s) {
		unsigned limit = s->table[i].limit_s, extra = 0;

		if (s->table[i].extra_limit)
			memcpy(&extra, (const char *)limits->config + s->table[i].extra_limit,
			       sizeof(extra));
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

	for (size_t i = 0; i < s->nr; i++) {
		struct step_state *st = &s->progress->state[i];

		st->error[sizeof(st->error) - 1] = '\0';
		if (st->outcome == STEP_PENDING)
			st->outcome = STEP_SKIPPED;
		if ((int)i != current || st->outcome != STEP_RUNNING)
			continue;
		st->outcome = STEP_FAILED;
		st->err = err;
		st->ms = elapsed_ms(now, st->start_ms);
		if (!st->error[0])
			snprintf(st->error, sizeof(st->error), "%s", why);
	}
}

const char *steps_outcome_name(enum step_outcome outcome)
{
	static const char *const names[] = {
		[STEP_PENDING] = "pending", [STEP_RUNNING] = "running", [STEP_OK] = "ok",
		[STEP_FAILED] = "failed",   [STEP_SKIPPED] = "skipped",
	};

	return (unsigned)outcome < ARRAY_SIZE(names) ? names[outcome] : "unknown";
}
