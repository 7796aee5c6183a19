/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dumps that can be found from this system, and where else there may be some. */
#ifndef CONTROL_DUMPS_RECORDS_H
#define CONTROL_DUMPS_RECORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/command.h"
#include "control/dumps/record.h"
#include "lib/config.h"
#include "lib/json.h"

#define DUMPS_MAX	 4096u /* looked at in a place; the rest is told of */
#define DUMPS_MAX_PLACES (CONFIG_MAX_TARGETS + 2u)
#define DUMP_NAME_SIZE	 264 /* NAME_MAX, "dump." and a NUL */

/**
 * struct dump - A directory with a dump in it, or what is left of one.
 * @path: with in->root, or as --dir names it; owned; its bytes may be any
 * @name: the last part of it
 * @place: in which of dumps->places
 * @ours: there is a manifest of ours that could be read: it is @record
 * @verdict: never NULL: the manifest's; or "damaged" or "unknown", and then @problem says why
 * @when: seconds since 1970: by the manifest, else when the directory last changed
 * @file, @log: names of the files in it, empty where there is none
 * @bytes: of @file
 */
struct dump {
	char *path;
	const char *name;
	unsigned place;
	bool ours;
	const char *verdict;
	char problem[160];
	int64_t when;
	char file[DUMP_NAME_SIZE];
	char log[DUMP_NAME_SIZE];
	uint64_t bytes;
	struct record record;
};

/**
 * struct dumps_elsewhere - A target that cannot be looked at from here.
 * @why: in a few words
 * @hint: what shows what is there
 */
struct dumps_elsewhere {
	char target[280];
	char why[80];
	char hint[1200];
};

/**
 * struct dumps_place - A directory that was looked into.
 * @path: owned
 * @given: by --dir
 */
struct dumps_place {
	char *path;
	dev_t dev;
	ino_t ino;
	bool given;
};

/** struct dumps - All of them, the newest first. @config: owned, as all else */
struct dumps {
	struct dump *list;
	unsigned nr, room;
	struct dumps_place places[DUMPS_MAX_PLACES];
	unsigned nr_places;
	struct dumps_elsewhere elsewhere[CONFIG_MAX_TARGETS];
	unsigned nr_elsewhere;
	struct config *config;
};

/**
 * dumps_find() - Look for dumps.
 * @dir: look into this directory alone, as it stands; NULL for all places of in->root
 * @dumps: dumps_deinit() is due in any case
 *
 * Return: 0, or -errno, logged.
 */
int dumps_find(const struct invocation *in, const char *dir, struct dumps *dumps);
void dumps_deinit(struct dumps *dumps);

/**
 * dumps_choose() - The one that somebody means.
 * @word: a number as list has it, a directory, the beginning of a directory's name; NULL for
 *	the newest
 *
 * Return: NULL after saying why.
 */
const struct dump *dumps_choose(const struct dumps *dumps, const char *word);

/** dump_read() - Look at one directory: the inner part of dumps_find().
 * Return: 0, and dump_deinit() is due; -ENODATA where it holds no dump; -errno. Not logged. */
int dump_read(const char *place, const char *name, struct dump *ret);
void dump_deinit(struct dump *dump);

/** dump_json() - What list tells of one, as members of an object. */
void dump_json(struct json *j, const struct dump *dump);

/** dump_panic_line() - For people where there is none, too. */
const char *dump_panic_line(const struct dump *dump);

#endif
