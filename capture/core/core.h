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
 *
 * A single PT_LOAD that is impossible (its range wraps, or is beyond what the
 * architecture can address) is left out with a warning.
 */
int core_open(const char *path, struct core **core_ret);

/** core_open_fd() - The same on an open file; @fd is taken over (also on failure). */
int core_open_fd(int fd, const char *name, struct core **core_ret);

/** core_close() - Release everything; NULL is allowed. */
void core_close(struct core *core);

/**
 * core_segments() - What physical memory the core holds, by ascending paddr.
 *
 * Not quite the PT_LOADs: the kernel describes its own image twice, once for its
 * virtual address and once as a part of RAM. Here each byte of memory is in one
 * segment only, memsz is never 0 nor less than filesz, and paddr + memsz and
 * offset + filesz do not wrap. Neither end need be a multiple of the page size.
 * Borrowed until core_close().
 */
const struct core_segment *core_segments(const struct core *core, size_t *nr_ret);

/** core_loads() - The PT_LOADs as they stand in the file, in its order, overlaps and
 * all: for copying into an ELF dump. Borrowed until core_close(). */
const struct core_segment *core_loads(const struct core *core, size_t *nr_ret);

/** core_truncated_bytes() - Bytes that PT_LOADs promise and the file does not hold. */
uint64_t core_truncated_bytes(const struct core *core);

/** core_arch() - Architecture of the crashed kernel, which need not be the host's. */
const struct arch_ops *core_arch(const struct core *core);

/** core_big_endian() - Byte order of the crashed kernel's data. */
bool core_big_endian(const struct core *core);

/** core_vmcoreinfo() - The crashed kernel's facts; NULL where the core has no such note
 * or the note is no vmcoreinfo. */
const struct vmcoreinfo *core_vmcoreinfo(const struct core *core);

/** core_notes() - The PT_NOTE's bytes (of several, all of them in order), for copying into
 * a dump; NULL and length 0 where there are none. Borrowed until core_close(). */
const void *core_notes(const struct core *core, size_t *len_ret);

/**
 * core_next_note() - Walk the notes.
 * @pos: 0 to start, then left to this function
 * @note_ret: borrowed until core_close()
 *
 * Return: true with *@note_ret filled; false at the end or where the rest is malformed.
 */
struct core_note {
	uint32_t type;	  /* NT_PRSTATUS ... */
	const char *name; /* not necessarily NUL-terminated */
	size_t name_len;  /* a terminating NUL included, as in the file */
	const void *desc; /* not aligned */
	size_t desc_len;
};
bool core_next_note(const struct core *core, size_t *pos, struct core_note *note_ret);

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
 * logged: callers try, count and go on. May be called by several threads at once.
 */
int core_read_paddr(struct core *core, uint64_t paddr, void *buf, size_t len);

/**
 * core_read_pages() - The same for whole pages, of which some may lie in a PT_LOAD only
 * in part: what is in no PT_LOAD reads as zero, as makedumpfile and crash take it.
 * @paddr, @len: multiples of core_page_size(); each page of the range should be one that
 *	a scan calls present
 *
 * Return: as core_read_paddr(); -ENODATA where the file is cut off in the range, or no
 * byte of the range is in a PT_LOAD.
 */
int core_read_pages(struct core *core, uint64_t paddr, void *buf, size_t len);

/**
 * core_setup_vaddr() - Prepare translation of kernel virtual addresses.
 *
 * Takes phys_base, the page-table root and the paging mode from vmcoreinfo.
 * Return: 0, also when called again; -ENODATA a fact is missing; -EBADMSG a fact is
 * impossible; -ENOMEM. Each is logged.
 */
int core_setup_vaddr(struct core *core);

/**
 * core_vaddr_to_paddr() - Translate a kernel virtual address through the crashed
 * kernel's page tables (or its linear map of the kernel image).
 * Return: 0; -ENODATA not mapped, or core_setup_vaddr() failed; -EBADMSG a
 * corrupt page table; -EIO.
 */
int core_vaddr_to_paddr(struct core *core, uint64_t vaddr, uint64_t *paddr_ret);

/** core_vaddr_to_range() - The same, and how many bytes from @vaddr on, at least 1, are
 * mapped one after the other by the same page-table entry. */
int core_vaddr_to_range(struct core *core, uint64_t vaddr, uint64_t *paddr_ret,
			uint64_t *len_ret);

/** core_read_vaddr() - Read kernel virtual memory, mapping by mapping. Return: as
 * core_vaddr_to_paddr() and core_read_paddr(). Not for several threads at once. */
int core_read_vaddr(struct core *core, uint64_t vaddr, void *buf, size_t len);

/** core_visit_mappings() - Tell @visitor of the kernel's page tables and of what they map,
 * see arch_ops.visit. Return: 0; -E2BIG cut short; -ENODATA core_setup_vaddr() failed. */
int core_visit_mappings(struct core *core, const struct arch_visitor *visitor);

#endif
