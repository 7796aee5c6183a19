/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel file is; pure functions on its first bytes. */
#ifndef LOADER_IMAGE_H
#define LOADER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first bytes of a file that image_probe() wants to see, at most. */
#define IMAGE_HEAD_MAX 16384

/* Which calls can take an image, a set. */
#define IMAGE_FILE_CALL (1u << 0) /* kexec_file_load(2) */
#define IMAGE_LOAD_CALL (1u << 1) /* kexec_load(2) */

enum image_kind {
	IMAGE_UNKNOWN,
	IMAGE_EMPTY,
	IMAGE_BZIMAGE,
	IMAGE_ARM64,
	IMAGE_RISCV,
	IMAGE_ELF,
	IMAGE_UKI,
	IMAGE_ZBOOT,
	IMAGE_PE,
	IMAGE_COMPRESSED,
	IMAGE_CPIO,
	IMAGE_OTHER, /* something with a name that is no kernel */
};

/**
 * struct image - What image_probe() found.
 * @what: "a bzImage", "gzip-compressed data", ...; a constant
 * @advice: what to do about a file that cannot be loaded, NULL where there is nothing to say
 * @machine: uname -m of the machines that it runs on, "x86" for all of these; NULL where it
 *	     is nothing that any call takes
 * @calls: IMAGE_*_CALL
 * @problem: why this one cannot be loaded though its kind can, NULL where it can
 * @file_problem: why kexec_file_load(2) does not take it, NULL where it does
 * @bits: x86: 32 or 64, what the kernel itself runs in; 0 elsewhere
 * @protocol: x86 boot protocol, 0x020c is 2.12
 * @xloadflags: x86 XLF_* bits
 * @cmdline_size: x86: longest command line, bytes; 0 where unknown
 * @init_size: x86: memory that the kernel needs to unpack itself, bytes; 0 where unknown
 * @claimed_size: x86: bytes that the file must have by its own header
 * @has_signature: a signature for Secure Boot is attached; nobody checked it
 */
struct image {
	enum image_kind kind;
	const char *what;
	const char *advice;
	const char *machine;
	unsigned calls;
	const char *problem;
	const char *file_problem;
	uint8_t bits;
	uint16_t protocol;
	uint16_t xloadflags;
	uint32_t cmdline_size;
	uint64_t init_size;
	uint64_t claimed_size;
	bool has_signature;
};

/* x86 xloadflags (Documentation/arch/x86/boot.rst) */
#define XLF_KERNEL_64		   0x0001
#define XLF_CAN_BE_LOADED_ABOVE_4G 0x0002
#define XLF_5LEVEL		   0x0020

/**
 * image_probe() - Tell what a file is.
 * @head: its first @head_len bytes, IMAGE_HEAD_MAX of them or the whole file
 * @file_size: of the whole file, bytes
 */
void image_probe(const void *head, size_t head_len, uint64_t file_size, struct image *image_ret);

/**
 * image_check() - Whether a machine takes such an image, by any of its calls.
 * @machine: uname -m
 * @path: the file's name, for the sentence
 * @why: gets a sentence where it does not
 *
 * Return: 0 or -ENOEXEC.
 */
int image_check(const struct image *image, const char *machine, const char *path, char *why,
		size_t why_size);

/* image_elf.c: fill in what an ELF file of that many bytes is. */
void image_refine_elf(const uint8_t *head, size_t head_len, uint64_t file_size,
		      struct image *image);

/* ---- image_type.c: the names that kexec(8) -t has for the kinds ---- */

#define IMAGE_TYPE_NAMES "bzImage64, bzImage, elf-x86_64, elf-x86, vmlinux, uki or Image"

/** image_type_known() - Whether @name is one of these. */
bool image_type_known(const char *name);

/** image_type_refusal() - Why a type of kexec(8) is not loaded, NULL for all other names. */
const char *image_type_refusal(const char *name);

/**
 * image_type_fits() - Whether an image is of the type.
 * @kind: of the file as it was named: IMAGE_UKI for a kernel out of a unified kernel image
 */
bool image_type_fits(const char *name, enum image_kind kind, const struct image *image);

#endif
