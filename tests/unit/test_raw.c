// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/fetch.h"
#include "capture/output.h"
#include "capture/target/raw_layout.h"
#include "capture/target/target.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define DEVICE_BYTES (40u << 20)

/* A file that stands for a device; nothing in the row but the claim needs a real one. */
struct device {
	char path[64];
	int fd;
};

static void cleanup_device(struct device *d)
{
	if (d->fd >= 0)
		close(d->fd);
	unlink(d->path);
}

#define _device_ __cleanup(cleanup_device)

static struct device make_device(uint64_t bytes)
{
	struct device d;
	const char *tmp = getenv("TMPDIR");

	snprintf(d.path, sizeof(d.path), "%.40s/vmcore-raw-XXXXXX", tmp ? tmp : "/tmp");
	d.fd = mkstemp(d.path);
	if (d.fd >= 0 && ftruncate(d.fd, (off_t)bytes)) {
		close(d.fd);
		d.fd = -1;
	}
	return d;
}

static void alive(void *ctx)
{
	(void)ctx;
}

static const struct config_target raw_where = { .type = "raw", .where = "/dev/x", .path = "/" };

static struct target make_target(const struct device *d, const struct config *config)
{
	struct target t = { .alive = alive };

	target_init(&t, config, &raw_where, "/nonexistent");
	snprintf(t.device.node, sizeof(t.device.node), "%s", d->path);
	return t;
}

TEST(raw, what_may_be_overwritten)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		off_t at;
		int want;
	} cases[] = {
		{ "nothing", "", 0, 0, 0 },
		{ "a dump", "KDUMP   ", 8, 0, 0 },
		{ "a flattened dump", "makedumpfile\0", 13, 0, 0 },
		{ "an ELF core", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0", 18, 0, 0 },
		{ "an ELF core of a big-endian machine", "\177ELF\2\2\1\0\0\0\0\0\0\0\0\0\0\4", 18,
		  0, 0 },
		{ "a program", "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0", 18, 0, -EEXIST },
		{ "somebody's data", "data", 4, 5000, -EEXIST },
		{ "swap behind a dump", "SWAPSPACE2", 10, 4086, -EEXIST },
		{ "LVM", "LABELONE\1\0\0\0\0\0\0\0", 16, 512, -EEXIST },
	};
	char why[192];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_device_ struct device d = make_device(DEVICE_BYTES);

		CHECK(d.fd >= 0);
		CHECK_EQ(io_pwrite_full(d.fd, cases[i].bytes, cases[i].len, cases[i].at), 0);
		if (raw_check(d.fd, "x", why, sizeof(why)) != cases[i].want)
			test_fail(__FILE__, __LINE__, "%s", cases[i].name);
	}
}

TEST(raw, a_device_can_be_too_small)
{
	_device_ struct device d = make_device(RAW_AREA_BYTES);
	char why[192];

	CHECK_EQ(raw_check(d.fd, "x", why, sizeof(why)), -ENOSPC);
	CHECK(strstr(why, "too small"));
}

TEST(raw, our_mark_does_not_protect_a_file_system)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct raw_dir dir;
	char why[192];

	CHECK_EQ(raw_load(d.fd, &dir), -ENODATA);
	CHECK_EQ(raw_store(d.fd, &dir), 0);
	CHECK_EQ(io_pwrite_full(d.fd, "old pages", 9, 5000), 0);
	CHECK_EQ(raw_check(d.fd, "x", why, sizeof(why)), 0);
	CHECK_EQ(io_pwrite_full(d.fd, "SWAPSPACE2", 10, 4086), 0);
	/* blkid wants a version and pages behind the magic */
	CHECK_EQ(io_pwrite_full(d.fd, "\1\0\0\0\377\0\0\0", 8, 1024), 0);
	CHECK_EQ(raw_check(d.fd, "x", why, sizeof(why)), -EEXIST);
	CHECK(strstr(why, "swap"));
}

/* A guest's disk, a swap or a database that libblkid does not know, made over a part of it. */
TEST(raw, our_mark_does_not_stand_for_what_came_after_it)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct raw_dir dir;
	char why[192];

	CHECK_EQ(raw_load(d.fd, &dir), -ENODATA);
	CHECK_EQ(raw_store(d.fd, &dir), 0);
	CHECK_EQ(io_pwrite_full(d.fd, "KDUMP   ", 8, 0), 0);
	CHECK_EQ(raw_check(d.fd, "x", why, sizeof(why)), 0);
	CHECK_EQ(io_pwrite_full(d.fd, "ciphertext", 10, 0), 0);
	CHECK_EQ(raw_check(d.fd, "x", why, sizeof(why)), -EEXIST);
	CHECK_EQ(raw_clear_head(d.fd), 0);
	CHECK_EQ(raw_check(d.fd, "x", why, sizeof(why)), 0);
}

