/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From another crash dump service's file of shell variables to our two files. The file is read,
 * never run. Each service is a const table: a row for each of its variables, with what becomes of
 * it, or with why nothing does. docs/migration.md has the same for people.
 */
#ifndef CONTROL_MIGRATE_MIGRATE_H
#define CONTROL_MIGRATE_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define MIGRATE_MAX_BYTES     (256u << 10)
#define MIGRATE_MAX_VARIABLES 128u

struct migration;

/**
 * struct migrate_row - A variable of another service.
 * @standard: what it is where the file does not say; a variable that has this value, or an empty
 *	one, needs nothing
 * @take: turns the value into what it is here; NULL where nothing is like it, or where another
 *	row or the dialect's @begin has done so
 * @why: what to do instead of a variable that nothing is like; NULL: it is not lost
 */
struct migrate_row {
	const char *name;
	const char *standard;
	void (*take)(struct migration *m, const char *value);
	const char *why;
};

/**
 * struct migrate_dialect - Another service.
 * @file: where its variables are
 * @begin: writes what several variables make together, targets above all
 */
struct migrate_dialect {
	const char *name, *file;
	const struct migrate_row *rows;
	size_t nr;
	void (*begin)(struct migration *m);
};

extern const struct migrate_dialect migrate_debian, migrate_fedora, migrate_suse;

/* struct migrate_variable - An assignment. Strings are owned. */
struct migrate_variable {
	char *name, *value;
	unsigned line;
};

/**
 * struct migration - A file that was read, and what becomes of it.
 * @dialect: whose variables they are
 * @row: the one under way
 * @config, @settings: the text of /etc/vmcore-save.conf and of /etc/default/vmcore-save; owned
 * @nr_lost: how much of what the file says has nothing like it
 */
struct migration {
	const struct migrate_dialect *dialect;
	const struct migrate_row *row;
	struct migrate_variable variables[MIGRATE_MAX_VARIABLES];
	size_t nr;
	char *config, *settings;
	unsigned nr_lost;
	bool failed; /* no memory */
};

/* ---- migrate.c */

/**
 * migrate_text() - Do all of it.
 * @text: the file's, without NUL within
 * @m_ret: migrate_deinit() is due whatever is returned
 *
 * Return: 0; -ENODATA no variable in it is a known service's; -ENOMEM.
 */
int migrate_text(const char *text, struct migration *m_ret);
void migrate_deinit(struct migration *m);

/** migrate_get() - The last value that the file gives to @name, else the row's standard. */
const char *migrate_get(const struct migration *m, const char *name);

/** migrate_key() - A line "@key @value" of the configuration; one that it would not take becomes
 * a comment with the mistake, and counts as lost. Return: whether it was taken. */
bool migrate_key(struct migration *m, const char *key, const char *value);

/** migrate_setting() - A line of /etc/default/vmcore-save. */
void migrate_setting(struct migration *m, const char *key, const char *value);

/** migrate_append() - The words of @value for KERNEL_APPEND_EXTRA: without those that are in
 * KERNEL_APPEND already and those for a systemd, a dracut or a udev that is not there. */
void migrate_append(struct migration *m, const char *value);

/** migrate_say() - A comment in the configuration. */
void migrate_say(struct migration *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** migrate_lose() - The same, of what cannot be taken over. */
void migrate_lose(struct migration *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Rows in more than one table. */
void migrate_take_kexec_args(struct migration *m, const char *value);
void migrate_take_kernel(struct migration *m, const char *value);

/* ---- migrate_read.c */

/**
 * migrate_read() - The assignments of a shell file, as far as they are plain: NAME=VALUE, with
 * quotes, without anything that a shell would expand.
 * @complain: gets each line that is no plain assignment
 *
 * Return: 0; -E2BIG more than MIGRATE_MAX_VARIABLES; -ENOMEM.
 */
int migrate_read(const char *text, struct migration *m,
		 void (*complain)(struct migration *m, unsigned line, const char *why));

#endif
