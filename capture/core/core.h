/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A crashed kernel's memory as an ELF core: /proc/vmcore, or a file saved from
 * it. Everything in it is hostile: headers are checked when the core is opened,
 * and what the crashed kernel says about itself is checked where it is used.
 *
 * Format: ELF gABI; what /proc/vmcore puts in it: kernel fs/proc/vmcore.c and
 * Documentation/admin-guide/kdump/kdump.rst. One PT_NOTE (an NT_PRSTATUS for
 * each CPU, then VMCOREINFO), one PT_LOAD for each range of RAM.
 */
#ifndef CAPTURE_CORE_CORE_H
#define CAPTURE_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "capture/core/vmcoreinfo.h"

/** struct core_segment - One PT_LOAD. All values in bytes. */
struct core_segment {
	uint64_t paddr;	   /* physical start address */
	uint64_t vaddr;	   /* kernel virtual start address; all ones where there is none */
	uint64_t filesz;   /* bytes present, from @offset on */
	uint64_t memsz;	   /* bytes described; what exceeds filesz reads as zero */
	uint64_t offset;   /* in the file */
};

struct core;

/**
 * core_open() - Open an ELF core and check its headers.
 * @path: file name, also used in messages
 * @core_ret: owned by the caller, to be closed with core_close()
 *
 * A file that ends before its headers say is opened: the missing part reads as
 * -ENODATA, and core_truncated_bytes() tells how much is missing.
 *
 * Return: 0; -errno of open(2); -EBADMSG not an ELF core, or headers that
 * contradict themselves; -EOPNOTSUPP an architecture or class unknown here;
 * -ENODATA no PT_LOAD; -ENOMEM. Each is logged.
 */
int core_open(const char *path, struct core **core_ret);

/** core_open_fd() - The same on an open file; @fd is taken over (also on failure). */
int core_open_fd(int fd, const char *name, struct core **core_ret);

/** core_close() - Release everything; NULL is allowed. */
void core_close(struct core *core);

/** core_segments() - The PT_LOADs by ascending paddr; borrowed until core_close(). They do
 * not overlap, and paddr + memsz does not wrap. */
const struct core_segment *core_segments(const struct core *core, size_t *nr_ret);

/** core_truncated_bytes() - Bytes that PT_LOADs promise and the file does not hold. */
uint64_t core_truncated_bytes(const struct core *core);

/** core_arch() - Architecture of the crashed kernel, which need not be the host's. */
const struct arch_ops *core_arch(const struct core *core);

/** core_vmcoreinfo() - The crashed kernel's facts; NULL where the core has no such note. */
const struct vmcoreinfo *core_vmcoreinfo(const struct core *core);

/** core_notes() - The PT_NOTE's bytes, for copying into a dump; borrowed until core_close(). */
const void *core_notes(const struct core *core, size_t *len_ret);

/** core_page_size() - Bytes in a page of the crashed kernel (vmcoreinfo PAGESIZE, else the
 * architecture's default). A power of two from 4 KiB to 64 KiB. */
size_t core_page_size(const struct core *core);

/** core_end_paddr() - One past the highest physical address of any PT_LOAD. */
uint64_t core_end_paddr(const struct core *core);

/**
 * core_read_paddr() - Read physical memory.
 * @paddr: start, bytes
 * @len: bytes; may span several PT_LOADs that touch
 *
 * Return: 0 with @buf filled; -ENODATA where a byte of the range is in no
 * PT_LOAD or beyond the end of a truncated file; -EIO (or another errno of
 * read(2)) where the file could not be read. @buf is undefined on failure. Not
 * logged: callers try, count and go on.
 */
int core_read_paddr(struct core *core, uint64_t paddr, void *buf, size_t len);

/**
 * core_setup_vaddr() - Prepare translation of kernel virtual addresses.
 *
 * Takes phys_base, the page-table root and the paging mode from vmcoreinfo.
 * Return: 0; -ENODATA a fact is missing (logged); -EBADMSG it contradicts the core.
 */
int core_setup_vaddr(struct core *core);

/**
 * core_vaddr_to_paddr() - Translate a kernel virtual address through the crashed
 * kernel's page tables (or its linear map of the kernel image).
 * Return: 0; -ENODATA not mapped, or core_setup_vaddr() failed; -EBADMSG a
 * corrupt page table; -EIO.
 */
int core_vaddr_to_paddr(struct core *core, uint64_t vaddr, uint64_t *paddr_ret);

/** core_read_vaddr() - Read kernel virtual memory, page by page. Return: as above. */
int core_read_vaddr(struct core *core, uint64_t vaddr, void *buf, size_t len);

#endif
