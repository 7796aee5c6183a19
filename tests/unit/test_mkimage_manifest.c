// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "initramfs/manifest.h"
#include "lib/util.h"
#include "tests/unit/test.h"

static struct manifest_vars vars = {
	.var = { { "PROG", "/opt/a b/prog", false },
		 { "MODS", " ext4\t nvme ", false },
		 { "EMPTY", "", false } },
	.nr = 3,
};

static int parse(const char *text, struct manifest *m)
{
	return manifest_parse(text, strlen(text), "test", &vars, m);
}

TEST(mkimage, manifest_entries)
{
	struct manifest m;

	CHECK_EQ(parse("# comment\n"
		       "\n"
		       "dir /d 0750 1 2 # trailing\n"
		       "file /d/f ${PROG}/x-${EMPTY}y 4755\n"
		       "slink\t/l ../d 0777 0 0\r\n"
		       "nod /n 0600 0 0 c 5 1\n"
		       "nod /b 0600 b 8 16\n"
		       "modules /d ?virtio_blk ${MODS} ${EMPTY} last\n"
		       "modules /d a\n"
		       "module-list /d/modules\n"
		       "build-note /d/build",
		       &m),
		 0);
	CHECK_EQ(m.nr, 9);
	CHECK_EQ(m.entries[0].kind, MANIFEST_DIR);
	CHECK_STR(m.entries[0].path, "/d");
	CHECK_EQ(m.entries[0].mode, 0750);
	CHECK_EQ(m.entries[0].uid, 1);
	CHECK_EQ(m.entries[0].gid, 2);
	CHECK_EQ(m.entries[0].line, 3);
	CHECK_STR(m.entries[1].value, "/opt/a b/prog/x-y");
	CHECK_EQ(m.entries[1].mode, 04755);
	CHECK_STR(m.entries[2].value, "../d");
	CHECK_EQ(m.entries[3].mode, S_IFCHR | 0600);
	CHECK_EQ(m.entries[3].major, 5);
	CHECK_EQ(m.entries[3].minor, 1);
	CHECK_EQ(m.entries[4].mode, S_IFBLK | 0600);
	CHECK_EQ(m.entries[4].minor, 16);
	CHECK_STR(m.entries[5].value, "?virtio_blk ext4 nvme last");
	CHECK_EQ(m.entries[8].kind, MANIFEST_BUILD_NOTE);
	manifest_deinit(&m);
}

TEST(mkimage, manifest_mistakes)
{
	static const char *const bad[] = {
		"nonsense /x",
		"dir",
		"dir /x",
		"dir /x 0755 0",
		"dir /x 0755 0 0 0",
		"dir /x 0855",
		"dir /x 10000",
		"dir /x -1",
		"dir /x 0755 4294967295 0",
		"dir x 0755",
		"dir / 0755",
		"dir // 0755",
		"dir /x/ 0755",
		"dir /../x 0755",
		"dir /. 0755",
		"dir /x\x01 0755",
		"dir /x/y 0755",
		"dir /x 0755\ndir /x 0755",
		"dir /x 0755\nslink /x y 0777",
		"file /f src 0644\ndir /f/d 0755",
		"file /f ${NONE} 0644",
		"file /f ${PROG 0644",
		"file /f ${} 0644",
		"file /f ${EMPTY} 0644",
		"file /f 0644",
		"nod /n 0600 c 5",
		"nod /n 0600 0 0 p 5 1",
		"nod /n 0600 0 0 c 4096 1",
		"modules /none ext4",
		"module-list /a b",
		"?NONE dir /x 0755",
		"?EMPTY",
		"? dir /x 0755",
		"?PROG- dir /x 0755",
		"?PROG nonsense /x",
		"firmware /none a",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct manifest m;

		if (parse(bad[i], &m) != -EBADMSG) {
			test_fail(__FILE__, __LINE__, "\"%s\" passed", bad[i]);
			return;
		}
	}
}

TEST(mkimage, manifest_is_bounded)
{
	static char text[MANIFEST_MAX_ENTRIES * 16 + 4096];
	struct manifest m;
	size_t len = 0;

	memset(text, 'x', 3000);
	CHECK_EQ(manifest_parse(text, 3000, "test", &vars, &m), -EBADMSG);
	CHECK_EQ(manifest_parse("dir /a\0 0755", 12, "test", &vars, &m), -EBADMSG);
	for (unsigned i = 0; i <= MANIFEST_MAX_ENTRIES; i++)
		len += (size_t)sprintf(text + len, "dir /%u 0755\n", i);
	CHECK_EQ(manifest_parse(text, len, "test", &vars, &m), -EBADMSG);
}

TEST(mkimage, variables)
{
	struct manifest_vars v = { .nr = 0 };

	CHECK_EQ(manifest_set_var(&v, "A_1", "x"), 0);
	CHECK_EQ(manifest_set_var(&v, "A_1", "y"), 0);
	CHECK_EQ(v.nr, 1);
	CHECK_STR(v.var[0].value, "y");
	CHECK_EQ(manifest_set_var(&v, "", "x"), -EINVAL);
	CHECK_EQ(manifest_set_var(&v, "1A", "x"), -EINVAL);
	CHECK_EQ(manifest_set_var(&v, "A-B", "x"), -EINVAL);
}

TEST(mkimage, manifest_lines_with_a_condition)
{
	struct manifest m;

	CHECK_EQ(parse("?EMPTY file /a nonsense\n"
		       " ?PROG\tdir /b 0755\n"
		       "?MODS slink /c b 0777",
		       &m),
		 0);
	CHECK_EQ(m.nr, 2);
	CHECK_STR(m.entries[0].path, "/b");
	CHECK_STR(m.entries[1].path, "/c");
	manifest_deinit(&m);
}

TEST(mkimage, manifests_are_added)
{
	static const char first[] = "dir /d 0755\nslink /l d 0777\n", more[] = "file /d/f x 0644";
	static const char twice[] = "dir /e 0755\ndir /d 0755\n";
	struct manifest_vars v = { .nr = 0 };
	struct manifest m = { 0 };

	CHECK_EQ(manifest_add(first, strlen(first), "first", &v, &m), 0);
	CHECK_EQ(manifest_add(more, strlen(more), "more", &v, &m), 0);
	CHECK_EQ(manifest_add(twice, strlen(twice), "twice", &v, &m), -EBADMSG);
	CHECK_EQ(m.nr, 3);
	CHECK_STR(m.entries[1].name, "first");
	CHECK_STR(m.entries[2].name, "more");
	CHECK_EQ(m.entries[2].line, 1);
	CHECK(manifest_has_file(&m, "/d/f"));
	CHECK(manifest_has_file(&m, "/l"));
	CHECK(!manifest_has_file(&m, "/d"));
	manifest_deinit(&m);
}

TEST(mkimage, variables_that_a_manifest_asked_for)
{
	static const char text[] = "slink /a ${A} 0777\n?B dir /b 0755\n";
	struct manifest_vars v = { .nr = 0 };
	struct manifest m = { 0 };

	CHECK_EQ(manifest_set_var(&v, "A", "x") | manifest_set_var(&v, "B", "") |
			 manifest_set_var(&v, "C", "x"),
		 0);
	CHECK_EQ(manifest_add(text, strlen(text), "test", &v, &m), 0);
	CHECK(manifest_var_used(&v, "A"));
	CHECK(manifest_var_used(&v, "B"));
	CHECK(!manifest_var_used(&v, "C"));
	CHECK(!manifest_var_used(&v, "D"));
	manifest_deinit(&m);
}
