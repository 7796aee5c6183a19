// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dump/codec.h"
#include "lib/log.h"
#include "lib/util.h"

#define COLLECTOR_WORDS 64

/*
 * One row for each option, also for those of makedumpfile(8) that are not there, so that
 * a habit gets a sentence and not a usage text.
 * @letter: 0 for none
 * @name: long name; NULL for none
 * @apply: NULL: not supported
 */
struct option_row {
	char letter;
	const char *name;
	bool has_arg;
	int (*apply)(struct options *o, const struct option_row *row, const char *arg);
};

static int parse_number(const char *arg, unsigned long max, unsigned long *value_ret)
{
	unsigned long value;
	char *end;

	if (*arg < '0' || *arg > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(arg, &end, 10);
	if (errno || *end || value > max)
		return -EINVAL;
	*value_ret = value;
	return 0;
}

static int apply_level(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long level;

	(void)row;
	if (strchr(arg, ',')) {
		log_error("-d %s: a second dump level is not supported", arg);
		return -EINVAL;
	}
	if (parse_number(arg, DUMP_LEVEL_MAX, &level)) {
		log_error("-d %s: a dump level is a number from 0 to %u", arg, DUMP_LEVEL_MAX);
		return -EINVAL;
	}
	o->level = level;
	return 0;
}

static int apply_codec(struct options *o, const struct option_row *row, const char *arg)
{
	const struct codec *codec = codec_find(row->letter);

	(void)arg;
	if (!codec->create) {
		log_error("-%c: compression with %s is not built in", row->letter, codec->name);
		return -EINVAL;
	}
	o->codec = codec;
	o->format = DUMP_FORMAT_KDUMP;
	return 0;
}

static int apply_elf(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->format = DUMP_FORMAT_ELF;
	o->codec = NULL;
	return 0;
}

static int apply_flag(struct options *o, const struct option_row *row, const char *arg)
{
	(void)arg;
	if (row->letter == 'f')
		o->force = true;
	else if (row->letter == 'h')
		o->help = true;
	else if (row->letter == 'v')
		o->version = true;
	else if (streq(row->name, "show-stats"))
		o->show_stats = true;
	else
		o->dump_dmesg = true;
	return 0;
}

static int apply_debug(struct options *o, const struct option_row *row, const char *arg)
{
	(void)o;
	(void)row;
	(void)arg;
	log_set_level(LOG_LVL_DEBUG);
	return 0;
}

/* makedumpfile's bits: 1 progress, 2 what it does, 4 errors, 8 debugging, 16 report. */
static int apply_message_level(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long level;

	(void)row;
	if (parse_number(arg, 31, &level)) {
		log_error("--message-level %s: a message level is a number from 0 to 31", arg);
		return -EINVAL;
	}
	o->no_progress = !(level & 1);
	o->show_stats |= !!(level & 16);
	if (level & 8)
		log_set_level(LOG_LVL_DEBUG);
	return 0;
}

static int apply_threads(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long nr;

	(void)o;
	(void)row;
	if (parse_number(arg, 4096, &nr)) {
		log_error("--num-threads %s: not a number of threads", arg);
		return -EINVAL;
	}
	if (nr > 1) {
		log_error("--num-threads %lu: more than one thread is not supported", nr);
		return -EINVAL;
	}
	return 0;
}

static const struct option_row rows[] = {
	{ 'd', NULL, true, apply_level },
	{ 'c', NULL, false, apply_codec },
	{ 'z', NULL, false, apply_codec },
	{ 'l', NULL, false, apply_codec },
	{ 'p', NULL, false, apply_codec },
	{ 'E', NULL, false, apply_elf },
	{ 'f', NULL, false, apply_flag },
	{ 'h', "help", false, apply_flag },
	{ 'v', "version", false, apply_flag },
	{ 'D', NULL, false, apply_debug },
	{ 0, "message-level", true, apply_message_level },
	{ 0, "num-threads", true, apply_threads },
	{ 0, "show-stats", false, apply_flag },
	{ 0, "dump-dmesg", false, apply_flag },
	/* makedumpfile(8)'s others. */
	{ 'F', NULL, false, NULL },
	{ 'R', NULL, false, NULL },
	{ 'x', NULL, true, NULL },
	{ 'i', NULL, true, NULL },
	{ 'g', NULL, true, NULL },
	{ 'X', NULL, false, NULL },
	{ 'e', NULL, false, NULL },
	{ 'b', NULL, true, NULL },
	{ 'L', NULL, true, NULL },
	{ 0, "split", false, NULL },
	{ 0, "reassemble", false, NULL },
	{ 0, "xen-syms", true, NULL },
	{ 0, "xen-vmcoreinfo", true, NULL },
	{ 0, "xen_phys_start", true, NULL },
	{ 0, "vtop", true, NULL },
	{ 0, "partial-dmesg", false, NULL },
	{ 0, "config", true, NULL },
	{ 0, "diskset", true, NULL },
	{ 0, "cyclic-buffer", true, NULL },
	{ 0, "eppic", true, NULL },
	{ 0, "non-mmap", false, NULL },
	{ 0, "mem-usage", false, NULL },
	{ 0, "splitblock-size", true, NULL },
	{ 0, "work-dir", true, NULL },
	{ 0, "check-params", false, NULL },
	{ 0, "dry-run", false, NULL },
	{ 0, "extension", true, NULL },
};

#define FIRST_LONG 256 /* getopt_long()'s value of rows[i] is FIRST_LONG + i */

struct getopt_tables {
	char letters[1 + 2 * ARRAY_SIZE(rows) + 1];
	struct option longs[ARRAY_SIZE(rows) + 1];
};

static void fill_tables(struct getopt_tables *t)
{
	size_t nr_longs = 0;
	char *s = t->letters;

	memset(t, 0, sizeof(*t));
	*s++ = ':';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter)
			*s++ = rows[i].letter;
		if (rows[i].letter && rows[i].has_arg)
			*s++ = ':';
		if (rows[i].name)
			t->longs[nr_longs++] = (struct option){ rows[i].name, rows[i].has_arg, NULL,
								FIRST_LONG + (int)i };
	}
}

