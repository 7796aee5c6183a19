// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tells what a file is before the kernel is asked to load it. This matters for more
 * than the sentence: kexec_file_load() with KEXEC_FILE_ON_CRASH throws the capture
 * kernel that is loaded away before it looks at the new one.
 *
 * Sources: Documentation/arch/x86/boot.rst and bzImage64_probe() of
 * arch/x86/kernel/kexec-bzimage64.c; Documentation/arch/{arm64,riscv}.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"
#include "loader/image.h"
#include "loader/pe.h"

struct head {
	const uint8_t *p;
	size_t len;
	uint64_t file_size;
};

/**
 * struct image_type - One row of what is known.
 * @offset: where @magic stands
 * @magic_len: 0 where @refine alone decides
 * @refine: looks further; false is "not this type". NULL: the magic is enough.
 */
struct image_type {
	enum image_kind kind;
	uint16_t offset;
	uint8_t magic_len;
	const char *magic;
	const char *machine;
	unsigned calls;
	const char *what;
	const char *advice;
	bool (*refine)(const struct head *h, struct image *image);
};

static bool refine_uki(const struct head *h, struct image *image)
{
	uint64_t from, len;
	struct pe pe;

	image->has_signature = pe_open(h->p, h->len, &pe) && pe_has_signature(&pe);
	return pe_open(h->p, h->len, &pe) && pe_find_section(&pe, ".linux", &from, &len);
}

/* ---- x86: struct setup_header, offsets in the file ---- */

#define X86_SETUP_SECTS	  0x1f1
#define X86_SYSSIZE	  0x1f4
#define X86_BOOT_FLAG	  0x1fe
#define X86_MAGIC	  0x202
#define X86_VERSION	  0x206
#define X86_LOADFLAGS	  0x211
#define X86_XLOADFLAGS	  0x236
#define X86_CMDLINE_SIZE  0x238
#define X86_INIT_SIZE	  0x260
#define X86_HEADER_END	  0x264
#define X86_LOADED_HIGH	  0x01
#define X86_SECTOR	  512
#define X86_PROTOCOL_64	  0x020c
#define X86_PROTOCOL_INIT 0x020a
#define X86_PROTOCOL_MIN  0x0206 /* the first that says how long a command line may be */
#define PAGE_SIZE_X86	  4096ULL

/* Why nothing can load it. */
static const char *bzimage_problem(const struct head *h, const struct image *image)
{
	if (get_le16(h->p + X86_BOOT_FLAG) != 0xaa55)
		return "its boot sector has no signature, so the file is damaged";
	if (!(h->p[X86_LOADFLAGS] & X86_LOADED_HIGH))
		return "it is a zImage for low memory";
	if (image->protocol < X86_PROTOCOL_MIN)
		return "its boot protocol is older than 2.6 (Linux 2.6.22)";
	if (h->file_size < image->claimed_size)
		return "it is cut off: the file is shorter than its header says";
	return NULL;
}

/* What bzImage64_probe() refuses. */
static const char *bzimage_file_problem(const struct image *image)
{
	if (image->protocol < X86_PROTOCOL_64)
		return "its boot protocol is older than 2.12 (Linux 3.8)";
	if (!(image->xloadflags & XLF_KERNEL_64))
		return "it is a 32-bit kernel";
	if (!(image->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G))
		return "it cannot be moved in memory (built without CONFIG_RELOCATABLE)";
	return NULL;
}

static bool refine_bzimage(const struct head *h, struct image *image)
{
	struct pe pe;
	unsigned sects;

	/* Without the whole header nothing below can be believed. */
	if (h->len < X86_HEADER_END) {
		image->problem = "it is cut off within its header";
		return true;
	}
	sects = h->p[X86_SETUP_SECTS] ? h->p[X86_SETUP_SECTS] : 4;
	image->protocol = get_le16(h->p + X86_VERSION);
	image->claimed_size = (sects + 1) * X86_SECTOR + get_le32(h->p + X86_SYSSIZE) * 16ULL;
	if (image->protocol >= X86_PROTOCOL_MIN)
		image->cmdline_size = get_le32(h->p + X86_CMDLINE_SIZE);
	if (image->protocol >= X86_PROTOCOL_INIT)
		image->init_size =
			ROUND_UP((uint64_t)get_le32(h->p + X86_INIT_SIZE), PAGE_SIZE_X86);
	if (image->protocol >= X86_PROTOCOL_64)
		image->xloadflags = get_le16(h->p + X86_XLOADFLAGS);
	image->bits = image->xloadflags & XLF_KERNEL_64 ? 64 : 32;
	image->has_signature = pe_open(h->p, h->len, &pe) && pe_has_signature(&pe);
	image->problem = bzimage_problem(h, image);
	image->file_problem = bzimage_file_problem(image);
	if (image->problem)
		image->calls = 0;
	else if (image->file_problem)
		image->calls &= ~IMAGE_FILE_CALL;
	return true;
}

static bool refine_elf(const struct head *h, struct image *image)
{
	image_refine_elf(h->p, h->len, h->file_size, image);
	return true;
}

/* ---- the rest ---- */

static bool refine_text(const struct head *h, struct image *image)
{
	size_t n = MIN(h->len, (size_t)512);

	(void)image;
	for (size_t i = 0; i < n; i++)
		if ((h->p[i] < ' ' && !strchr("\t\n\f\r", h->p[i])) || h->p[i] == 0x7f || !h->p[i])
			return false;
	return true;
}

static bool refine_zeros(const struct head *h, struct image *image)
{
	(void)image;
	for (size_t i = 0; i < h->len; i++)
		if (h->p[i])
			return false;
	return true;
}

