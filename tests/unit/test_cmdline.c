// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "lib/cmdline.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* Words as "name" or "name<value>", one space behind each. */
static void render(const char *cmdline, char *out, size_t size)
{
	struct cmdline_word w;
	size_t len = 0;

	out[0] = '\0';
	while (cmdline_next(&cmdline, &w)) {
		len += snprintf(out + len, size - len, "%.*s", (int)w.name_len, w.name);
		if (w.value)
			len += snprintf(out + len, size - len, "<%.*s>", (int)w.value_len, w.value);
		len += snprintf(out + len, size - len, " ");
	}
}

TEST(cmdline, splits_as_the_kernel_does)
{
	static const struct {
		const char *cmdline, *want;
	} cases[] = {
		{ "", "" },
		{ " \t\n ", "" },
		{ "quiet", "quiet " },
		{ " a=1  b=\n", "a<1> b<> " },
		{ "root=UUID=12-34 ro", "root<UUID=12-34> ro " },
		{ "m.dyndbg=\"file a.c +p\" x", "m.dyndbg<file a.c +p> x " },
		{ "\"m.p=a b\" x", "m.p<a b> x " },
		{ "a=b\"c d\"e f", "a<b\"c d\"e> f " },
		{ "a=\"open to the end", "a<open to the end> " },
		{ "a=\" b", "a< b> " },
		{ "a=\"", "a<> " },
		{ "\"", " " },
		{ "\"\"", " " },
		{ "=x -- y", "=x -- y " },
	};
	char got[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		render(cases[i].cmdline, got, sizeof(got));
		CHECK_STR(got, cases[i].want);
	}
}

TEST(cmdline, find_takes_the_last_and_bounds)
{
	const char *line =
		"crash-kernel=1 vmcore_save.timeout=60 q \"p=x y\" vmcore-save.timeout=70";
	char value[8] = "before";

	CHECK_EQ(cmdline_find(line, "crashkernel", value, sizeof(value)), -ENOENT);
	CHECK_EQ(cmdline_find(line, "crash", value, sizeof(value)), -ENOENT);
	CHECK_STR(value, "before");
	CHECK_EQ(cmdline_find(line, "vmcore_save.timeout", value, sizeof(value)), 0);
	CHECK_STR(value, "70");
	CHECK_EQ(cmdline_find(line, "p", value, sizeof(value)), 0);
	CHECK_STR(value, "x y");
	CHECK_EQ(cmdline_find(line, "q", value, sizeof(value)), 0);
	CHECK_STR(value, "");
	CHECK_EQ(cmdline_find("p=1234567", "p", value, sizeof(value)), 0);
	CHECK_EQ(cmdline_find("p=12345678", "p", value, sizeof(value)), -E2BIG);
	CHECK_STR(value, "1234567");
}

TEST(cmdline, remove_keeps_the_rest_as_it_is)
{
	static const char *const names[] = { "BOOT_IMAGE", "crashkernel", NULL };
	static const struct {
		const char *cmdline, *want;
	} cases[] = {
		{ "", "" },
		{ "BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro crashkernel=256M quiet\n",
		  "root=/dev/vda1 ro quiet" },
		{ "crashkernel=1G,high crashkernel=72M,low", "" },
		{ "crashkernels=1 xcrashkernel=2", "crashkernels=1 xcrashkernel=2" },
		{ "a=\"crashkernel=1 b\"  \"crashkernel=3 4\" c", "a=\"crashkernel=1 b\" c" },
	};
	char got[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(cmdline_remove(cases[i].cmdline, names, got, sizeof(got)), 0);
		CHECK_STR(got, cases[i].want);
	}
}

TEST(cmdline, remove_bounds)
{
	static const char *const names[] = { "x", NULL };
	char got[6];

	CHECK_EQ(cmdline_remove("ab cd", names, got, 6), 0);
	CHECK_STR(got, "ab cd");
	CHECK_EQ(cmdline_remove("ab cd", names, got, 5), -E2BIG);
	CHECK_EQ(cmdline_remove("ab", names, got, 3), 0);
	CHECK_EQ(cmdline_remove("ab", names, got, 2), -E2BIG);
	CHECK_EQ(cmdline_remove("ab c", names, got, 3), -E2BIG);
	CHECK_EQ(cmdline_remove("x", names, got, 0), -E2BIG);
	CHECK_EQ(cmdline_remove("x=1", names, got, 1), 0);
	CHECK_STR(got, "");
}
