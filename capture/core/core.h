/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A crashed kernel's memory: /proc/vmcore, a file saved from it, what QEMU's
 * dump-guest-memory writes, or a dump that was filtered and compressed before. Everything
 * in it is hostile: headers are checked when the core is opened, and what the crashed
 * kernel says about itself is checked where it is used.
 *
 * ELF: gABI; what /proc/vmcore puts in it: kernel fs/proc/vmcore.c and
 * Documentation/admin-guide/kdump/kdump.rst. One PT_NOTE (an NT_PRSTATUS for
 * each CPU, then VMCOREINFO), one PT_LOAD for each range of RAM.
 * kdump-compressed: capture/core/kdump_layout.h. Either may be in makedumpfile's
 * flattened form (capture/core/flattened.h), which is read as it is.
 *
 * An open core is not for several threads at once, but each thread may have a reader.
 */
#ifndef CAPTURE_CORE_CORE_H
#define CAPTURE_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "capture/core/vmcoreinfo.h"

/** struct core_segment - A range of physical memory: a PT_LOAD, or a run of pages in a
 * kdump-compressed dump's bitmap 1. All values in bytes. */
struct core_segment {
	uint64_t paddr;	 /* physical start address */
	uint64_t vaddr;	 /* kernel virtual start address; all ones where there is none */
	uint64_t filesz; /* bytes present, from @offset on */
	uint64_t memsz;	 /* bytes described; what exceeds filesz reads as zero */
	uint64_t offset; /* in the file; 0 in a kdump-compressed dump */
};

struct core;

/**
 * core_open() - Open a core in any of the forms above and check its headers.
 * @path: file name, also used in messages
 * @core_ret: owned by the caller, to be closed with core_close()
 *
 * A file that ends before its headers say is opened: the missing part reads as
 * -ENODATA, and core_truncated_bytes() tells how much is missing.
 *
 * Return: 0; -errno of open(2); -EBADMSG none of these forms, or headers that
 * contradict themselves; -EOPNOTSUPP an architecture or class unknown here;
 * -ENODATA no memory in it; -EFBIG a flattened file whose records are too scattered;
 * -ENOMEM. Each is logged.
 *
 * A single PT_LOAD that is impossible (its range wraps, or is beyond what the
 * architecture can address) is left out with a warning.
 */
int core_open(const char *path, struct core **core_ret);

/** core_open_fd() - The same on an open file; @fd is taken over (also on failure). */
int core_open_fd(int fd, const char *name, struct core **core_ret);

/** core_close() - Release everything; NULL is allowed. */
void core_close(struct core *core);

/** enum core_access - How a core's file is read; see core_set_access(). */
enum core_access {
	CORE_ACCESS_AUTO, /* /proc/vmcore is mapped, any other file is read */
	CORE_ACCESS_READ,
	CORE_ACCESS_MMAP,
};

/**
 * core_set_access() - Choose how the file is read from now on. A file that cannot be mapped
 * is read all the same. Not while another thread has a reader in use.
 */
void core_set_access(struct core *core, enum core_access access);

/**
 * core_segments() - What physical memory the machine had, by ascending paddr.
 *
 * Not quite the PT_LOADs: the kernel describes its own image twice, once for its
 * virtual address and once as a part of RAM. Here each byte of memory is in one
 * segment only, memsz is never 0 nor less than filesz, and paddr + memsz and
 * offset + filesz do not wrap. Neither end need be a multiple of the page size.
 * Where PT_LOADs overlap, one that is in the file comes before one that only says zero.
 *
 * Of a kdump-compressed dump: the runs of bitmap 1, of which bitmap 2 may lack pages
 * (core_holds_page()). Runs beyond the first CORE_RUNS_MAX are left out with a warning
 * and counted in core_truncated_bytes(). Borrowed until core_close().
 */
#define CORE_RUNS_MAX (256u * 1024)
const struct core_segment *core_segments(const struct core *core, size_t *nr_ret);

/** core_loads() - The PT_LOADs as they stand in the file, in its order, overlaps and
 * all: for copying into an ELF dump; none of a kdump-compressed dump. Borrowed until
 * core_close(). */
const struct core_segment *core_loads(const struct core *core, size_t *nr_ret);

/** core_truncated_bytes() - Bytes that PT_LOADs promise and the file does not hold. Not the
 * pages that an incomplete kdump-compressed dump lacks: reading them tells. */
uint64_t core_truncated_bytes(const struct core *core);

/** core_crash_time() - When the kernel crashed, seconds since 1970; where it did not say so
 * (vmcoreinfo CRASHTIME), when a kdump-compressed dump says so, or the file was written
 * last. */
