// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define MAX_WORDS 8

/* Parses words; they are sorted, so that they are copied first. */
static int parse(const char *const words[], struct invocation *in, bool *help, bool *version,
		 char why[256])
{
	static char *argv[MAX_WORDS + 1];
	int argc = 0;

	argv[argc++] = (char *)CTL_PROGRAM;
	for (; words[argc - 1] && argc < MAX_WORDS; argc++)
		argv[argc] = (char *)words[argc - 1];
	argv[argc] = NULL;
	*why = '\0';
	return invocation_parse(argc, argv, in, help, version, why, 256);
}

TEST(control, command_lines)
{
	static const struct {
		const char *words[MAX_WORDS];
		const char *command, *root;
		bool json, help, version;
	} good[] = {
		{ { "version" }, "version", "", false, false, false },
		{ { "version", "--json" }, "version", "", true, false, false },
		{ { "--json", "version" }, "version", "", true, false, false },
		{ { "--root", "/a", "version" }, "version", "/a", false, false, false },
		{ { "version", "--root=/a/b" }, "version", "/a/b", false, false, false },
		{ { "version", "--root=/" }, "version", "", false, false, false },
		{ { "--help" }, NULL, "", false, true, false },
		{ { "-h", "version" }, "version", "", false, true, false },
		{ { "--version" }, NULL, "", false, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct invocation in;
		bool help, version;
		char why[256];

		CHECK_EQ(parse(good[i].words, &in, &help, &version, why), 0);
		CHECK_STR(in.command ? in.command->name : "-",
			  good[i].command ? good[i].command : "-");
		CHECK_STR(in.root, good[i].root);
		CHECK_EQ(in.json, good[i].json);
		CHECK_EQ(help, good[i].help);
		CHECK_EQ(version, good[i].version);
	}
}

TEST(control, command_lines_refused)
{
	static const struct {
		const char *words[MAX_WORDS];
		const char *says;
	} bad[] = {
		{ { NULL }, "a command is needed" },
		{ { "--json" }, "a command is needed" },
		{ { "frobnicate" }, "frobnicate: no such command" },
		{ { "version", "-x" }, "-x: no such option of version" },
		{ { "version", "--frob" }, "--frob: no such option of version" },
		{ { "version", "more" }, "usage: vmcorectl version" },
		{ { "version", "--root" }, "a value is missing" },
		{ { "version", "--root=a" }, "absolute path" },
		{ { "version", "--root=/a/" }, "absolute path" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct invocation in;
		bool help, version;
		char why[256];

		CHECK_EQ(parse(bad[i].words, &in, &help, &version, why), -EINVAL);
		CHECK(strstr(why, bad[i].says));
	}
}

TEST(control, table_of_commands)
{
	for (const struct command *c = commands; c->name; c++) {
		unsigned nr = 0;

		CHECK(command_find(c->name) == c);
		CHECK(c->run && c->args && c->summary && *c->summary);
		CHECK(c->min_args <= c->max_args);
		for (const struct ctl_option *o = c->options; o && o->name; o++, nr++)
			CHECK(o->help && *o->help && o->letter != 'h');
		CHECK(nr <= CTL_MAX_OPTIONS);
	}
	CHECK(!command_find(""));
}

TEST(control, help_names_all)
{
	_free_ char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	CHECK(to);
	usage_print(to, NULL);
	for (const struct command *c = commands; c->name; c++)
		usage_print(to, c);
	CHECK_EQ(fclose(to), 0);
	for (const struct command *c = commands; c->name; c++)
		CHECK(strstr(text, c->summary));
}
