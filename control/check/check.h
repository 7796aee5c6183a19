/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check's parts. Each looks at one subject and adds its results to one table; none ends the
 * others, and none changes anything.
 */
#ifndef CONTROL_CHECK_CHECK_H
#define CONTROL_CHECK_CHECK_H

#include <stdbool.h>

#include "control/armed.h"
#include "control/content.h"
#include "control/devices.h"
#include "control/dumps/history.h"
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
 * struct check_need - What a dump of the memory as it is now would take; in bytes.
 * @tried: the others are set
 * @err: why @kept is not known; 0 where it is
 * @total: all memory, 0 where even that is not known; @kept: of it, by the dump level @level
 * @percent: what it is packed to; @measured: by an earlier dump, else that is assumed
 * @bytes: of the dump
 */
struct check_need {
	bool tried, measured;
	int err;
	unsigned level, percent;
	uint64_t total, kept, bytes;
};

/**
 * struct check - What is looked at, and what came of it.
 * @known: what is armed was armed by us: @armed tells of it
 * @opened: the image could be read: @content tells of it
 * @history: of the kernel that captures
 */
struct check {
	struct system sys;
	struct armed armed;
	bool known;
	struct config config;
	struct content content;
	bool opened;
	struct history history;
	struct check_need need;
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

/**
 * struct check_target - One target, as it goes from part to part.
 * @target: NULL for the path on the root file system, where no target is configured
 * @where: for people
 * @bad: what it means when it cannot be used
 * @fs: the file system that the capture mounts there; empty where there is none, or it is not known
 * @devices: as of devices_of_target()
 * @has_room: @free_bytes is known
 */
struct check_target {
	const struct config_target *target;
	const char *where;
	enum check_verdict bad;
	char fs[32];
	char devices[DEVICES_TEXT_SIZE];
	bool has_room;
	uint64_t free_bytes;
};

/* ---- check_target.c: all targets, with what belongs to each */
void check_targets(struct check *c);
/** check_look() - Look at the directory for dumps, where it is mounted or by mounting it.
 * @what: for mount(8) */
void check_look(struct check *c, struct check_target *s, const char *what, const char *type);

/* ---- check_disk.c: what is on a device. @node: its path */
void check_raw(struct check *c, struct check_target *s, const char *node);
void check_fs(struct check *c, struct check_target *s, const char *node);

/* ---- check_server.c, check_ssh.c */
void check_server(struct check *c, struct check_target *s);
void check_login(struct check *c, struct check_target *s, const char *host, unsigned port);

/* ---- check_modules.c: what the image has to have for a target */
void check_modules(struct check *c, struct check_target *s);

/* ---- check_watchdog.c */
void check_watchdog(struct check *c);

/* ---- check_space.c: whether a dump has room in a target */
void check_room(struct check *c, const struct check_target *s);

/* ---- check_kernel.c: what the running kernel makes of a crash, and lets be loaded */
void check_kernel(struct check *c);
/** check_is_signed() - Whether a kernel's file, by its beginning, has a certificate table as
 * Microsoft's "PE Format" has it; whose signature that is, it does not tell. */
bool check_is_signed(const void *head, size_t len);

#endif