uint64_t core_crash_time(const struct core *core);

/** core_incomplete() - Whether the file is a dump that is marked as cut short. */
bool core_incomplete(const struct core *core);

/**
 * core_held_run() - Whether the file holds something of page @pfn, and for how many pages
 * from there on the answer is known to be the same.
 * @max: the most pages to look at, at least 1
 *
 * Not held is a page in no segment, one in that part of a PT_LOAD that is beyond its
 * p_filesz, and one that bitmap 2 of a kdump-compressed dump does not have, or another
 * file of a split dump. A page that a cut-off file or an incomplete dump lacks is held:
 * it should be there. Cheap where pfns ascend.
 *
 * Return: 1 to @max. Not for several threads at once.
 */
uint64_t core_held_run(struct core *core, uint64_t pfn, uint64_t max, bool *held_ret);

/** core_holds_page() - The same of one page. */
bool core_holds_page(struct core *core, uint64_t pfn);

/** core_arch() - Architecture of the crashed kernel, which need not be the host's. */
const struct arch_ops *core_arch(const struct core *core);

/** core_section_size_bits() - As arch_ops has it, of a core that has vmcoreinfo. */
unsigned core_section_size_bits(const struct core *core);

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

/** core_page_size() - Bytes in a page of the crashed kernel (a kdump-compressed dump's block
 * size; vmcoreinfo PAGESIZE; else the architecture's default). A power of two from 4 KiB
 * to 64 KiB. */
size_t core_page_size(const struct core *core);

/** core_end_paddr() - One past the highest physical address of any segment. */
uint64_t core_end_paddr(const struct core *core);

/**
 * core_read_paddr() - Read physical memory.
 * @paddr: start, bytes
 * @len: bytes; may span several segments that touch
 *
 * Return: 0 with @buf filled; -ENODATA where a byte of the range is in no segment, is in a
 * page that the dump does not hold, or is beyond the end of a truncated file; -EBADMSG a
 * page that does not unpack; -EOPNOTSUPP a page packed in a way unknown here; -EIO where
 * the file could not be read or became shorter, or another errno of read(2). @buf is
 * undefined on failure. Not logged: callers try, count and go on. Not for several threads
 * at once: each of them has a reader.
 */
int core_read_paddr(struct core *core, uint64_t paddr, void *buf, size_t len);

/**
 * core_read_pages() - The same for whole pages, of which some may lie in a PT_LOAD only
 * in part: what is in no PT_LOAD reads as zero, as makedumpfile and crash take it.
 * @paddr, @len: multiples of core_page_size(); each page of the range should be one that
 *	a scan calls present
 *
 * Return: as core_read_paddr(); -ENODATA where the file is cut off in the range, or no
 * byte of the range is in a segment. An error is of any page of the range: reading them
 * one by one tells which.
 */
int core_read_pages(struct core *core, uint64_t paddr, void *buf, size_t len);

/**
 * struct core_reader - One thread's way of reading a core, with the thread's own windows
 * into the file and what is needed to unpack pages: at most 1.5 MiB of memory, or of a
 * file that is mapped, up to three windows of 4 MiB.
 */
struct core_reader;

/** core_reader_create() - To be destroyed before the core is closed. Return: 0 or -ENOMEM. */
int core_reader_create(struct core *core, struct core_reader **reader_ret);
void core_reader_destroy(struct core_reader *reader);

/** core_reader_read_paddr(), core_reader_read_pages() - As core_read_paddr() and
 * core_read_pages(), through a reader that no other thread uses meanwhile. */
int core_reader_read_paddr(struct core_reader *reader, uint64_t paddr, void *buf, size_t len);
int core_reader_read_pages(struct core_reader *reader, uint64_t paddr, void *buf, size_t len);

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
 * mapped one after the other by the same page-table entry. On failure too *@len_ret is set,
 * to how many bytes, at least 1, fail alike. */
int core_vaddr_to_range(struct core *core, uint64_t vaddr, uint64_t *paddr_ret, uint64_t *len_ret);

/** core_read_vaddr() - Read kernel virtual memory, mapping by mapping. Return: as
 * core_vaddr_to_paddr() and core_read_paddr(). Not for several threads at once. */
int core_read_vaddr(struct core *core, uint64_t vaddr, void *buf, size_t len);

/** core_visit_mappings() - Tell @visitor of the kernel's page tables and of what they map,
 * see arch_ops.visit. Return: 0; -E2BIG cut short; -ENODATA core_setup_vaddr() failed. */
int core_visit_mappings(struct core *core, const struct arch_visitor *visitor);

#endif
