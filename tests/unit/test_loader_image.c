// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/util.h"
#include "loader/image.h"
#include "tests/unit/test.h"

#define HEAD 2048

/* A header as a current x86_64 kernel has it: 4 setup sectors, 1 MiB behind them. */
static void bzimage(uint8_t *p)
{
	memset(p, 0x90, HEAD);
	memcpy(p, "MZ", 2);
	p[0x1f1] = 4;
	put_le32(p + 0x1f4, (1 << 20) / 16);
	put_le16(p + 0x1fe, 0xaa55);
	memcpy(p + 0x202, "HdrS", 4);
	put_le16(p + 0x206, 0x020f);
	p[0x211] = 1;
	put_le16(p + 0x236, 0x7f);
	put_le32(p + 0x238, 2047);
	put_le32(p + 0x260, 0x3377001);
}

#define BZIMAGE_SIZE (5 * 512 + (1 << 20))

TEST(loader, image_bzimage_is_read)
{
	uint8_t p[HEAD];
	struct image im;
	char why[256] = "";

	bzimage(p);
	image_probe(p, sizeof(p), BZIMAGE_SIZE, &im);
	CHECK_EQ(im.kind, IMAGE_BZIMAGE);
	CHECK(!im.problem);
	CHECK_EQ(im.protocol, 0x20f);
	CHECK_EQ(im.cmdline_size, 2047);
	CHECK_EQ(im.init_size, 0x3378000);
	CHECK_EQ(im.claimed_size, BZIMAGE_SIZE);
	CHECK_EQ(image_check(&im, "x86_64", "k", why, sizeof(why)), 0);
	CHECK_EQ(image_check(&im, "aarch64", "k", why, sizeof(why)), -ENOEXEC);
	CHECK_STR(why, "k is a bzImage, a kernel for x86, and this machine is aarch64");
}

TEST(loader, image_bzimage_says_which_calls_take_it)
{
	static const struct {
		unsigned offset, value; /* 16 bits */
		unsigned missing;	/* bytes at the end of the file */
		unsigned calls;
		const char *part;
	} t[] = {
		{ 0x1fe, 0, 0, 0, "damaged" },
		{ 0x210, 0, 0, 0, "zImage" },
		{ 0x206, 0x0100, 0, 0, "2.6" },
		{ 0x236, 0x7f, 1, 0, "cut off" },
		{ 0x206, 0x020b, 0, IMAGE_LOAD_CALL, "2.12" },
		{ 0x236, 0x7e, 0, IMAGE_LOAD_CALL, "32-bit" },
		{ 0x236, 0x7d, 0, IMAGE_LOAD_CALL, "CONFIG_RELOCATABLE" },
		{ 0x236, 0x7f, 0, IMAGE_LOAD_CALL | IMAGE_FILE_CALL, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t p[HEAD];
		struct image im;
		char why[256] = "";

		bzimage(p);
		put_le16(p + t[i].offset, t[i].value);
		image_probe(p, sizeof(p), BZIMAGE_SIZE - t[i].missing, &im);
		CHECK_EQ(im.kind, IMAGE_BZIMAGE);
		CHECK_EQ(im.calls, t[i].calls);
		CHECK_EQ(image_check(&im, "x86_64", "k", why, sizeof(why)),
			 t[i].calls ? 0 : -ENOEXEC);
		CHECK(strstr(t[i].calls & IMAGE_FILE_CALL ? "" :
			     t[i].calls			  ? im.file_problem :
							    why,
			     t[i].part));
	}
}

TEST(loader, image_runs_on_machines_of_its_family)
{
	static const struct {
		const char *machine;
		bool takes;
	} t[] = {
		{ "x86_64", true }, { "i686", true },  { "i386", true },     { "aarch64", false },
		{ "i86", false },   { "ia64", false }, { "x86_64h", false },
	};
	uint8_t p[HEAD];
	struct image im;
	char why[256];

	bzimage(p);
	image_probe(p, sizeof(p), BZIMAGE_SIZE, &im);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		CHECK_EQ(image_check(&im, t[i].machine, "k", why, sizeof(why)),
			 t[i].takes ? 0 : -ENOEXEC);
}

TEST(loader, image_cut_anywhere_is_never_loadable)
{
	uint8_t p[HEAD];
	char why[256];

	bzimage(p);
	for (size_t len = 0; len < sizeof(p); len++) {
		/* Exactly as long as the file, so that a sanitizer sees a read behind it. */
		_free_ uint8_t *head = malloc(len ? len : 1);
		struct image im;

		CHECK(head);
		memcpy(head, p, len);
		image_probe(head, len, len, &im);
		CHECK_EQ(image_check(&im, "x86_64", "k", why, sizeof(why)), -ENOEXEC);
	}
}

#define BYTES(text) text, sizeof(text) - 1

TEST(loader, image_other_kinds_are_named)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum image_kind kind;
		const char *part;
	} t[] = {
		{ BYTES(""), IMAGE_EMPTY, "k is empty" },
		{ BYTES("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0"), IMAGE_ELF, "cut off" },
		{ BYTES("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0"), IMAGE_ELF, "a dump" },
		{ BYTES("\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\4"), IMAGE_ELF, "a dump" },
		{ BYTES("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\1\0"), IMAGE_ELF, "module" },
		{ BYTES("\177ELF"), IMAGE_ELF, "an ELF file" },
		{ BYTES("\x1f\x8b\x08\0"), IMAGE_COMPRESSED, "gzip" },
		{ BYTES("\x28\xb5\x2f\xfd\0"), IMAGE_COMPRESSED, "zstd" },
		{ BYTES("\xfd"
			"7zXZ\0\0"),
		  IMAGE_COMPRESSED, "xz" },
		{ BYTES("\x04\x22\x4d\x18\0"), IMAGE_COMPRESSED, "lz4" },
		{ BYTES("\x02\x21\x4c\x18\0"), IMAGE_COMPRESSED, "lz4" },
		{ BYTES("MZ\0\0zimg\0\0"), IMAGE_ZBOOT, "zboot" },
		{ BYTES("MZ\x90\0"), IMAGE_PE, "EFI program" },
		{ BYTES("070701000"), IMAGE_CPIO, "--initrd=" },
		{ BYTES("#!/bin/sh\n"), IMAGE_OTHER, "a script" },
		{ BYTES("KDUMP   \6\0\0\0"), IMAGE_OTHER, "dump" },
		{ BYTES("hello\n"), IMAGE_OTHER, "text" },
		{ BYTES("\0\0\0\0\0\0\0\0"), IMAGE_OTHER, "zero bytes" },
		{ BYTES("\1\2\3\4\200"), IMAGE_UNKNOWN, "no known format" },
		{ BYTES("hello\0"), IMAGE_UNKNOWN, "no known format" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct image im;
		char why[256] = "";

		image_probe(t[i].bytes, t[i].len, t[i].len, &im);
		CHECK_EQ(im.kind, t[i].kind);
		CHECK_EQ(image_check(&im, "x86_64", "k", why, sizeof(why)), -ENOEXEC);
		if (!strstr(why, t[i].part))
			test_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", why, t[i].part);
	}
}

