// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <errno.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/decompress.h"
#include "lib/util.h"
#include "loader/input.h"
#include "tests/unit/test.h"

#define KERNEL_SIZE 5000
#define PACKED_MAX  8192

/* A vmlinux of one segment. */
static void vmlinux(uint8_t *p, uint16_t machine)
{
	bool elf64 = machine != EM_386;
	size_t header = elf64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	size_t segment = elf64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	Elf64_Phdr load64 = { .p_type = PT_LOAD,
			      .p_offset = 4096,
			      .p_filesz = KERNEL_SIZE - 4096,
			      .p_memsz = 1 << 20 };
	Elf32_Phdr load32 = { .p_type = PT_LOAD,
			      .p_offset = 4096,
			      .p_filesz = KERNEL_SIZE - 4096,
			      .p_memsz = 1 << 20 };

	for (size_t i = 0; i < KERNEL_SIZE; i++)
		p[i] = (uint8_t)(i * i >> 3);
	memset(p, 0, header);
	memcpy(p, "\177ELF\2\1\1", 7);
	p[EI_CLASS] = elf64 ? ELFCLASS64 : ELFCLASS32;
	put_le16(p + 16, ET_EXEC);
	put_le16(p + 18, machine);
	if (elf64) {
		put_le64(p + offsetof(Elf64_Ehdr, e_phoff), header);
		put_le16(p + offsetof(Elf64_Ehdr, e_phentsize), (uint16_t)segment);
		put_le16(p + offsetof(Elf64_Ehdr, e_phnum), 1);
		memcpy(p + header, &load64, segment);
	} else {
		put_le32(p + offsetof(Elf32_Ehdr, e_phoff), (uint32_t)header);
		put_le16(p + offsetof(Elf32_Ehdr, e_phentsize), (uint16_t)segment);
		put_le16(p + offsetof(Elf32_Ehdr, e_phnum), 1);
		memcpy(p + header, &load32, segment);
	}
}

/* Each returns the length of what it made of the kernel. */
static size_t pack_gzip(const uint8_t *in, uint8_t *out)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)in, .avail_in = KERNEL_SIZE };

	z.next_out = out;
	z.avail_out = PACKED_MAX;
	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_xz(const uint8_t *in, uint8_t *out)
{
	size_t pos = 0;

	if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, in, KERNEL_SIZE, out, &pos,
				    PACKED_MAX) != LZMA_OK)
		return 0;
	return pos;
}

static size_t pack_zstd(const uint8_t *in, uint8_t *out)
{
	return ZSTD_compress(out, PACKED_MAX, in, KERNEL_SIZE, 3);
}

static size_t pack_lz4_frame(const uint8_t *in, uint8_t *out)
{
	return LZ4F_compressFrame(out, PACKED_MAX, in, KERNEL_SIZE, NULL);
}

static size_t pack_lz4_legacy(const uint8_t *in, uint8_t *out)
{
	int n = LZ4_compress_default((const char *)in, (char *)out + 8, KERNEL_SIZE,
				     PACKED_MAX - 8);

	put_le32(out, 0x184c2102);
	put_le32(out + 4, (uint32_t)n);
	return (size_t)n + 8;
}

static size_t (*const packers[])(const uint8_t *in, uint8_t *out) = {
	pack_gzip, pack_xz, pack_zstd, pack_lz4_frame, pack_lz4_legacy,
};

