/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A crash on purpose: what is written down before it, and what came of it by what is found
 * afterwards.
 */
#ifndef CONTROL_DUMPS_TRIAL_H
#define CONTROL_DUMPS_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "control/armed.h"

struct dump;
struct dumps;

#define TRIAL_BOOT_ID_SIZE 37 /* a UUID of 36 characters */

/**
 * struct trial - The marker, STATE_DIR/test.json.
 * @when: seconds since 1970, just before the crash
 * @boot_id: of the kernel that was to crash
 * @kernel, @image, @image_sha256: what was armed; empty where that is not known
 * @told: notice has told of it
 * @seconds: from @when to the start of the kernel that first looked; 0 for unknown
 */
struct trial {
	int64_t when;
	char boot_id[TRIAL_BOOT_ID_SIZE];
	char kernel[512], image[512];
	char image_sha256[SHA256_HEX_BYTES];
	bool told;
	uint64_t seconds;
};

enum trial_outcome {
	TRIAL_PENDING,	/* the kernel that was to crash still runs */
	TRIAL_CAPTURED, /* a complete dump */
	TRIAL_PARTLY,	/* less than that */
	TRIAL_LOST,	/* nothing that could be found from here */
};

/** trial_begin() - Write the marker. @armed: NULL where that is not known. Return: 0 or -errno,
 * logged. */
int trial_begin(const struct invocation *in, const struct armed *armed);

/** trial_read() - The marker, with @seconds of this boot where it has none yet.
 * Return: 0; -ENOENT; -EBADMSG it is not one; -errno. Not logged. */
int trial_read(const struct invocation *in, struct trial *trial_ret);

/** trial_write() - Return: 0 or -errno, logged. */
int trial_write(const struct invocation *in, const struct trial *trial);

/** trial_forget() - Take the marker away. Return: 0 or -errno, logged. */
int trial_forget(const struct invocation *in);

/** trial_is_pending() - Whether the kernel that was to crash still runs. */
bool trial_is_pending(const struct invocation *in, const struct trial *trial);

/* trial_outcome.c */

/**
 * trial_judge() - What came of it.
 * @dump_ret: the first dump since then, borrowed from @dumps; NULL for none
 */
enum trial_outcome trial_judge(const struct invocation *in, const struct trial *trial,
			       const struct dumps *dumps, const struct dump **dump_ret);

/** trial_line() - One line that says so, for people. Return: owned by the caller; NULL without
 * memory. */
char *trial_line(const struct trial *trial, enum trial_outcome outcome, const struct dump *dump);

/** trial_outcome_name() - For JSON. */
const char *trial_outcome_name(enum trial_outcome outcome);

#endif
