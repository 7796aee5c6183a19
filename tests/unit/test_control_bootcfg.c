// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/bootcfg.h"

#include <stdlib.h>

#include "lib/util.h"
#include "tests/unit/test.h"

TEST(control, crashkernel_in_a_text)
{
	static const struct {
		const char *text, *value; /* NULL: none */
	} cases[] = {
		{ "", NULL },
		{ "GRUB_CMDLINE_LINUX=\"quiet\"\n", NULL },
		{ "GRUB_CMDLINE_LINUX=\"quiet crashkernel=192M\"\n", "192M" },
		{ "GRUB_CMDLINE_LINUX=\"crashkernel=1G-4G:192M,4G-:256M quiet\"",
		  "1G-4G:192M,4G-:256M" },
		{ "# GRUB_CMDLINE_LINUX=\"crashkernel=192M\"\n", NULL },
		{ "  # crashkernel=1\nA='crashkernel=auto'\n", "auto" },
		{ "a crashkernel=256M,high crashkernel=72M,low\n", "256M,high 72M,low" },
		{ "nocrashkernel=1M", NULL },
		{ "crashkernel=$SIZE", "?" },
		{ "crashkernel=", "?" },
		{ "crashkernel", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char value[BOOTCFG_VALUE_SIZE];

		CHECK_EQ(bootcfg_value_in(cases[i].text, value), cases[i].value != NULL);
		CHECK_STR(value, cases[i].value ? cases[i].value : "");
	}
}

TEST(control, crashkernel_too_long)
{
	char text[600] = "crashkernel=", value[BOOTCFG_VALUE_SIZE];

	memset(text + 12, '1', 500);
	CHECK(bootcfg_value_in(text, value));
	CHECK_STR(value, "?");
}

TEST(control, crashkernel_in_a_command_line)
{
	static const struct {
		const char *line, *value, *out;
	} cases[] = {
		{ "root=/dev/x ro", "192M", "root=/dev/x ro crashkernel=192M" },
		{ "", "192M", "crashkernel=192M" },
		{ "crashkernel=1M a crashkernel=2M,low b ", "192M", "a b crashkernel=192M" },
		{ "a crashkernel=1M", NULL, "a" },
		{ "a \"b crashkernel=1M\"", NULL, "a \"b crashkernel=1M\"" },
	};
	char out[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(bootcfg_words(cases[i].line, cases[i].value, out, sizeof(out)), 0);
		CHECK_STR(out, cases[i].out);
	}
	CHECK(bootcfg_words("0123456789", "192M", out, 20) != 0);
}

TEST(control, crashkernel_values)
{
	static const char *const good[] = { "192M", "1G-4G:192M,4G-:256M", "256M,high", "64M@16M" };
	static const char *const bad[] = { "",	    "M",     "192M quiet", "192M\"",  "$(id)",
					   "192M;", "-192M", "192M\n",	   "\xc3\xa4" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK(bootcfg_value_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!bootcfg_value_valid(bad[i]));
}
