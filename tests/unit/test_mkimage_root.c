// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "initramfs/root.h"
#include "lib/cleanup.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* A root file system in a fresh temporary folder. */
struct fixture {
	char dir[64];
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void fixture_deinit(struct fixture *f)
{
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#define _fixture_ __cleanup(fixture_deinit)

static const char *in(const struct fixture *f, const char *name, char path[static 256])
{
	snprintf(path, 256, "%s%s", f->dir, name);
	return path;
}

static bool fixture_init(struct fixture *f)
{
	static const char *const dirs[] = {
		"/usr", "/usr/lib", "/usr/lib/modules", "/usr/lib/modules/6.1", "/bin", "/real"
	};
	static const char *const links[][2] = {
		{ "/lib", "usr/lib" },	       { "/abs", "/real" },
		{ "/up", "../../../real" },    { "/loop", "loop" },
		{ "/bin/sh", "/bin/busybox" }, { "/a", "b" },
		{ "/b", "/usr/../real/./" },
	};
	const char *tmp = getenv("TMPDIR");
	char path[256];

	snprintf(f->dir, sizeof(f->dir), "%.40s/root-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f->dir))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(in(f, dirs[i], path), 0700))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i][1], in(f, links[i][0], path)))
			return false;
	return close(open(in(f, "/bin/busybox", path), O_CREAT | O_WRONLY, 0600)) == 0;
}

TEST(mkimage, links_of_another_root_lead_into_it)
{
	static const struct {
		const char *path, *want;
		int err;
	} rows[] = {
		{ "/bin/busybox", "/bin/busybox", 0 },
		{ "bin//busybox", "/bin/busybox", 0 },
		{ "/bin/sh", "/bin/busybox", 0 },
		{ "/lib/modules/6.1", "/usr/lib/modules/6.1", 0 },
		{ "/abs", "/real", 0 },
		{ "/up", "/real", 0 },
		{ "/../../bin", "/bin", 0 },
		{ "/a/..", "", 0 },
		{ "/a", "/real", 0 },
		{ "/", "", 0 },
		{ "/loop", NULL, -ELOOP },
		{ "/none", NULL, -ENOENT },
		{ "/abs/none/x", NULL, -ENOENT },
		{ "/bin/busybox/x", NULL, -ENOTDIR },
	};
	_fixture_ struct fixture f;

	CHECK(fixture_init(&f));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_free_ char *got = NULL;
		int err = root_path(f.dir, rows[i].path, &got);

		if (err != rows[i].err || (!err && (strncmp(got, f.dir, strlen(f.dir)) ||
						    !streq(got + strlen(f.dir), rows[i].want)))) {
			test_fail(__FILE__, __LINE__, "%s: %d, %s", rows[i].path, err,
				  err ? "" : got);
			return;
		}
	}
}

TEST(mkimage, a_root_has_one_kernel_or_it_is_named)
{
	_fixture_ struct fixture f;
	_free_ char *only = NULL, *named = NULL;
	char path[256], *none = NULL;

	CHECK(fixture_init(&f));
	CHECK_EQ(root_modules(f.dir, NULL, &only), 0);
	CHECK_STR(only + strlen(f.dir), "/usr/lib/modules/6.1");
	CHECK_EQ(mkdir(in(&f, "/lib/modules/6.12", path), 0700), 0);
	CHECK_EQ(root_modules(f.dir, NULL, &none), -EINVAL);
	CHECK_EQ(root_modules(f.dir, "6.12", &named), 0);
	CHECK_STR(named + strlen(f.dir), "/usr/lib/modules/6.12");
	CHECK_EQ(root_modules(f.dir, "6.13", &none), -ENOENT);
	CHECK_EQ(rmdir(in(&f, "/lib/modules/6.12", path)), 0);
	CHECK_EQ(rmdir(in(&f, "/lib/modules/6.1", path)), 0);
	CHECK_EQ(root_modules(f.dir, NULL, &none), -ENOENT);
	/* A package of a merged system has no /lib. */
	CHECK_EQ(unlink(in(&f, "/lib", path)), 0);
	CHECK_EQ(mkdir(in(&f, "/usr/lib/modules/5.10", path), 0700), 0);
	free(take_ptr(only));
	CHECK_EQ(root_modules(f.dir, NULL, &only), 0);
	CHECK_STR(only + strlen(f.dir), "/usr/lib/modules/5.10");
	CHECK(none == NULL);
}
