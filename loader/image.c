// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tells what a file is before the kernel is asked to load it. This matters for more
 * than the sentence: kexec_file_load() with KEXEC_FILE_ON_CRASH throws the capture
 * kernel that is loaded away before it looks at the new one.
 *
 * Sources: Documentation/arch/x86/boot.rst and bzImage64_probe() of
 * arch/x86/kernel/kexec-bzimage64.c; Documentation/arch/{arm64,riscv}; the PE/COFF
 * specification.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"
#include "loader/loader.h"

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
	const char *what;
	const char *advice;
	bool (*refine)(const struct head *h, struct image *image);
};

/* ---- PE/COFF: EFI programs; a bzImage is one, too ---- */

#define PE_OFFSET	 0x3c
#define PE_SECTIONS	 6 /* number of sections, from "PE\0\0" on */
#define PE_OPTIONAL_SIZE 20
#define PE_OPTIONAL	 24
#define PE_SECTION_SIZE	 40
#define PE_SECTIONS_MAX	 96 /* the format's own limit */
#define PE32PLUS	 0x20b
#define PE_DIRECTORIES	 108 /* how many data directories, in the optional header */
#define PE_CERTIFICATES	 144 /* the fifth of them: offset in the file, size */

/* Where "PE\0\0" stands. Return: true with the fixed header within the bytes we have. */
static bool find_pe(const struct head *h, uint64_t *pe_ret)
{
	uint64_t pe;

	if (h->len < PE_OFFSET + 4 || memcmp(h->p, "MZ", 2))
		return false;
	pe = get_le32(h->p + PE_OFFSET);
	if (!range_within(pe, PE_OPTIONAL, h->len) || memcmp(h->p + pe, "PE\0\0", 4))
		return false;
	*pe_ret = pe;
	return true;
}

static bool has_section(const struct head *h, const char *name)
{
	char padded[8] = { 0 };
	uint64_t pe, at;
	unsigned n;

	if (!find_pe(h, &pe))
		return false;
	memcpy(padded, name, MIN(strlen(name), sizeof(padded)));
	n = MIN(get_le16(h->p + pe + PE_SECTIONS), PE_SECTIONS_MAX);
	at = pe + PE_OPTIONAL + get_le16(h->p + pe + PE_OPTIONAL_SIZE);
	for (; n && range_within(at, PE_SECTION_SIZE, h->len); n--, at += PE_SECTION_SIZE)
		if (!memcmp(h->p + at, padded, sizeof(padded)))
			return true;
	return false;
}

static bool has_signature(const struct head *h)
{
	const uint8_t *optional;
	uint64_t pe;

	if (!find_pe(h, &pe) || !range_within(pe + PE_OPTIONAL, PE_CERTIFICATES + 8, h->len))
		return false;
	optional = h->p + pe + PE_OPTIONAL;
	return get_le16(optional) == PE32PLUS && get_le32(optional + PE_DIRECTORIES) > 4 &&
	       get_le32(optional + PE_CERTIFICATES) && get_le32(optional + PE_CERTIFICATES + 4);
}

static bool refine_uki(const struct head *h, struct image *image)
{
	(void)image;
	return has_section(h, ".linux");
}

/* ---- x86: struct setup_header, offsets in the file ---- */

#define X86_SETUP_SECTS	     0x1f1
#define X86_SYSSIZE	     0x1f4
#define X86_BOOT_FLAG	     0x1fe
#define X86_MAGIC	     0x202
#define X86_VERSION	     0x206
#define X86_LOADFLAGS	     0x211
#define X86_XLOADFLAGS	     0x236
#define X86_CMDLINE_SIZE     0x238
#define X86_INIT_SIZE	     0x260
#define X86_HEADER_END	     0x264
#define X86_LOADED_HIGH	     0x01
#define X86_SECTOR	     512
#define X86_PROTOCOL_64	     0x020c
#define X86_PROTOCOL_CMDLINE 0x0206
#define PAGE_SIZE_X86	     4096ULL

static const char *bzimage_problem(const struct head *h, const struct image *image)
{
	if (get_le16(h->p + X86_BOOT_FLAG) != 0xaa55)
		return "its boot sector has no signature, so the file is damaged";
	if (!(h->p[X86_LOADFLAGS] & X86_LOADED_HIGH))
		return "it is a zImage for low memory";
	if (image->protocol < X86_PROTOCOL_64)
		return "its boot protocol is older than 2.12 (Linux 3.8)";
	if (!(image->xloadflags & XLF_KERNEL_64))
		return "it is a 32-bit kernel";
	if (!(image->xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G))
		return "it cannot be moved in memory (built without CONFIG_RELOCATABLE)";
	if (h->file_size < image->claimed_size)
		return "it is cut off: the file is shorter than its header says";
	return NULL;
}

