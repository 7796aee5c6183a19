/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The purgatory is what runs between two kernels. The old one jumps to it when all segments
 * are where they belong; it checks them, copies the low memory that a capture kernel is going
 * to use, and jumps into the new one. It is a flat piece of code that runs wherever it is
 * placed and begins with this block, which the loader fills in.
 *
 * Included by assembly, too; PURGATORY_AT() holds the offsets that it uses.
 */
#ifndef ARCH_X86_PURGATORY_PARAMS_H
#define ARCH_X86_PURGATORY_PARAMS_H

#define PURGATORY_MAGIC 0x47525550 /* "PURG" */

/* flags */
#define PURGATORY_ENTRY_32 0x1 /* enter the kernel in 32-bit mode, without paging */
#define PURGATORY_NO_CHECK 0x2 /* do not verify the digest */

/* KEXEC_SEGMENT_MAX of include/linux/kexec.h: there are never more segments. */
#define PURGATORY_REGIONS 16

/* Offsets that the assembly uses. */
#define PURGATORY_AT_ENTRY	 4
#define PURGATORY_AT_FLAGS	 12
#define PURGATORY_AT_KERNEL	 16
#define PURGATORY_AT_BOOT_PARAMS 24
#define PURGATORY_PARAMS_SIZE	 352

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct purgatory_region {
	uint64_t start, len;
};

/**
 * struct purgatory_params - Little endian.
 * @magic: PURGATORY_MAGIC, by the build
 * @entry: offset of the first instruction, by the build
 * @memory_size: bytes that it takes in memory, with its stack, by the build
 * @flags: PURGATORY_*
 * @kernel: where the new kernel is entered
 * @boot_params: what it gets in its register
 * @backup_from: memory to copy to @backup_to when the check is done, @backup_len bytes
 * @serial_port: I/O port of an 8250 to print to; 0 is none
 * @serial_divisor: what to set it to; 0 leaves its speed alone
 * @nr_regions: how many of @regions are in use
 * @digest: SHA-256 of all regions one after the other
 */
struct purgatory_params {
	uint32_t magic;
	uint32_t entry;
	uint32_t memory_size;
	uint32_t flags;
	uint64_t kernel;
	uint64_t boot_params;
	uint64_t backup_from, backup_to, backup_len;
	uint16_t serial_port;
	uint16_t serial_divisor;
	uint32_t nr_regions;
	uint8_t digest[32];
	struct purgatory_region regions[PURGATORY_REGIONS];
};

_Static_assert(offsetof(struct purgatory_params, entry) == PURGATORY_AT_ENTRY, "entry");
_Static_assert(offsetof(struct purgatory_params, flags) == PURGATORY_AT_FLAGS, "flags");
_Static_assert(offsetof(struct purgatory_params, kernel) == PURGATORY_AT_KERNEL, "kernel");
_Static_assert(offsetof(struct purgatory_params, boot_params) == PURGATORY_AT_BOOT_PARAMS,
	       "boot_params");
_Static_assert(sizeof(struct purgatory_params) == PURGATORY_PARAMS_SIZE, "size");
#endif

#endif
