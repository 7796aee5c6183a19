// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/output.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define CHUNK (64u << 10)

struct encoder {
	const char *name;
	int (*start)(struct output *o);
	/* Takes @len bytes; @end is true for the last call. */
	int (*feed)(struct output *o, const void *data, size_t len, int end);
	void (*stop)(struct output *o);
};

struct output {
	const char *path;
	char *temp; /* NULL once it has its name */
	int fd;
	const struct encoder *encoder;
	z_stream gzip;
	ZSTD_CCtx *zstd;
	uint8_t buf[CHUNK];
};

static int none_feed(struct output *o, const void *data, size_t len, int end)
{
	(void)end;
	return io_write_full(o->fd, data, len);
}

static int gzip_start(struct output *o)
{
	/* 15 + 16: a gzip header, in which zlib leaves time and name empty */
	return deflateInit2(&o->gzip, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK ?
		       0 :
		       -ENOMEM;
}

static int gzip_feed(struct output *o, const void *data, size_t len, int end)
{
	int err;

	o->gzip.next_in = (void *)(uintptr_t)data;
	o->gzip.avail_in = (uInt)len;
	do {
		o->gzip.next_out = o->buf;
		o->gzip.avail_out = CHUNK;
		if (deflate(&o->gzip, end ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
			return -EIO;
		err = io_write_full(o->fd, o->buf, CHUNK - o->gzip.avail_out);
	} while (!err && !o->gzip.avail_out);
	return err;
}

static void gzip_stop(struct output *o)
{
	deflateEnd(&o->gzip);
}

static int zstd_start(struct output *o)
{
	o->zstd = ZSTD_createCCtx();
	if (!o->zstd)
		return -ENOMEM;
	/*
	 * A small window: the kernel holds all of it in memory while it unpacks the image
	 * (lib/decompress_unzstd.c), and by level alone it is 4 to 8 MiB.
	 */
	ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_compressionLevel, 19);
	ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_windowLog, 17);
	ZSTD_CCtx_setParameter(o->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

static int zstd_feed(struct output *o, const void *data, size_t len, int end)
{
	ZSTD_inBuffer in = { data, len, 0 };
	size_t left;
	int err;

	do {
		ZSTD_outBuffer out = { o->buf, CHUNK, 0 };

		left = ZSTD_compressStream2(o->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -EIO;
		err = io_write_full(o->fd, o->buf, out.pos);
	} while (!err && (end ? left != 0 : in.pos < in.size));
	return err;
}

static void zstd_stop(struct output *o)
{
	ZSTD_freeCCtx(o->zstd);
}

static const struct encoder encoders[] = {
	{ "none", NULL, none_feed, NULL },
	{ "gzip", gzip_start, gzip_feed, gzip_stop },
	{ "zstd", zstd_start, zstd_feed, zstd_stop },
};

static const struct encoder *find_encoder(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(encoders); i++)
		if (streq(encoders[i].name, name))
			return &encoders[i];
	return NULL;
}

static int fail(const struct output *o, int err)
{
	if (err)
		log_error("%s: %s", o->path, strerror(-err));
	return err;
}

static int open_temp(struct output *o)
{
	if (asprintf(&o->temp, "%s.XXXXXX", o->path) < 0) {
		o->temp = NULL;
		return -ENOMEM;
	}
	o->fd = mkstemp(o->temp);
	if (o->fd >= 0)
		return 0;
	free(take_ptr(o->temp));
	return -errno;
}

int output_create(const char *path, const char *compression, struct output **output_ret)
{
	const struct encoder *encoder = find_encoder(compression);
	struct output *o;
	int err;

	if (!encoder) {
		log_error("\"%s\" is no compression: none, gzip or zstd", compression);
		return -EINVAL;
	}
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->path = path;
	o->fd = -1;
	err = open_temp(o);
	if (!err && encoder->start)
		err = encoder->start(o);
	if (err) {
		fail(o, err);
		output_destroy(o);
		return err;
	}
	o->encoder = encoder;
	*output_ret = o;
	return 0;
}

int output_write(void *ctx, const void *data, size_t len)
{
	struct output *o = ctx;

	return fail(o, o->encoder->feed(o, data, len, 0));
}

int output_commit(struct output *o)
{
	int err = o->encoder->feed(o, "", 0, 1);

	if (!err && (fchmod(o->fd, 0600) || fsync(o->fd) || rename(o->temp, o->path)))
		err = -errno;
	if (!err)
		free(take_ptr(o->temp));
	return fail(o, err);
}

void output_destroy(struct output *o)
{
	if (!o)
		return;
	if (o->encoder && o->encoder->stop)
		o->encoder->stop(o);
	if (o->temp)
		unlink(o->temp);
	free(o->temp);
	if (o->fd >= 0)
		close(o->fd);
	free(o);
}
