/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of vmcore-save, from a command line and from kdump.conf(5)'s
 * core_collector alike, named as in makedumpfile(8).
 */
#ifndef CAPTURE_OPTIONS_H
#define CAPTURE_OPTIONS_H

#include <stdbool.h>

#include "capture/dump/dump.h"

#define OPTIONS_DEFAULT_COLLECTOR "-d 31"
#define OPTIONS_DEFAULT_CODEC	  "fast"
#define OPTIONS_COLLECTOR_MAX	  1024 /* bytes in a core_collector line */
#define OPTIONS_LEVELS_MAX	  8
#define OPTIONS_FILES_MAX	  (DUMP_SPLITS_MAX + 1)

/* What is to be done. */
enum option_mode {
	MODE_DUMP,	   /* VMCORE DUMPFILE */
	MODE_SPLIT,	   /* VMCORE DUMPFILE DUMPFILE... */
	MODE_FLATTENED,	   /* VMCORE, to standard output */
	MODE_REARRANGE,	   /* DUMPFILE, from standard input */
	MODE_REASSEMBLE,   /* DUMPFILE DUMPFILE... DUMPFILE */
	MODE_DRY_RUN,	   /* VMCORE [DUMPFILE] */
	MODE_DMESG,	   /* VMCORE LOGFILE */
	MODE_MEM_USAGE,	   /* /proc/kcore */
	MODE_FETCH,	   /* DEVICE [DIRECTORY] */
	MODE_CHECK_CONFIG, /* [FILE] */
	MODE_PRINT_CONFIG, /* [FILE] */
	MODE_HELP,
	MODE_VERSION,
};

/**
 * struct options - What was asked for.
 * @levels: to be tried one after the other, where one does not fit the disk
 * @codec: NULL for pages as they are
 * @codec_level: 0 for the codec's default
 * @codec_given: a codec was asked for by name
 * @threads: 0 where nothing was said
 * @limit: most bytes of the output; 0 for none
 * @check_params: only look at the options
 * @files: borrowed from argv
 */
struct options {
	enum option_mode mode;
	unsigned levels[OPTIONS_LEVELS_MAX], nr_levels;
	enum dump_format format;
	const struct codec *codec;
	int codec_level;
	unsigned threads;
	uint64_t limit;
	bool codec_given;
	bool force, show_stats, json, no_progress, non_mmap, check_params, dry_run;
	bool list, erase; /* of MODE_FETCH */
	const char *files[OPTIONS_FILES_MAX];
	unsigned nr_files;
};

/**
 * save_options_parse() - Parse a command line; argv[0] is skipped, argv is put in order as
 * getopt_long(3) does. Level 0 and the default codec where nothing else is said.
 * Return: 0; -EINVAL, logged as one sentence.
 */
int save_options_parse(int argc, char **argv, struct options *options_ret);

/**
 * save_options_parse_collector() - Parse a core_collector value. A first word "makedumpfile"
 * or "vmcore-save", with or without a path, is skipped; files may not be named.
 * @value: NULL or empty for OPTIONS_DEFAULT_COLLECTOR
 *
 * -F is taken and means nothing: where the dump goes decides on its form. The log level may
 * become higher, not lower.
 * Return: as save_options_parse().
 */
int save_options_parse_collector(const char *value, struct options *options_ret);

/** save_options_cpus() - How many CPUs this process may use, at least 1. */
unsigned save_options_cpus(void);

/** save_options_threads() - How many threads to use: what was asked for, else one for each
 * CPU that this process may use, up to 8. */
unsigned save_options_threads(const struct options *o);

#endif
