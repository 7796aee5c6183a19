// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a flattened stream, and any bytes put over the files of a split dump that is
 * to be reassembled: nothing may be written outside of what a dump of that size can have.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/dump/codec.h"
#include "capture/dump/flattened.h"
#include "capture/dump/reassemble.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS	     2
#define HEADER_BYTES 4096
#define PATCH_BYTES  5 /* 3 of offset, 2 of value */
#define PART_MAX     (1u << 20)

struct input {
	const uint8_t *data;
	size_t size;
};

static ssize_t take(void *ctx, void *buf, size_t len)
{
	struct input *in = ctx;
	size_t n = MIN(len, in->size);

	memcpy(buf, in->data, n);
	in->data += n;
	in->size -= n;
	return (ssize_t)n;
}

static int write_nowhere(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	uint8_t *last = ctx;

	if (!range_within(offset, len, INT64_MAX))
		abort();
	if (len)
		*last = ((const uint8_t *)buf)[len - 1]; /* for the sanitizer */
	return 0;
}

static int write_fd(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	return io_pwrite_full(*(int *)ctx, buf, len, offset);
}

/* A sound dump in two files; made once. */
static void make_parts(uint8_t *parts[PARTS], size_t len[PARTS])
{
	struct dump_options options = { .level = 1, .codec = codec_find('c') };
	struct dump_sink sinks[PARTS];
	struct core_builder b;
	struct dump_stats stats;
	struct core *core;
	int fd[PARTS];

	core_builder_init(&b);
	core_builder_ram(&b, 0x100000, 600 * 4096);
	for (uint64_t i = 0; i < 600; i++)
		core_builder_put64(&b, 0x100000 + i * 4096 + 8, i / 2);
	core_builder_vmcoreinfo(&b, "PAGESIZE=4096\nCRASHTIME=1\n");
	if (core_open_fd(core_builder_finish(&b), "seed", &core))
		abort();
	for (int i = 0; i < PARTS; i++) {
		fd[i] = memfd_create("part", MFD_CLOEXEC);
		sinks[i] = (struct dump_sink){ .write = write_fd, .ctx = &fd[i] };
	}
	if (dump_write(core, sinks, PARTS, &options, &stats))
		abort();
	core_close(core);
	for (int i = 0; i < PARTS; i++) {
		len[i] = (size_t)lseek(fd[i], 0, SEEK_END);
		parts[i] = malloc(len[i]);
		if (len[i] > PART_MAX || !parts[i] ||
		    io_pread_full(fd[i], parts[i], len[i], 0) != (ssize_t)len[i])
			abort();
		close(fd[i]);
	}
}

static void put_together(const uint8_t *data, size_t size)
{
	static uint8_t *parts[PARTS];
	static size_t len[PARTS];
	struct reassemble_input inputs[PARTS];
	uint8_t last = 0;
	const struct dump_sink sink = { .write = write_nowhere, .ctx = &last };
	struct dump_stats stats;

	if (!parts[0])
		make_parts(parts, len);
	for (int i = 0; i < PARTS; i++) {
		inputs[i] = (struct reassemble_input){ memfd_create("part", MFD_CLOEXEC), "part" };
		if (io_pwrite_full(inputs[i].fd, parts[i], len[i], 0))
			abort();
	}
	for (; size >= PATCH_BYTES; data += PATCH_BYTES, size -= PATCH_BYTES) {
		const int i = data[0] & 1;
		const uint64_t at = (get_le32(data) & 0xffffff) >> 1;

		if (at + 2 <= len[i] && io_pwrite_full(inputs[i].fd, data + 3, 2, at))
			abort();
	}
	reassemble(inputs, PARTS, &sink, &(bool){ false }, &stats);
	for (int i = 0; i < PARTS; i++)
		close(inputs[i].fd);
}

/* As it is, and behind a sound header, so that records are reached. */
static void rearrange(const uint8_t *data, size_t size)
{
	uint8_t last = 0, *stream = calloc(1, HEADER_BYTES + size);
	const struct dump_sink sink = { .write = write_nowhere, .ctx = &last };
	struct input in = { data, size };

	if (!stream)
		return;
	flat_rearrange(take, &in, &sink);
	strcpy((char *)stream, "makedumpfile");
	put_be64(stream + 16, 1);
	memcpy(stream + HEADER_BYTES, data, size);
	in = (struct input){ stream, HEADER_BYTES + size };
	flat_rearrange(take, &in, &sink);
	free(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	log_set_level(LOG_LVL_NONE);
	rearrange(data, size);
	put_together(data, size);
	return 0;
}
