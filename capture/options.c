// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <string.h>

#include "capture/dump/codec.h"
#include "capture/options_private.h"
#include "lib/log.h"
#include "lib/util.h"

#define COLLECTOR_WORDS	    64
#define DEFAULT_THREADS_MAX 8u

#define FIRST_LONG 256 /* getopt_long()'s value of row i is FIRST_LONG + i */

struct getopt_tables {
	char letters[1 + 2 * OPTION_ROWS_MAX + 1];
	struct option longs[OPTION_ROWS_MAX + 1];
};

static void fill_tables(struct getopt_tables *t)
{
	size_t nr_longs = 0, nr;
	const struct option_row *rows = option_rows(&nr);
	char *s = t->letters;

	memset(t, 0, sizeof(*t));
	*s++ = ':';
	for (size_t i = 0; i < nr; i++) {
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
	size_t nr;
	const struct option_row *rows = option_rows(&nr);

	if (value >= FIRST_LONG)
		return &rows[value - FIRST_LONG];
	for (size_t i = 0; i < nr; i++)
		if (rows[i].letter == value)
			return &rows[i];
	return NULL;
}

static int apply(struct options *o, const struct option_row *row, const char *arg)
{
	const char letter[2] = { row->letter };

	if (row->apply)
		return row->apply(o, row, arg);
	log_error("%s%s is not supported%s%s", row->name ? "--" : "-",
		  row->name ? row->name : letter, row->instead ? ": " : "",
		  row->instead ? row->instead : "");
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
	for (int i = optind; i < argc; i++) {
		if (o->nr_files == OPTIONS_FILES_MAX) {
			log_error("%s: more than %u files", argv[i], OPTIONS_FILES_MAX);
			return -EINVAL;
		}
		o->files[o->nr_files++] = argv[i];
	}
	return 0;
}

/* What cannot go together. */
static int check(const struct options *o)
{
	if (o->format == DUMP_FORMAT_ELF && o->codec_given) {
		log_error("-E and a codec cannot go together: an ELF dump is not packed");
		return -EINVAL;
	}
	if (o->mode == MODE_SPLIT && o->format == DUMP_FORMAT_ELF) {
		log_error("--split: an ELF dump cannot be split");
		return -EINVAL;
	}
	if ((o->list || o->erase) && o->mode != MODE_FETCH && o->mode != MODE_HELP &&
	    o->mode != MODE_VERSION) {
		log_error("--list and --erase go with --fetch");
		return -EINVAL;
	}
	if (o->dry_run && o->mode != MODE_DUMP && o->mode != MODE_SPLIT &&
	    o->mode != MODE_FLATTENED && o->mode != MODE_HELP && o->mode != MODE_VERSION) {
		log_error("--dry-run is for dumps");
		return -EINVAL;
	}
	return 0;
}

int save_options_parse(int argc, char **argv, struct options *options_ret)
{
	struct options o = { .codec = codec_find_name(OPTIONS_DEFAULT_CODEC), .nr_levels = 1 };
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
	if (!err)
		err = check(&o);
	if (err)
		return err;
	if (o.format == DUMP_FORMAT_ELF)
		o.codec = NULL;
	if (o.dry_run && o.mode < MODE_HELP)
		o.mode = MODE_DRY_RUN;
	*options_ret = o;
	return 0;
}

unsigned save_options_cpus(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : (unsigned)CPU_COUNT(&cpus);
}

unsigned save_options_threads(const struct options *o)
{
	return o->threads ? o->threads : MIN(save_options_cpus(), DEFAULT_THREADS_MAX);
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
	const enum log_level before = log_level();
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
	if (log_level() < before)
		log_set_level(before);
	if (err)
		return err;
	if (o.nr_files || o.check_params || (o.mode != MODE_DUMP && o.mode != MODE_FLATTENED)) {
		log_error("core_collector \"%s\": only options of the dump can stand here", value);
		return -EINVAL;
	}
	o.mode = MODE_DUMP;
	*options_ret = o;
	return 0;
}
