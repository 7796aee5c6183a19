// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/raw_layout.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

/* In a copy of the directory. */
#define AT_VERSION    8u
#define AT_NR	      12u
#define AT_GENERATION 16u
#define AT_AREA	      24u
#define AT_DIR_NAME   32u
#define AT_FILES      64u
#define FILE_BYTES    128u
#define AT_DIGEST     (AT_FILES + RAW_FILES_MAX * FILE_BYTES)

/* In a file's entry. */
#define AT_STATE    RAW_NAME_SIZE
#define AT_DIGESTED (AT_STATE + 4)
#define AT_OFFSET   (AT_STATE + 8)
#define AT_BYTES    (AT_STATE + 16)
#define AT_SHA256   (AT_STATE + 24)

#define HEAD_BYTES (64u << 10) /* a device that begins with that many zeros is empty */

_Static_assert(AT_DIGEST + SHA256_DIGEST_BYTES <= RAW_SLOT_BYTES, "a copy has room for it");
_Static_assert(AT_SHA256 + SHA256_DIGEST_BYTES <= FILE_BYTES, "an entry has room for it");

int raw_init(int fd, struct raw_dir *dir_ret)
{
	const off_t bytes = lseek(fd, 0, SEEK_END);

	if (bytes < 0)
		return -errno;
	if ((uint64_t)bytes < 2 * (uint64_t)RAW_AREA_BYTES)
		return -ENOSPC;
	*dir_ret = (struct raw_dir){ .device_bytes = bytes };
	dir_ret->area = ((uint64_t)bytes - RAW_AREA_BYTES) / RAW_AREA_ALIGN * RAW_AREA_ALIGN;
	return 0;
}

/* Names become those of files: no directory, nothing hidden, nothing a terminal minds. */
static bool is_name(const char *name, size_t size)
{
	const size_t len = strnlen(name, size);

	if (len == size || !len || *name == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= 'A' && name[i] <= 'Z') &&
		    !(name[i] >= '0' && name[i] <= '9') && !strchr("-_.:", name[i]))
			return false;
	return true;
}

static int decode_file(const uint8_t *p, const struct raw_dir *dir, struct raw_file *file)
{
	const uint32_t state = get_le32(p + AT_STATE);

	if (!is_name((const char *)p, RAW_NAME_SIZE) || state < RAW_WRITING || state > RAW_COMPLETE)
		return -EBADMSG;
	memcpy(file->name, p, RAW_NAME_SIZE);
	file->state = (enum raw_state)state;
	file->digested = get_le32(p + AT_DIGESTED) != 0;
	file->offset = get_le64(p + AT_OFFSET);
	file->bytes = get_le64(p + AT_BYTES);
	memcpy(file->sha256, p + AT_SHA256, SHA256_DIGEST_BYTES);
	return range_within(file->offset, file->bytes, dir->device_bytes) ? 0 : -EBADMSG;
}

static void slot_digest(const uint8_t *slot, uint8_t digest[SHA256_DIGEST_BYTES])
{
	struct sha256 sha;

	sha256_init(&sha);
	sha256_update(&sha, slot, AT_DIGEST);
	sha256_final(&sha, digest);
}

int raw_decode(const uint8_t slot[RAW_SLOT_BYTES], struct raw_dir *dir)
{
	struct raw_dir d = { .device_bytes = dir->device_bytes, .area = dir->area };
	uint8_t digest[SHA256_DIGEST_BYTES];

	if (memcmp(slot, RAW_MAGIC, 8))
		return -ENODATA;
	slot_digest(slot, digest);
	d.nr = get_le32(slot + AT_NR);
	if (memcmp(slot + AT_DIGEST, digest, sizeof(digest)) ||
	    get_le32(slot + AT_VERSION) != RAW_VERSION || d.nr > RAW_FILES_MAX ||
	    get_le64(slot + AT_AREA) != dir->area)
		return -EBADMSG;
	d.generation = get_le64(slot + AT_GENERATION);
	memcpy(d.dir_name, slot + AT_DIR_NAME, RAW_DIR_NAME_SIZE);
	if (*d.dir_name && !is_name(d.dir_name, RAW_DIR_NAME_SIZE))
		return -EBADMSG;
	for (unsigned i = 0; i < d.nr; i++)
		if (!*d.dir_name || decode_file(slot + AT_FILES + i * FILE_BYTES, &d, &d.files[i]))
			return -EBADMSG;
	*dir = d;
	return 0;
}

static uint64_t slot_offset(const struct raw_dir *dir, uint64_t generation)
{
	return dir->area + generation % 2 * RAW_SLOT_STEP;
}

int raw_load(int fd, struct raw_dir *dir_ret)
{
	struct raw_dir empty, best;
	uint8_t slot[RAW_SLOT_BYTES];
	int err = raw_init(fd, &empty);

	if (err)
		return err;
	best = empty;
	for (unsigned i = 0; i < 2; i++) {
		struct raw_dir d = empty;
		ssize_t n = io_pread_full(fd, slot, sizeof(slot), slot_offset(&d, i));

		if (n < 0)
			return (int)n;
		if (n == sizeof(slot) && raw_decode(slot, &d) == 0 && d.generation % 2 == i &&
		    d.generation > best.generation)
			best = d;
	}
	*dir_ret = best;
	return best.generation ? 0 : -ENODATA;
}

