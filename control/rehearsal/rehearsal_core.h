/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a machine that never was: what a rehearsal gives the capture kernel in place of
 * the crashed one's. It lies behind the capture kernel's own memory, as elfcorehdr= tells, so
 * that the kernel makes a /proc/vmcore of it as after a crash
 * (Documentation/admin-guide/kdump/kdump.rst; fs/proc/vmcore.c).
 */
#ifndef CONTROL_REHEARSAL_REHEARSAL_CORE_H
#define CONTROL_REHEARSAL_REHEARSAL_CORE_H

#include <stddef.h>
#include <stdint.h>

#define REHEARSAL_CORE_BYTES (8u << 20) /* and a multiple of it is where it lies */
#define REHEARSAL_CORE_PANIC "Kernel panic - not syncing: vmcorectl test --vm: a rehearsal"

/* Pages of it: those that any dump keeps, page cache, free ones. */
#define REHEARSAL_CORE_KEPT  1024u
#define REHEARSAL_CORE_CACHE 512u

/**
 * rehearsal_core_make() - Fill it in: ELF headers first, then an x86_64 kernel's vmcoreinfo, page
 * tables, memory map, log and pages.
 * @paddr: where it will lie; a multiple of REHEARSAL_CORE_BYTES, below 32 GiB
 * @when: time of the crash, in seconds since 1970
 *
 * Return: REHEARSAL_CORE_BYTES bytes, owned by the caller; NULL without memory.
 */
void *rehearsal_core_make(uint64_t paddr, int64_t when);

#endif