static bool refine_bzimage(const struct head *h, struct image *image)
{
	unsigned sects;

	/* Without the whole header nothing below can be believed. */
	if (h->len < X86_HEADER_END) {
		image->problem = "it is cut off within its header";
		return true;
	}
	sects = h->p[X86_SETUP_SECTS] ? h->p[X86_SETUP_SECTS] : 4;
	image->protocol = get_le16(h->p + X86_VERSION);
	image->claimed_size = (sects + 1) * X86_SECTOR + get_le32(h->p + X86_SYSSIZE) * 16ULL;
	if (image->protocol >= X86_PROTOCOL_CMDLINE)
		image->cmdline_size = get_le32(h->p + X86_CMDLINE_SIZE);
	if (image->protocol >= X86_PROTOCOL_64) {
		image->xloadflags = get_le16(h->p + X86_XLOADFLAGS);
		image->init_size =
			ROUND_UP((uint64_t)get_le32(h->p + X86_INIT_SIZE), PAGE_SIZE_X86);
	}
	image->has_signature = has_signature(h);
	image->problem = bzimage_problem(h, image);
	return true;
}

/* ---- ELF ---- */

static bool refine_elf(const struct head *h, struct image *image)
{
	uint16_t type;

	if (h->len < EI_NIDENT + 2)
		return true;
	type = h->p[EI_DATA] == ELFDATA2MSB ? get_be16(h->p + EI_NIDENT) :
					      get_le16(h->p + EI_NIDENT);
	if (type == ET_CORE) {
		image->what = "an ELF core, a dump";
		image->advice = NULL;
	} else if (type == ET_REL) {
		image->what = "an ELF object, perhaps a kernel module";
		image->advice = NULL;
	}
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

#define UNPACK		    "unpack it, or name the vmlinuz of /boot"
#define MAGIC(offset, text) offset, sizeof(text) - 1, text
#define NO_MAGIC	    0, 0, ""

/* The first row that fits is it: what has a kernel's header comes before its wrappings. */
static const struct image_type types[] = {
	{ IMAGE_BZIMAGE, MAGIC(X86_MAGIC, "HdrS"), "x86_64", "a bzImage", NULL, refine_bzimage },
	{ IMAGE_ARM64, MAGIC(56, "ARM\x64"), "aarch64", "an arm64 Image", NULL, NULL },
	{ IMAGE_RISCV, MAGIC(56, "RSC\x05"), "riscv64", "a RISC-V Image", NULL, NULL },
	{ IMAGE_ELF, MAGIC(0, "\177ELF"), NULL, "an ELF file",
	  "if it is a vmlinux, name the vmlinuz (bzImage) that was built with it", refine_elf },
	{ IMAGE_ZBOOT, MAGIC(0, "MZ\0\0zimg"), NULL, "a compressed EFI kernel (zboot)",
	  "take its payload out and load that", NULL },
	{ IMAGE_UKI, MAGIC(0, "MZ"), NULL, "a unified kernel image",
	  "take its kernel out (objcopy -O binary --only-section=.linux) and load that",
	  refine_uki },
	{ IMAGE_PE, MAGIC(0, "MZ"), NULL, "an EFI program without a kernel in it", NULL, NULL },
	{ IMAGE_COMPRESSED, MAGIC(0, "\x1f\x8b"), NULL, "gzip-compressed data", UNPACK, NULL },
	{ IMAGE_COMPRESSED, MAGIC(0, "\x28\xb5\x2f\xfd"), NULL, "zstd-compressed data", UNPACK,
	  NULL },
	{ IMAGE_COMPRESSED,
	  MAGIC(0, "\xfd"
		   "7zXZ\0"),
	  NULL, "xz-compressed data", UNPACK, NULL },
	{ IMAGE_COMPRESSED, MAGIC(0, "\x04\x22\x4d\x18"), NULL, "lz4-compressed data", UNPACK,
	  NULL },
	{ IMAGE_COMPRESSED, MAGIC(0, "\x02\x21\x4c\x18"), NULL, "lz4-compressed data", UNPACK,
	  NULL },
	{ IMAGE_COMPRESSED, MAGIC(0, "\x89LZO"), NULL, "lzo-compressed data", UNPACK, NULL },
	{ IMAGE_COMPRESSED, MAGIC(0, "BZh"), NULL, "bzip2-compressed data", UNPACK, NULL },
	{ IMAGE_COMPRESSED, MAGIC(0, "\x5d\0\0"), NULL, "lzma-compressed data", UNPACK, NULL },
	{ IMAGE_CPIO, MAGIC(0, "07070"), NULL, "a cpio archive, so an initrd",
	  "it goes behind --initrd=", NULL },
	{ IMAGE_OTHER, MAGIC(0, "\x27\x05\x19\x56"), NULL, "a U-Boot image", NULL, NULL },
	{ IMAGE_OTHER, MAGIC(0, "KDUMP   "), NULL, "a kdump-compressed dump", NULL, NULL },
	{ IMAGE_OTHER, MAGIC(0, "!<arch>\n"), NULL, "an archive or package", NULL, NULL },
	{ IMAGE_OTHER, MAGIC(0, "#!"), NULL, "a script", NULL, NULL },
	{ IMAGE_OTHER, NO_MAGIC, NULL, "text", NULL, refine_text },
	{ IMAGE_OTHER, NO_MAGIC, NULL, "nothing but zero bytes",
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
		};
		if (!t->refine || t->refine(&h, image_ret))
			return;
	}
	*image_ret = (struct image){ .kind = IMAGE_UNKNOWN, .what = "data of no known format" };
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
	else if (!streq(image->machine, machine))
		snprintf(why, why_size, "%s is %s, a kernel for %s, and this machine is %s", path,
			 image->what, image->machine, machine);
	else
		return 0;
	return -ENOEXEC;
}
