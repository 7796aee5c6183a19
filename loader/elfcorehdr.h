/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF header by which a capture kernel knows the crashed one's memory (fs/proc/vmcore.c
 * reads it; crash_prepare_elf64_headers() of kernel/crash_core.c writes it for
 * kexec_file_load()). It has program headers only, and their p_offset is a physical address.
 */
#ifndef LOADER_ELFCOREHDR_H
#define LOADER_ELFCOREHDR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/iomem.h"

/* The virtual address of memory that the kernel does not map: what every bit set says. */
#define ELFCOREHDR_UNMAPPED UINT64_MAX

/** struct elfcorehdr_note - Where the kernel keeps a note, physical address and bytes. */
struct elfcorehdr_note {
	uint64_t paddr, len;
};

/**
 * struct elfcorehdr - What goes into the header. All is borrowed.
 * @class: ELFCLASS32 or ELFCLASS64; with 32 no address may be 4 GiB or above
 * @machine: e_machine
 * @notes: one for each CPU, then vmcoreinfo
 * @ram: memory to be saved, sorted
 * @backup_from: [@backup_from, @backup_from + @backup_len) is memory that the purgatory
 *	moves to @backup_to before the capture kernel uses it; @backup_len is 0 without
 * @text_vaddr: where the kernel image is mapped apart from the rest, with @text_paddr and
 *	@text_len; @text_len is 0 where it is not
 * @page_offset: virtual address of physical address 0 in the mapping of all memory
 * @lowmem_end: physical end of that mapping, UINT64_MAX where it maps everything
 */
struct elfcorehdr {
	uint8_t class;
	uint16_t machine;
	const struct elfcorehdr_note *notes;
	size_t nr_notes;
	const struct iomem *ram;
	uint64_t backup_from, backup_len, backup_to;
	uint64_t text_vaddr, text_paddr, text_len;
	uint64_t page_offset, lowmem_end;
};

/** elfcorehdr_size() - Bytes that elfcorehdr_write() takes at most, for these notes and RAM. */
size_t elfcorehdr_size(const struct elfcorehdr *h);

/**
 * elfcorehdr_write() - Build the header.
 * @size: room at @out, bytes; what is not used of it is set to 0
 * @len_ret: bytes in use
 *
 * Return: 0; -E2BIG it does not fit, or has more program headers than ELF can count;
 * -EOVERFLOW an address does not fit ELFCLASS32.
 */
int elfcorehdr_write(const struct elfcorehdr *h, void *out, size_t size, size_t *len_ret);

#endif
