// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

#include "lib/cleanup.h"
#include "lib/cpio.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define MAX_BYTES (64u << 10)

struct bytes {
	unsigned char data[MAX_BYTES];
	size_t len;
};

static int take(void *ctx, const void *data, size_t len)
{
	struct bytes *b = ctx;

	if (len > sizeof(b->data) - b->len)
		return -ENOSPC;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

static void add_archive(struct bytes *b, const char *name, const char *text)
{
	struct bytes *one = calloc(1, sizeof(*one));
	struct cpio c;

	if (!one)
		return;
	cpio_init(&c, take, one);
	cpio_add(&c, &(struct cpio_entry){ .name = "etc", .mode = S_IFDIR | 0755 });
	cpio_add(&c, &(struct cpio_entry){ .name = name,
					   .mode = S_IFREG | 0644,
					   .data = text,
					   .size = strlen(text) });
	cpio_finish(&c);
	take(b, one->data, one->len);
	free(one);
}

static void add_gzip(struct bytes *b, const struct bytes *from)
{
	z_stream z = { 0 };

	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (unsigned char *)from->data;
	z.avail_in = (unsigned)from->len;
	z.next_out = b->data + b->len;
	z.avail_out = (unsigned)(sizeof(b->data) - b->len);
	deflate(&z, Z_FINISH);
	b->len += z.total_out;
	deflateEnd(&z);
}

struct seen {
	char text[256];
	int stop;
};

static int note(void *ctx, const struct archive_entry *e)
{
	struct seen *s = ctx;
	size_t len = strlen(s->text);

	snprintf(s->text + len, sizeof(s->text) - len, "%s:%o:%.*s;", e->name, e->mode,
		 (int)e->size, e->data);
	return s->stop;
}

static int walk(const struct bytes *b, struct seen *s)
{
	*s = (struct seen){ .stop = s->stop };
	return archive_walk(b->data, b->len, MAX_BYTES, note, s);
}

TEST(control, archives_follow_one_another)
{
	_free_ struct bytes *b = calloc(1, sizeof(*b)), *inner = calloc(1, sizeof(*inner));
	struct seen s = { 0 };

	CHECK(b && inner);
	add_archive(b, "early", "microcode");
	add_archive(inner, "etc/modules", "a.ko");
	add_gzip(b, inner);
	CHECK_EQ(walk(b, &s), 0);
	CHECK_STR(s.text, "etc:40755:;early:100644:microcode;etc:40755:;etc/modules:100644:a.ko;");
	s.stop = -ECANCELED;
	CHECK_EQ(walk(b, &s), -ECANCELED);
	CHECK_STR(s.text, "etc:40755:;");
}

/* The kernel goes on behind what is compressed (init/initramfs.c, unpack_to_rootfs()). */
TEST(control, archives_go_on_behind_compressed_ones)
{
	_free_ struct bytes *b = calloc(1, sizeof(*b)), *inner = calloc(1, sizeof(*inner));
	struct seen s = { 0 };

	CHECK(b && inner);
	add_archive(inner, "a", "1");
	add_gzip(b, inner);
	b->len += 7; /* of zeros */
	inner->len = 0;
	add_archive(inner, "b", "2");
	add_gzip(b, inner);
	b->len = ROUND_UP(b->len, 4); /* without which the kernel takes no archive either */
	add_archive(b, "c", "3");
	CHECK_EQ(walk(b, &s), 0);
	CHECK_STR(s.text, "etc:40755:;a:100644:1;etc:40755:;b:100644:2;etc:40755:;c:100644:3;");
	b->data[b->len++] = 'x';
	CHECK_EQ(walk(b, &s), -EOPNOTSUPP);
	b->len = 0;
	for (unsigned i = 0; i <= ARCHIVE_MAX_PACKED; i++)
		add_gzip(b, inner);
	s.stop = 0;
	CHECK_EQ(walk(b, &s), -E2BIG);
}

TEST(control, archives_that_cannot_be_unpacked_here)
{
	_free_ struct bytes *b = calloc(1, sizeof(*b));
	struct seen s = { 0 };

	CHECK(b);
	CHECK_STR(archive_unread("BZh91AY&SY", 10), "bzip2");
	CHECK(!archive_unread("BZ", 2));
	CHECK(!archive_unread("", 0));
	add_archive(b, "early", "microcode");
	CHECK(!archive_unread(b->data, b->len));
	memcpy(b->data + b->len, "\x5d\0\0\x80", 4);
	b->len += 4;
	CHECK_EQ(walk(b, &s), -EOPNOTSUPP);
	CHECK_STR(archive_unread(b->data, b->len), "lzma");
}

/* Every cut, and every byte that is another one, is survived; no cut of an archive is whole. */
TEST(control, archives_that_are_damaged)
{
	_free_ struct bytes *b = calloc(1, sizeof(*b)), *bad = calloc(1, sizeof(*bad));
	struct seen s = { 0 };
	size_t trailer;

	CHECK(b && bad);
	add_archive(b, "file", "text");
	trailer = (size_t)((char *)memmem(b->data, b->len, "TRAILER!!!", 10) - (char *)b->data);
	for (size_t len = 1; len < trailer + 11; len++) {
		_free_ char *exact = malloc(len);

		CHECK(exact);
		memcpy(exact, b->data, len);
		s = (struct seen){ 0 };
		CHECK(archive_walk(exact, len, MAX_BYTES, note, &s) < 0);
	}
	for (size_t i = 0; i < b->len; i++) {
		*bad = *b;
		bad->data[i] ^= 0xff;
		walk(bad, &s);
	}
	CHECK_EQ(archive_walk("what is this", 12, MAX_BYTES, note, &s), -EOPNOTSUPP);
}
