// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "capture/dump/codec.h"
#include "capture/options.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* What an option line comes to, in words: levels, codec or "elf", what else was said. */
static void describe(const struct options *o, char *buf, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < o->nr_levels; i++)
		n += (size_t)snprintf(buf + n, size - n, i ? ",%u" : "%u", o->levels[i]);
	n += (size_t)snprintf(buf + n, size - n, " %s",
			      o->format == DUMP_FORMAT_ELF ? "elf" :
			      o->codec			   ? o->codec->name :
							     "none");
	if (o->codec_level)
		n += (size_t)snprintf(buf + n, size - n, ":%d", o->codec_level);
	if (o->threads)
		n += (size_t)snprintf(buf + n, size - n, " threads %u", o->threads);
	if (o->limit)
		n += (size_t)snprintf(buf + n, size - n, " limit %llu",
				      (unsigned long long)o->limit);
	snprintf(buf + n, size - n, "%s", o->force ? " force" : "");
}

TEST(save_options, collector)
{
	static const struct {
		const char *value;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ NULL, "31 fast" },
		{ "", "31 fast" },
		{ " \t", "31 fast" },
		{ "makedumpfile -l --message-level 7 -d 31", HAVE_LZO ? "31 lzo" : NULL },
		{ "makedumpfile -c --message-level 7 -d 31", "31 zlib" },
		{ "/usr/sbin/makedumpfile -z -d17", "17 zstd" },
		{ "makedumpfile -p -d 1", HAVE_SNAPPY ? "1 snappy" : NULL },
		{ "vmcore-save -d 1 -E", "1 elf" },
		{ "-z", "0 zstd" },
		{ "-E -c", NULL },
		{ "-c -E", NULL },
		{ "--codec zstd:3 -E", NULL },
		{ "-E --codec none", "0 elf" },
		{ "-c -d 31 --num-threads 1", "31 zlib threads 1" },
		{ "-c --num-threads=2", "0 zlib threads 2" },
		{ "-c --num-threads 0", "0 zlib threads 1" },
		{ "-c --num-threads 65", "0 zlib threads 64" },
		{ "-c --num-threads -1", NULL },
		{ "-d 32", NULL },
		{ "-d -1", NULL },
		{ "-d 1x", NULL },
		{ "-d 11,31", "11,31 fast" },
		{ "-d 11,", NULL },
		{ "-d ,31", NULL },
		{ "-d 1,1,1,1,1,1,1,1,1", NULL },
		{ "-d", NULL },
		{ "-F -z -d 31", "31 zstd" }, /* where the dump goes decides on its form */
		{ "-L 100 -d 1", "1 fast limit 100" },
		{ "-L 3G -d 1", "1 fast limit 3221225472" },
		{ "-L 2k", "0 fast limit 2048" },
		{ "-L 0", NULL },
		{ "-L 1Q", NULL },
		{ "-L 99999999T", NULL },
		{ "--codec none -d 31", "31 none" },
		{ "--codec zstd:3", "0 zstd:3" },
		{ "--codec zstd:", NULL },
		{ "--codec zstd:99", NULL },
		{ "--codec lzo:1", NULL },
		{ "--codec brotli", NULL },
		{ "--codec averyveryverylongname", NULL },
		{ "--cyclic-buffer 1024 --non-mmap -b 4 -c", "0 zlib" },
		{ "-x vmlinux", NULL },
		{ "-X", NULL },
		{ "--split", NULL },
		{ "--reassemble", NULL },
		{ "-R", NULL },
		{ "--dry-run", NULL },
		{ "--mem-usage", NULL },
		{ "--check-params", NULL },
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
		CHECK_EQ(o.nr_files, 0);
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
	CHECK_STR(got, "31 fast force");
	CHECK_EQ(o.mode, MODE_DUMP);
	CHECK_EQ(o.nr_files, 2);
	CHECK_STR(o.files[0], "in");
	CHECK_STR(o.files[1], "out");
	CHECK(o.show_stats && !o.json);
}

/* One thing at a time; what is only counted, and being told, goes with others. */
TEST(save_options, modes)
{
	static const struct {
		char *words[4];
		int mode; /* -1: refused */
	} cases[] = {
		{ { "-F" }, MODE_FLATTENED },
		{ { "-R" }, MODE_REARRANGE },
		{ { "--split" }, MODE_SPLIT },
		{ { "--split", "-E" }, -1 },
		{ { "--split", "-F" }, -1 },
		{ { "-R", "--reassemble" }, -1 },
		{ { "--reassemble" }, MODE_REASSEMBLE },
		{ { "--dump-dmesg" }, MODE_DMESG },
		{ { "--dump-dmesg", "--dry-run" }, -1 },
		{ { "--dry-run", "--split" }, MODE_DRY_RUN },
		{ { "--dry-run" }, MODE_DRY_RUN },
		{ { "--mem-usage" }, MODE_MEM_USAGE },
		{ { "-F", "-h" }, MODE_HELP },
		{ { "-v", "-F" }, MODE_VERSION },
		{ { "-L", "5 " }, -1 },
		{ { "-L", "" }, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[6] = { "vmcore-save" };
		struct options o;
		int argc = 1;

		while (argc <= 4 && cases[i].words[argc - 1]) {
			argv[argc] = cases[i].words[argc - 1];
			argc++;
		}
		if (cases[i].mode < 0) {
			CHECK_EQ(save_options_parse(argc, argv, &o), -EINVAL);
			continue;
		}
		CHECK_EQ(save_options_parse(argc, argv, &o), 0);
		CHECK_EQ(o.mode, cases[i].mode);
	}
}

TEST(save_options, too_many_files)
{
	char *argv[OPTIONS_FILES_MAX + 3] = { "vmcore-save" };
	struct options o;

	for (unsigned i = 1; i <= OPTIONS_FILES_MAX + 1; i++)
		argv[i] = "a";
	CHECK_EQ(save_options_parse(OPTIONS_FILES_MAX + 1, argv, &o), 0);
	CHECK_EQ(save_options_parse(OPTIONS_FILES_MAX + 2, argv, &o), -EINVAL);
}

TEST(save_options, message_level)
{
	static const struct {
		char *level;
		bool progress, stats;
	} cases[] = { { "0", false, false },
		      { "6", false, false },
		      { "7", true, false },
		      { "31", true, true } };

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

/* kdump.conf(5)'s examples say --message-level 1. PID 1 tells what it does all the same; it may
 * only be asked to say more. */
TEST(save_options, collector_silences_nobody)
{
	static const struct {
		const char *line;
		enum log_level want;
	} cases[] = {
		{ "makedumpfile -l --message-level 1 -d 31", LOG_LVL_INFO },
		{ "makedumpfile -l --message-level 0 -d 31", LOG_LVL_INFO },
		{ "makedumpfile -l --message-level 0 -d 77", LOG_LVL_INFO },
		{ "makedumpfile -l -D -d 31", LOG_LVL_DEBUG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum log_level before = log_level(), got;
		struct options o;

		log_set_level(LOG_LVL_INFO);
		save_options_parse_collector(cases[i].line, &o);
		got = log_level();
		log_set_level(before);
		CHECK_EQ(got, cases[i].want);
	}
}