static const struct option_row *find_row(int value)
{
	if (value >= FIRST_LONG)
		return &rows[value - FIRST_LONG];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].letter == value)
			return &rows[i];
	return NULL;
}

static int apply(struct options *o, const struct option_row *row, const char *arg)
{
	if (row->apply)
		return row->apply(o, row, arg);
	if (row->name)
		log_error("--%s is not supported", row->name);
	else
		log_error("-%c is not supported", row->letter);
	return -EINVAL;
}

static int complain(int kind, const char *word)
{
	if (kind == ':')
		log_error("%s needs a value", word);
	else if (optopt && optopt < FIRST_LONG)
		log_error("-%c is not an option of vmcore-save", optopt);
	else
		log_error("%s is not an option of vmcore-save", word);
	return -EINVAL;
}

static int take_files(int argc, char **argv, struct options *o)
{
	int nr = argc - optind;

	if (nr > 2) {
		log_error("%s: more than an input and an output file", argv[optind + 2]);
		return -EINVAL;
	}
	o->input = nr > 0 ? argv[optind] : NULL;
	o->output = nr > 1 ? argv[optind + 1] : NULL;
	return 0;
}

int save_options_parse(int argc, char **argv, struct options *options_ret)
{
	struct options o = { .codec = codec_find('c') };
	struct getopt_tables t;
	int value, err;

	fill_tables(&t);
	optind = 0; /* glibc and musl: start afresh */
	while ((value = getopt_long(argc, argv, t.letters, t.longs, NULL)) != -1) {
		const struct option_row *row;

		if (value == ':' || value == '?')
			return complain(value, argv[optind - 1]);
		row = find_row(value);
		err = apply(&o, row, optarg);
		if (err)
			return err;
	}
	err = take_files(argc, argv, &o);
	if (err)
		return err;
	*options_ret = o;
	return 0;
}

/* Split @line at blanks into @argv from 1 on. Return: words, the name before included; -EINVAL. */
static int split_words(char *line, char **argv)
{
	char *save = NULL;
	int argc = 1;

	argv[0] = line; /* stands for the program's name */
	for (char *w = strtok_r(line, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (argc > COLLECTOR_WORDS) {
			log_error("core_collector has more than %d words", COLLECTOR_WORDS);
			return -EINVAL;
		}
		argv[argc++] = w;
	}
	argv[argc] = NULL;
	return argc;
}

/* Whether @word is a program that takes these options. */
static bool is_filter_name(const char *word)
{
	const char *slash = strrchr(word, '/'), *name = slash ? slash + 1 : word;

	return streq(name, "makedumpfile") || streq(name, "vmcore-save");
}

int save_options_parse_collector(const char *value, struct options *options_ret)
{
	char line[OPTIONS_COLLECTOR_MAX], *argv[COLLECTOR_WORDS + 2];
	struct options o;
	int argc, skip, err;

	if (!value || !value[strspn(value, " \t")])
		value = OPTIONS_DEFAULT_COLLECTOR;
	if (strlen(value) >= sizeof(line)) {
		log_error("core_collector is longer than %zu bytes", sizeof(line) - 1);
		return -EINVAL;
	}
	strcpy(line, value);
	argc = split_words(line, argv);
	if (argc < 0)
		return argc;
	skip = argc > 1 && is_filter_name(argv[1]);
	err = save_options_parse(argc - skip, argv + skip, &o);
	if (err)
		return err;
	if (o.input || o.dump_dmesg || o.help || o.version) {
		log_error("core_collector \"%s\": only options of the dump can stand here", value);
		return -EINVAL;
	}
	*options_ret = o;
	return 0;
}