TEST(raw, the_dump_of_before_is_not_found_in_a_new_one)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct config config = { .device_timeout = 1 };
	struct target t = make_target(&d, &config);
	struct target_file file;
	uint8_t head[8];

	CHECK_EQ(io_pwrite_full(d.fd, "KDUMP   ", 8, 0), 0);
	CHECK_EQ(t.ops->open(&t), 0);
	CHECK_EQ(t.ops->make_dir(&t, 0), 0);
	CHECK_EQ(t.ops->create(&t, "vmcore-incomplete", &file), 0);
	/* the machine dies */
	close(file.fd);
	CHECK_EQ(t.ops->close(&t), 0);
	CHECK_EQ(io_pread_full(d.fd, head, sizeof(head), 0), sizeof(head));
	CHECK(memcmp(head, "KDUMP   ", 8));
}

TEST(raw, a_torn_directory_leaves_the_one_before)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct raw_dir dir, got;
	uint8_t byte;
	uint64_t at;

	CHECK_EQ(raw_load(d.fd, &dir), -ENODATA);
	strcpy(dir.dir_name, "first");
	CHECK_EQ(raw_store(d.fd, &dir), 0);
	strcpy(dir.dir_name, "second");
	CHECK_EQ(raw_store(d.fd, &dir), 0);
	CHECK_EQ(raw_load(d.fd, &got), 0);
	CHECK_STR(got.dir_name, "second");
	at = dir.area + dir.generation % 2 * RAW_SLOT_STEP + 100;
	CHECK_EQ(io_pread_full(d.fd, &byte, 1, at), 1);
	byte ^= 1;
	CHECK_EQ(io_pwrite_full(d.fd, &byte, 1, at), 0);
	CHECK_EQ(raw_load(d.fd, &got), 0);
	CHECK_STR(got.dir_name, "first");
	CHECK_EQ(got.generation, 1);
}

static void write_dump(struct target *t, const char *text, struct target_file *file)
{
	CHECK_EQ(t->ops->create(t, "vmcore-incomplete", file), 0);
	CHECK(file->stale);
	CHECK_EQ(file->limit, 24u << 20);
	CHECK_EQ(io_pwrite_full(file->fd, text, strlen(text), 0), 0);
	file->end = strlen(text);
}

TEST(raw, a_capture_from_begin_to_end)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct config config = { .device_timeout = 1 };
	struct target t = make_target(&d, &config), again = make_target(&d, &config);
	struct target_file file;
	struct raw_dir dir;
	uint64_t n;

	CHECK_EQ(t.ops->open(&t), 0);
	CHECK_EQ(t.ops->make_dir(&t, 0), 0);
	CHECK_STR(t.dir_name, "1970-01-01-00:00");
	CHECK_EQ(t.ops->create(&t, "vmcore-dmesg-incomplete.txt", &file), 0);
	CHECK_EQ(io_write_full(file.fd, "the log", 7), 0);
	CHECK_EQ(t.ops->commit(&t, &file, "vmcore-dmesg.txt"), 0);
	write_dump(&t, "a dump", &file);
	CHECK_EQ(t.ops->bytes(&t, "vmcore", &n), -ENOENT);
	CHECK_EQ(raw_load(d.fd, &dir), 0); /* what is left if the machine dies now */
	CHECK_EQ(raw_find(&dir, "vmcore-incomplete")->state, RAW_WRITING);
	CHECK_EQ(t.ops->replace(&t, "vmcore-save.json", "{}", 2), 0);
	CHECK_EQ(t.ops->commit(&t, &file, "vmcore"), 0);
	CHECK_EQ(t.ops->replace(&t, "vmcore-save.json", "{ }", 3), 0);
	CHECK_EQ(t.ops->close(&t), 0);

	CHECK_EQ(raw_load(d.fd, &dir), 0);
	CHECK_EQ(dir.nr, 3);
	CHECK_EQ(raw_find(&dir, "vmcore")->bytes, 6);
	CHECK_EQ(raw_find(&dir, "vmcore")->state, RAW_COMPLETE);
	CHECK_EQ(raw_find(&dir, "vmcore-dmesg.txt")->bytes, 7);
	CHECK(raw_find(&dir, "vmcore-dmesg.txt")->digested);
	CHECK_EQ(raw_find(&dir, "vmcore-save.json")->bytes, 3);

	strcpy(again.dir_name, "1970-01-01-00:00");
	CHECK_EQ(again.ops->reopen(&again), 0);
	CHECK_EQ(again.ops->bytes(&again, "vmcore", &n), 0);
	CHECK_EQ(n, 6);
	CHECK_EQ(again.ops->close(&again), 0);
	strcpy(again.dir_name, "1970-01-01-00:01");
	CHECK_EQ(again.ops->reopen(&again), -ENOENT);
	again.ops->close(&again);
}

