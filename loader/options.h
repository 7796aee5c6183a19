/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: one table of options, parsed once, and the action that they ask for.
 * Names and meanings are kexec(8)'s (kexec-tools 2.0.25 to 2.0.32).
 */
#ifndef LOADER_OPTIONS_H
#define LOADER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* struct options, flags */
#define OPT_HELP	   (1u << 0)
#define OPT_VERSION	   (1u << 1)
#define OPT_STATUS	   (1u << 2)
#define OPT_PRINT_CKR_SIZE (1u << 3)
#define OPT_UNLOAD	   (1u << 4)
#define OPT_PANIC	   (1u << 5)
#define OPT_FORCE	   (1u << 6)
#define OPT_LOAD	   (1u << 7)
#define OPT_EXEC	   (1u << 8)
#define OPT_ACTIONS	   ((1u << 9) - 1) /* all of the above */

#define OPT_DEBUG	   (1u << 9)
#define OPT_REUSE_CMDLINE  (1u << 10)
#define OPT_REUSE_INITRD   (1u << 11)
#define OPT_NO_SYNC	   (1u << 12)
#define OPT_NO_IFDOWN	   (1u << 13)
#define OPT_FILE_CALL	   (1u << 14)			  /* kexec_file_load(2) alone */
#define OPT_OLD_CALL	   (1u << 15)			  /* kexec_load(2) alone */
#define OPT_CALLS	   (OPT_FILE_CALL | OPT_OLD_CALL) /* at most one of them is set */
#define OPT_HOTPLUG	   (1u << 16)
#define OPT_NO_CHECKS	   (1u << 17) /* the purgatory verifies nothing; kexec_load(2) only */
#define OPT_NO_EFI	   (1u << 18)
#define OPT_ENTRY_32	   (1u << 19)
#define OPT_CONSOLE_SERIAL (1u << 20)

/**
 * struct options - The command line, parsed. Strings are borrowed from argv.
 * @flags: OPT_*
 * @kernel: first file named, NULL where there is none
 * @initrd: NULL where there is none
 * @append: text for the new kernel's command line, NULL where not given
 * @type: what -t says the kernel is, one of options_types(); NULL where not given
 * @load_only: the last option given that kexec_load(2) alone can honour, NULL for none
 * @mem_min: lowest address to place anything at
 * @mem_max: highest address, inclusive; UINT64_MAX where not given
 * @serial_port: I/O port that the purgatory prints to, 0 for none
 * @serial_baud: 0 where not given
 * @nr_files: how many files were named
 */
struct options {
	unsigned flags;
	const char *kernel;
	const char *initrd;
	const char *append;
	const char *type;
	const char *load_only;
	uint64_t mem_min;
	uint64_t mem_max;
	uint64_t serial_port;
	uint64_t serial_baud;
	int nr_files;
};

/**
 * options_parse() - Parse argv.
 * @why: gets a sentence where it fails
 *
 * Return: 0 or -EINVAL: no such option, a value that is none, one that cannot be honoured,
 * options that contradict each other.
 */
int options_parse(int argc, char **argv, struct options *opts_ret, char *why, size_t why_size);

/** options_help() - Print the usage to stdout. */
void options_help(void);

/* Between options.c and options_table.c. */

enum option_group {
	GROUP_ACTION,
	GROUP_IMAGE,
	GROUP_CALL,
	GROUP_LOAD_CALL, /* what is honoured by kexec_load(2) alone */
	GROUP_EXEC,
	GROUP_OTHER,
	GROUP_REFUSED,
	NR_GROUPS,
};

/**
 * struct option_row - One option, and all there is to know about it.
 * @letter: its letter, 0 for none
 * @arg: name of its argument, NULL without one
 * @flag: OPT_* to set
 * @clear: OPT_* to clear first: of these the last one given counts
 * @parse: turns the argument into the member of struct options at @field; false: it is none
 * @help: one line; for GROUP_REFUSED the reason, the second half of a sentence
 */
struct option_row {
	const char *name;
	char letter;
	enum option_group group;
	const char *arg;
	unsigned flag;
	unsigned clear;
	bool (*parse)(const char *text, void *member);
	size_t field;
	const char *help;
};

extern const struct option_row loader_options[];
extern const size_t nr_loader_options;

/* The most rows there can be; options_table.c asserts it. */
#define OPTION_ROWS_MAX 64

/* ---- actions.c: which command an option combination asks for ---- */

/**
 * struct action - One row of the table that main() dispatches from.
 * @all: OPT_* that must be given, all of them
 * @with: further OPT_ACTIONS bits that may stand beside them
 * @wants_kernel: exactly one file must be named
 * @run: Return: the exit status of the program
 */
struct action {
	unsigned all;
	unsigned with;
	bool wants_kernel;
	int (*run)(const struct options *opts);
};

/**
 * action_find() - The action that the options ask for.
 * @why: gets a sentence where there is none
 *
 * Return: 0, or -EINVAL: nothing to do, options that exclude each other, no kernel.
 */
int action_find(const struct options *opts, const struct action **action_ret, char *why,
		size_t why_size);

/* Exit statuses. -S uses the first two for its answer, as kexec(8) does. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_LOADED = 1,
	EXIT_USAGE = 2,
	EXIT_UNKNOWN = 255,
};

int cmd_load(const struct options *opts);
int cmd_load_exec(const struct options *opts);
int cmd_unload(const struct options *opts);
int cmd_exec(const struct options *opts);
int cmd_status(const struct options *opts);
int cmd_print_ckr_size(const struct options *opts);
int cmd_help(const struct options *opts);
int cmd_version(const struct options *opts);

#endif
