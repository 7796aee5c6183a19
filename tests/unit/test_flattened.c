// SPDX-License-Identifier: GPL-2.0-or-later
/* Streams: what is written comes back, and what is wrong with one is told. */
#include <errno.h>
#include <stdlib.h>

#include "capture/dump/flattened.h"
#include "lib/bytes.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define STREAM_BYTES 65536u

/* A stream in memory, first written and then read. */
struct stream {
	uint8_t bytes[STREAM_BYTES];
	size_t len, at;
};

static int stream_emit(void *ctx, const void *buf, size_t len)
{
	struct stream *s = ctx;

	if (!range_within(s->len, len, sizeof(s->bytes)))
		return -ENOSPC;
	memcpy(s->bytes + s->len, buf, len);
	s->len += len;
	return 0;
}

static ssize_t stream_read(void *ctx, void *buf, size_t len)
{
	struct stream *s = ctx;
	size_t n = MIN(len, s->len - s->at);

	memcpy(buf, s->bytes + s->at, n);
	s->at += n;
	return (ssize_t)n;
}

struct file {
	uint8_t bytes[1024];
	unsigned syncs;
};

static int file_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct file *f = ctx;

	if (!range_within(offset, len, sizeof(f->bytes)))
		return -EFBIG;
	memcpy(f->bytes + offset, buf, len);
	return 0;
}

static int file_sync(void *ctx)
{
	struct file *f = ctx;

	f->syncs++;
	return 0;
}

static int make_stream(struct stream *s)
{
	struct flat_stream flat = { .emit = stream_emit, .ctx = s };
	struct dump_sink sink = flat_sink(&flat);
	int err = flat_begin(&flat);

	if (!err)
		err = sink.write(sink.ctx, 8, "behind", 6);
	if (!err)
		err = sink.write(sink.ctx, 0, "before", 6);
	if (!err)
		err = sink.write(sink.ctx, 8, "BE", 2);
	return err ? err : flat_end(&flat);
}

static int rearrange(struct stream *s, struct file *f)
{
	const struct dump_sink sink = { .write = file_write, .sync = file_sync, .ctx = f };

	s->at = 0;
	return flat_rearrange(stream_read, s, &sink);
}

TEST(flattened, there_and_back)
{
	static struct stream s;
	struct file f = { 0 };

	s.len = 0;
	CHECK_EQ(make_stream(&s), 0);
	CHECK_EQ(s.len, 4096 + 4 * 16 + 14);
	CHECK_STR((const char *)s.bytes, "makedumpfile");
	CHECK_EQ(get_be64(s.bytes + 16), 1);
	CHECK_EQ(get_be64(s.bytes + 4096), 8);
	CHECK_EQ(get_be64(s.bytes + 4104), 6);
	CHECK_EQ(rearrange(&s, &f), 0);
	CHECK(memcmp(f.bytes, "before\0\0BEhind", 14) == 0);
	CHECK_EQ(f.syncs, 1);
}

/* Wherever it is cut, what came before is there, and it is told. */
TEST(flattened, cut_off)
{
	static struct stream s;

	s.len = 0;
	CHECK_EQ(make_stream(&s), 0);
	for (size_t len = s.len; len--;) {
		struct file f = { 0 };

		s.len = len;
		CHECK_EQ(rearrange(&s, &f), len < 4096 ? -EBADMSG : -ENODATA);
		CHECK_EQ(f.syncs, 0);
		CHECK(len < 4096 + 16 + 6 || memcmp(f.bytes + 10, "hind", 4) == 0);
	}
}

TEST(flattened, what_cannot_be)
{
	static const struct {
		size_t at;
		uint64_t value;
		int err;
	} cases[] = {
		{ 0, 0x6d616b65, -EBADMSG },	   /* the signature */
		{ 16, 2, -EBADMSG },		   /* the type */
		{ 4096, UINT64_MAX, -EBADMSG },	   /* an offset that wraps */
		{ 4096, INT64_MAX - 3, -EBADMSG }, /* beyond any file */
		{ 4104, UINT64_MAX, -EBADMSG },	   /* a length that wraps */
		{ 4104, INT64_MAX - 8, -ENODATA }, /* one that the stream has not */
		{ 4096, 1023, -EFBIG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct stream s;
		struct file f = { 0 };

		s.len = 0;
		CHECK_EQ(make_stream(&s), 0);
		put_be64(s.bytes + cases[i].at, cases[i].value);
		CHECK_EQ(rearrange(&s, &f), cases[i].err);
	}
}

/* A record that was cut off swallows what follows it: nothing may, even where it could. */
TEST(flattened, ends_with_the_first_error)
{
	struct stream s = { .len = STREAM_BYTES - 4096 - 2 * 16 - 10 };
	struct flat_stream flat = { .emit = stream_emit, .ctx = &s };
	struct dump_sink sink = flat_sink(&flat);
	size_t len;

	CHECK_EQ(flat_begin(&flat), 0);
	CHECK_EQ(sink.write(sink.ctx, 0, "0123456789", 10), 0);
	CHECK_EQ(sink.write(sink.ctx, 10, "x", 1), -ENOSPC);
	len = s.len;
	s.len = 100; /* there is room again */
	CHECK_EQ(sink.write(sink.ctx, 10, "x", 1), -ENOSPC);
	CHECK_EQ(flat_end(&flat), -ENOSPC);
	CHECK_EQ(s.len, 100);
	CHECK(len > 100);
}

/* makedumpfile's streams say from the beginning that they are complete. */
TEST(flattened, cut_off_is_marked)
{
	static const struct {
		const char *magic;
		size_t magic_len, at;
		uint32_t before, after;
	} cases[] = {
		{ "KDUMP   ", 8, 424, 0x1, 0x9 },
		{ "KDUMP   ", 8, 424, 0x9, 0x9 },
		{ "\177ELF\2\1\1", 7, 48, 0, 1 },
		{ "\177ELF\1\1\1", 7, 48, 0, 0 }, /* 32 bits: not ours to know */
		{ "unknown", 8, 424, 0x1, 0x1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int whole = 0; whole <= 1; whole++) {
			struct stream s = { .len = 0 };
			struct flat_stream flat = { .emit = stream_emit, .ctx = &s };
			struct dump_sink sink = flat_sink(&flat);
			struct file f = { .syncs = 0 };
			uint8_t head[464] = { 0 };

			memcpy(head, cases[i].magic, cases[i].magic_len);
			put_le32(head + cases[i].at, cases[i].before);
			CHECK_EQ(flat_begin(&flat), 0);
			CHECK_EQ(sink.write(sink.ctx, 0, head, sizeof(head)), 0);
			CHECK_EQ(sink.write(sink.ctx, 470, "data", 4), 0);
			if (whole)
				CHECK_EQ(flat_end(&flat), 0);
			CHECK_EQ(rearrange(&s, &f), whole ? 0 : -ENODATA);
			CHECK_EQ(get_le32(f.bytes + cases[i].at),
				 whole ? cases[i].before : cases[i].after);
		}
	}
}