static bool is_there(const char *dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%.80s/%s", dir, name);
	if (access(path, F_OK))
		return false;
	unlink(path);
	return true;
}

TEST(raw, a_log_that_is_not_what_was_saved_is_fetched_as_incomplete)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct config config = { .device_timeout = 1 };
	struct target t = make_target(&d, &config);
	struct fetch f = { .fd = d.fd, .name = "x" };
	struct target_file file;
	char parent[80], dir[128];

	CHECK_EQ(t.ops->open(&t), 0);
	CHECK_EQ(t.ops->make_dir(&t, 0), 0);
	CHECK_EQ(t.ops->create(&t, "vmcore-dmesg-incomplete.txt", &file), 0);
	CHECK_EQ(io_write_full(file.fd, "the log", 7), 0);
	CHECK_EQ(t.ops->commit(&t, &file, "vmcore-dmesg.txt"), 0);
	CHECK_EQ(t.ops->close(&t), 0);
	CHECK_EQ(raw_load(d.fd, &f.dir), 0);
	CHECK_EQ(io_pwrite_full(d.fd, "b", 1, f.dir.files[0].offset), 0);

	snprintf(parent, sizeof(parent), "%s.d", d.path);
	snprintf(dir, sizeof(dir), "%s/%s", parent, f.dir.dir_name);
	CHECK_EQ(mkdir(parent, 0700), 0);
	CHECK_EQ(fetch_save(&f, parent), -EBADMSG);
	CHECK(!is_there(dir, "vmcore-dmesg.txt"));
	CHECK(is_there(dir, "vmcore-dmesg-incomplete.txt"));
	CHECK_EQ(rmdir(dir) || rmdir(parent), 0);
}

TEST(raw, what_is_not_complete_says_so)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct config config = { .device_timeout = 1 };
	struct target t = make_target(&d, &config);
	struct target_file file;
	struct raw_dir dir;

	CHECK_EQ(t.ops->open(&t), 0);
	CHECK_EQ(t.ops->make_dir(&t, 0), 0);
	write_dump(&t, "part of a dump", &file);
	CHECK_EQ(t.ops->abandon(&t, &file), 0);
	CHECK_EQ(t.ops->create(&t, "vmcore-dmesg-incomplete.txt", &file), 0);
	CHECK_EQ(t.ops->abandon(&t, &file), 0);
	CHECK_EQ(t.ops->close(&t), 0);
	CHECK_EQ(raw_load(d.fd, &dir), 0);
	CHECK_EQ(dir.nr, 1); /* the empty log is none */
	CHECK_STR(dir.files[0].name, "vmcore-incomplete");
	CHECK_EQ(dir.files[0].state, RAW_INCOMPLETE);
	CHECK_EQ(dir.files[0].bytes, 14);
}

TEST(raw, old_bytes_do_not_show)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct output o = { .fd = d.fd, .stale = true, .limit = 1 << 20 };
	const struct dump_sink sink = output_sink(&o);
	uint8_t old[8192], got[8192], want[8192] = { 0 };

	memset(old, 0xee, sizeof(old));
	CHECK_EQ(io_pwrite_full(d.fd, old, sizeof(old), 0), 0);
	CHECK_EQ(sink.write(sink.ctx, 100, "later", 5), 0);
	CHECK_EQ(sink.reserve(sink.ctx, 1000, 1000), 0);
	CHECK_EQ(sink.write(sink.ctx, 3000, "end", 3), 0);
	CHECK_EQ(sink.write(sink.ctx, 0, "begin", 5), 0);
	memcpy(want, "begin", 5);
	memcpy(want + 100, "later", 5);
	memcpy(want + 3000, "end", 3);
	memset(want + 3003, 0xee, sizeof(want) - 3003);
	CHECK_EQ(io_pread_full(d.fd, got, sizeof(got), 0), sizeof(got));
	CHECK(!memcmp(got, want, sizeof(got)));
	CHECK_EQ(o.end, 3003);
	CHECK_EQ(sink.write(sink.ctx, (1 << 20) - 1, "ab", 2), -EFBIG);

	/* A second try begins afresh, and the first one's bytes do not show either. */
	CHECK_EQ(output_restart(&o), 0);
	CHECK_EQ(sink.write(sink.ctx, 200, "x", 1), 0);
	CHECK_EQ(io_pread_full(d.fd, got, 201, 0), 201);
	for (unsigned i = 0; i < 200; i++)
		CHECK_EQ(got[i], 0);
}

