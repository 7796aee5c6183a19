/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kexec-loader's parts, a section per file. Whatever is read below /sys and /proc
 * goes through a root directory, "" on a real machine, so that tests bring their own.
 */
#ifndef LOADER_LOADER_H
#define LOADER_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- options.c: what was asked for ---- */

enum {
	OPT_HELP = 1 << 0,
	OPT_VERSION = 1 << 1,
	OPT_STATUS = 1 << 2,
	OPT_UNLOAD = 1 << 3,
	OPT_PANIC = 1 << 4,
	OPT_FORCE = 1 << 5,
	OPT_LOAD = 1 << 6,
	OPT_EXEC = 1 << 7,
	OPT_ACTIONS = (1 << 8) - 1, /* all of the above */

	OPT_DEBUG = 1 << 8,
	OPT_REUSE_CMDLINE = 1 << 9,
	OPT_NO_SYNC = 1 << 10,
	OPT_NO_IFDOWN = 1 << 11,
	OPT_OLD_CALL = 1 << 12,	 /* kexec_load(2) alone, refused */
	OPT_FILE_CALL = 1 << 13, /* kexec_file_load(2), the only way there is */
};

/**
 * struct options - The command line, parsed. Strings are borrowed from argv.
 * @flags: OPT_*
 * @kernel: first file named, NULL where there is none
 * @initrd: NULL where there is none
 * @append: text for the new kernel's command line, NULL where not given
 * @nr_files: how many files were named
 */
struct options {
	unsigned flags;
	const char *kernel;
	const char *initrd;
	const char *append;
	int nr_files;
};

/**
 * options_parse() - Parse argv.
 * @why: gets a sentence where it fails
 *
 * Return: 0 or -EINVAL.
 */
int options_parse(int argc, char **argv, struct options *opts_ret, char *why, size_t why_size);

/** options_help() - Print the usage to stdout. */
void options_help(void);

/* ---- actions.c: which command an option combination asks for ---- */

/**
 * struct action - One row of the table that main() dispatches from.
 * @all: OPT_* that must be given, all of them
 * @with: further OPT_ACTIONS bits that may stand beside them
 * @wants_kernel: exactly one file must be named
 * @run: Return: the exit status of the program
 */
struct action {
	unsigned all;
	unsigned with;
	bool wants_kernel;
	int (*run)(const struct options *opts);
};

/**
 * action_find() - The action that the options ask for.
 * @why: gets a sentence where there is none
 *
 * Return: 0, or -EINVAL: nothing to do, options that exclude each other, no kernel.
 */
int action_find(const struct options *opts, const struct action **action_ret, char *why,
		size_t why_size);

/* Exit statuses. -S uses the first two for its answer, as kexec(8) does. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_LOADED = 1,
	EXIT_USAGE = 2,
	EXIT_UNKNOWN = 255,
};

int cmd_load(const struct options *opts);
int cmd_load_exec(const struct options *opts);
int cmd_unload(const struct options *opts);
int cmd_exec(const struct options *opts);
int cmd_status(const struct options *opts);
int cmd_help(const struct options *opts);
int cmd_version(const struct options *opts);

/* ---- image.c: what a kernel file is; pure functions on its first bytes ---- */

/* The first bytes of a file that image_probe() wants to see, at most. */
#define IMAGE_HEAD_MAX 16384

enum image_kind {
	IMAGE_UNKNOWN,
	IMAGE_EMPTY,
	IMAGE_BZIMAGE,
	IMAGE_ARM64,
	IMAGE_RISCV,
	IMAGE_ELF,
	IMAGE_UKI,
	IMAGE_ZBOOT,
	IMAGE_PE,
	IMAGE_COMPRESSED,
	IMAGE_CPIO,
	IMAGE_OTHER, /* something with a name that is no kernel */
};

/**
 * struct image - What image_probe() found.
 * @what: "a bzImage", "gzip-compressed data", ...; a constant
 * @advice: what to do about a file that cannot be loaded, NULL where there is nothing to say
 * @machine: uname -m of the machines whose kexec_file_load() takes it, NULL for none
 * @problem: why this one cannot be loaded though its kind can, NULL where it can
 * @protocol: x86 boot protocol, 0x020c is 2.12
 * @xloadflags: x86 XLF_* bits
 * @cmdline_size: x86: longest command line, bytes; 0 where unknown
 * @init_size: x86: memory that the kernel needs to unpack itself, bytes; 0 where unknown
 * @claimed_size: x86: bytes that the file must have by its own header
 * @has_signature: a signature for Secure Boot is attached; nobody checked it
 */
struct image {
	enum image_kind kind;
	const char *what;
	const char *advice;
	const char *machine;
	const char *problem;
	uint16_t protocol;
	uint16_t xloadflags;
	uint32_t cmdline_size;
	uint64_t init_size;
	uint64_t claimed_size;
	bool has_signature;
};

/* x86 xloadflags (Documentation/arch/x86/boot.rst) */
#define XLF_KERNEL_64		   0x0001
#define XLF_CAN_BE_LOADED_ABOVE_4G 0x0002
#define XLF_5LEVEL		   0x0020

/**
 * image_probe() - Tell what a file is.
 * @head: its first @head_len bytes, IMAGE_HEAD_MAX of them or the whole file
 * @file_size: of the whole file, bytes
 */
void image_probe(const void *head, size_t head_len, uint64_t file_size, struct image *image_ret);

/**
 * image_check() - Whether kexec_file_load() on @machine takes such an image.
 * @path: the file's name, for the sentence
 * @why: gets a sentence where it does not
 *
 * Return: 0 or -ENOEXEC.
 */
int image_check(const struct image *image, const char *machine, const char *path, char *why,
		size_t why_size);

/* ---- command_line.c: the new kernel's command line ---- */

/* The kernel copies this and a space in front of a command line (x86, both load types). */
#define CMDLINE_ELFCOREHDR_LEN 30

/**
 * command_line_compose() - What the options ask to pass to the new kernel.
 * @running: contents of /proc/cmdline; looked at with OPT_REUSE_CMDLINE only
 * @out: NUL-terminated
 *
 * Return: 0, or -E2BIG where it does not fit @size bytes.
 */
int command_line_compose(const struct options *opts, const char *running, char *out, size_t size);

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

/** syscall_reboot_kexec() - Jump into the loaded kernel. Return: only on failure, -errno. */
int syscall_reboot_kexec(void);

#endif
