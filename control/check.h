/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check's parts. Each looks at one subject and adds its results to one table; none ends the
 * others, and none changes anything.
 */
#ifndef CONTROL_CHECK_H
#define CONTROL_CHECK_H

#include <stdbool.h>

#include "control/armed.h"
#include "control/content.h"
#include "control/system.h"
#include "lib/config.h"

#define CHECK_MAX_RESULTS 96u /* more than eight targets and three hooks can give */

enum check_verdict {
	CHECK_OK,
	CHECK_WARN,
	CHECK_FAIL
};

/**
 * struct check_result
 * @name: static; the same for all of a kind
 * @text: what was found
 * @hint: what to type next; may be empty
 */
struct check_result {
	const char *name;
	enum check_verdict verdict;
	char text[512];
	char hint[256];
};

/**
 * struct check - What is looked at, and what came of it.
 * @known: what is armed was armed by us: @armed tells of it
 * @opened: the image could be read: @content tells of it
 */
struct check {
	struct system sys;
	struct armed armed;
	bool known;
	struct config config;
	struct content content;
	bool opened;
	unsigned nr;
	struct check_result results[CHECK_MAX_RESULTS];
};

/** check_tell() - Add a result. @hint: what to do about it, "" for nothing */
__attribute__((format(printf, 5, 6))) void check_tell(struct check *c, enum check_verdict verdict,
						      const char *name, const char *hint,
						      const char *fmt, ...);

/* ---- check_armed.c: the reservation, what is armed, the image, hooks */
void check_armed(struct check *c);
void check_image(struct check *c);
void check_hooks(struct check *c);

/* ---- check_modules.c: drivers of the way to a target */
/** check_drivers() - @where: the target, for people; @devices: as devices_of_target() has it; is
 * cut into words */
void check_drivers(struct check *c, const char *where, char *devices);

/* ---- check_target.c: the targets, each with all that belongs to it */
void check_targets(struct check *c);

/* ---- check_space.c: whether a dump has room */
void check_space(struct check *c);

#endif