int raw_store(int fd, struct raw_dir *dir)
{
	uint8_t slot[RAW_SLOT_BYTES] = { 0 };
	const uint64_t generation = dir->generation + 1;
	int err;

	memcpy(slot, RAW_MAGIC, 8);
	put_le32(slot + AT_VERSION, RAW_VERSION);
	put_le32(slot + AT_NR, dir->nr);
	put_le64(slot + AT_GENERATION, generation);
	put_le64(slot + AT_AREA, dir->area);
	memcpy(slot + AT_DIR_NAME, dir->dir_name, RAW_DIR_NAME_SIZE);
	for (unsigned i = 0; i < dir->nr; i++) {
		const struct raw_file *file = &dir->files[i];
		uint8_t *p = slot + AT_FILES + i * FILE_BYTES;

		memcpy(p, file->name, RAW_NAME_SIZE);
		put_le32(p + AT_STATE, file->state);
		put_le32(p + AT_DIGESTED, file->digested);
		put_le64(p + AT_OFFSET, file->offset);
		put_le64(p + AT_BYTES, file->bytes);
		memcpy(p + AT_SHA256, file->sha256, SHA256_DIGEST_BYTES);
	}
	slot_digest(slot, slot + AT_DIGEST);
	err = io_pwrite_full(fd, slot, sizeof(slot), slot_offset(dir, generation));
	if (!err && fsync(fd))
		err = -errno;
	if (!err)
		dir->generation = generation;
	return err;
}

struct raw_file *raw_find(struct raw_dir *dir, const char *name)
{
	for (unsigned i = 0; i < dir->nr; i++)
		if (streq(dir->files[i].name, name))
			return &dir->files[i];
	return NULL;
}

static void free_probe(blkid_probe *pr)
{
	if (*pr)
		blkid_free_probe(*pr);
}

int raw_foreign(int fd, char *what, size_t size)
{
	__cleanup(free_probe) blkid_probe pr = blkid_new_probe();
	const char *value = NULL;
	int err;

	if (!pr)
		return -ENOMEM;
	errno = 0;
	if (blkid_probe_set_device(pr, fd, 0, 0))
		return errno ? -errno : -EIO;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE);
	blkid_probe_enable_partitions(pr, 1);
	err = blkid_do_safeprobe(pr);
	if (err == -1)
		return errno ? -errno : -EIO;
	*what = '\0';
	if (err == -2)
		snprintf(what, size, "more than one signature");
	else if (!blkid_probe_lookup_value(pr, "TYPE", &value, NULL) && value)
		snprintf(what, size, "%.40s", value);
	else if (!blkid_probe_lookup_value(pr, "PTTYPE", &value, NULL) && value)
		snprintf(what, size, "a %.40s partition table", value);
	return 0;
}

int raw_clear_head(int fd)
{
	static const uint8_t zeros[RAW_HEAD_BYTES];
	int err = io_pwrite_full(fd, zeros, sizeof(zeros), 0);

	return !err && fsync(fd) ? -errno : err;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	return !len || (!*p && !memcmp(p, p + 1, len - 1));
}

/* A dump of ours or of kdump-utils, which lets makedumpfile write a flattened one. */
static bool is_dump(const uint8_t *head)
{
	return !memcmp(head, "KDUMP   ", 8) || !memcmp(head, "makedumpfile", 12) ||
	       (!memcmp(head, "\177ELF", 4) && head[16 + (head[5] == 2)] == 4); /* ET_CORE */
}

int raw_check(int fd, const char *name, char *why, size_t size)
{
	_free_ uint8_t *head = malloc(HEAD_BYTES);
	struct raw_dir dir;
	char what[64];
	ssize_t n;
	int err = raw_load(fd, &dir);
	const bool marked = !err;

	if (err == -ENOSPC) {
		snprintf(why, size, "%.80s is too small for a dump", name);
		return err;
	}
	if (!err || err == -ENODATA)
		err = head ? raw_foreign(fd, what, sizeof(what)) : -ENOMEM;
	n = err ? err : io_pread_full(fd, head, HEAD_BYTES, 0);
	if (n < 0) {
		snprintf(why, size, "cannot read %.80s: %s", name, strerror((int)-n));
		return (int)n;
	}
	/* First of all: whoever made a file system here need not have wiped our mark. */
	if (*what) {
		snprintf(why, size, "%.80s holds %s, which a dump would destroy: wipefs(8)", name,
			 what);
		return -EEXIST;
	}
	/* Nor need whoever took it for something else have come as far as the mark. */
	if (is_dump(head) || (marked && is_zero(head, RAW_HEAD_BYTES)) || is_zero(head, n))
		return 0;
	snprintf(
		why, size,
		"%.80s holds something that is not a dump: vmcore-save --fetch --erase prepares it",
		name);
	return -EEXIST;
}