TEST(loader, input_unpacks_every_compression)
{
	uint8_t kernel[KERNEL_SIZE], packed[PACKED_MAX];
	char why[256];

	vmlinux(kernel, EM_X86_64);
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		size_t len = packers[i](kernel, packed);
		struct unwrapped u;

		CHECK(len > 100 && len <= PACKED_MAX);
		CHECK_EQ(input_unwrap(packed, len, "k", &u, why, sizeof(why)), 0);
		CHECK_EQ(u.kind, IMAGE_COMPRESSED);
		CHECK(strstr(u.wrapping, "-compressed data"));
		CHECK_EQ(u.kernel_len, KERNEL_SIZE);
		CHECK(!memcmp(u.kernel, kernel, KERNEL_SIZE));
		CHECK_EQ(u.image.kind, IMAGE_ELF);
		CHECK_EQ(u.image.calls, IMAGE_LOAD_CALL);
		input_unwrap_free(&u);
		/* A kernel's build puts the unpacked size behind it. */
		put_le32(packed + len, KERNEL_SIZE);
		CHECK_EQ(input_unwrap(packed, len + 4, "k", &u, why, sizeof(why)), 0);
		CHECK_EQ(u.kernel_len, KERNEL_SIZE);
		input_unwrap_free(&u);
	}
}

/* Cut anywhere, it is refused or, from the packing of the lz4 kind, at least not whole. */
TEST(loader, input_that_is_cut_off_is_no_kernel)
{
	uint8_t kernel[KERNEL_SIZE], packed[PACKED_MAX];

	vmlinux(kernel, EM_X86_64);
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		size_t len = packers[i](kernel, packed);

		for (size_t cut = 6; cut < len - 8; cut += 97) {
			_free_ uint8_t *exact = malloc(cut);
			struct unwrapped u = { 0 };
			char why[256] = "";
			int err;

			CHECK(exact);
			memcpy(exact, packed, cut);
			err = input_unwrap(exact, cut, "k", &u, why, sizeof(why));
			CHECK_EQ(err, -EBADMSG);
			CHECK(strstr(why, "damaged or cut off"));
		}
	}
}

TEST(loader, decompression_is_bounded)
{
	uint8_t kernel[KERNEL_SIZE], packed[PACKED_MAX];

	vmlinux(kernel, EM_X86_64);
	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		size_t len = packers[i](kernel, packed), n;
		void *data;

		CHECK_EQ(decompress(packed, len, KERNEL_SIZE - 1, &data, &n), -EFBIG);
		CHECK_EQ(decompress(packed, len, KERNEL_SIZE + 1, &data, &n), 0);
		CHECK_EQ(n, KERNEL_SIZE);
		free(data);
	}
	CHECK_EQ(decompress("none", 4, 100, &(void *){ NULL }, &(size_t){ 0 }), -EOPNOTSUPP);
}

