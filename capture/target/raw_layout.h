/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A raw partition that holds one capture: the dump from its first byte on, and in an area
 * at its end the log, the manifest and a directory of the three. docs/raw.md has the layout;
 * all numbers are little-endian.
 */
#ifndef CAPTURE_TARGET_RAW_LAYOUT_H
#define CAPTURE_TARGET_RAW_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sha256.h"

#define RAW_MAGIC	   "VMCSRAW\n"
#define RAW_VERSION	   1u
#define RAW_AREA_BYTES	   (16u << 20) /* and up to 1 MiB more, for the area's alignment */
#define RAW_AREA_ALIGN	   (1u << 20)
#define RAW_SLOT_BYTES	   4096u /* of a copy of the directory; there are two */
#define RAW_SLOT_STEP	   (64u << 10)
#define RAW_MANIFEST_AT	   (256u << 10) /* in the area; two places, used in turn */
#define RAW_MANIFEST_BYTES (256u << 10)
#define RAW_LOG_AT	   (1u << 20) /* up to the end of the device */
#define RAW_HEAD_BYTES	   4096u      /* of zeros: no dump begins there */
#define RAW_FILES_MAX	   4u
#define RAW_NAME_SIZE	   64u
#define RAW_DIR_NAME_SIZE  32u

/** enum raw_state - WRITING: how long it is cannot be known. */
enum raw_state {
	RAW_WRITING = 1,
	RAW_INCOMPLETE = 2,
	RAW_COMPLETE = 3,
};

/** struct raw_file - @digested: @sha256 is its digest; of a dump the manifest has it. */
struct raw_file {
	char name[RAW_NAME_SIZE];
	enum raw_state state;
	bool digested;
	uint64_t offset, bytes;
	uint8_t sha256[SHA256_DIGEST_BYTES];
};

/** struct raw_dir - What a device holds. @area: where its area begins, and no dump reaches to. */
struct raw_dir {
	uint64_t generation;
	uint64_t device_bytes, area;
	char dir_name[RAW_DIR_NAME_SIZE];
	unsigned nr;
	struct raw_file files[RAW_FILES_MAX];
};

/** raw_init() - An empty directory for the device. Return: 0; -ENOSPC too small; -errno. */
int raw_init(int fd, struct raw_dir *dir_ret);

/** raw_decode() - Read a copy of the directory, which may hold anything.
 * @dir: from raw_init(); untouched on failure. Return: 0; -ENODATA none; -EBADMSG torn. */
int raw_decode(const uint8_t slot[RAW_SLOT_BYTES], struct raw_dir *dir);

/** raw_load() - Read the newer whole copy of the directory.
 * Return: 0; -ENODATA there is none, and *@dir_ret is empty; -ENOSPC; -errno. */
int raw_load(int fd, struct raw_dir *dir_ret);

/** raw_store() - Make @dir durable as the next generation, over the older copy.
 * Return: 0 or -errno. */
int raw_store(int fd, struct raw_dir *dir);

/** raw_find() - The file of that name, or NULL. */
struct raw_file *raw_find(struct raw_dir *dir, const char *name);

/**
 * raw_check() - Whether a dump may be written over what is on the device: nothing, or a dump,
 * and nothing that libblkid knows.
 * @name: of the device, for @why
 * @why: gets the sentence
 *
 * Return: 0; -EEXIST it holds something else; -errno; with @why.
 */
int raw_check(int fd, const char *name, char *why, size_t size);

/** raw_clear_head() - Let no reader take what is on the device for a dump. Return: 0 or -errno. */
int raw_clear_head(int fd);

/** raw_foreign() - What libblkid finds on the device ("ext4 file system or the like"); an empty
 * string for nothing. Return: 0 or -errno. */
int raw_foreign(int fd, char *what, size_t size);

#endif
