/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kexec-loader's parts, a section per file; options.h, image.h and input.h have their own.
 * Whatever
 * is read below /sys and /proc goes through a root directory, "" on a real machine, so that
 * tests bring their own.
 */
#ifndef LOADER_LOADER_H
#define LOADER_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/image.h"
#include "loader/options.h"

/* ---- command_line.c: the new kernel's command line ---- */

/* The kernel copies this and a space in front of a command line (x86, both load types). */
#define CMDLINE_ELFCOREHDR_LEN 30

/**
 * command_line_compose() - What the options ask to pass to the new kernel.
 * @running: contents of /proc/cmdline; looked at with OPT_REUSE_CMDLINE only
 * @built_in: of a unified kernel image, NULL without; counts where the options give none
 * @out: NUL-terminated
 *
 * Return: 0, or -E2BIG where it does not fit @size bytes.
 */
int command_line_compose(const struct options *opts, const char *running, const char *built_in,
			 char *out, size_t size);

/* ---- facts.c: what the running kernel says about itself ---- */

/** struct kexec_status - Below /sys/kernel/; -1 stands for "the kernel does not say". */
struct kexec_status {
	int loaded;
	int crash_loaded;
	int64_t crash_size; /* bytes reserved for the capture kernel */
};

/** status_read() - Read /sys/kernel/kexec/ or, before 6.19, /sys/kernel/kexec_*. */
void status_read(const char *root, struct kexec_status *status_ret);

/**
 * struct facts - What an error's explanation depends on.
 * @kernel: path, NULL for operations without one
 * @image: borrowed, NULL for operations without one
 * @kernel_size: of the file, bytes
 * @initrd_size: bytes, 0 without an initrd
 * @memory: bytes that can be had, swap included; -1 where unknown
 * @status: see there
 * @no_cap: CAP_SYS_BOOT is missing
 * @load_disabled: kernel.kexec_load_disabled is set
 * @load_limit: loads that kernel.kexec_load_limit_* still allows, -1 without limit
 * @lockdown: "none", "integrity", "confidentiality"; empty where unknown
 */
struct facts {
	const char *kernel;
	const struct image *image;
	uint64_t kernel_size;
	uint64_t initrd_size;
	int64_t memory;
	struct kexec_status status;
	bool no_cap;
	bool load_disabled;
	int64_t load_limit;
	char lockdown[24];
};

/**
 * facts_read() - Fill all of @facts that comes from the system, leave the rest alone.
 * @crash: the operation is about the capture kernel
 */
void facts_read(const char *root, bool crash, struct facts *facts);

/** facts_either() - The decimal number in the one of two files below @root that is there; -1 where
 * neither is, or it is none. */
int64_t facts_either(const char *root, const char *newer, const char *older);

/** facts_needed() - Memory that kernel and initrd take for certain, bytes; 0 where unknown. */
uint64_t facts_needed(const struct facts *facts);

/**
 * facts_buffers() - Memory that the running kernel takes from itself for the load, bytes:
 * both files whole, and for a load that is not for a panic the segments as well.
 */
uint64_t facts_buffers(const struct facts *facts, bool crash);

/* ---- errors.c: an errno becomes a sentence ---- */

enum operation {
	OP_LOAD = 1 << 0,
	OP_LOAD_PANIC = 1 << 1,
	OP_UNLOAD = 1 << 2,
	OP_UNLOAD_PANIC = 1 << 3,
	OP_EXEC = 1 << 4,
};

/**
 * errors_explain() - Say what happened and what to do.
 * @err: positive errno
 * @out: gets the sentence, NUL-terminated
 *
 * Return: true, or false where the table has no row and the sentence is a general one.
 */
bool errors_explain(enum operation op, int err, const struct facts *facts, char *out, size_t size);

/** errors_format_size() - "16 MiB", "53.5 MiB", "12 KiB"; returns @buf. */
const char *errors_format_size(uint64_t bytes, char *buf, size_t size);

/* ---- syscall.c ---- */

/* include/uapi/linux/kexec.h; the last one came in 6.8 (cbc2fe9d9cb2) */
#define KEXEC_FILE_UNLOAD	0x00000001
#define KEXEC_FILE_ON_CRASH	0x00000002
#define KEXEC_FILE_NO_INITRAMFS 0x00000004
#define KEXEC_FILE_DEBUG	0x00000008

/**
 * syscall_kexec_file() - kexec_file_load(2). Waits a moment while another kexec call is
 * under way (a reload after a CPU came or went is the usual one).
 * @initrd_fd: -1 without
 * @cmdline: may be NULL with KEXEC_FILE_UNLOAD
 *
 * Return: 0 or -errno.
 */
int syscall_kexec_file(int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags);

/* include/uapi/linux/kexec.h; the last one came in 6.6 (a72bbec70da2) */
#define KEXEC_ON_CRASH		0x00000001
#define KEXEC_UPDATE_ELFCOREHDR 0x00000004
#define KEXEC_ARCH_386		(3UL << 16)
#define KEXEC_ARCH_X86_64	(62UL << 16)

/** struct syscall_segment - struct kexec_segment of the kernel. */
struct syscall_segment {
	const void *data;
	size_t len;
	unsigned long addr;
	size_t mem_len;
};

/**
 * syscall_kexec_load() - kexec_load(2), waiting as syscall_kexec_file() does.
 * @nr: 0 unloads
 *
 * Return: 0 or -errno.
 */
int syscall_kexec_load(unsigned long entry, unsigned long nr,
		       const struct syscall_segment *segments, unsigned long flags);

/** syscall_reboot_kexec() - Jump into the loaded kernel. Return: only on failure, -errno. */
int syscall_reboot_kexec(void);

#endif
