// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/image_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "lib/cpio.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define ROOM 8192u

/* struct archive - Bytes that a test makes. */
struct archive {
	char data[ROOM];
	size_t len;
};

static int take(void *ctx, const void *data, size_t len)
{
	struct archive *a = ctx;

	if (len > ROOM - a->len)
		return -ENOSPC;
	memcpy(a->data + a->len, data, len);
	a->len += len;
	return 0;
}

static void add_archive(struct archive *a, const char *file)
{
	struct cpio cpio;

	cpio_init(&cpio, take, a);
	cpio_add(&cpio, &(struct cpio_entry){ .name = "etc", .mode = S_IFDIR | 0755 });
	cpio_add(&cpio, &(struct cpio_entry){
				.name = file, .mode = S_IFREG | 0644, .data = "abc", .size = 3 });
	cpio_finish(&cpio);
}

static void add_packed(struct archive *a, const char *file)
{
	static struct archive plain;
	z_stream z = { 0 };

	plain.len = 0;
	add_archive(&plain, file);
	deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (unsigned char *)plain.data;
	z.avail_in = (unsigned)plain.len;
	z.next_out = (unsigned char *)a->data + a->len;
	z.avail_out = (unsigned)(ROOM - a->len);
	deflate(&z, Z_FINISH);
	a->len += z.total_out;
	deflateEnd(&z);
}

static int note(void *ctx, const char *name)
{
	char *to = ctx;
	size_t len = strlen(to);

	snprintf(to + len, 256 - len, "%s;", name);
	return streq(name, "stop") ? -ECANCELED : 0;
}

TEST(control, names_in_images)
{
	static struct archive a;
	char names[256] = "";

	a.len = 0;
	add_archive(&a, "kernel/microcode");
	add_packed(&a, "lib/x.ko");
	CHECK_EQ(image_names(a.data, a.len, note, names), 0);
	CHECK_STR(names, "kernel/microcode;lib/x.ko;");
	a.len = 0;
	add_archive(&a, "stop");
	CHECK_EQ(image_names(a.data, a.len, note, names), -ECANCELED);
}

/* No cut and no flipped byte is followed beyond the end; sanitizers look on. */
TEST(control, names_in_damaged_images)
{
	static struct archive a;

	a.len = 0;
	add_archive(&a, "first");
	for (size_t len = 1; len < a.len - 512; len++) {
		char names[256] = "", *cut = malloc(len);

		CHECK(cut);
		memcpy(cut, a.data, len);
		CHECK_EQ(image_names(cut, len, note, names), -EBADMSG);
		free(cut);
	}
	for (size_t i = 0; i < 240; i++) {
		char names[256] = "", *copy = malloc(a.len);

		CHECK(copy);
		memcpy(copy, a.data, a.len);
		copy[i] ^= 0x7f;
		image_names(copy, a.len, note, names);
		free(copy);
	}
	CHECK_EQ(image_names("frobnicate", 10, note, NULL), -EBADMSG);
}
