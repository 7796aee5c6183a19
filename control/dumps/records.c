// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/dumps/records.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "control/mounts.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define USUAL_PLACE "/var/crash"

static int fail_path(const char *path, const char *what, int err)
{
	_free_ char *clean = text_clean(path);

	log_error("%s: cannot %s: %s%s", clean ?: "", what, strerror(-err),
		  err == -EACCES ? "; try it as root" : "");
	return err;
}

static int add_dump(struct dumps *dumps, struct dump *dump)
{
	if (dumps->nr == dumps->room) {
		unsigned room = dumps->room ? 2 * dumps->room : 16;
		struct dump *list = reallocarray(dumps->list, room, sizeof(*list));

		if (!list) {
			dump_deinit(dump);
			return -ENOMEM;
		}
		dumps->list = list;
		dumps->room = room;
	}
	dump->place = dumps->nr_places - 1;
	dumps->list[dumps->nr++] = *dump;
	return 0;
}

static int look_into(struct dumps *dumps, DIR *dir, const char *path)
{
	struct dirent *entry;
	unsigned nr = 0;

	while ((errno = 0, entry = readdir(dir))) {
		struct dump dump;
		int err;

		if (streq(entry->d_name, ".") || streq(entry->d_name, "..") ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		if (++nr > DUMPS_MAX) {
			log_warn("%s: there are more than %u directories; the rest is left out",
				 path, DUMPS_MAX);
			return 0;
		}
		err = dump_read(path, entry->d_name, &dump);
		if (!err)
			err = add_dump(dumps, &dump);
		else if (err == -EACCES)
			return fail_path(path, "look into all directories there", err);
		if (err == -ENOMEM)
			return err;
	}
	return errno ? fail_path(path, "be read", -errno) : 0;
}

/* One that is there already, by another name too, is not looked into again. */
static int add_place(struct dumps *dumps, const char *path, bool given)
{
	_closedir_ DIR *dir = opendir(path);
	struct dumps_place *place = &dumps->places[dumps->nr_places];
	struct stat sb;

	if (!dir && (errno == ENOENT || errno == ENOTDIR) && !given)
		return 0;
	if (!dir || fstat(dirfd(dir), &sb))
		return fail_path(path, "be opened", -errno);
	for (unsigned i = 0; i < dumps->nr_places; i++) {
		if (dumps->places[i].dev == sb.st_dev && dumps->places[i].ino == sb.st_ino)
			return 0;
	}
	if (dumps->nr_places == DUMPS_MAX_PLACES)
		return 0;
	*place = (struct dumps_place){ strdup(path), sb.st_dev, sb.st_ino, given };
	if (!place->path)
		return -ENOMEM;
	dumps->nr_places++;
	return look_into(dumps, dir, place->path);
}

/* As a word of a shell's command line. */
static void quote(const char *word, char *buf, size_t size)
{
	const bool plain = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789/=:@._+-[]") == strlen(word);
	size_t at = 0;

	if (plain) {
		snprintf(buf, size, "%s", word);
		return;
	}
	buf[at++] = '\'';
	for (; *word && at + 6 < size; word++)
		at += (size_t)sprintf(buf + at, *word == '\'' ? "'\\''" : "%c", *word);
	strcpy(buf + at, "'");
}

/* udev's link for what a raw target is called by; see mounts.c for the way back. */
static void device_path(const char *where, char *buf, size_t size)
{
	const char *label = after_prefix(where, "PARTLABEL="), *uuid;

	uuid = after_prefix(where, "PARTUUID=");
	snprintf(buf, size, "%s%s",
		 label ? "/dev/disk/by-partlabel/" :
		 uuid  ? "/dev/disk/by-partuuid/" :
			 "",
		 label	      ?:
			 uuid ?:
				where);
}

static void add_elsewhere(struct dumps *dumps, const struct config_target *t, int err)
{
	struct dumps_elsewhere *e = &dumps->elsewhere[dumps->nr_elsewhere++];
	char where[2 * sizeof(t->where)], path[2 * sizeof(t->path)], device[sizeof(t->where) + 32];

	snprintf(e->target, sizeof(e->target), "%s %s", t->type, t->where);
	quote(t->where, where, sizeof(where));
	quote(t->path, path, sizeof(path));
	if (streq(t->type, "raw")) {
		strcpy(e->why, "is no file system");
		device_path(t->where, device, sizeof(device));
		quote(device, where, sizeof(where));
		snprintf(e->hint, sizeof(e->hint), "vmcore-save --fetch --list %s", where);
	} else if (streq(t->type, "ssh")) {
		strcpy(e->why, "is another host");
		snprintf(e->hint, sizeof(e->hint), "ssh %s ls -l %s", where, path);
	} else {
		strcpy(e->why, err == -ENODEV ? "is not there" : "is not mounted");
		snprintf(e->hint, sizeof(e->hint),
			 "mount -o ro -t %s %s /mnt; " CTL_PROGRAM " list --dir=/mnt%s", t->type,
			 where, path);
	}
}

static int add_target(const struct invocation *in, struct dumps *dumps,
		      const struct config_target *target)
{
	_free_ char *path = NULL;
	int err = -EOPNOTSUPP;

	if (!streq(target->type, "raw") && !streq(target->type, "ssh"))
		err = mounts_find(in, target, &path);
	if (err == -ENOMEM)
		return err;
	if (!err)
		return add_place(dumps, path, false);
	add_elsewhere(dumps, target, err);
	return 0;
}

static void complain(void *ctx, const char *message)
{
	(void)ctx;
	log_warn("%s", message);
}

static int read_config(const struct invocation *in, struct config *config)
{
	_free_ char *ours = ctl_path(in, CONFIG_PATH), *kdumps = ctl_path(in, CONFIG_KDUMP_PATH);
	const char *path;
	int err;

	config_init(config);
	if (!ours || !kdumps)
		return -ENOMEM;
	path = config_choose_path(ours, kdumps);
	err = config_read(path, config, complain, NULL);
	return err < 0 && err != -ENOENT ? fail_path(path, "be read", err) : 0;
}

static int add_rooted(const struct invocation *in, struct dumps *dumps, const char *path)
{
	_free_ char *rooted = ctl_path(in, path);

	return rooted ? add_place(dumps, rooted, false) : -ENOMEM;
}

static int newer_first(const void *a, const void *b)
{
	const struct dump *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? 1 : -1;
	return strverscmp(y->path, x->path);
}

int dumps_find(const struct invocation *in, const char *dir, struct dumps *dumps)
{
	struct config *config = malloc(sizeof(*config));
	int err;

	*dumps = (struct dumps){ .config = config };
	err = config ? read_config(in, config) : -ENOMEM;
	if (!err && dir) {
		err = add_place(dumps, dir, true);
	} else {
		for (unsigned i = 0; i < config->nr_targets && !err; i++)
			err = add_target(in, dumps, &config->targets[i]);
		if (!err)
			err = add_rooted(in, dumps, config->path);
		if (!err)
			err = add_rooted(in, dumps, USUAL_PLACE);
	}
	if (err == -ENOMEM)
		log_error("cannot list the dumps: %s", strerror(ENOMEM));
	if (!err && dumps->nr)
		qsort(dumps->list, dumps->nr, sizeof(*dumps->list), newer_first);
	return err;
}

void dumps_deinit(struct dumps *dumps)
{
	for (unsigned i = 0; i < dumps->nr; i++)
		dump_deinit(&dumps->list[i]);
	for (unsigned i = 0; i < dumps->nr_places; i++)
		free(dumps->places[i].path);
	free(dumps->list);
	free(dumps->config);
	dumps->config = NULL;
	dumps->list = NULL;
	dumps->nr = dumps->nr_places = 0;
}

static const struct dump *choose_path(const struct dumps *dumps, const char *word)
{
	struct stat wanted, sb;

	if (stat(word, &wanted))
		return NULL;
	for (unsigned i = 0; i < dumps->nr; i++) {
		if (stat(dumps->list[i].path, &sb) == 0 && sb.st_dev == wanted.st_dev &&
		    sb.st_ino == wanted.st_ino)
			return &dumps->list[i];
	}
	return NULL;
}

static const struct dump *choose_name(const struct dumps *dumps, const char *word,
				      unsigned *matches)
{
	const struct dump *found = NULL;

	*matches = 0;
	for (unsigned i = 0; i < dumps->nr; i++) {
		const char *rest = after_prefix(dumps->list[i].name, word);

		if (!rest)
			continue;
		found = &dumps->list[i];
		++*matches;
		if (!*rest) {
			*matches = 1;
			return found;
		}
	}
	return *matches == 1 ? found : NULL;
}

/* As list numbers them: from 1. */
static const struct dump *choose_number(const struct dumps *dumps, const char *word)
{
	char *end;
	unsigned long n = isdigit((unsigned char)*word) ? strtoul(word, &end, 10) : 0;

	return n && !*end && n <= dumps->nr ? &dumps->list[n - 1] : NULL;
}

const struct dump *dumps_choose(const struct dumps *dumps, const char *word)
{
	const struct dump *found = NULL;
	_free_ char *clean = text_clean(word ?: "");
	unsigned matches = 0;

	if (!word) {
		if (!dumps->nr)
			log_error("there is no dump here; see " CTL_PROGRAM " list");
		return dumps->nr ? &dumps->list[0] : NULL;
	}
	found = strchr(word, '/') ? choose_path(dumps, word) : choose_number(dumps, word);
	if (!found)
		found = choose_name(dumps, word, &matches);
	if (!found && matches)
		log_error("%s: %u dumps begin so; see " CTL_PROGRAM " list", clean ?: "", matches);
	else if (!found)
		log_error("%s: there is no such dump; see " CTL_PROGRAM " list", clean ?: "");
	return found;
}
