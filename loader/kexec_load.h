/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A load by kexec_load(2). The kernel only copies segments and jumps: what goes where is
 * planned here. The plan is pure, from facts (loader/machine.h) and files in memory.
 */
#ifndef LOADER_KEXEC_LOAD_H
#define LOADER_KEXEC_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/machine.h"
#include "loader/place.h"

/* flags of a request */
#define KEXEC_LOAD_NO_CHECK (1u << 0) /* the purgatory verifies nothing */
#define KEXEC_LOAD_NO_EFI   (1u << 1) /* do not hand EFI on */
#define KEXEC_LOAD_HOTPLUG  (1u << 2) /* the kernel keeps the elfcorehdr up to date */
#define KEXEC_LOAD_ENTRY_32 (1u << 3) /* enter a 64-bit kernel by its 32-bit entry */

/**
 * struct kexec_request - What is to be loaded. All is borrowed.
 * @crash: for a panic
 * @kernel: a bzImage or an ELF vmlinux
 * @initrd: NULL without
 * @mem_min: lowest address of any segment
 * @mem_max: highest end of any, exclusive; 0 is no limit
 * @serial_port: I/O port of the serial line that the purgatory prints to; 0 is none
 * @serial_baud: its speed, 0 to leave it alone
 */
struct kexec_request {
	bool crash;
	unsigned flags;
	const uint8_t *kernel;
	size_t kernel_len;
	const uint8_t *initrd;
	size_t initrd_len;
	const char *cmdline;
	uint64_t mem_min, mem_max;
	uint16_t serial_port;
	uint32_t serial_baud;
};

/** kexec_updates_elfcorehdr() - Whether the kernel is to keep the elfcorehdr up to date, and can.
 */
static inline bool kexec_updates_elfcorehdr(const struct kexec_request *req,
					    const struct machine *m)
{
	return (req->flags & KEXEC_LOAD_HOTPLUG) && m->elfcorehdr_size;
}

/* KEXEC_SEGMENT_MAX of include/linux/kexec.h */
#define KEXEC_SEGMENTS_MAX 16

/**
 * struct kexec_plan_segment - One segment.
 * @data: @len bytes, the rest up to @mem_len is zeros; borrowed
 * @checked: the purgatory verifies it
 */
struct kexec_plan_segment {
	const char *name;
	const uint8_t *data;
	size_t len;
	uint64_t addr, mem_len;
	bool checked;
};

/**
 * struct kexec_plan - What the call is made with.
 * @owned: memory that segments borrow from, to be freed
 * @entry: where the running kernel jumps to
 * @cmdline: of the new kernel, for people; borrowed from one of @owned
 */
struct kexec_plan {
	struct kexec_plan_segment segments[KEXEC_SEGMENTS_MAX];
	unsigned nr_segments;
	void *owned[KEXEC_SEGMENTS_MAX];
	unsigned nr_owned;
	uint64_t entry;
	const char *cmdline;
};

/**
 * kexec_plan_x86() - Plan a load on an x86 machine.
 * @why: WHY_SIZE bytes, gets a sentence on failure
 *
 * Return: 0; -ENOEXEC the image cannot be loaded in this way; -EBADMSG it is damaged;
 * -EADDRNOTAVAIL no room; -E2BIG the command line is too long; -EOPNOTSUPP no purgatory was
 * built; -ENOMEM.
 */
int kexec_plan_x86(const struct kexec_request *req, const struct machine *m,
		   struct kexec_plan *plan_ret, char *why);

/** kexec_plan_free() - Release what the plan owns. */
void kexec_plan_free(struct kexec_plan *plan);

/** kexec_plan_debug() - Print it at debug level. */
void kexec_plan_debug(const struct kexec_plan *plan);

/** kexec_plan_add() - Append a segment; kexec_plan_own() makes the plan free @memory.
 * The caller has seen to it that there is room: an x86 plan has at most eight. */
struct kexec_plan_segment *kexec_plan_add(struct kexec_plan *plan, const char *name,
					  const uint8_t *data, size_t len);
void *kexec_plan_own(struct kexec_plan *plan, void *memory);

/**
 * kexec_load() - Read the machine, plan, and make the call.
 * @why: WHY_SIZE bytes, gets a sentence on failure, or "" where errors_explain() has it
 *
 * Return: 0 or -errno.
 */
int kexec_load(const struct kexec_request *req, char *why);

#endif
