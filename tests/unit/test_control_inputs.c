// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/settings.h"
#include "lib/cleanup.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define HEAD "vmcore-save inputs 1\n"
#define HEX  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *printed(const struct inputs *inputs)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	inputs_print(inputs, to);
	return fclose(to) ? NULL : text;
}

TEST(control, inputs_are_read_back)
{
	const char *text = HEAD "file " HEX " 12 34 56 /a name\nfile - 0 0 0 /not/there\n"
				"held " HEX " 1 2 3 /boot/image\n"
				"fact devices\text4 on virtio\n";
	struct inputs inputs = { 0 };
	_free_ char *again = NULL;

	CHECK_EQ(inputs_parse(text, &inputs), 0);
	again = printed(&inputs);
	CHECK_EQ(inputs.nr, 4);
	CHECK(inputs_find(&inputs, "/a name", false));
	CHECK(inputs_find(&inputs, "devices", true));
	CHECK(!inputs_find(&inputs, "devices", false));
	inputs_deinit(&inputs);
	CHECK_STR(again, text);
}

TEST(control, inputs_that_are_none)
{
	static const char *const bad[] = {
		"",
		"vmcore-save inputs 2\n",
		HEAD "file " HEX " 12 34 56 /cut",
		HEAD "file " HEX " 12 34 56 \n",
		HEAD "file " HEX " 12 34 56\n",
		HEAD "file " HEX "0 12 34 56 /a\n",
		HEAD "file 01 12 34 56 /a\n",
		HEAD "file " HEX " 12 -34 56 /a\n",
		HEAD "file " HEX " 99999999999999999999999 34 56 /a\n",
		HEAD "file\n",
		HEAD "fact a\n",
		HEAD "fact \tb\n",
		HEAD "else\n",
		HEAD "\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct inputs inputs = { 0 };

		CHECK_EQ(inputs_parse(bad[i], &inputs), -EBADMSG);
		CHECK(!inputs.list);
	}
}

static void note(void *ctx, const char *name, const char *what)
{
	char *to = ctx;
	size_t len = strlen(to);

	snprintf(to + len, 256 - len, "%s %s;", name, what);
}

TEST(control, inputs_tell_what_changed)
{
	static const struct {
		const char *before, *now, *says;
	} cases[] = {
		{ "fact a\t1\n", "fact a\t1\n", "" },
		{ "fact a\t1\n", "fact a\t2\n", "a changed;" },
		{ "fact a\t1\n", "", "a gone;" },
		{ "", "fact a\t1\n", "a new;" },
		{ "file " HEX " 1 2 3 /a\n", "file " HEX " 1 9 9 /a\n", "" },
		{ "file " HEX " 1 2 3 /a\n", "file - 0 0 0 /a\n", "/a gone;" },
		{ "file - 0 0 0 /a\n", "file " HEX " 1 2 3 /a\n", "/a new;" },
		{ "file - 0 0 0 /a\n", "", "" },
		{ "", "file - 0 0 0 /a\n", "" },
		{ "fact a\t1\nfact b\t1\n", "fact b\t2\nfact c\t1\n", "b changed;c new;a gone;" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct inputs before = { 0 }, now = { 0 };
		char text[512], says[256] = "";

		snprintf(text, sizeof(text), HEAD "%s", cases[i].before);
		CHECK_EQ(inputs_parse(text, &before), 0);
		snprintf(text, sizeof(text), HEAD "%s", cases[i].now);
		CHECK_EQ(inputs_parse(text, &now), 0);
		inputs_difference(&before, &now, note, says);
		inputs_deinit(&before);
		inputs_deinit(&now);
		CHECK_STR(says, cases[i].says);
	}
}

static int put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	return f && fputs(text, f) >= 0 && !fclose(f) ? 0 : -EIO;
}

TEST(control, a_file_is_known_by_its_content)
{
	char dir[] = "/tmp/vmcore-save-test-XXXXXX", path[64];
	struct inputs first = { 0 }, second = { 0 }, third = { 0 };
	struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	unsigned touched, changed;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	CHECK_EQ(put(path, "one"), 0);
	CHECK_EQ(inputs_add_file(&first, NULL, dir, "/f"), 0);
	CHECK_EQ(inputs_add_file(&first, NULL, dir, "/none"), 0);
	CHECK_EQ(inputs_add_file(&first, NULL, dir, "/f"), 0); /* once */
	CHECK_EQ(first.nr, 2);
	CHECK_EQ(utimensat(-1, path, times, 0), 0);
	CHECK_EQ(inputs_add_file(&second, &first, dir, "/f"), 0);
	touched = inputs_difference(&first, &second, NULL, NULL);
	CHECK_EQ(put(path, "two"), 0);
	CHECK_EQ(inputs_add_file(&third, &second, dir, "/f"), 0);
	changed = inputs_difference(&second, &third, NULL, NULL);
	inputs_deinit(&first);
	inputs_deinit(&second);
	inputs_deinit(&third);
	unlink(path);
	rmdir(dir);
	CHECK_EQ(touched, 0);
	CHECK_EQ(changed, 1);
}

TEST(control, settings)
{
	static const struct {
		const char *text;
		int mistakes;
		const char *append, *extra;
	} cases[] = {
		{ "", 0, SETTINGS_APPEND, "" },
		{ "# a comment\n\n  KERNEL_APPEND=\"a b\"\n", 0, "a b", "" },
		{ "KERNEL_APPEND_EXTRA='x $y'", 0, SETTINGS_APPEND, "x $y" },
		{ "KERNEL_APPEND=a\r\n", 0, "a", "" },
		{ "KERNEL_APPEND=\n", 0, "", "" },
		{ "KERNEL_APPEND=\"\"\n", 0, "", "" },
		{ "KERNEL_APPEND=a b\n", 1, SETTINGS_APPEND, "" },
		{ "KERNEL_APPEND=\"a\n", 1, SETTINGS_APPEND, "" },
		{ "KERNEL_APPEND=\"\n", 1, SETTINGS_APPEND, "" },
		{ "KERNEL_APPEND=\"$(reboot)\"\n", 1, SETTINGS_APPEND, "" },
		{ "KERNEL_APPEND=\"a\"b\"\n", 1, SETTINGS_APPEND, "" },
		{ "KERNEL_APPEND=a;b\n", 1, SETTINGS_APPEND, "" },
		{ "FROB=1\nkernel_append=1\n", 2, SETTINGS_APPEND, "" },
		{ "KERNEL_APPEND\n", 1, SETTINGS_APPEND, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings settings;

		settings_init(&settings);
		CHECK_EQ(settings_parse(cases[i].text, "test", &settings), cases[i].mistakes);
		CHECK_STR(settings.append, cases[i].append);
		CHECK_STR(settings.append_extra, cases[i].extra);
	}
}
