/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies where in physical memory, as the kernel tells it: /proc/iomem, an indented tree,
 * and the firmware's own map below /sys/firmware/memmap. Both name their ranges with the same
 * words (kernel/resource.c; e820_type_to_string() of arch/x86/kernel/e820.c).
 */
#ifndef LIB_IOMEM_H
#define LIB_IOMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum iomem_type {
	IOMEM_OTHER,
	IOMEM_RAM,
	IOMEM_RAM_DRIVER, /* "System RAM (kmem)" and the like: RAM that a driver brings */
	IOMEM_RESERVED,
	IOMEM_ACPI_TABLES,
	IOMEM_ACPI_NVS,
	IOMEM_UNUSABLE,
	IOMEM_PMEM,
	IOMEM_PMEM_LEGACY,
	IOMEM_SOFT_RESERVED,
	IOMEM_CRASH,
	IOMEM_KERNEL_CODE,
	IOMEM_KERNEL_DATA,
	IOMEM_KERNEL_BSS,
};

/**
 * struct iomem_range - [start, end) of physical memory.
 * @depth: how deep it stands in the tree, 0 at its top
 */
struct iomem_range {
	uint64_t start, end;
	enum iomem_type type;
	unsigned depth;
};

/** struct iomem - A list of ranges; @ranges is owned, iomem_free() releases it. */
struct iomem {
	struct iomem_range *ranges;
	size_t nr, room;
};

/* No machine has more: a bound for what a hostile file can make us allocate. */
#define IOMEM_RANGES_MAX 65536

/** iomem_type() - What a range's name stands for; @len bytes at @name. */
enum iomem_type iomem_type(const char *name, size_t len);

/**
 * iomem_parse() - Read the text of /proc/iomem.
 * @iomem_ret: in the order of the file; owned by the caller
 *
 * Return: 0; -EBADMSG a line is malformed; -EACCES all addresses are 0, as the kernel shows
 * them to whoever lacks CAP_SYS_ADMIN; -E2BIG; -ENOMEM.
 */
int iomem_parse(const char *text, struct iomem *iomem_ret);

/** iomem_add() - Append a range. Return: 0; -EINVAL empty or reversed; -E2BIG; -ENOMEM. */
int iomem_add(struct iomem *iomem, uint64_t start, uint64_t end, enum iomem_type type);

/** iomem_exclude() - Take [@start, @end) out of every range. Return: 0, -E2BIG or -ENOMEM. */
int iomem_exclude(struct iomem *iomem, uint64_t start, uint64_t end);

/** iomem_select() - Append to @to what @from has of @type, at whatever depth.
 * Return: 0, -E2BIG or -ENOMEM. */
int iomem_select(struct iomem *to, const struct iomem *from, enum iomem_type type);

/** iomem_sort() - By address, and join neighbours of one type that touch or overlap. */
void iomem_sort(struct iomem *iomem);

/** iomem_free() - Release the list. */
void iomem_free(struct iomem *iomem);

#endif