TEST(loader, image_arm64_is_for_arm64)
{
	uint8_t p[64] = "MZ";
	struct image im;
	char why[256];

	memcpy(p + 56, "ARM\x64", 4);
	image_probe(p, sizeof(p), sizeof(p), &im);
	CHECK_EQ(im.kind, IMAGE_ARM64);
	CHECK_EQ(image_check(&im, "aarch64", "k", why, sizeof(why)), 0);
	CHECK_EQ(image_check(&im, "x86_64", "k", why, sizeof(why)), -ENOEXEC);
}

/* An EFI program with two sections, the second one named. */
static void pe(uint8_t *p, size_t size, const char *name)
{
	memset(p, 0, size);
	memcpy(p, "MZ", 2);
	put_le32(p + 0x3c, 0x80);
	memcpy(p + 0x80, "PE\0\0", 4);
	put_le16(p + 0x86, 2);
	put_le16(p + 0x94, 0xf0);
	memcpy(p + 0x80 + 24 + 0xf0, ".text", 5);
	memcpy(p + 0x80 + 24 + 0xf0 + 40, name, strlen(name));
}

TEST(loader, image_uki_is_told_by_its_section)
{
	uint8_t p[512];
	struct image im;

	pe(p, sizeof(p), ".linux");
	image_probe(p, sizeof(p), sizeof(p), &im);
	CHECK_EQ(im.kind, IMAGE_UKI);
	pe(p, sizeof(p), ".linuxes");
	image_probe(p, sizeof(p), sizeof(p), &im);
	CHECK_EQ(im.kind, IMAGE_PE);
	/* Offsets and counts that lead out of the file. */
	pe(p, sizeof(p), ".linux");
	put_le16(p + 0x86, 0xffff);
	put_le16(p + 0x94, 0xfff0);
	image_probe(p, sizeof(p), sizeof(p), &im);
	CHECK_EQ(im.kind, IMAGE_PE);
	put_le32(p + 0x3c, 0xffffffff);
	image_probe(p, sizeof(p), sizeof(p), &im);
	CHECK_EQ(im.kind, IMAGE_PE);
}

TEST(loader, image_signature_is_seen)
{
	static const struct {
		unsigned optional_magic, directories, offset, size;
		bool has;
	} t[] = {
		{ 0x20b, 6, 0x100a00, 1472, true },  { 0x20b, 6, 0, 0, false },
		{ 0x20b, 6, 0x100a00, 0, false },    { 0x20b, 4, 0x100a00, 1472, false },
		{ 0x10b, 6, 0x100a00, 1472, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t p[HEAD];
		struct image im;

		bzimage(p);
		put_le32(p + 0x3c, 0x40);
		memcpy(p + 0x40, "PE\0\0", 4);
		put_le16(p + 0x58, t[i].optional_magic);
		put_le32(p + 0x58 + 108, t[i].directories);
		put_le32(p + 0x58 + 144, t[i].offset);
		put_le32(p + 0x58 + 148, t[i].size);
		image_probe(p, sizeof(p), BZIMAGE_SIZE, &im);
		CHECK_EQ(im.kind, IMAGE_BZIMAGE);
		CHECK_EQ(im.has_signature, t[i].has);
	}
}
