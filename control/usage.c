// SPDX-License-Identifier: GPL-2.0-or-later
/* What --help prints, from the table of commands. */
#include <string.h>

#include "control/command.h"

static void print_option(FILE *to, const struct ctl_option *o)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? "=" : "", o->arg ? o->arg : "");
	if (o->letter)
		fprintf(to, "  -%c, %-20s %s\n", o->letter, left, o->help);
	else
		fprintf(to, "      %-20s %s\n", left, o->help);
}

static void print_common(FILE *to)
{
	static const struct ctl_option common[] = {
		{ "json", 0, NULL, "JSON on standard output" },
		{ "root", 0, "DIR", "look at the system below DIR instead of this one" },
		{ "help", 'h', NULL, "this text, or that of the command" },
		{ "version", 0, NULL, "print the version" },
	};

	fputs("\nOptions of all commands:\n", to);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		print_option(to, &common[i]);
}

void usage_print(FILE *to, const struct command *command)
{
	if (command) {
		fprintf(to, "Usage: " CTL_PROGRAM " %s [OPTIONS]%s%s\n\n%s\n", command->name,
			*command->args ? " " : "", command->args, command->summary);
		if (command->options)
			fputs("\nOptions:\n", to);
		for (const struct ctl_option *o = command->options; o && o->name; o++)
			print_option(to, o);
		print_common(to);
		return;
	}
	fputs("Usage: " CTL_PROGRAM " COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n", to);
	for (const struct command *c = commands; c->name; c++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", c->name, c->args);
		fprintf(to, "  %-20s %s\n", left, c->summary);
	}
	print_common(to);
	fputs("\nExit status: 0 done or yes, 1 failed, 2 not understood, 3 no.\n", to);
}
