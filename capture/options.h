/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of vmcore-save, from a command line and from kdump.conf(5)'s
 * core_collector alike, named as in makedumpfile(8).
 */
#ifndef CAPTURE_OPTIONS_H
#define CAPTURE_OPTIONS_H

#include <stdbool.h>

#include "capture/dump/dump.h"

#define OPTIONS_DEFAULT_COLLECTOR "-c -d 31"
#define OPTIONS_COLLECTOR_MAX	  1024 /* bytes in a core_collector line */

/**
 * struct options - What was asked for.
 * @input, @output: borrowed from argv; NULL where not given
 * @codec: NULL for pages as they are
 */
struct options {
	unsigned level;
	enum dump_format format;
	const struct codec *codec;
	bool force, show_stats, no_progress, dump_dmesg, help, version;
	const char *input, *output;
};

/**
 * save_options_parse() - Parse a command line; argv[0] is skipped, argv is put in order as
 * getopt_long(3) does. Level 0 and zlib where nothing else is said.
 * Return: 0; -EINVAL, logged as one sentence.
 */
int save_options_parse(int argc, char **argv, struct options *options_ret);

/**
 * save_options_parse_collector() - Parse a core_collector value. A first word "makedumpfile"
 * or "vmcore-save", with or without a path, is skipped; files may not be named.
 * @value: NULL or empty for OPTIONS_DEFAULT_COLLECTOR
 *
 * Return: as save_options_parse().
 */
int save_options_parse_collector(const char *value, struct options *options_ret);

#endif