#define MAGIC(offset, text) offset, sizeof(text) - 1, text
#define NO_MAGIC	    0, 0, ""
#define NO_DECODER	    "unpack it first"
#define BOTH_CALLS	    (IMAGE_FILE_CALL | IMAGE_LOAD_CALL)

#define PACKED(magic, name)                                                                        \
	{                                                                                          \
		IMAGE_COMPRESSED, magic, NULL, 0, name "-compressed data", NULL, NULL              \
	}
#define OTHER(magic, what)                                                                         \
	{                                                                                          \
		IMAGE_OTHER, magic, NULL, 0, what, NULL, NULL                                      \
	}
#define UNKNOWN_PACKED(magic, name)                                                                \
	{                                                                                          \
		IMAGE_OTHER, magic, NULL, 0, name "-compressed data", NO_DECODER, NULL             \
	}

/* The first row that fits is it: what has a kernel's header comes before its wrappings. */
static const struct image_type types[] = {
	{ IMAGE_BZIMAGE, MAGIC(X86_MAGIC, "HdrS"), "x86", BOTH_CALLS, "a bzImage", NULL,
	  refine_bzimage },
	{ IMAGE_ARM64, MAGIC(56, "ARM\x64"), "aarch64", IMAGE_FILE_CALL, "an arm64 Image", NULL,
	  NULL },
	{ IMAGE_RISCV, MAGIC(56, "RSC\x05"), "riscv64", IMAGE_FILE_CALL, "a RISC-V Image", NULL,
	  NULL },
	{ IMAGE_ELF, MAGIC(0, "\177ELF"), NULL, 0, "an ELF file", NULL, refine_elf },
	{ IMAGE_ZBOOT, MAGIC(0, "MZ\0\0zimg"), NULL, 0, "a compressed EFI kernel (zboot)",
	  "it is for arm64, loongarch or riscv: take its payload out and load that there", NULL },
	{ IMAGE_UKI, MAGIC(0, "MZ"), NULL, 0, "a unified kernel image", NULL, refine_uki },
	{ IMAGE_PE, MAGIC(0, "MZ"), NULL, 0, "an EFI program without a kernel in it", NULL, NULL },
	PACKED(MAGIC(0, "\x1f\x8b"), "gzip"),
	PACKED(MAGIC(0, "\x28\xb5\x2f\xfd"), "zstd"),
	PACKED(MAGIC(0, "\xfd\x37zXZ\0"), "xz"),
	PACKED(MAGIC(0, "\x04\x22\x4d\x18"), "lz4"),
	PACKED(MAGIC(0, "\x02\x21\x4c\x18"), "lz4"),
	UNKNOWN_PACKED(MAGIC(0, "\x89LZO"), "lzo"),
	UNKNOWN_PACKED(MAGIC(0, "BZh"), "bzip2"),
	UNKNOWN_PACKED(MAGIC(0, "\x5d\0\0"), "lzma"),
	{ IMAGE_CPIO, MAGIC(0, "07070"), NULL, 0, "a cpio archive, so an initrd",
	  "it goes behind --initrd=", NULL },
	OTHER(MAGIC(0, "\x27\x05\x19\x56"), "a U-Boot image"),
	OTHER(MAGIC(0, "KDUMP   "), "a kdump-compressed dump"),
	OTHER(MAGIC(0, "!<arch>\n"), "an archive or package"),
	OTHER(MAGIC(0, "#!"), "a script"),
	{ IMAGE_OTHER, NO_MAGIC, NULL, 0, "text", NULL, refine_text },
	{ IMAGE_OTHER, NO_MAGIC, NULL, 0, "nothing but zero bytes",
	  "it was probably not written out before a power cut: install it again", refine_zeros },
};

static bool has_magic(const struct head *h, const struct image_type *t)
{
	return range_within(t->offset, t->magic_len, h->len) &&
	       !memcmp(h->p + t->offset, t->magic, t->magic_len);
}

void image_probe(const void *head, size_t head_len, uint64_t file_size, struct image *image_ret)
{
	struct head h = { head, head_len, file_size };

	*image_ret = (struct image){ .kind = IMAGE_EMPTY, .what = "empty" };
	if (!head_len)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		const struct image_type *t = &types[i];

		if (!has_magic(&h, t))
			continue;
		*image_ret = (struct image){
			.kind = t->kind,
			.what = t->what,
			.advice = t->advice,
			.machine = t->machine,
			.calls = t->calls,
		};
		if (!t->refine || t->refine(&h, image_ret))
			return;
	}
	*image_ret = (struct image){ .kind = IMAGE_UNKNOWN, .what = "data of no known format" };
}

/* Of the x86 kernels the 64-bit ones take 32-bit kernels, and the other way round. */
static bool runs_on(const struct image *image, const char *machine)
{
	if (streq(image->machine, "x86"))
		return streq(machine, "x86_64") ||
		       (machine[0] == 'i' && strlen(machine) == 4 && streq(machine + 2, "86"));
	return streq(image->machine, machine);
}

int image_check(const struct image *image, const char *machine, const char *path, char *why,
		size_t why_size)
{
	if (image->problem)
		snprintf(why, why_size, "%s: %s, but %s", path, image->what, image->problem);
	else if (image->kind == IMAGE_EMPTY)
		snprintf(why, why_size, "%s is empty", path);
	else if (!image->machine)
		snprintf(why, why_size, "%s is no kernel that kexec can load: it is %s%s%s", path,
			 image->what, image->advice ? "; " : "",
			 image->advice ? image->advice : "");
	else if (!runs_on(image, machine))
		snprintf(why, why_size, "%s is %s, a kernel for %s, and this machine is %s", path,
			 image->what, image->machine, machine);
	else
		return 0;
	return -ENOEXEC;
}
