// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of commands, and how a command line is understood by it. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "control/command.h"
#include "control/commands.h"
#include "lib/util.h"

const struct command commands[] = {
	{ "setup", "", 0, 0, "reserve memory, build the image, arm at every boot", setup_options,
	  true, cmd_setup },
	{ "estimate", "", 0, 0, "tell how large crashkernel= has to be, and why", estimate_options,
	  false, cmd_estimate },
	{ "start", "", 0, 0, "arm the capture kernel; its image is built again where it is stale",
	  start_options, true, cmd_start },
	{ "stop", "", 0, 0, "unload the capture kernel", NULL, true, cmd_stop },
	{ "status", "", 0, 0, "tell what is armed, and whether the image is fresh", NULL, true,
	  cmd_status },
	{ "rebuild", "", 0, 0, "build the crash image where it is stale", rebuild_options, true,
	  cmd_rebuild },
	{ "check", "", 0, 0, "tell whether a crash would be captured, without one", NULL, true,
	  cmd_check },
	{ "test", "", 0, 0, "try a capture out", test_options, false, cmd_test },
	{ "list", "", 0, 0, "list the dumps that are here", list_options, false, cmd_list },
	{ "show", "[DUMP]", 0, 1, "tell all of one dump", show_options, false, cmd_show },
	{ "prune", "", 0, 0, "remove the oldest dumps", prune_options, false, cmd_prune },
	{ "notice", "", 0, 0, "tell of dumps since the last notice", notice_options, true,
	  cmd_notice },
	{ "migrate", "[FILE]", 0, 1, "print another service's variables as a configuration",
	  migrate_options, false, cmd_migrate },
	{ "version", "", 0, 0, "print the version", NULL, false, cmd_version },
	{ 0 },
};

enum {
	OPT_JSON = 256,
	OPT_ROOT,
	OPT_HELP,
	OPT_VERSION,
	OPT_OWN, /* and up: the command's own, by place */
};

static const struct option common[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
	}
	return NULL;
}

/* getopt_long(3)'s tables of the options that all commands have and those of @command. */
static void options_of(const struct command *command, struct option *longs, char *shorts)
{
	const struct ctl_option *own = command ? command->options : NULL;
	size_t n = ARRAY_SIZE(common);

	memcpy(longs, common, sizeof(common));
	*shorts++ = ':';
	*shorts++ = 'h';
	for (unsigned i = 0; own && own[i].name && i < CTL_MAX_OPTIONS; i++) {
		longs[n++] =
			(struct option){ own[i].name, own[i].arg ? required_argument : no_argument,
					 NULL, OPT_OWN + (int)i };
		if (!own[i].letter)
			continue;
		*shorts++ = own[i].letter;
		if (own[i].arg)
			*shorts++ = ':';
	}
	longs[n] = (struct option){ 0 };
	*shorts = '\0';
}

static int place_of(const struct command *command, int c)
{
	const struct ctl_option *own = command ? command->options : NULL;

	if (c >= OPT_OWN)
		return c - OPT_OWN;
	for (int i = 0; own && own[i].name; i++) {
		if (own[i].letter == c)
			return i;
	}
	return -1;
}

/* The command is the first word that is no option; --root's value is none. */
static const char *command_word(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--root"))
			i++;
		else if (*argv[i] != '-')
			return argv[i];
	}
	return NULL;
}

static int take_option(int c, char **argv, struct invocation *in, bool *help, bool *version,
		       char *why, size_t why_size)
{
	int place = place_of(in->command, c);

	if (place >= 0) {
		in->value[place] = optarg ? optarg : "";
		return 0;
	}
	switch (c) {
	case OPT_JSON:
		in->json = true;
		return 0;
	case OPT_ROOT:
		in->root = optarg;
		return 0;
	case 'h':
	case OPT_HELP:
		*help = true;
		return 0;
	case OPT_VERSION:
		*version = true;
		return 0;
	case ':':
		snprintf(why, why_size, "%s: a value is missing; see --help", argv[optind - 1]);
		return -EINVAL;
	default:
		snprintf(why, why_size, "%s: no such option%s%s; see --help", argv[optind - 1],
			 in->command ? " of " : "", in->command ? in->command->name : "");
		return -EINVAL;
	}
}

int invocation_parse(int argc, char **argv, struct invocation *in, bool *help_ret,
		     bool *version_ret, char *why, size_t why_size)
{
	struct option longs[ARRAY_SIZE(common) + CTL_MAX_OPTIONS + 1];
	char shorts[2 + 2 * CTL_MAX_OPTIONS + 1];
	const char *name = command_word(argc, argv);
	size_t len;
	int c;

	*in = (struct invocation){ .root = "" };
	*help_ret = *version_ret = false;
	if (name && !(in->command = command_find(name))) {
		snprintf(why, why_size, "%s: no such command; see --help", name);
		return -EINVAL;
	}
	options_of(in->command, longs, shorts);
	optind = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (take_option(c, argv, in, help_ret, version_ret, why, why_size))
			return -EINVAL;
	}
	len = strlen(in->root);
	if (len && (in->root[0] != '/' || in->root[len - 1] == '/')) {
		if (strcmp(in->root, "/")) {
			snprintf(why, why_size,
				 "--root takes an absolute path without / at its end");
			return -EINVAL;
		}
		in->root = "";
	}
	if (*help_ret || *version_ret)
		return 0;
	if (!in->command) {
		snprintf(why, why_size, "a command is needed; see --help");
		return -EINVAL;
	}
	in->args = argv + optind + 1;
	in->nr_args = (unsigned)(argc - optind - 1);
	if (in->nr_args < in->command->min_args || in->nr_args > in->command->max_args) {
		snprintf(why, why_size, "usage: " CTL_PROGRAM " %s [OPTIONS]%s%s; see --help", name,
			 *in->command->args ? " " : "", in->command->args);
		return -EINVAL;
	}
	return 0;
}

char *ctl_path(const struct invocation *in, const char *path)
{
	char *joined;

	return asprintf(&joined, "%s%s", in->root, path) < 0 ? NULL : joined;
}
