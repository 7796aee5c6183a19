/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that plan a load on x86. */
#ifndef LOADER_PLAN_X86_H
#define LOADER_PLAN_X86_H

#include "arch/x86/boot_params.h"
#include "loader/kexec_load.h"

#define LOW_MEMORY_END 0xa0000ULL /* what a capture kernel uses of the first MiB */
#define FOUR_GIB       0x100000000ULL

/**
 * struct x86_plan - A plan being made.
 * @place: what is still free
 * @image: NULL for an ELF kernel
 * @bzimage: what @image points to
 * @entry_32: the kernel is entered in 32-bit mode
 * @kernel: where the kernel is loaded
 * @entry: where it is entered
 * @data_max: the end of the memory that the kernel can be given things in; 0 is no limit
 */
struct x86_plan {
	const struct kexec_request *req;
	const struct machine *m;
	struct place place;
	struct kexec_plan plan;
	struct bzimage bzimage;
	const struct bzimage *image;
	bool entry_32;
	uint64_t kernel, entry, data_max;
	uint64_t initrd, boot_params;
	uint64_t elfcorehdr, elfcorehdr_len;
	uint64_t backup_from, backup_len, backup_to;
};

/** plan_x86_crash() - Place backup and elfcorehdr. Return: as kexec_plan_x86(). */
int plan_x86_crash(struct x86_plan *p, char *why);

/** plan_x86_fail() - Write a sentence to @why. Return: @err. */
int plan_x86_fail(char *why, int err, const char *sentence);

/** plan_x86_kernel() - Place the kernel: sets @image, @entry_32, @kernel, @entry, @data_max.
 * Return: as kexec_plan_x86(). */
int plan_x86_kernel(struct x86_plan *p, char *why);

#endif
