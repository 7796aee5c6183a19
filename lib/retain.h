/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Earlier dumps of a target that make room: keep_dumps and keep_bytes. Works on what is
 * mounted, in the directory that holds the captures' directories.
 *
 * Only what this program made can go: a directory with a capture's name, the time, and
 * the same host's prefix where names have one, that holds a manifest of ours and plain
 * files alone. The oldest goes first, by its name, and never the one being written.
 */
#ifndef LIB_RETAIN_H
#define LIB_RETAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config.h"

#define RETAIN_MAX	 64u /* considered in a run; what is more goes with the next dumps */
#define RETAIN_MAX_FILES 64u /* in a directory; one that has more was not made by us */

/** struct retain_count - What was removed. */
struct retain_count {
	unsigned dumps;
	uint64_t bytes;
	unsigned failed; /* logged */
};

/** retain_wanted() - Whether the configuration allows to remove anything. */
static inline bool retain_wanted(const struct config *config)
{
	return config->keep_dumps || config->keep_bytes;
}

/**
 * retain_apply() - After a complete dump: remove the oldest captures, complete or not,
 * until no more than config->keep_dumps complete ones are there, this one included, and
 * all together take up no more than config->keep_bytes.
 * @dir_fd: this capture's directory; @dir_name: its name, below @dir_fd/..
 * @alive: called with @alive_ctx before each file
 *
 * Return: 0; -EIO where one could not be removed; -errno of the listing. All logged.
 */
int retain_apply(int dir_fd, const char *dir_name, const struct config *config,
		 void (*alive)(void *ctx), void *alive_ctx, struct retain_count *count_ret);

/**
 * struct retain_prune - What is to go without a new dump.
 * @own: of the captures of its host, the one that stays in any case, as all younger ones do:
 *	the last complete one
 * @dry_run: only tell
 * @told: gets each one that goes or could not, with 0 or -errno, instead of the log
 */
struct retain_prune {
	const char *own;
	unsigned keep_dumps;
	uint64_t keep_bytes;
	bool dry_run;
	void (*told)(void *ctx, const char *name, uint64_t bytes, int err);
	void *ctx;
};

/**
 * retain_prune() - Remove the oldest, by the rules of retain_apply().
 * @parent_fd: what holds the captures' directories
 *
 * Return: as of retain_apply().
 */
int retain_prune(int parent_fd, const struct retain_prune *prune, struct retain_count *count_ret);

/**
 * retain_remove_oldest() - Remove one, for room that is needed. Only where retain_wanted().
 * @parent_fd: what holds the captures' directories; @own: the name of this one's, which is
 *	or will be there
 *
 * Return: 0; -ENODATA where there is none; -errno, logged.
 */
int retain_remove_oldest(int parent_fd, const char *own, void (*alive)(void *ctx), void *alive_ctx);

/** retain_is_capture() - Whether @name is a capture's, made for the same host as @own.
 * *@stamp_ret is its part that begins with the time. */
bool retain_is_capture(const char *name, const char *own, const char **stamp_ret);

#endif
