/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcore-save as PID 1: the whole userspace of a capture kernel.
 *
 * PID 1 is only a supervisor: it forks a worker that runs the steps, watches the
 * worker's progress against the deadlines, and then, whatever became of the worker,
 * performs the final action. It never exits and never waits without a limit.
 */
#ifndef CAPTURE_INIT_INIT_H
#define CAPTURE_INIT_INIT_H

#include <stdbool.h>
#include <stdint.h>

struct json;	    /* lib/json.h */
struct target_file; /* capture/target/target.h */

/**
 * struct init_saver - What the worker can do with a core; handed in by main, since
 * init knows targets and devices but not dumps. All return 0 or -errno and log.
 *
 * @configure: take core_collector's value ("vmcore-save -d 31 -z", or NULL for the
 *	default) before anything else, so that a mistake shows early
 * @open: open the core, normally /proc/vmcore
 * @save_log: write the crashed kernel's log as text to @fd; the caller syncs
 * @fit: choose how much is kept, by the @space bytes that a target has. @last: there is
 *	nowhere else to go, so choose the least there is and do not give up. -ENOSPC: even
 *	the least that the configuration allows would not fit; logged, and *@need_ret has
 *	the bytes that it takes. Calls @alive as below
 * @save_dump: write the dump to @file from offset 0 and sync it; calls @alive(alive_ctx)
 *	whenever there was progress, at least once a second while there is. To a stream
 *	the dump is sent flattened. May be called again, for another target
 * @lose_dump: the dump that save_dump() was content with could not be kept, for @err: nothing
 *	said of it from now on may be that it is complete
 * @describe: add what is known of core, log and dump as members to the manifest
 *	object that is open in @json; also called after a failure
 */
struct init_saver {
	int (*configure)(void *ctx, const char *core_collector);
	int (*open)(void *ctx, const char *path);
	int (*save_log)(void *ctx, int fd);
	int (*fit)(void *ctx, uint64_t space, bool last, uint64_t *need_ret, void (*alive)(void *),
		   void *alive_ctx);
	int (*save_dump)(void *ctx, struct target_file *file, void (*alive)(void *),
			 void *alive_ctx);
	void (*lose_dump)(void *ctx, int err);
	void (*describe)(void *ctx, struct json *json);
	void *ctx;
};

/**
 * init_main() - Be PID 1. Does not return.
 * @saver: borrowed for ever
 * @guarded: called once the guard runs, so that whoever watched so far may go; may be NULL
 */
void init_main(const struct init_saver *saver, void (*guarded)(void)) __attribute__((noreturn));

#endif
