// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "initramfs/image.h"
#include "initramfs/modtree.h"
#include "initramfs/unpack.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* A module folder in a fresh temporary directory. */
struct fixture {
	char dir[64];
	struct modtree *tree;
};

static bool put_bytes(const struct fixture *f, const char *name, const void *data, size_t len)
{
	char path[128];
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	return fd >= 0 && !io_write_full(fd, data, len);
}

static bool put(const struct fixture *f, const char *name, const char *text)
{
	return put_bytes(f, name, text, strlen(text));
}

static bool fixture_init(struct fixture *f)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(f->dir, sizeof(f->dir), "%.40s/mkimage-XXXXXX", tmp ? tmp : "/tmp");
	f->tree = NULL;
	return mkdtemp(f->dir) != NULL;
}

static void fixture_deinit(struct fixture *f)
{
	static const char *const names[] = {
		"modules.dep",	   "modules.softdep",	      "modules.alias",
		"modules.builtin", "modules.builtin.modinfo", "file",
		"a.ko.gz"
	};
	char path[128];

	modtree_close(f->tree);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
}

#define _fixture_ __cleanup(fixture_deinit)

static bool open_usual(struct fixture *f)
{
	static const char modinfo[] = "vfs.alias=fs-vfs\0vfs.license=GPL\0";

	return fixture_init(f) &&
	       put(f, "modules.dep",
		   "kernel/fs/ext4.ko.xz: kernel/fs/jbd2.ko.xz kernel/lib/crc16.ko.xz\n"
		   "kernel/fs/jbd2.ko.xz: kernel/lib/crc16.ko.xz\n"
		   "kernel/lib/crc16.ko.xz:\n"
		   "kernel/crc32c-intel.ko.xz:\n"
		   "kernel/crc32c_generic.ko.xz:\n"
		   "kernel/post.ko:\n"
		   "kernel/loop_a.ko: kernel/loop_b.ko\n"
		   "kernel/loop_b.ko: kernel/loop_a.ko\n"
		   "kernel/broken.ko: kernel/gone.ko\n") &&
	       put(f, "modules.softdep",
		   "# comment\n"
		   "softdep ext4 pre: crc32c nosuch post: post\n"
		   "softdep post pre: ext4\n") &&
	       put(f, "modules.alias",
		   "# comment\n"
		   "alias fs-ext4 ext4\n"
		   "alias crc32c crc32c_intel\n"
		   "alias crc32c crc32c_generic\n"
		   "alias pci:v00001AF4d*sv* jbd2\n") &&
	       put(f, "modules.builtin", "kernel/fs/vfs.ko\nkernel/drivers/virtio-pci.ko\n") &&
	       put_bytes(f, "modules.builtin.modinfo", modinfo, sizeof(modinfo) - 1) &&
	       !modtree_open(f->dir, &f->tree);
}

/* "name name": the load order as base names */
static const char *order(const struct modtree *t, char *buf, size_t size)
{
	size_t len = 0;

	*buf = '\0';
	for (size_t i = 0; i < modtree_nr_loaded(t); i++) {
		const char *base = strrchr(modtree_loaded(t, i), '/') + 1;

		len += (size_t)snprintf(buf + len, size - len, "%s%.*s", i ? " " : "",
					(int)strcspn(base, "."), base);
	}
	return buf;
}

