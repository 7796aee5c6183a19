/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rehearsal: the armed kernel and its image, as they are, boot in QEMU with as much memory as
 * is reserved here, find a made-up crashed kernel behind it (rehearsal_core.h), and save that to
 * a scratch disk. What differs from a crash is on the command line.
 */
#ifndef CONTROL_REHEARSAL_REHEARSAL_H
#define CONTROL_REHEARSAL_REHEARSAL_H

#include <stdbool.h>
#include <stdint.h>

#include "control/armed.h"
#include "control/content.h"
#include "control/dumps/record.h"
#include "control/kmod.h"
#include "control/system.h"
#include "lib/config.h"

#define REHEARSAL_QEMU	     "qemu-system-x86_64"
#define REHEARSAL_MIN_MIB    32u
#define REHEARSAL_MAX_MIB    2048u /* below QEMU's hole for PCI */
#define REHEARSAL_MAX_RESULT 32u
#define REHEARSAL_MAX_HIDDEN 8u
#define REHEARSAL_TAIL_LINES 20u
#define REHEARSAL_LINE_SIZE  240u

/**
 * struct rehearsal_disk - A disk that QEMU can offer.
 * @driver: of the kernel, as sysfs calls it
 * @modules: all that it takes, one blank between
 * @device: what QEMU calls the device that decides
 * @args: values of -device; the drive is called "scratch"
 */
struct rehearsal_disk {
	const char *driver;
	const char *modules;
	const char *device;
	const char *args[2];
};

enum rehearsal_verdict {
	REHEARSAL_OK,
	REHEARSAL_WARN,
	REHEARSAL_FAIL,
};

/** struct rehearsal_result - A line of what came of it. */
struct rehearsal_result {
	const char *name;
	enum rehearsal_verdict verdict;
	char text[320];
};

/**
 * struct rehearsal_run - What was seen of one run of QEMU; milliseconds from its start, 0 for
 * never.
 * @kvm: it was run with KVM
 * @spoke_ms: the console's first byte
 * @init_ms: vmcore-save started as PID 1
 * @done_ms: its last word, and @done is that
 * @end_ms: QEMU ended, or was ended
 * @ended: by itself
 * @panic: the capture kernel's own, empty for none
 * @tail: the console's last lines, a ring that begins at @nr_lines
 */
struct rehearsal_run {
	bool kvm;
	uint64_t spoke_ms, init_ms, done_ms, end_ms;
	bool ended;
	char done[REHEARSAL_LINE_SIZE];
	char panic[REHEARSAL_LINE_SIZE];
	char tail[REHEARSAL_TAIL_LINES][REHEARSAL_LINE_SIZE];
	unsigned nr_lines;
};

/**
 * struct rehearsal
 * @armed: kernel, image and command line: what is armed, or would be
 * @is_armed: it is
 * @kmod: of its kernel
 * @memory_mib: for the capture kernel; @timeout_s: for each try of QEMU
 * @console: where the console's text is to go; NULL for nowhere. Borrowed
 * @tcg: KVM is not to be tried
 * @config: the image's, with the command line's parameters
 * @target: of it, the first, or the root file system: what the scratch disk stands for
 * @devices: what lies below that on this machine
 * @stand_in: the target as it is on the scratch disk
 * @disk: what that hangs on; @own: as on this machine; @lent: its driver is not the image's
 * @dir: for files of its own: core, disk, image, report; empty before it is made
 * @record: what the capture said of itself; set where @recorded
 * @hidden: what cannot be seen this way
 */
struct rehearsal {
	const struct invocation *in;
	struct system sys;
	struct armed armed;
	bool is_armed;
	struct kmod kmod;
	unsigned memory_mib, timeout_s;
	const char *console;
	bool tcg;
	struct config config;
	struct config_target target;
	char devices[2048];
	struct content content;
	struct config_target stand_in;
	const struct rehearsal_disk *disk;
	bool own, lent;
	char dir[128];
	struct rehearsal_run run;
	struct record record;
	bool recorded;
	unsigned nr_results, nr_hidden;
	struct rehearsal_result results[REHEARSAL_MAX_RESULT];
	char hidden[REHEARSAL_MAX_HIDDEN][256];
};

/** rehearsal_path() - DIR/NAME; a buffer of the caller's. Return: @buf. */
const char *rehearsal_path(const struct rehearsal *r, const char *name, char buf[160]);

/** rehearsal_tell() - One more result. */
void rehearsal_tell(struct rehearsal *r, enum rehearsal_verdict verdict, const char *name,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** rehearsal_hide() - One more thing that cannot be seen. */
void rehearsal_hide(struct rehearsal *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* rehearsal_image.c */

/** rehearsal_image_look() - Fill in config, target, devices and content by the image. Return: 0 or
 * -errno, logged. */
int rehearsal_image_look(struct rehearsal *r);

/* rehearsal_disk.c */

/** rehearsal_disk_choose() - Fill in disk, own, lent and stand_in, and what is hidden by them.
 * @devices_help: what QEMU prints for -device help
 *
 * Return: 0; -EOPNOTSUPP where QEMU has no disk for it, logged. */
int rehearsal_disk_choose(struct rehearsal *r, const char *devices_help);

/** rehearsal_disk_make() - Make the scratch disk, with a file system where the target is one.
 * Return: 0 or -errno, logged. */
int rehearsal_disk_make(const struct rehearsal *r);

/* rehearsal_lend.c */

/** rehearsal_lend() - Write the image with the disk's driver in an archive behind it. Return: 0
 * or -errno, logged. */
int rehearsal_lend(const struct rehearsal *r);

/* rehearsal_vm.c */

/** rehearsal_vm_run() - Run QEMU, and once more without KVM where that does not work; fill in run
 * and record. Return: 0; -EINTR it was asked to end; -errno; logged. */
int rehearsal_vm_run(struct rehearsal *r);

/* rehearsal_result.c */

/** rehearsal_judge() - Add the results of run and record. */
void rehearsal_judge(struct rehearsal *r);

/** rehearsal_print() - All of it on stdout. Return: the worst verdict. */
enum rehearsal_verdict rehearsal_print(const struct rehearsal *r);

#endif
