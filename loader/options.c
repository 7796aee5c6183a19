// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"
#include "loader/image.h"
#include "loader/options.h"

/* Value of the first option without a letter. */
#define LONG_ONLY 0x100

static int row_value(size_t i)
{
	return loader_options[i].letter ? loader_options[i].letter : (int)(LONG_ONLY + i);
}

static const struct option_row *row_find(int value)
{
	for (size_t i = 0; i < nr_loader_options; i++)
		if (row_value(i) == value)
			return &loader_options[i];
	return NULL;
}

/* What getopt_long() wants to know, from the table. @letters: 2 per row and 2 */
static void getopt_tables(struct option *longs, char *letters)
{
	*letters++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < nr_loader_options; i++) {
		const struct option_row *row = &loader_options[i];

		longs[i] = (struct option){
			.name = row->name,
			.has_arg = row->arg ? required_argument : no_argument,
			.val = row_value(i),
		};
		if (row->letter)
			*letters++ = row->letter;
		if (row->letter && row->arg)
			*letters++ = ':';
	}
	longs[nr_loader_options] = (struct option){ 0 };
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

static int take_option(const struct option_row *row, const char *arg, struct options *opts,
		       char *why, size_t why_size)
{
	if (row->group == GROUP_REFUSED) {
		snprintf(why, why_size, "--%s is not for this program: %s", row->name, row->help);
		return -EINVAL;
	}
	if (row->parse && !row->parse(arg, (char *)opts + row->field)) {
		if (row->letter == 't' && image_type_refusal(arg))
			snprintf(why, why_size, "--type=%s: %s", arg, image_type_refusal(arg));
		else
			snprintf(why, why_size, "--%s=%s is no %s: %s", row->name, arg, row->arg,
				 row->letter == 't' ? IMAGE_TYPE_NAMES : row->help);
		return -EINVAL;
	}
	opts->flags = (opts->flags & ~row->clear) | row->flag;
	if (row->group == GROUP_LOAD_CALL)
		opts->load_only = row->name;
	return 0;
}

/* What each option alone would do, and two of them together cannot. */
static int check_contradictions(const struct options *o, char *why, size_t why_size)
{
	bool loads = o->flags & (OPT_LOAD | OPT_PANIC | OPT_FORCE);

	if (o->load_only && (o->flags & OPT_FILE_CALL))
		snprintf(why, why_size,
			 "--%s needs kexec_load(2), and -s asks for kexec_file_load(2) alone: "
			 "leave one of them out",
			 o->load_only);
	else if (o->initrd && (o->flags & OPT_REUSE_INITRD))
		snprintf(why, why_size, "--initrd and --reuseinitrd exclude each other");
	else if (o->mem_min >= o->mem_max)
		snprintf(why, why_size, "--mem-min is not below --mem-max: nothing fits between");
	else if ((o->flags & OPT_HOTPLUG) && loads && !(o->flags & OPT_PANIC))
		snprintf(why, why_size, "--hotplug is for a capture kernel: say -p with it");
	else
		return 0;
	return -EINVAL;
}

int options_parse(int argc, char **argv, struct options *opts_ret, char *why, size_t why_size)
{
	struct option longs[OPTION_ROWS_MAX + 1];
	char letters[2 * OPTION_ROWS_MAX + 2];
	struct options opts = { .mem_max = UINT64_MAX };
	int c, err = 0;

	getopt_tables(longs, letters);
	opterr = 0;
	optind = 0; /* glibc and musl both take it as "start afresh" */
	while (!err && (c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = c == '?' || c == ':' ? NULL : row_find(c);

		if (!row) {
			explain_bad(c, argv, why, why_size);
			return -EINVAL;
		}
		err = take_option(row, optarg, &opts, why, why_size);
	}
	if ((opts.flags & OPT_CONSOLE_SERIAL || opts.serial_baud) && !opts.serial_port)
		opts.serial_port = 0x3f8;
	if (!err)
		err = check_contradictions(&opts, why, why_size);
	if (err)
		return err;
	opts.nr_files = argc - optind;
	opts.kernel = opts.nr_files > 0 ? argv[optind] : NULL;
	*opts_ret = opts;
	return 0;
}

static void help_row(const struct option_row *row)
{
	char left[48], letter[] = { '-', row->letter, ',', '\0' };

	snprintf(left, sizeof(left), "%-3s --%s%s%s", row->letter ? letter : "", row->name,
		 row->arg ? "=" : "", row->arg ? row->arg : "");
	printf("  %-28s %s\n", left, row->help);
}

/* Names only, several on a line: the reason comes when one is used. */
static void help_refused(void)
{
	int at = 1;

	for (size_t i = 0; i < nr_loader_options; i++) {
		const char *name = loader_options[i].name;

		if (loader_options[i].group != GROUP_REFUSED)
			continue;
		if (at + strlen(name) + 3 > 80) {
			putchar('\n');
			at = 1;
		}
		at += printf("%s--%s", at == 1 ? "  " : " ", name);
	}
	putchar('\n');
}

void options_help(void)
{
	static const char *const titles[NR_GROUPS] = {
		[GROUP_ACTION] = "What to do:",
		[GROUP_IMAGE] = "What to load:",
		[GROUP_CALL] = "How to load it:",
		[GROUP_LOAD_CALL] = "How to load it; each of these takes kexec_load(2):",
		[GROUP_EXEC] = "With -e and -f:",
		[GROUP_OTHER] = "Besides:",
		[GROUP_REFUSED] = "Options of kexec(8) that are refused, saying why:",
	};

	puts("Usage: kexec-loader -p|-l|-f [OPTION]... KERNEL\n"
	     "       kexec-loader -e|-u|-S [OPTION]...");
	for (unsigned group = 0; group < NR_GROUPS; group++) {
		printf("\n%s\n", titles[group]);
		if (group == GROUP_REFUSED)
			help_refused();
		for (size_t i = 0; group != GROUP_REFUSED && i < nr_loader_options; i++)
			if (loader_options[i].group == group)
				help_row(&loader_options[i]);
	}
	puts("\nExit status: 0 done; 1 failed; 2 wrong usage. With -S: 0 not loaded, 1 loaded,\n"
	     "255 the kernel does not say. See kexec-loader(8).");
}
