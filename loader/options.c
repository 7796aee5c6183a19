// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"
#include "loader/loader.h"

/* Value of the first option without a letter. */
#define LONG_ONLY 0x100

/**
 * struct option_row - One option, and all there is to know about it.
 * @letter: its letter, 0 for none
 * @arg: name of its argument, NULL without one
 * @flag: OPT_* to set
 * @field: where in struct options the argument goes
 */
struct option_row {
	const char *name;
	char letter;
	const char *arg;
	unsigned flag;
	size_t field;
	const char *help;
};

#define TEXT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{ "load-panic", 'p', NULL, OPT_PANIC, 0, "load KERNEL to capture a dump after a panic" },
	{ "load", 'l', NULL, OPT_LOAD, 0, "load KERNEL for a fast reboot" },
	{ "exec", 'e', NULL, OPT_EXEC, 0, "reboot into the kernel that -l loaded, now" },
	{ "force", 'f', NULL, OPT_FORCE, 0, "the same as -l and -e in one call" },
	{ "unload", 'u', NULL, OPT_UNLOAD, 0, "unload what -l loaded; with -p, what -p loaded" },
	{ "status", 'S', NULL, OPT_STATUS, 0,
	  "exit 1 if a capture kernel is loaded, 0 if not; with -l, a kernel for -e" },
	{ "initrd", 0, "FILE", 0, TEXT(initrd), "initial RAM disk of the new kernel" },
	{ "ramdisk", 0, "FILE", 0, TEXT(initrd), "the same" },
	{ "append", 0, "TEXT", 0, TEXT(append), "command line of the new kernel" },
	{ "command-line", 0, "TEXT", 0, TEXT(append), "the same" },
	{ "reuse-cmdline", 0, NULL, OPT_REUSE_CMDLINE, 0,
	  "start it with the running kernel's command line" },
	{ "no-sync", 'y', NULL, OPT_NO_SYNC, 0, "with -e: do not sync file systems first" },
	{ "no-ifdown", 'x', NULL, OPT_NO_IFDOWN, 0, "with -e: leave network interfaces up" },
	{ "kexec-file-syscall", 's', NULL, OPT_FILE_CALL, 0,
	  "use kexec_file_load(2), as is done anyway" },
	{ "kexec-syscall-auto", 'a', NULL, OPT_FILE_CALL, 0, "the same" },
	{ "kexec-syscall", 'c', NULL, OPT_OLD_CALL, 0, "refused: kexec_load(2) is not built in" },
	{ "debug", 'd', NULL, OPT_DEBUG, 0, "say what is done" },
	{ "help", 'h', NULL, OPT_HELP, 0, "print this" },
	{ "version", 'v', NULL, OPT_VERSION, 0, "print the version" },
};

static int row_value(size_t i)
{
	return rows[i].letter ? rows[i].letter : (int)(LONG_ONLY + i);
}

static const struct option_row *row_find(int value)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (row_value(i) == value)
			return &rows[i];
	return NULL;
}

/* What getopt_long() wants to know, from the table. @letters: 2 per row and 2 */
static void getopt_tables(struct option *longs, char *letters)
{
	*letters++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].arg ? required_argument : no_argument,
			.val = row_value(i),
		};
		if (rows[i].letter)
			*letters++ = rows[i].letter;
		if (rows[i].letter && rows[i].arg)
			*letters++ = ':';
	}
	longs[ARRAY_SIZE(rows)] = (struct option){ 0 };
	*letters = '\0';
}

/* getopt_long() leaves a bad option's letter in optopt; for a bad long one it is 0. */
static void explain_bad(int c, char **argv, char *why, size_t why_size)
{
	const struct option_row *row = row_find(optopt);

	if (c == ':' && row)
		snprintf(why, why_size, "--%s wants a %s behind it", row->name, row->arg);
	else if (row)
		snprintf(why, why_size, "--%s takes no value", row->name);
	else if (optopt)
		snprintf(why, why_size, "there is no option -%c", optopt);
	else
		snprintf(why, why_size, "there is no option %s", argv[optind - 1]);
}

int options_parse(int argc, char **argv, struct options *opts_ret, char *why, size_t why_size)
{
	struct option longs[ARRAY_SIZE(rows) + 1];
	char letters[2 * ARRAY_SIZE(rows) + 2];
	struct options opts = { 0 };
	int c;

	getopt_tables(longs, letters);
	opterr = 0;
	optind = 0; /* glibc and musl both take it as "start afresh" */
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = c == '?' || c == ':' ? NULL : row_find(c);

		if (!row) {
			explain_bad(c, argv, why, why_size);
			return -EINVAL;
		}
		opts.flags |= row->flag;
		if (row->arg)
			memcpy((char *)&opts + row->field, &optarg, sizeof(optarg));
	}
	opts.nr_files = argc - optind;
	opts.kernel = opts.nr_files > 0 ? argv[optind] : NULL;
	*opts_ret = opts;
	return 0;
}

void options_help(void)
{
	puts("Usage: kexec-loader -p|-l|-f [OPTION]... KERNEL\n"
	     "       kexec-loader -e|-u|-S [OPTION]...\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char left[40], letter[] = { '-', rows[i].letter, ',', '\0' };

		snprintf(left, sizeof(left), "%-3s --%s%s%s", rows[i].letter ? letter : "",
			 rows[i].name, rows[i].arg ? "=" : "", rows[i].arg ? rows[i].arg : "");
		printf("  %-27s %s\n", left, rows[i].help);
	}
	puts("\nExit status: 0 done; 1 failed; 2 wrong usage. With -S: 0 not loaded, 1 loaded,\n"
	     "255 the kernel does not say. See kexec-loader(8).");
}
