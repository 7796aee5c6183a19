/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcorectl's commands: a table of them, each with its options, from which the parser, --help
 * and the shell's completion are made.
 */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CTL_PROGRAM	"vmcorectl"
#define CTL_MAX_OPTIONS 10u

/* What scripts can rely on. */
enum ctl_exit {
	CTL_OK = 0,	/* done, or the answer is yes */
	CTL_FAILED = 1, /* it went wrong; stderr says what, and what to do */
	CTL_USAGE = 2,	/* nothing was done, for it was not understood */
	CTL_NO = 3, /* it went well, and the answer is no: not armed (as LSB has it), not ready */
};

/**
 * struct ctl_option - An option of one command.
 * @name: long name, without the dashes; NULL ends a list
 * @letter: short name, or 0
 * @arg: what --help calls its value; NULL where it takes none
 */
struct ctl_option {
	const char *name;
	char letter;
	const char *arg;
	const char *help;
};

/**
 * struct invocation - A command line that was understood. All strings are borrowed from argv.
 * @root: the system that is looked at, "" for this one; no '/' at its end
 * @json: print JSON on stdout, instead of text
 * @value: by the option's place in its command's list: its value, "" of one that takes none,
 *	NULL where it was not given
 * @args, @nr_args: what stands beside the options
 */
struct invocation {
	const struct command *command;
	const char *root;
	bool json;
	const char *value[CTL_MAX_OPTIONS];
	char **args;
	unsigned nr_args;
};

/**
 * struct command - A command.
 * @args: what --help calls its arguments; "" for none
 * @min_args, @max_args: how many
 * @summary: what it does, one line
 * @options: ends with a NULL name; NULL for none
 * @needs_root: refused for other users, except with --root
 * @run: returns an enum ctl_exit and has logged what went wrong
 */
struct command {
	const char *name;
	const char *args;
	unsigned min_args, max_args;
	const char *summary;
	const struct ctl_option *options;
	bool needs_root;
	int (*run)(const struct invocation *in);
};

/* All of them, in the order of --help; ends with a NULL name. */
extern const struct command commands[];

/** command_find() - NULL where there is none of that name. */
const struct command *command_find(const char *name);

/**
 * invocation_parse() - Understand a command line.
 * @argv: is sorted, options first
 * @why: what is wrong, where it returns -EINVAL
 *
 * Where @in->command is NULL after success, @help_ret or @version_ret is set.
 * Return: 0 or -EINVAL.
 */
int invocation_parse(int argc, char **argv, struct invocation *in, bool *help_ret,
		     bool *version_ret, char *why, size_t why_size);

/** usage_print() - --help; of one command where @command is not NULL. */
void usage_print(FILE *to, const struct command *command);

/** ctl_path() - Allocate in->root + @path. Return: owned by the caller; NULL without memory. */
char *ctl_path(const struct invocation *in, const char *path);

#endif
