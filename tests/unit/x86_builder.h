/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bzImage and a machine to plan loads on. */
#ifndef TESTS_UNIT_X86_BUILDER_H
#define TESTS_UNIT_X86_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "loader/machine.h"

#define X86_BUILDER_SETUP (2 * 512) /* boot sector and one sector of setup code */

/** x86_bzimage() - A relocatable kernel of protocol 2.15 with @code_len bytes of code, a multiple
 * of 16, at X86_BUILDER_SETUP; in @out, which has room for both. Return: its length. */
size_t x86_bzimage(uint8_t *out, size_t code_len, uint32_t init_size, uint16_t xloadflags);

/** x86_machine() - A machine with that /proc/iomem, two CPUs and vmcoreinfo, 64-bit.
 * Return: 0 or -errno of iomem_parse(). machine_free() releases it. */
int x86_machine(struct machine *m, const char *iomem);

/* As a 1 GiB guest with BIOS and crashkernel=128M has it. */
extern const char x86_iomem_bios[];
/* 6 GiB, two NUMA nodes, UEFI, crashkernel=192M,high and its low part. */
extern const char x86_iomem_high[];
/* 686-pae, 512 MiB. */
extern const char x86_iomem_686[];

#endif
