/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an x86 kernel is told when it is entered: struct boot_params, the "zero page", and what
 * it points to. Layouts: Documentation/arch/x86/boot.rst and zero-page.rst,
 * arch/x86/include/uapi/asm/bootparam.h; what to put in: arch/x86/kernel/kexec-bzimage64.c.
 */
#ifndef ARCH_X86_BOOT_PARAMS_H
#define ARCH_X86_BOOT_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/iomem.h"

#define BOOT_PARAMS_SIZE      4096
#define BOOT_PARAMS_SEED_SIZE 32

/* xloadflags */
#define BZIMAGE_KERNEL_64 0x0001
#define BZIMAGE_ABOVE_4G  0x0002
#define BZIMAGE_5LEVEL	  0x0020

/* The 64-bit entry is this far behind the 32-bit one. */
#define BZIMAGE_ENTRY_64 0x200

/**
 * struct bzimage - The header of a bzImage, checked against the file's length.
 * @protocol: 0x020c is 2.12
 * @header: what of the header is to be copied, borrowed from the image
 * @header_len: bytes
 * @code: the protected-mode kernel, borrowed from the image
 * @code_len: bytes
 * @init_size: memory it takes, from where it is loaded
 * @align: of where it is loaded, when @relocatable
 * @pref_address: where it would like to be, and must be if not @relocatable
 * @initrd_max: highest address that an initrd's last byte may have
 * @cmdline_size: longest command line, without its NUL
 */
struct bzimage {
	uint16_t protocol, xloadflags;
	const uint8_t *header;
	size_t header_len;
	const uint8_t *code;
	size_t code_len;
	uint64_t init_size, align, pref_address, initrd_max;
	uint32_t cmdline_size;
	bool relocatable;
};

/**
 * bzimage_read() - Take a bzImage apart.
 * @image: borrowed by *@ret
 *
 * Return: 0; -ENOEXEC it is none, or older than protocol 2.06; -EBADMSG it is damaged.
 */
int bzimage_read(const uint8_t *image, size_t len, struct bzimage *ret);

/** struct boot_efi_range - One line of /sys/firmware/efi/runtime-map. */
struct boot_efi_range {
	uint64_t phys, virt, pages, attribute;
	uint32_t type;
};

/**
 * struct boot_efi - What a kernel that did not come from the firmware needs to know of it.
 * @map: owned by whoever filled it in; @nr_map is 0 where the machine has no EFI
 * @config_table: physical address of the configuration tables, @fw_vendor of a string
 */
struct boot_efi {
	struct boot_efi_range *map;
	size_t nr_map;
	uint64_t fw_vendor, config_table, smbios;
};

/**
 * struct boot_params - All that boot_params_write() puts together. Everything is borrowed.
 * @image: NULL for an ELF kernel, which has no header
 * @running: the running kernel's own, BOOT_PARAMS_SIZE bytes, or NULL
 * @map: memory, as the new kernel shall see it, sorted
 * @efi: NULL to say nothing of EFI
 * @seed: BOOT_PARAMS_SEED_SIZE random bytes, or NULL
 * @self: address of the result
 * @kernel: where the kernel is loaded
 * @rsdp: ACPI's root pointer, 0 where unknown
 */
struct boot_params {
	const struct bzimage *image;
	const uint8_t *running;
	const struct iomem *map;
	const struct boot_efi *efi;
	const char *cmdline;
	const uint8_t *seed;
	uint64_t self, kernel, initrd, initrd_len, rsdp;
};

/** boot_params_size() - Bytes that boot_params_write() writes. */
size_t boot_params_size(const struct boot_params *bp);

/** boot_params_write() - Write zero page, command line and setup_data; @out has room for
 * boot_params_size() bytes, and is @bp->self for the new kernel. */
void boot_params_write(const struct boot_params *bp, uint8_t *out);

/** boot_params_rsdp() - ACPI's root pointer as a kernel was told or found it, or 0. */
uint64_t boot_params_rsdp(const uint8_t *running);

#endif
