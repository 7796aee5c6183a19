/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the worker finds out and the supervisor must know even where the worker
 * dies: one struct in memory that all processes of PID 1's making share.
 */
#ifndef CAPTURE_INIT_STATE_H
#define CAPTURE_INIT_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "capture/init/steps.h"
#include "capture/init/watchdog.h"
#include "capture/target/target.h"
#include "lib/config.h"

#define STATE_MOUNT_POINT      "/target"
#define STATE_MOUNT_POINT_SIZE 16
#define STATE_MAX_TARGETS      (CONFIG_MAX_TARGETS + 1u) /* and the root file system */
#define STATE_ALL_TARGETS      UINT32_MAX		 /* a step's group: about none of them */
#define STATE_DESCRIBED_SIZE   (16u << 10)

/** enum state_phase - How far the worker has come; a new worker goes on from there. */
enum state_phase {
	STATE_PREPARE,	 /* configuration, modules … */
	STATE_CORE,	 /* opening the core */
	STATE_TARGETS,	 /* state.target is what it is at */
	STATE_TOO_SMALL, /* once more through those that seemed to have no room */
	STATE_TELL,	 /* once more to those whose manifest does not know where the dump is */
	STATE_DONE,
};

/**
 * struct state_target - What became of a target.
 * @fallback: the root file system of CONFIG_DUMP_TO_ROOTFS: for a dump that went nowhere else
 * @visited: it had its turn
 * @attached: it is, or may still be, mounted or connected
 * @hangs: it did not answer after a worker's death: nothing but a flush touches it again
 * @gone: it has stopped answering for good: it is not waited for at the end
 * @recorded: its manifest is the last word
 * @knows_dump: its manifest was written with a complete dump somewhere
 * @too_small: left out, since the dump would not fit
 * @squeezed: then it was asked to take what goes in, the most valuable pages first
 * @dump_tried: the dump was begun here, or would have been if it could be made
 * @post_done: the hooks behind it were started
 * @dump_name: as the dump's file is called there now
 * @dir_name: the dump's directory in its path; empty before it is made
 */
struct state_target {
	bool fallback;
	bool visited;
	bool attached;
	bool hangs;
	bool gone;
	bool recorded;
	bool knows_dump;
	bool too_small;
	bool squeezed;
	bool dump_tried;
	bool post_done;
	bool log_saved;
	bool dump_started;
	bool dump_saved;
	uint64_t dump_bytes;
	char dump_name[TARGET_NAME_SIZE];
	char device[288];
	char fstype[16];
	char dir_name[DIR_NAME_SIZE];
};

/**
 * struct init_state - Shared; see above. Times as clock_ms().
 * @guard_deadline_ms: when the guard resets the machine
 * @watchdog: used by PID 1 alone
 * @config: defaults until the worker has read the configuration
 * @target: index into @config's targets and @targets
 * @configured: @config is what will be
 * @modules_at: as of modules_load_list()
 * @modules_deaths: how many workers have died there
 * @hook_group: the process group of the hook that runs, or 0
 * @fence_started: the cluster's nodes are told, or there are none
 * @pstore_done: the log's end was taken to pstore, or cannot be
 * @pre_done: the hooks before the dump have run
 * @refused: one of them wants no dump
 * @no_core: opening the core has cost a worker its life
 * @failure: why the supervisor ended a worker, or how it died, or why a hook wants no
 *	dump; empty otherwise
 * @described: what the saver says of core, log and dump, as JSON members; two texts,
 *	so that one is whole at any time
 * @described_at: index of the whole one, -1 for none
 */
struct init_state {
	atomic_uint_least64_t guard_deadline_ms;
	struct watchdog watchdog;
	struct steps_progress progress;
	uint64_t start_ms;
	struct config config;
	enum state_phase phase;
	unsigned target;
	struct state_target targets[STATE_MAX_TARGETS];
	atomic_bool configured;
	pid_t hook_group;
	unsigned modules_at;
	unsigned modules_deaths;
	bool fence_started;
	bool pstore_done;
	bool pre_done;
	bool refused;
	bool no_core;
	uint64_t mem_total_kib;
	uint64_t mem_available_min_kib;
	uint64_t worker_peak_kib;
	char failure[STEPS_ERROR_SIZE];
	char described[2][STATE_DESCRIBED_SIZE];
	atomic_int described_at;
};

/** state_sanitize() - After the worker's death: whatever it wrote last, strings end and
 * enums, indexes and times are in range. */
void state_sanitize(struct init_state *st);

/** state_sanitize_config() - The same for a copy of the configuration alone, while a worker
 * lives. */
void state_sanitize_config(struct config *config);

/** state_end_ms() - When max_time is over, on clock_ms(). */
static inline uint64_t state_end_ms(const struct init_state *st)
{
	return st->start_ms + st->config.max_time * UINT64_C(1000);
}

/** state_mount_point() - Where target @i is mounted: STATE_MOUNT_POINT for the first one, and
 * with ".1" and so on behind it for the others, since one that hangs stays mounted. */
void state_mount_point(unsigned i, char path[STATE_MOUNT_POINT_SIZE]);

/** state_best() - Index of the target that holds most of it: a complete dump before the
 * largest incomplete one before a log. -1 where there is nothing anywhere. */
int state_best(const struct init_state *st);

/** state_dump_saved() - Whether a target has a complete dump. */
bool state_dump_saved(const struct init_state *st);

/** state_verdict() - "complete", "incomplete", "log-only" or "failed": what is on target
 * @i, or for -1 anywhere. */
const char *state_verdict(const struct init_state *st, int i);

/**
 * state_reason() - The sentence that says why it is not complete on target @i, or for -1
 * anywhere. Of several failures the last one on the way to the dump counts, since the
 * run went on after those before it; where the dump is on another target, that is said too.
 * @buf, @size: room for it
 *
 * Return: the sentence, in @buf or borrowed from @st; NULL where it is complete.
 */
const char *state_reason(const struct init_state *st, const struct steps *steps, int i, char *buf,
			 size_t size);

#endif
