// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/core/kdump_layout.h"
#include "capture/dump/flattened.h"
#include "capture/output.h"
#include "capture/target/dir.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define COPY_BYTES  (1u << 20)
#define DUMP_NAME   "vmcore"
#define DUMP_TMP    "vmcore-incomplete"
#define RECORD_NAME "vmcore-save.json"

/* ---- the end of an unfinished dump ---- */

static uint64_t count_bits(int fd, uint64_t at, uint64_t bytes, uint8_t *buf)
{
	uint64_t nr = 0;

	while (bytes) {
		ssize_t n = io_pread_full(fd, buf, MIN(bytes, (uint64_t)COPY_BYTES), at);

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			nr += __builtin_popcount(buf[i]);
		at += n;
		bytes -= n;
	}
	return nr;
}

static uint64_t last_page_end(int fd, uint64_t at, uint64_t nr, uint64_t limit, uint8_t *buf)
{
	const size_t each = sizeof(struct kdump_page_desc), batch = COPY_BYTES / each;
	uint64_t end = at;

	while (nr) {
		struct kdump_page_desc desc;
		const size_t want = MIN(nr, (uint64_t)batch);
		ssize_t n = io_pread_full(fd, buf, want * each, at);

		if (n < (ssize_t)each)
			break;
		for (size_t i = 0; i < n / each; i++) {
			memcpy(&desc, buf + i * each, each);
			if (range_within(le64toh(desc.offset), le32toh(desc.size), limit))
				end = MAX(end, le64toh(desc.offset) + le32toh(desc.size));
		}
		at += want * each;
		nr -= want;
	}
	return MAX(end, at);
}

uint64_t fetch_dump_end(int fd, uint64_t limit)
{
	_free_ uint8_t *buf = malloc(COPY_BYTES);
	struct kdump_header h;
	uint64_t block, bitmaps, bitmap_bytes, descs, nr, end;

	if (!buf || io_pread_full(fd, &h, sizeof(h), 0) != sizeof(h) ||
	    memcmp(h.signature, "KDUMP   ", 8))
		return limit;
	/* 32-bit fields, so that nothing here can overflow. */
	block = le32toh(h.block_size);
	bitmaps = (1 + (uint64_t)le32toh(h.sub_hdr_size)) * block;
	bitmap_bytes = (uint64_t)le32toh(h.bitmap_blocks) / 2 * block;
	if (block > 1u << 20 || !range_within(bitmaps, 2 * bitmap_bytes, limit))
		return limit;
	descs = bitmaps + 2 * bitmap_bytes;
	nr = count_bits(fd, bitmaps + bitmap_bytes, bitmap_bytes, buf);
	if (!range_within(descs, nr * sizeof(struct kdump_page_desc), limit))
		return limit;
	end = last_page_end(fd, descs, nr, limit, buf);
	/* The page that all zero pages share stands behind the descriptors. */
	end = MAX(end, descs + nr * sizeof(struct kdump_page_desc) + block);
	return MIN(end, limit);
}

/* ---- copying ---- */

/* @hex: of what was copied */
static int copy(const struct fetch *f, const struct raw_file *file, uint64_t bytes, int out,
		char hex[SHA256_HEX_BYTES])
{
	_free_ uint8_t *buf = malloc(COPY_BYTES);
	uint8_t digest[SHA256_DIGEST_BYTES];
	struct sha256 sha;
	int err;

	if (!buf)
		return -ENOMEM;
	sha256_init(&sha);
	for (uint64_t at = 0; at < bytes;) {
		ssize_t n = io_pread_full(f->fd, buf, MIN(bytes - at, (uint64_t)COPY_BYTES),
					  file->offset + at);

		if (n <= 0) {
			log_error("%s cannot be read: %s", f->name, strerror(n ? -(int)n : EIO));
			return n ? (int)n : -EIO;
		}
		sha256_update(&sha, buf, n);
		err = io_write_full(out, buf, n);
		if (err) {
			log_error("%s cannot be written: %s", file->name, strerror(-err));
			return err;
		}
		at += n;
	}
	sha256_final(&sha, digest);
	sha256_hex(digest, hex);
	return 0;
}

/* The manifest's "sha256", its only one; quotes within its strings are escaped (lib/json.c). */
static bool manifest_digest(const struct fetch *f, char hex[SHA256_HEX_BYTES])
{
	static const char key[] = "\"sha256\": \"";
	struct raw_dir dir = f->dir;
	const struct raw_file *file = raw_find(&dir, RECORD_NAME);
	_free_ char *text = NULL;
	const char *at;

	if (!file || file->bytes > RAW_MANIFEST_BYTES || !(text = calloc(1, file->bytes + 1)) ||
	    io_pread_full(f->fd, text, file->bytes, file->offset) != (ssize_t)file->bytes)
		return false;
	at = strstr(text, key);
	if (!at || strspn(at + strlen(key), "0123456789abcdef") != SHA256_HEX_BYTES - 1)
		return false;
	snprintf(hex, SHA256_HEX_BYTES, "%s", at + strlen(key));
	return true;
}

