/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An administrator's programs before the dump, after it, and where it failed: kdump_pre,
 * kdump_post, kdump_emergency and the pre.d, post.d and emergency.d folders of
 * kdump.conf(5). docs/hooks.md says what they may rely on.
 */
#ifndef CAPTURE_INIT_HOOKS_H
#define CAPTURE_INIT_HOOKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/init/steps.h"
#include "lib/config.h"

#define HOOKS_MAX	   16u /* in a call; what is behind is not run, and counts as failed */
#define HOOKS_KILL_LIMIT_S 5u  /* to wait for the death of a hook whose time is up */
#define HOOKS_LATE_S	   5u  /* what a hook has in any case, be max_time over or not */

enum hooks_kind {
	HOOKS_PRE,  /* the configured program, then the folders, unless it failed */
	HOOKS_POST, /* the folders, then the configured program; so the next one */
	HOOKS_EMERGENCY,
};

/**
 * struct hooks_call - What hooks are told; all borrowed, strings may be NULL where unknown.
 * @argument: their $1
 * @where: the target as the configuration has it
 * @mount_point: of a target that is mounted
 * @directory: of this capture, below @mount_point
 * @dump: file name of the dump in it
 * @verdict, @reason: as the manifest has them
 * @root: put before the folders' names; for tests
 * @until_ms: when max_time is over, on clock_ms(); 0 for never
 * @group_ret: is told the process group of the hook that runs, 0 where none does, so that
 *	somebody else can end it where that is not done here any more; may be NULL
 * @alive: called with @alive_ctx about 20 times a second while a hook runs; may be NULL
 */
struct hooks_call {
	enum hooks_kind kind;
	const struct config *config;
	const char *argument;
	const char *where;
	const char *mount_point;
	const char *directory;
	const char *dump;
	const char *verdict;
	const char *reason;
	const char *root;
	uint64_t until_ms;
	pid_t *group_ret;
	void (*alive)(void *ctx);
	void *alive_ctx;
};

/**
 * struct hooks_result - What became of a call's hooks.
 * @program_failed: the configured one is among @failed
 * @why: the first failure's sentence
 */
struct hooks_result {
	unsigned ran;
	unsigned failed;
	bool program_failed;
	char why[STEPS_ERROR_SIZE];
};

/** hooks_limit_ms() - How long a hook that starts at @now_ms may run: config->hook_timeout, but
 * not beyond @until_ms (0 for never) by more than HOOKS_LATE_S after its start. */
uint64_t hooks_limit_ms(const struct config *config, uint64_t until_ms, uint64_t now_ms);

/** hooks_run() - Run all hooks of a kind, one after the other, each within hooks_limit_ms().
 * What they print and how they fail is logged. */
void hooks_run(const struct hooks_call *call, struct hooks_result *result_ret);

/**
 * hooks_run_program() - Run one.
 * @path: absolute
 * @what: the configuration's key, or NULL of a file in a folder
 * @why: gets the sentence of a failure; logged as well
 *
 * It counts as failed where it cannot be started, ends with another status than 0, dies of
 * a signal or is not done after its time, when its process group is killed. A group's
 * leftovers are killed at its end, too.
 * Return: 0; -ECHILD it ended otherwise than well; -ETIMEDOUT; -errno of its start.
 */
int hooks_run_program(const struct hooks_call *call, const char *path, const char *what,
		      char why[STEPS_ERROR_SIZE]);

#endif
