// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts of boot loaders' files, before and after. */
#include "control/boot/bootcfg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/boot/bootcfg_private.h"
#include "lib/cleanup.h"
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

TEST(control, crashkernel_values)
{
	static const char *const good[] = { "192M", "1G-4G:192M,4G-:256M", "256M,high", "64M@16M",
					    "1G,high 128M,low" };
	static const char *const bad[] = {
		"",	  "M",	   "192M quiet", "192M\"",    "$(id)",	  "192M;",  "-192M",
		"192M\n", " 192M", "192M ",	 "192M  64M", "\xc3\xa4", "1M\t2M", "crashkernel=1M"
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		CHECK(bootcfg_value_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!bootcfg_value_valid(bad[i]));
}

static const char *const options[] = { "options", NULL }, *const append[] = { "append", NULL };
static const char *const grub[] = { "GRUB_CMDLINE_LINUX_DEFAULT", "GRUB_CMDLINE_LINUX", NULL };

#define LINE  &bootcfg_form_line, NULL
#define KEY   &bootcfg_form_key, options
#define LABEL &bootcfg_form_label, append
#define SHELL &bootcfg_form_shell, grub
#define CFG   &bootcfg_form_grubcfg, NULL

/* struct edit - What a text becomes with a value, and what it said before. */
struct edit {
	const struct bootcfg_form *form;
	const char *const *names;
	const char *text, *was, *value, *out;
};

static void check_edit(const struct edit *e)
{
	_free_ char *out = NULL;
	char value[BOOTCFG_VALUE_SIZE];
	bool mixed;
	size_t len;

	CHECK_EQ(bootcfg_text_get(e->form, e->names, e->text, strlen(e->text), value, NULL, NULL),
		 0);
	CHECK_STR(value, e->was);
	CHECK_EQ(bootcfg_text_edit(e->form, e->names, e->text, strlen(e->text), e->value, true,
				   &out, &len),
		 0);
	CHECK_STR(out, e->out);
	CHECK_EQ(len, strlen(e->out));
	CHECK_EQ(bootcfg_text_get(e->form, e->names, out, len, value, &mixed, NULL), 0);
	CHECK_STR(value, e->value ? e->value : "");
	CHECK(!mixed);
}

TEST(control, boot_lines)
{
	static const struct edit cases[] = {
		{ LINE, "root=/dev/x ro\n", "", "192M", "root=/dev/x ro crashkernel=192M\n" },
		{ LINE, "root=/dev/x ro", "", "192M", "root=/dev/x ro crashkernel=192M" },
		{ LINE, "", "", "192M", "crashkernel=192M\n" },
		{ LINE, "# comment crashkernel=3M\n", "", "192M",
		  "# comment crashkernel=3M\ncrashkernel=192M\n" },
		{ LINE, "a crashkernel=1M  b \r\n", "1M", "192M", "a crashkernel=192M  b \r\n" },
		{ LINE, "a b \r\n", "", "192M", "a b crashkernel=192M \r\n" },
		{ LINE, "crashkernel=1M a crashkernel=2M,low b\n", "1M 2M,low", NULL, "a b\n" },
		{ LINE, "crashkernel=1M a crashkernel=2M,low b\n", "1M 2M,low", "1G,high 128M,low",
		  "crashkernel=1G,high crashkernel=128M,low a b\n" },
		{ LINE, "a \"b crashkernel=1M\"\n", "", NULL, "a \"b crashkernel=1M\"\n" },
		{ LINE, "root=UUID=1 ro\n# x\nquiet\n\n", "", "1M",
		  "root=UUID=1 ro\n# x\nquiet crashkernel=1M\n\n" },
		{ LINE, "a crashkernel=x;id\n", "?", "1M", "a crashkernel=1M\n" },
		{ LINE, "a crash-kernel=9M crashkernel=auto\n", "auto", NULL,
		  "a crash-kernel=9M\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_edit(&cases[i]);
}

TEST(control, boot_entries)
{
	static const struct edit cases[] = {
		{ KEY, "title x\noptions root=/dev/x ro\nlinux /a\n", "", "192M",
		  "title x\noptions root=/dev/x ro crashkernel=192M\nlinux /a\n" },
		{ KEY, "options\t root=/dev/x  \n", "", "1M",
		  "options\t root=/dev/x crashkernel=1M  \n" },
		{ KEY, "options a crashkernel=1M b\noptions c", "1M", "2M",
		  "options a b\noptions c crashkernel=2M" },
		{ KEY, "options crashkernel=1M b\n", "1M", NULL, "options b\n" },
		{ KEY, "options crashkernel=1M\n", "1M", NULL, "options\n" },
		{ KEY, "options\n", "", "1M", "options crashkernel=1M\n" },
		{ KEY, "linux /a", "", "1M", "linux /a\noptions crashkernel=1M\n" },
		{ KEY, "# options crashkernel=1M\noptionsx a\n options b\n", "", "1M",
		  "# options crashkernel=1M\noptionsx a\n options b crashkernel=1M\n" },
		{ KEY, "options $kernelopts $tuned_params\n", "", "1M",
		  "options $kernelopts $tuned_params crashkernel=1M\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_edit(&cases[i]);
}

TEST(control, boot_labels)
{
	static const struct edit cases[] = {
		{ LABEL,
		  "default l0\nlabel l0\n\tlinux /v\n\tappend root=/dev/x ro\n"
		  "label l0r\n\tlinux /v\n\tappend root=/dev/x single\n",
		  "", "1M",
		  "default l0\nlabel l0\n\tlinux /v\n\tappend root=/dev/x ro crashkernel=1M\n"
		  "label l0r\n\tlinux /v\n\tappend root=/dev/x single crashkernel=1M\n" },
		{ LABEL,
		  "LABEL a\n  KERNEL vmlinuz\n  APPEND a\nLABEL b\n  COM32 chain.c32\n  APPEND "
		  "hd0\n"
		  "LABEL c\n  APPEND x\n  KERNEL menu.c32\nLABEL d\n APPEND -\n KERNEL v\n",
		  "", "1M",
		  "LABEL a\n  KERNEL vmlinuz\n  APPEND a crashkernel=1M\n"
		  "LABEL b\n  COM32 chain.c32\n  APPEND hd0\n"
		  "LABEL c\n  APPEND x\n  KERNEL menu.c32\nLABEL d\n APPEND -\n KERNEL v\n" },
		{ LABEL, "label a\nlinux /v\nappend crashkernel=1M q\n", "1M", NULL,
		  "label a\nlinux /v\nappend q\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_edit(&cases[i]);
}

TEST(control, boot_shell)
{
	static const struct edit cases[] = {
		{ SHELL, "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet splash\"\nX=1\n", "", "1M",
		  "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet splash crashkernel=1M\"\nX=1\n" },
		{ SHELL, "GRUB_CMDLINE_LINUX_DEFAULT='quiet'", "", "1M",
		  "GRUB_CMDLINE_LINUX_DEFAULT='quiet crashkernel=1M'" },
		{ SHELL, "export GRUB_CMDLINE_LINUX_DEFAULT=quiet # c\n", "", "1M",
		  "export GRUB_CMDLINE_LINUX_DEFAULT=\"quiet crashkernel=1M\" # c\n" },
		{ SHELL, "GRUB_CMDLINE_LINUX_DEFAULT=\n", "", "1M",
		  "GRUB_CMDLINE_LINUX_DEFAULT=\"crashkernel=1M\"\n" },
		{ SHELL, "GRUB_CMDLINE_LINUX_DEFAULT=\"\"\n", "", "1M",
		  "GRUB_CMDLINE_LINUX_DEFAULT=\"crashkernel=1M\"\n" },
		{ SHELL, "GRUB_CMDLINE_LINUX=\"a\"\n", "", "1M",
		  "GRUB_CMDLINE_LINUX=\"a crashkernel=1M\"\n" },
		/* It stays in the variable in which it is. */
		{ SHELL,
		  "GRUB_CMDLINE_LINUX_DEFAULT=\"q\"\nGRUB_CMDLINE_LINUX=\"crashkernel=auto a\"\n",
		  "auto", "1M",
		  "GRUB_CMDLINE_LINUX_DEFAULT=\"q\"\nGRUB_CMDLINE_LINUX=\"crashkernel=1M a\"\n" },
		/* The last one counts, and the first may come into it. */
		{ SHELL,
		  "GRUB_CMDLINE_LINUX=\"crashkernel=2M\"\n"
		  "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX b\"\n",
		  "2M", "1M",
		  "GRUB_CMDLINE_LINUX=\"\"\n"
		  "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX b crashkernel=1M\"\n" },
		{ SHELL, "#GRUB_CMDLINE_LINUX=\"x\"\n", "", "1M",
		  "#GRUB_CMDLINE_LINUX=\"x\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"crashkernel=1M\"\n" },
		{ SHELL, "GRUB_CMDLINE_LINUX=\"dyndbg=\\\"file a\\\" b\"\n", "", "1M",
		  "GRUB_CMDLINE_LINUX=\"dyndbg=\\\"file a\\\" b crashkernel=1M\"\n" },
		{ SHELL, "GRUB_CMDLINE_LINUX=\"a \\\n  b\"; X=1\n", "", "1M",
		  "GRUB_CMDLINE_LINUX=\"a \\\n  b crashkernel=1M\"; X=1\n" },
	};
	static const char *const odd[] = {
		"GRUB_CMDLINE_LINUX=\"open\n",
		"GRUB_CMDLINE_LINUX=\"a\"'b'\n",
		"GRUB_CMDLINE_LINUX=$(cat /x)\n",
		"GRUB_CMDLINE_LINUX=\"a\\\"\n",
	};
	_free_ char *out = NULL;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_edit(&cases[i]);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		CHECK_EQ(bootcfg_text_edit(SHELL, odd[i], strlen(odd[i]), "1M", true, &out, &len),
			 -EBADMSG);
	/* The word would be within the quotes. */
	CHECK_EQ(bootcfg_text_edit(LINE, "a=\"b c", 6, "1M", true, &out, &len), -EBADMSG);
	CHECK_EQ(bootcfg_text_edit(LABEL, "append a=\"b c\n", 14, "1M", true, &out, &len),
		 -EBADMSG);
	CHECK(bootcfg_shell_is("A=b\nA=\"true\"\n", 13, "A", "true"));
	CHECK(!bootcfg_shell_is("A=true\nA=\"no\"\n", 14, "A", "true"));
	CHECK(!bootcfg_shell_is("AB=true\n", 8, "A", "true"));
}

static void fill_block(char block[1025], const char *text)
{
	memset(block, '#', 1024);
	memcpy(block, text, strlen(text));
	block[1024] = '\0';
}

TEST(control, boot_grubenv)
{
	static const char *const names[] = { "kernelopts", NULL };
	const struct bootcfg_form *form = &bootcfg_form_grubenv;
	static const char head[] = "# GRUB Environment Block\n# WARNING: x\nsaved_entry=a\\\nb\n";
	char before[1025], after[1025], text[1100];
	_free_ char *out = NULL;
	size_t len;

	snprintf(text, sizeof(text), "%skernelopts=root=/dev/x ro \nboot_success=0\n", head);
	fill_block(before, text);
	snprintf(text, sizeof(text),
		 "%skernelopts=root=/dev/x ro crashkernel=1M \nboot_success=0\n", head);
	fill_block(after, text);
	CHECK_EQ(bootcfg_text_edit(form, names, before, 1024, "1M", true, &out, &len), 0);
	CHECK_EQ(len, 1024);
	CHECK_STR(out, after);
	free(take_ptr(out));
	CHECK_EQ(bootcfg_text_edit(form, names, after, 1024, NULL, true, &out, &len), 0);
	CHECK_STR(out, before);
	free(take_ptr(out));

	CHECK_EQ(bootcfg_text_edit(form, names, before, 1023, "1M", true, &out, &len), -EBADMSG);
	before[0] = 'x';
	CHECK_EQ(bootcfg_text_edit(form, names, before, 1024, "1M", true, &out, &len), -EBADMSG);
	/* The very last byte may be used, and not one more. */
	for (int room = 15; room <= 16; room++) {
		snprintf(text, sizeof(text), "# GRUB Environment Block\nkernelopts=%0*d\n",
			 1024 - 25 - 12 - room, 0);
		fill_block(before, text);
		CHECK_EQ(bootcfg_text_edit(form, names, before, 1024, "10M", true, &out, &len),
			 room < 16 ? -ENOSPC : 0);
	}
	fill_block(before, "# GRUB Environment Block\nkernelopts=a\\");
	CHECK_EQ(bootcfg_text_edit(form, names, before, 1024, "1M", true, &out, &len), -EBADMSG);
	fill_block(before, "# GRUB Environment Block\nkerneloptsx=a\n");
	free(take_ptr(out));
	CHECK_EQ(bootcfg_text_edit(form, names, before, 1024, "1M", true, &out, &len), -ENODATA);
}

TEST(control, grub_cfg_lines)
{
	static const struct {
		const char *text, *value;
		bool mixed;
		size_t nr;
	} cases[] = {
		{ "set x=y\n", "", false, 0 },
		{ "\tlinux\t/vmlinuz root=/dev/x crashkernel=1M quiet\n", "1M", false, 1 },
		{ "### BEGIN /etc/grub.d/10_linux ###\nlinux /v crashkernel=1M\n"
		  " linuxefi /v crashkernel=1M\n linux /v single nomodeset\n"
		  " linux /v recovery\n### END /etc/grub.d/10_linux ###\n"
		  "### BEGIN /etc/grub.d/30_os-prober ###\nlinux /other\n",
		  "1M", false, 2 },
		{ "### BEGIN /etc/grub.d/10_linux ###\nlinux /v crashkernel=1M\nlinux /w\n", "1M",
		  true, 2 },
		{ "### BEGIN /etc/grub.d/40_custom ###\nlinux /v\n", "", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char value[BOOTCFG_VALUE_SIZE];
		bool mixed;
		size_t nr;

		CHECK_EQ(bootcfg_text_get(CFG, cases[i].text, strlen(cases[i].text), value, &mixed,
					  &nr),
			 0);
		CHECK_STR(value, cases[i].value);
		CHECK_EQ(mixed, cases[i].mixed);
		CHECK_EQ(nr, cases[i].nr);
	}
	CHECK_EQ(bootcfg_grubcfg_resets("# c\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"), 2);
	CHECK_EQ(bootcfg_grubcfg_resets("GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT q"
					"\"\n"),
		 0);
	CHECK_EQ(bootcfg_grubcfg_resets(" export GRUB_CMDLINE_LINUX_DEFAULT=q\n"
					"X=$GRUB_CMDLINE_LINUX_DEFAULT\n"),
		 1);
}

TEST(control, boot_memory)
{
	static const char *const bad[] = {
		"",
		"vmcore-save boot-loader 2\nset 1M\nwas \n",
		"vmcore-save boot-loader 1\nset 1M\n",
		"vmcore-save boot-loader 1\nset $(id)\nwas \n",
		"vmcore-save boot-loader 1\nset 1M\nwas \nfile 9 - /a\nshort\n",
		"vmcore-save boot-loader 1\nset 1M\nwas \nfile 99999999999 - /a\nx\n",
		"vmcore-save boot-loader 1\nset 1M\nwas \nfile 1 - a\nx\n",
		"vmcore-save boot-loader 1\nset 1M\nwas \nfile 1 abc /a\nx\n",
		"vmcore-save boot-loader 1\nset 1M\nwas \nfile 1 - /a\nx\nfile 1 - /a\nx\n",
	};
	struct bootcfg_memory memory = { .set = "1M", .was = "1G,high 72M,low" }, again;
	const struct bootcfg_kept *kept;
	_free_ char *text = NULL;
	size_t len;

	CHECK(bootcfg_memory_keep(&memory, "/a b", "one\n\ntwo", 8) != NULL);
	CHECK(bootcfg_memory_keep(&memory, "/gone", NULL, 0) != NULL);
	memset(memory.kept[0].after, 'a', SHA256_HEX_BYTES - 1);
	CHECK_EQ(bootcfg_memory_print(&memory, &text, &len), 0);
	bootcfg_memory_deinit(&memory);
	CHECK_EQ(bootcfg_memory_parse(text, len, &again), 0);
	CHECK(again.there && again.nr == 2);
	CHECK_STR(again.was, "1G,high 72M,low");
	kept = bootcfg_memory_find(&again, "/a b");
	CHECK(kept && kept->len == 8 && !memcmp(kept->text, "one\n\ntwo", 8) && *kept->after);
	kept = bootcfg_memory_find(&again, "/gone");
	CHECK(kept && !kept->text && !*kept->after);
	bootcfg_memory_deinit(&again);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(bootcfg_memory_parse(bad[i], strlen(bad[i]), &again) < 0);
		bootcfg_memory_deinit(&again);
	}
}