/* What the digest should be; an empty string where nothing is known. */
static void want_digest(const struct fetch *f, const struct raw_file *file,
			char hex[SHA256_HEX_BYTES])
{
	*hex = '\0';
	if (file->digested)
		sha256_hex(file->sha256, hex);
	else if (file->state == RAW_COMPLETE && !manifest_digest(f, hex))
		*hex = '\0';
}

/* What a file is called until it is known to be right: an incomplete one has no better name. */
static const char *name_until_right(const char *name)
{
	static const char *const names[][2] = {
		{ DUMP_NAME, DUMP_TMP },
		{ "vmcore-dmesg.txt", "vmcore-dmesg-incomplete.txt" },
		{ RECORD_NAME, RECORD_NAME ".new" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(name, names[i][0]))
			return names[i][1];
	return name;
}

static int save_file(const struct fetch *f, const struct raw_file *file, int dir_fd)
{
	const bool unknown = file->state == RAW_WRITING;
	const char *tmp = name_until_right(file->name);
	char want[SHA256_HEX_BYTES], got[SHA256_HEX_BYTES];
	uint64_t bytes = file->bytes;
	_close_ int fd = dir_open_file(dir_fd, tmp);
	int err = fd < 0 ? fd : 0;

	if (err) {
		log_error("%s cannot be made: %s", tmp, strerror(-err));
		return err;
	}
	if (unknown)
		bytes = file->offset ? 0 : fetch_dump_end(f->fd, f->dir.area);
	want_digest(f, file, want);
	err = copy(f, file, bytes, fd, got);
	if (err)
		return err;
	if (file->state == RAW_COMPLETE && !streq(want, got)) {
		log_error("%s: %s is not what was saved%s", f->name, file->name,
			  *want ? ": its digest is another" : ": no digest of it is known");
		fsync(fd);
		return -EBADMSG;
	}
	err = dir_commit_file(dir_fd, fd, tmp, file->name);
	if (err)
		log_error("%s cannot be saved: %s", file->name, strerror(-err));
	else
		log_info("%s, %" PRIu64 " bytes%s", file->name, bytes,
			 file->state == RAW_COMPLETE ? "" : ", incomplete");
	return err;
}

static int open_parent(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	fd = -errno;
	log_error("%s cannot be opened: %s", path, strerror(-fd));
	return fd;
}

int fetch_save(struct fetch *f, const char *parent)
{
	_close_ int parent_fd = open_parent(parent), fd = -1;
	int err = 0;

	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, f->dir.dir_name, 0700) || fsync(parent_fd) ||
	    (fd = openat(parent_fd, f->dir.dir_name,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
		err = -errno;
		log_error("%s/%s cannot be made: %s", parent, f->dir.dir_name, strerror(-err));
		return err;
	}
	for (unsigned i = 0; i < f->dir.nr; i++) {
		int failed = save_file(f, &f->dir.files[i], fd);

		err = err ? err : failed;
	}
	if (!err)
		log_info("%s/%s is there", parent, f->dir.dir_name);
	return err;
}

/* ---- what makedumpfile -F left ---- */

static ssize_t read_device(void *ctx, void *buf, size_t len)
{
	return io_read_full(*(int *)ctx, buf, len);
}

int fetch_flattened(const struct fetch *f, const char *parent)
{
	_close_ int parent_fd = -1, dir_fd = -1, out_fd = -1;
	char head[16] = { 0 }, name[DIR_NAME_SIZE];
	int in = f->fd, err;

	if (io_pread_full(f->fd, head, sizeof(head), 0) < 0 || memcmp(head, "makedumpfile", 12))
		return -ENODATA;
	parent_fd = open_parent(parent);
	if (parent_fd < 0)
		return parent_fd;
	err = dir_create_stamped(parent_fd, time(NULL), name, &dir_fd);
	if (!err && (out_fd = dir_open_file(dir_fd, DUMP_TMP)) < 0)
		err = out_fd;
	if (!err && lseek(f->fd, 0, SEEK_SET) < 0)
		err = -errno;
	if (!err) {
		struct output out = { .fd = out_fd };
		const struct dump_sink sink = output_sink(&out);

		err = flat_rearrange(read_device, &in, &sink);
	}
	if (!err)
		err = dir_commit_file(dir_fd, out_fd, DUMP_TMP, DUMP_NAME);
	if (err)
		log_error("the flattened dump on %s cannot be fetched: %s", f->name,
			  strerror(-err));
	else
		log_info("%s/%s is there, from a flattened dump", parent, name);
	return err;
}