TEST(raw, impossible_directories)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	static const struct {
		const char *dir_name, *name;
		uint64_t offset, bytes;
		int want;
	} cases[] = {
		{ "2026", "vmcore", 0, 100, 0 },
		{ "2026", "../vmcore", 0, 100, -EBADMSG },
		{ "2026", ".hidden", 0, 100, -EBADMSG },
		{ "2026", "", 0, 100, -EBADMSG },
		{ "a/b", "vmcore", 0, 100, -EBADMSG },
		{ "", "vmcore", 0, 100, -EBADMSG },
		{ "2026", "vmcore", DEVICE_BYTES, 1, -EBADMSG },
		{ "2026", "vmcore", UINT64_MAX, 2, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t slot[RAW_SLOT_BYTES];
		struct raw_dir dir, got;

		CHECK_EQ(raw_init(d.fd, &dir), 0);
		strcpy(dir.dir_name, cases[i].dir_name);
		dir.nr = 1;
		strcpy(dir.files[0].name, cases[i].name);
		dir.files[0].state = RAW_COMPLETE;
		dir.files[0].offset = cases[i].offset;
		dir.files[0].bytes = cases[i].bytes;
		CHECK_EQ(raw_store(d.fd, &dir), 0);
		CHECK_EQ(io_pread_full(d.fd, slot, sizeof(slot),
				       dir.area + dir.generation % 2 * RAW_SLOT_STEP),
			 sizeof(slot));
		CHECK_EQ(raw_init(d.fd, &got), 0);
		CHECK_EQ(raw_decode(slot, &got), cases[i].want);
	}
}

/* The directory lies behind this limit, what else is written before it. */
static int commit_without_directory(struct target *t, struct target_file *file)
{
	const struct rlimit low = { 16u << 20, RLIM_INFINITY };
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	int err;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &low);
	err = target_raw_ops.commit(t, file, "vmcore");
	setrlimit(RLIMIT_FSIZE, &none);
	signal(SIGXFSZ, SIG_DFL);
	return err;
}

TEST(raw, a_dump_that_could_not_be_recorded_stays_incomplete)
{
	_device_ struct device d = make_device(DEVICE_BYTES);
	struct config config;
	struct target_file file;
	struct raw_dir dir;
	struct target t;
	uint64_t bytes;

	CHECK(d.fd >= 0);
	config_init(&config);
	t = make_target(&d, &config);
	CHECK_EQ(target_raw_ops.open(&t), 0);
	CHECK_EQ(target_raw_ops.make_dir(&t, 0), 0);
	CHECK_EQ(target_raw_ops.create(&t, "vmcore-incomplete", &file), 0);
	CHECK_EQ(io_write_full(file.fd, "KDUMP   ", 8), 0);
	file.end = 8;
	CHECK_EQ(commit_without_directory(&t, &file), -EFBIG);
	CHECK_EQ(target_raw_ops.bytes(&t, "vmcore", &bytes), -ENOENT);
	CHECK_EQ(target_raw_ops.bytes(&t, "vmcore-incomplete", &bytes), 0);
	CHECK_EQ(bytes, 8);
	/* Which a later one says as well, and durably. */
	CHECK_EQ(target_raw_ops.replace(&t, "vmcore-save.json", "{}", 2), 0);
	CHECK_EQ(target_raw_ops.close(&t), 0);
	CHECK_EQ(raw_load(d.fd, &dir), 0);
	CHECK(!raw_find(&dir, "vmcore"));
	CHECK(raw_find(&dir, "vmcore-incomplete"));
	CHECK_EQ(raw_find(&dir, "vmcore-incomplete")->state, RAW_INCOMPLETE);
	CHECK_EQ(raw_find(&dir, "vmcore-save.json")->state, RAW_COMPLETE);
}
