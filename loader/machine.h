/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kexec_load(2) leaves to its caller to know about the running machine. */
#ifndef LOADER_MACHINE_H
#define LOADER_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/boot_params.h"
#include "lib/iomem.h"
#include "loader/elfcorehdr.h"

/* More CPUs than any kernel is built for. */
#define MACHINE_CPUS_MAX 65536

/**
 * struct machine - Facts, none of them interpreted.
 * @bits: of the running kernel, 64 or 32
 * @iomem: /proc/iomem
 * @firmware: what the firmware said of memory, sorted; empty where the kernel does not tell
 * @notes: of each CPU, then vmcoreinfo
 * @text_vaddr: the kernel's image where it is mapped on its own; @text_len is 0 where it is
 *	not, or not known
 * @page_offset: virtual address of physical address 0, or ELFCOREHDR_UNMAPPED where unknown
 * @lowmem_end: end of the memory that is mapped there
 * @boot_params: the running kernel's own, where @has_boot_params
 * @rsdp: ACPI's root pointer, 0 where unknown
 * @la57: page tables have five levels
 * @long_mode: the processor can run 64-bit code, whatever the kernel does
 * @elfcorehdr_size: what the kernel wants the segment to have for CPUs and memory that come,
 *	0 where it does not update it
 */
struct machine {
	unsigned bits;
	struct iomem iomem, firmware;
	struct elfcorehdr_note *notes;
	size_t nr_notes;
	uint64_t text_vaddr, text_paddr, text_len;
	uint64_t page_offset, lowmem_end;
	uint8_t boot_params[BOOT_PARAMS_SIZE];
	bool has_boot_params;
	struct boot_efi efi;
	uint64_t rsdp;
	bool la57, long_mode;
	uint64_t elfcorehdr_size;
	uint8_t seed[BOOT_PARAMS_SEED_SIZE];
	bool has_seed;
};

/**
 * machine_read() - Read all of it.
 * @root: as everywhere in the loader
 * @bits: 64 or 32
 * @crash: read what only an elfcorehdr needs, too
 * @why: WHY_SIZE bytes, gets a sentence on failure
 *
 * Return: 0 or -errno. machine_free() after success only.
 */
int machine_read(const char *root, unsigned bits, bool crash, struct machine *ret, char *why);

/** machine_free() - Release what it owns. */
void machine_free(struct machine *m);

/** machine_kcore() - Where the kernel maps itself and memory, from the first @len bytes of
 * /proc/kcore. A fact that is not there is left as it is. Part of machine_read(). */
void machine_kcore(struct machine *m, const uint8_t *head, size_t len);

/** machine_efi() - Read what the kernel keeps of the firmware, part of machine_read().
 * Return: 0, also where there is no EFI; -ENOMEM. */
int machine_efi(const char *root, struct machine *m);

/** machine_text() - Read the text file @root@path of at most @max bytes. As io_read_file(). */
int machine_text(const char *root, const char *path, size_t max, char **text_ret);

/** machine_hex() - Read a file that begins with a number, 0x or not. Return: 0, -errno. */
int machine_hex(const char *root, const char *path, uint64_t *value_ret);

#endif
