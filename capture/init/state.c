// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/state.h"

#include "lib/util.h"

#define END_STRING(a) ((a)[sizeof(a) - 1] = '\0')

static void bound_seconds(unsigned *s, unsigned fallback)
{
	if (!*s || *s > 7 * 24 * 3600)
		*s = fallback;
}

static void bound_action(enum config_action *action)
{
	if ((unsigned)*action > CONFIG_SHELL)
		*action = CONFIG_REBOOT;
}

void state_sanitize(struct init_state *st)
{
	struct config defaults;
	int at = atomic_load(&st->described_at);

	config_init(&defaults);
	END_STRING(st->config.fstype);
	END_STRING(st->config.device);
	END_STRING(st->config.path);
	END_STRING(st->config.core_collector);
	END_STRING(st->config.vmcore);
	if (st->config.path[0] != '/')
		st->config = defaults;
	bound_seconds(&st->config.timeout, defaults.timeout);
	bound_seconds(&st->config.max_time, defaults.max_time);
	bound_seconds(&st->config.device_timeout, defaults.device_timeout);
	bound_seconds(&st->config.shell_timeout, defaults.shell_timeout);
	bound_action(&st->config.failure_action);
	bound_action(&st->config.final_action);
	END_STRING(st->device);
	END_STRING(st->fstype);
	END_STRING(st->target_text);
	END_STRING(st->dir_name);
	END_STRING(st->failure);
	END_STRING(st->described[0]);
	END_STRING(st->described[1]);
	if (at < 0 || at > 1)
		atomic_store(&st->described_at, -1);
	for (size_t i = 0; i < STEPS_MAX; i++)
		END_STRING(st->progress.state[i].error);
}

const char *state_verdict(const struct init_state *st)
{
	if (st->dump_saved)
		return "complete";
	if (st->dump_started)
		return "incomplete";
	return st->log_saved ? "log-only" : "failed";
}

const char *state_reason(const struct init_state *st, const struct steps *steps)
{
	if (st->dump_saved)
		return NULL;
	if (st->failure[0])
		return st->failure;
	/* What the last record says of a machine that was reset in the middle. */
	for (size_t i = 0; i < steps->nr; i++)
		if (steps->table[i].need != STEP_ALWAYS &&
		    st->progress.state[i].outcome == STEP_RUNNING)
			return "the capture was still under way when this was written";
	for (size_t i = steps->nr; i-- > 0;)
		if (steps->table[i].need != STEP_ALWAYS &&
		    st->progress.state[i].outcome == STEP_FAILED)
			return st->progress.state[i].error;
	return "the dump is not written yet";
}
