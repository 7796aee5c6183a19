// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "capture/dump/codec.h"
#include "capture/options.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* What an option line comes to, as one word: level, codec or "elf". */
static void describe(const struct options *o, char *buf, size_t size)
{
	snprintf(buf, size, "%u %s%s", o->level,
		 o->format == DUMP_FORMAT_ELF ? "elf"
		 : o->codec		      ? o->codec->name
					      : "none",
		 o->force ? " force" : "");
}

TEST(save_options, collector)
{
	static const struct {
		const char *value;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ NULL, "31 zlib" },
		{ "", "31 zlib" },
		{ " \t", "31 zlib" },
		{ "makedumpfile -l --message-level 7 -d 31", NULL }, /* lzo is not built in */
		{ "makedumpfile -c --message-level 7 -d 31", "31 zlib" },
		{ "/usr/sbin/makedumpfile -z -d17", "17 zstd" },
		{ "vmcore-save -d 1 -E", "1 elf" },
		{ "-z", "0 zstd" },
		{ "-E -c", "0 zlib" },
		{ "-c -d 31 --num-threads 1", "31 zlib" },
		{ "-c --num-threads=2", NULL },
		{ "-d 32", NULL },
		{ "-d -1", NULL },
		{ "-d 1x", NULL },
		{ "-d 11,31", NULL },
		{ "-d", NULL },
		{ "-F -d 31", NULL },
		{ "-x vmlinux", NULL },
		{ "--split", NULL },
		{ "--no-such-option", NULL },
		{ "-Q", NULL },
		{ "cp --sparse=always", NULL },
		{ "-c -d 31 file", NULL },
		{ "makedumpfile makedumpfile", NULL },
		{ "--dump-dmesg", NULL },
		{ "-h", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct options o;
		char got[64];
		int err = save_options_parse_collector(cases[i].value, &o);

		if (!cases[i].want) {
			CHECK_EQ(err, -EINVAL);
			continue;
		}
		CHECK_EQ(err, 0);
		describe(&o, got, sizeof(got));
		CHECK_STR(got, cases[i].want);
		CHECK(!o.input && !o.output);
	}
}

TEST(save_options, collector_has_limits)
{
	char line[OPTIONS_COLLECTOR_MAX + 2];
	struct options o;

	memset(line, ' ', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "-c", 2);
	CHECK_EQ(save_options_parse_collector(line, &o), -EINVAL);
	line[0] = '\0';
	for (int i = 0; i < 80; i++)
		strcat(line, "-c ");
	CHECK_EQ(save_options_parse_collector(line, &o), -EINVAL);
}

TEST(save_options, command_line)
{
	char *argv[] = { "vmcore-save", "-d", "31", "in", "-f", "out", "--show-stats", NULL };
	struct options o;
	char got[64];

	CHECK_EQ(save_options_parse(7, argv, &o), 0);
	describe(&o, got, sizeof(got));
	CHECK_STR(got, "31 zlib force");
	CHECK_STR(o.input, "in");
	CHECK_STR(o.output, "out");
	CHECK(o.show_stats && !o.dump_dmesg && !o.help);
}

TEST(save_options, too_many_files)
{
	char *argv[] = { "vmcore-save", "a", "b", "c", NULL };
	struct options o;

	CHECK_EQ(save_options_parse(4, argv, &o), -EINVAL);
}

TEST(save_options, message_level)
{
	static const struct {
		char *level;
		bool progress, stats;
	} cases[] = { { "0", false, false }, { "7", true, false }, { "31", true, true } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = { "vmcore-save", "--message-level", cases[i].level, NULL };
		enum log_level before = log_level();
		struct options o;

		CHECK_EQ(save_options_parse(3, argv, &o), 0);
		log_set_level(before);
		CHECK_EQ(!o.no_progress, cases[i].progress);
		CHECK_EQ(o.show_stats, cases[i].stats);
	}
}
