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
#include "capture/target/dir.h"
#include "lib/config.h"

#define STATE_MOUNT_POINT    "/target"
#define STATE_DESCRIBED_SIZE (16u << 10)

/**
 * struct init_state - Shared; see above. Times as clock_ms().
 * @guard_deadline_ms: when the guard resets the machine
 * @config: defaults until the worker has read the configuration
 * @mounted: the target is, or may still be, mounted
 * @dir_name: the dump's directory in config.path; empty before it is made
 * @dump_bytes: size of the dump's file
 * @failure: why the supervisor ended the worker, or how it died; empty otherwise
 * @described: what the saver says of core, log and dump, as JSON members; two texts,
 *	so that one is whole at any time
 * @described_at: index of the whole one, -1 for none
 */
struct init_state {
	atomic_uint_least64_t guard_deadline_ms;
	struct steps_progress progress;
	uint64_t start_ms;
	struct config config;
	bool mounted;
	bool recorded;
	char device[288];
	char fstype[16];
	char target_text[256];
	char dir_name[DIR_NAME_SIZE];
	bool log_saved;
	bool dump_started;
	bool dump_saved;
	uint64_t dump_bytes;
	uint64_t mem_total_kib;
	uint64_t mem_available_min_kib;
	uint64_t worker_peak_kib;
	char failure[STEPS_ERROR_SIZE];
	char described[2][STATE_DESCRIBED_SIZE];
	atomic_int described_at;
};

/** state_sanitize() - After the worker's death: whatever it wrote last, strings end and
 * enums and times are in range. */
void state_sanitize(struct init_state *st);

/** state_verdict() - "complete", "incomplete", "log-only" or "failed". */
const char *state_verdict(const struct init_state *st);

/** state_reason() - The sentence that says why it is not complete; NULL where it is. Of
 * several failures the last one on the way to the dump counts, since the run went on
 * after those before it. Borrowed from @st. */
const char *state_reason(const struct init_state *st, const struct steps *steps);

#endif
