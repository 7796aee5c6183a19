// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/state.h"

#include <stdio.h>

#include "lib/util.h"

#define END_STRING(a) ((a)[sizeof(a) - 1] = '\0')

static void bound_seconds(unsigned *s, unsigned fallback)
{
	if (!*s || *s > 7 * 24 * 3600)
		*s = fallback;
}

static void bound_action(enum config_action *action)
{
	if ((unsigned)*action > CONFIG_DUMP_TO_ROOTFS)
		*action = CONFIG_REBOOT;
}

void state_sanitize_config(struct config *config)
{
	struct config defaults;

	config_init(&defaults);
	END_STRING(config->path);
	if (config->path[0] != '/' || config->nr_targets > STATE_MAX_TARGETS)
		*config = defaults;
	for (unsigned i = 0; i < STATE_MAX_TARGETS; i++) {
		END_STRING(config->targets[i].type);
		END_STRING(config->targets[i].where);
		END_STRING(config->targets[i].path);
		END_STRING(config->targets[i].options);
	}
	END_STRING(config->core_collector);
	END_STRING(config->ip);
	END_STRING(config->nameservers);
	END_STRING(config->sshkey);
	END_STRING(config->kdump_pre);
	END_STRING(config->kdump_post);
	END_STRING(config->kdump_emergency);
	END_STRING(config->fence_kdump_nodes);
	END_STRING(config->fence_kdump_args);
	END_STRING(config->vmcore);
	END_STRING(config->report);
	bound_seconds(&config->timeout, defaults.timeout);
	bound_seconds(&config->max_time, defaults.max_time);
	bound_seconds(&config->device_timeout, defaults.device_timeout);
	bound_seconds(&config->hook_timeout, defaults.hook_timeout);
	bound_seconds(&config->shell_timeout, defaults.shell_timeout);
	bound_action(&config->failure_action);
	bound_action(&config->final_action);
}

void state_sanitize(struct init_state *st)
{
	int at = atomic_load(&st->described_at);

	state_sanitize_config(&st->config);
	if ((unsigned)st->phase > STATE_DONE)
		st->phase = STATE_DONE;
	if (st->target > st->config.nr_targets)
		st->target = st->config.nr_targets;
	for (unsigned i = 0; i < STATE_MAX_TARGETS; i++) {
		END_STRING(st->targets[i].dump_name);
		END_STRING(st->targets[i].device);
		END_STRING(st->targets[i].fstype);
		END_STRING(st->targets[i].dir_name);
	}
	END_STRING(st->failure);
	END_STRING(st->described[0]);
	END_STRING(st->described[1]);
	if (at < 0 || at > 1)
		atomic_store(&st->described_at, -1);
	for (size_t i = 0; i < STEPS_MAX; i++)
		END_STRING(st->progress.state[i].error);
}

void state_mount_point(unsigned i, char path[STATE_MOUNT_POINT_SIZE])
{
	if (i)
		snprintf(path, STATE_MOUNT_POINT_SIZE, STATE_MOUNT_POINT ".%u", MIN(i, 999u));
	else
		snprintf(path, STATE_MOUNT_POINT_SIZE, STATE_MOUNT_POINT);
}

/* Most is best. */
static int rank(const struct state_target *t)
{
	return t->dump_saved ? 3 : t->dump_started ? 2 : t->log_saved ? 1 : 0;
}

int state_best(const struct init_state *st)
{
	int best = -1;

	for (unsigned i = 0; i < STATE_MAX_TARGETS; i++) {
		const struct state_target *t = &st->targets[i];
		int gain = best < 0 ? rank(t) : rank(t) - rank(&st->targets[best]);

		if (gain > 0 || (best >= 0 && !gain && rank(t) == 2 &&
				 t->dump_bytes > st->targets[best].dump_bytes))
			best = i;
	}
	return best;
}

bool state_dump_saved(const struct init_state *st)
{
	int best = state_best(st);

	return best >= 0 && st->targets[best].dump_saved;
}

const char *state_verdict(const struct init_state *st, int i)
{
	static const char *const names[] = { "failed", "log-only", "incomplete", "complete" };

	if (i < 0)
		i = state_best(st);
	return i < 0 ? names[0] : names[rank(&st->targets[i])];
}

#define ANY_GROUP (STATE_ALL_TARGETS - 1)

/* The last failure on the way to the dump of a group; NULL where there is none. */
static const char *last_failure(const struct init_state *st, const struct steps *steps,
				unsigned group)
{
	for (int i = steps_current(steps); i >= 0; i--) {
		const struct step_state *run = &st->progress.state[i];
		const struct step *step = steps_row(steps, i);

		if (step && step->need != STEP_ALWAYS && run->outcome == STEP_FAILED &&
		    (run->group == group || group == ANY_GROUP))
			return run->error;
	}
	return NULL;
}

/* What the last record says of a machine that was reset in the middle. */
static bool is_under_way(const struct init_state *st, const struct steps *steps)
{
	int i = steps_current(steps);
	const struct step *step = steps_row(steps, i);

	return step && step->need != STEP_ALWAYS && st->progress.state[i].outcome == STEP_RUNNING;
}

const char *state_reason(const struct init_state *st, const struct steps *steps, int i, char *buf,
			 size_t size)
{
	const char *failure = NULL;
	int best = state_best(st);

	if (i < 0 ? state_dump_saved(st) : st->targets[i].dump_saved)
		return NULL;
	if (state_dump_saved(st)) {
		failure = last_failure(st, steps, (unsigned)i);
		snprintf(buf, size, "%s%sthe dump is in %s/%s on %s", failure ?: "",
			 failure ? "; " : "", config_path_prefix(st->config.targets[best].path),
			 st->targets[best].dir_name, st->config.targets[best].where);
		return buf;
	}
	if (is_under_way(st, steps))
		return "the capture was still under way when this was written";
	if (i < 0)
		i = best;
	failure = last_failure(st, steps, i < 0 ? ANY_GROUP : (unsigned)i);
	if (!failure)
		failure = last_failure(st, steps, STATE_ALL_TARGETS);
	if (!failure && st->failure[0])
		failure = st->failure;
	return failure ? failure : "the dump is not written yet";
}