TEST(loader, input_elf_is_checked)
{
	static const struct {
		uint16_t machine;
		unsigned offset, bytes;
		uint64_t value;
		const char *part; /* of the reason, NULL where it is taken */
	} t[] = {
		{ EM_X86_64, 0, 0, 0, NULL },
		{ EM_386, 0, 0, 0, NULL },
		{ EM_PPC64, 0, 0, 0, "for ppc64le" },
		{ EM_AARCH64, 0, 0, 0, "Image" },
		{ EM_MIPS, 0, 0, 0, "not known" },
		{ EM_X86_64, 16, 2, ET_REL, "module" },
		{ EM_X86_64, 16, 2, ET_NONE, "no executable" },
		{ EM_X86_64, offsetof(Elf64_Ehdr, e_phoff), 8, UINT64_MAX - 8, "damaged" },
		{ EM_X86_64, offsetof(Elf64_Ehdr, e_phentsize), 2, 55, "damaged" },
		{ EM_X86_64, offsetof(Elf64_Ehdr, e_phnum), 2, 0xffff, "damaged" },
		{ EM_X86_64, offsetof(Elf64_Ehdr, e_phnum), 2, 0, "nothing to load" },
		{ EM_X86_64, 64, 4, PT_NOTE, "nothing to load" },
		{ EM_X86_64, 64 + 8, 8, 4097, "cut off" },
		{ EM_X86_64, 64 + 32, 8, UINT64_MAX - 4095, "cut off" },
		{ EM_X86_64, 64 + 40, 8, 1, "damaged" },
		{ EM_386, 52 + 4, 4, 4097, "cut off" },
		{ EM_386, 52 + 20, 4, 1, "damaged" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t kernel[KERNEL_SIZE];
		struct unwrapped u;
		char why[256] = "";
		int err;

		vmlinux(kernel, t[i].machine);
		for (unsigned b = 0; b < t[i].bytes; b++)
			kernel[t[i].offset + b] = (uint8_t)(t[i].value >> 8 * b);
		CHECK_EQ(input_unwrap(kernel, sizeof(kernel), "k", &u, why, sizeof(why)), 0);
		err = image_check(&u.image, "x86_64", "k", why, sizeof(why));
		CHECK_EQ(err, t[i].part ? -ENOEXEC : 0);
		if (t[i].part && !strstr(why, t[i].part))
			test_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", why, t[i].part);
	}
}

TEST(loader, input_multiboot_is_refused)
{
	static const uint32_t first[4] = { 0x1badb002, 3, -(0x1badb002u + 3), 0 };
	static const uint32_t second[4] = { 0xe85250d6, 0, 24, -(0xe85250d6u + 24) };

	for (int version = 1; version <= 2; version++) {
		uint8_t kernel[KERNEL_SIZE];
		struct unwrapped u;
		char why[256] = "";

		vmlinux(kernel, EM_386);
		memcpy(kernel + 4096, version == 1 ? first : second, 16);
		CHECK_EQ(input_unwrap(kernel, sizeof(kernel), "k", &u, why, sizeof(why)), 0);
		CHECK_EQ(image_check(&u.image, "x86_64", "k", why, sizeof(why)), -ENOEXEC);
		CHECK(strstr(why, "multiboot"));
		kernel[4096 + 4] ^= 1; /* the sum does not hold: no such header */
		CHECK_EQ(input_unwrap(kernel, sizeof(kernel), "k", &u, why, sizeof(why)), 0);
		CHECK_EQ(image_check(&u.image, "x86_64", "k", why, sizeof(why)), 0);
	}
}

/* ---- unified kernel images ---- */

#define UKI_SIZE 8192

struct section {
	const char *name;
	const void *data;
	uint32_t mem_len, file_len, file_from;
};

/* Sections that give no place get 512 bytes of their own, one after the other. */
static void uki(uint8_t *p, const struct section *s, unsigned n)
{
	uint32_t next = 1024;

	memset(p, 0, UKI_SIZE);
	memcpy(p, "MZ", 2);
	put_le32(p + 0x3c, 0x80);
	memcpy(p + 0x80, "PE\0\0", 4);
	put_le16(p + 0x86, (uint16_t)n);
	put_le16(p + 0x94, 0xf0);
	for (unsigned i = 0; i < n; i++) {
		uint8_t *at = p + 0x80 + 24 + 0xf0 + i * 40;
		uint32_t from = s[i].file_from ? s[i].file_from : next;

		memcpy(at, s[i].name, MIN(strlen(s[i].name), (size_t)8));
		put_le32(at + 8, s[i].mem_len);
		put_le32(at + 16, s[i].file_len);
		put_le32(at + 20, from);
		if (s[i].data)
			memcpy(p + from, s[i].data, s[i].mem_len);
		next += 512;
	}
}

#define SECTION(name, text)                                                                        \
	{                                                                                          \
		name, text, sizeof(text) - 1, 512, 0                                               \
	}

TEST(loader, input_uki_is_taken_apart)
{
	static const struct section plain[] = {
		SECTION(".osrel", "ID=x"),	SECTION(".cmdline", "root=/dev/sda quiet\n"),
		SECTION(".initrd", "070701ab"), SECTION(".linux", "MZ but no kernel"),
		SECTION(".uname", "6.1"),
	};
	static const struct section bare[] = { SECTION(".linux", "MZ but no kernel") };
	/* What the profiles share, then the first, then another. */
	static const struct section profiles[] = {
		SECTION(".linux", "MZ but no kernel"), SECTION(".cmdline", "shared"),
		SECTION(".initrd", "070701ab"),	       SECTION(".profile", "ID=main"),
		SECTION(".cmdline", "first"),	       SECTION(".profile", "ID=rescue"),
		SECTION(".cmdline", "second"),	       SECTION(".initrd", "other"),
	};
	static const struct {
		const struct section *sections;
		unsigned n;
		const char *cmdline, *initrd;
	} t[] = {
		{ plain, ARRAY_SIZE(plain), "root=/dev/sda quiet", "070701ab" },
		{ bare, 1, NULL, NULL },
		{ profiles, ARRAY_SIZE(profiles), "first", "070701ab" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t p[UKI_SIZE];
		struct unwrapped u;
		char why[256];

		uki(p, t[i].sections, t[i].n);
		CHECK_EQ(input_unwrap(p, sizeof(p), "k", &u, why, sizeof(why)), 0);
		CHECK_EQ(u.kind, IMAGE_UKI);
		CHECK_STR(u.wrapping, "a unified kernel image");
		CHECK_EQ(u.kernel_len, 16);
		CHECK(!memcmp(u.kernel, "MZ but no kernel", 16));
		CHECK_EQ(u.image.kind, IMAGE_PE);
		CHECK_STR(u.cmdline ? u.cmdline : "-", t[i].cmdline ? t[i].cmdline : "-");
		CHECK_EQ(u.initrd_len, t[i].initrd ? strlen(t[i].initrd) : 0);
		CHECK(!t[i].initrd || !memcmp(u.initrd, t[i].initrd, u.initrd_len));
		input_unwrap_free(&u);
	}
}

TEST(loader, input_uki_that_is_damaged_is_refused)
{
	static const struct section t[][2] = {
		{ { ".linux", NULL, 512, 512, UKI_SIZE - 511 }, SECTION(".cmdline", "x") },
		{ { ".linux", NULL, 512, 512, 0xfffffe00 }, SECTION(".cmdline", "x") },
		{ { ".linux", NULL, 0xffffffff, 0xffffffff, 0 }, SECTION(".cmdline", "x") },
		{ { ".linux", NULL, 0, 0, 0 }, SECTION(".cmdline", "x") },
		{ SECTION(".linux", "MZ"), { ".initrd", NULL, 9000, 9000, 0 } },
		{ SECTION(".linux", "MZ"), { ".cmdline", NULL, 9000, 9000, 0 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		uint8_t p[UKI_SIZE];
		struct unwrapped u;
		char why[256] = "";

		uki(p, t[i], 2);
		CHECK_EQ(input_unwrap(p, sizeof(p), "k", &u, why, sizeof(why)), -EBADMSG);
		CHECK(strstr(why, "unified kernel image"));
	}
}

TEST(loader, input_calls_follow_the_options_and_the_image)
{
	static const struct {
		unsigned flags;
		const char *load_only;
		unsigned takes, want;
	} t[] = {
		{ 0, NULL, 3, IMAGE_FILE_CALL | IMAGE_LOAD_CALL },
		{ 0, NULL, IMAGE_LOAD_CALL, IMAGE_LOAD_CALL },
		{ OPT_FILE_CALL, NULL, 3, IMAGE_FILE_CALL },
		{ OPT_OLD_CALL, NULL, 3, IMAGE_LOAD_CALL },
		{ 0, "mem-min", 3, IMAGE_LOAD_CALL },
		{ OPT_FILE_CALL, NULL, IMAGE_LOAD_CALL, 0 },
		{ OPT_OLD_CALL, NULL, IMAGE_FILE_CALL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct options o = { .flags = t[i].flags,
				     .load_only = t[i].load_only,
				     .kernel = "k" };
		struct image im = { .what = "a bzImage", .calls = t[i].takes };
		char why[256] = "";

		CHECK_EQ(input_calls(&o, &im, why, sizeof(why)), t[i].want);
		CHECK(t[i].want || strstr(why, "kexec"));
	}
}