TEST(mkimage, modules_in_load_order)
{
	static const struct {
		const char *names[3], *want;
		int err;
	} rows[] = {
		{ { "crc16" }, "crc16", 0 },
		{ { "jbd2" }, "crc16 jbd2", 0 },
		{ { "ext4" }, "crc32c-intel crc32c_generic crc16 jbd2 ext4 post", 0 },
		{ { "fs-ext4", "ext4", "jbd2" },
		  "crc32c-intel crc32c_generic crc16 jbd2 ext4 post",
		  0 },
		{ { "crc32c_intel" }, "crc32c-intel", 0 },
		{ { "crc32c-generic" }, "crc32c_generic", 0 },
		{ { "pci:v00001AF4d00001001sv00bc01" }, "crc16 jbd2", 0 },
		{ { "vfs" }, "", 0 },
		{ { "fs-vfs" }, "", 0 },
		{ { "fs_vfs" }, "", 0 },
		{ { "virtio_pci" }, "", 0 },
		{ { "nosuch" }, "", -ENOENT },
		{ { "" }, "", -ENOENT },
		{ { "loop_a" }, "loop_b loop_a", 0 },
		{ { "broken" }, "", -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_fixture_ struct fixture f;
		char buf[512];
		int err = 0;

		CHECK(open_usual(&f));
		for (size_t n = 0; n < 3 && rows[i].names[n] && !err; n++)
			err = modtree_need(f.tree, rows[i].names[n]);
		CHECK_EQ(err, rows[i].err);
		CHECK_STR(order(f.tree, buf, sizeof(buf)), rows[i].want);
	}
}

TEST(mkimage, module_folders_that_are_none)
{
	_fixture_ struct fixture f;

	CHECK(fixture_init(&f));
	CHECK_EQ(modtree_open("/nonexistent", &f.tree), -ENOENT);
	CHECK_EQ(modtree_open(f.dir, &f.tree), -ENOENT);
	CHECK(put(&f, "modules.dep", "no colon here\n"));
	CHECK_EQ(modtree_open(f.dir, &f.tree), -EBADMSG);
	CHECK(put(&f, "modules.dep", ":\n"));
	CHECK_EQ(modtree_open(f.dir, &f.tree), -EBADMSG);
	CHECK(put(&f, "modules.dep", ""));
	CHECK_EQ(modtree_open(f.dir, &f.tree), 0);
	CHECK_EQ(modtree_need(f.tree, "ext4"), -ENOENT);
}

static const char elf[] = "\177ELF and the rest of a module, and the rest, and the rest of it";

/* xz --check=crc32 of "\177ELFxyz\n" */
static const unsigned char xz_elf[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21,
	0x01, 0x1c, 0x00, 0x00, 0x00, 0x10, 0xcf, 0x58, 0xcc, 0x01, 0x00, 0x07, 0x7f, 0x45, 0x4c,
	0x46, 0x78, 0x79, 0x7a, 0x0a, 0x00, 0xbb, 0xc2, 0xe6, 0x69, 0x00, 0x01, 0x1c, 0x08, 0x44,
	0x60, 0x2a, 0xc8, 0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a,
};

TEST(mkimage, unpacks_modules)
{
	_fixture_ struct fixture f;
	char path[128], packed[512];
	gzFile gz;
	size_t zlen;

	CHECK(fixture_init(&f));
	snprintf(path, sizeof(path), "%s/file", f.dir);
	zlen = ZSTD_compress(packed, sizeof(packed), elf, sizeof(elf), 3);
	CHECK(!ZSTD_isError(zlen));
	for (unsigned kind = 0; kind < 4; kind++) {
		_free_ void *data = NULL;
		size_t len;

		if (kind == 0)
			CHECK(put_bytes(&f, "file", elf, sizeof(elf)));
		if (kind == 1) {
			gz = gzopen(path, "wb");
			CHECK(gz != NULL);
			CHECK_EQ(gzwrite(gz, elf, sizeof(elf)), sizeof(elf));
			CHECK_EQ(gzclose(gz), Z_OK);
		}
		if (kind == 2)
			CHECK(put_bytes(&f, "file", packed, zlen));
		if (kind == 3)
			CHECK(put_bytes(&f, "file", xz_elf, sizeof(xz_elf)));
		CHECK_EQ(unpack_file(path, &data, &len), 0);
		CHECK_EQ(len, kind == 3 ? 8 : sizeof(elf));
		CHECK_EQ(memcmp(data, kind == 3 ? "\177ELFxyz\n" : elf, len), 0);
	}
}

TEST(mkimage, refuses_broken_modules)
{
	static const struct {
		const char *data;
		size_t len;
	} bad[] = {
		{ "", 0 },
		{ "text", 4 },
		{ "\x1f\x8b\x08", 3 },
		{ "\x1f\x8b\x08garbage garbage", 18 },
		{ "\xfd"
		  "7zXZ\0",
		  6 },
		{ (const char *)xz_elf, sizeof(xz_elf) - 20 },
		{ "\x28\xb5\x2f\xfd", 4 },
		{ "\x28\xb5\x2f\xfd garbage", 12 },
	};
	_fixture_ struct fixture f;
	char path[128];

	CHECK(fixture_init(&f));
	snprintf(path, sizeof(path), "%s/file", f.dir);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		void *data;
		size_t len;

		CHECK(put_bytes(&f, "file", bad[i].data, bad[i].len));
		CHECK_EQ(unpack_file(path, &data, &len), -EBADMSG);
	}
	unlink(path);
	CHECK_EQ(unpack_file(path, &(void *){ NULL }, &(size_t){ 0 }), -ENOENT);
}

static int count_write(void *ctx, const void *data, size_t len)
{
	FILE *out = ctx;

	return fwrite(data, 1, len, out) == len ? 0 : -EIO;
}

static bool holds(const char *data, size_t len, const char *what)
{
	return memmem(data, len, what, strlen(what)) != NULL;
}

TEST(mkimage, image_holds_modules_list_and_note)
{
	_fixture_ struct fixture f;
	char path[128], text[512];
	struct manifest_vars vars = { .nr = 0 };
	struct manifest m;
	struct image_source source = { .manifest = &m, .name = "test", .moddir = f.dir };
	_free_ char *data = NULL;
	size_t len;
	struct cpio c;
	gzFile gz;
	FILE *out;
	int err;

	CHECK(fixture_init(&f));
	CHECK(put(&f, "file", "program"));
	CHECK(put(&f, "modules.dep", "a.ko.gz:\n"));
	snprintf(path, sizeof(path), "%s/a.ko.gz", f.dir);
	gz = gzopen(path, "wb");
	CHECK(gz && gzwrite(gz, elf, sizeof(elf)) == sizeof(elf) && gzclose(gz) == Z_OK);
	snprintf(text, sizeof(text),
		 "dir /m 0755\nfile /init %s/file 0755\nmodules /m ?none a\n"
		 "module-list /list\nbuild-note /note\n",
		 f.dir);
	CHECK_EQ(manifest_parse(text, strlen(text), "test", &vars, &m), 0);
	out = open_memstream(&data, &len);
	CHECK(out != NULL);
	cpio_init(&c, count_write, out);
	err = image_write(&source, &c);
	fclose(out);
	manifest_deinit(&m);
	CHECK_EQ(err, 0);
	CHECK_EQ(len % 512, 0);
	CHECK(holds(data, len, "\177ELF and the rest"));
	CHECK(holds(data, len, "m/a.ko"));
	CHECK(!holds(data, len, "a.ko.gz"));
	CHECK(holds(data, len, "/m/a.ko\n"));
	CHECK(holds(data, len, "module: a.ko\n"));
	/* sha256 of "program" */
	CHECK(holds(data, len,
		    "program-sha256: "
		    "1310ca2c8932dbd118668bd97442558a3e1f546b5e15c69699dfbd6024f548d8\n"));
}
