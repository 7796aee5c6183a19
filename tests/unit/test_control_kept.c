// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/check/kept.h"

#include <errno.h>

#include "lib/util.h"
#include "tests/unit/test.h"

#define PAGES(planned, zero, classes)                                                              \
	"{\"pages\": {\"planned\": " planned ", \"zero\": " zero ", \"by_class\": {" classes "}}}"
#define CLASSES "\"cache\": 100, \"cache_private\": 200, \"user\": 400, \"free\": 800"

TEST(control, dump_levels_of_a_collector)
{
	static const struct {
		const char *collector;
		unsigned level;
	} cases[] = {
		{ "", 31 },
		{ "vmcore-save -c", 31 },
		{ "vmcore-save -d 17 -c", 17 },
		{ "makedumpfile -l --message-level 7 -d31", 31 },
		{ "-d 0", 0 },
		{ "vmcore-save -d 1,31", 1 },
		{ "vmcore-save --no-d 3 -d\t8", 8 },
		{ "vmcore-save -d", 31 },
		{ "vmcore-save -d x -d 5", 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_EQ(kept_level(cases[i].collector), cases[i].level);
}

TEST(control, pages_that_a_dump_keeps)
{
	static const struct {
		unsigned level;
		uint64_t pages;
	} cases[] = {
		{ 31, 40 },  { 0, 1540 }, { 1, 1540 }, { 2, 1440 },
		{ 4, 1240 }, { 6, 1240 }, { 8, 1140 }, { 16, 740 },
	};
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"pages\": 1}",
		PAGES("-1", "0", CLASSES),
		PAGES("\"50\"", "0", CLASSES),
		PAGES("50", "1.5", CLASSES),
		"{\"pages\": {\"planned\": 5, \"zero\": 1}}",
		"{\"pages\": {\"planned\": 5, \"zero\": 1, \"by_class\": 3}}",
		PAGES("50", "10", "\"cache\": 1"),
	};
	uint64_t pages;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(kept_parse(PAGES("50", "10", CLASSES), cases[i].level, &pages), 0);
		CHECK_EQ(pages, cases[i].pages);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(kept_parse(bad[i], 0, &pages), -EBADMSG);
	CHECK_EQ(kept_parse(PAGES("1", "2", CLASSES), 31, &pages), -EBADMSG);
}
