// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/flattened.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/flattened.h"
#include "capture/core/kdump_layout.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define COPY_BYTES  (256u * 1024)
#define FRONT_BYTES 512u /* of the dump, where its mark is */

static int emit(struct flat_stream *f, const void *buf, size_t len)
{
	if (!f->err)
		f->err = f->emit(f->ctx, buf, len);
	return f->err;
}

int flat_begin(struct flat_stream *f)
{
	uint8_t header[FLAT_HEADER_BYTES] = FLAT_SIGNATURE;

	put_be64(header + 16, FLAT_TYPE);
	put_be64(header + 24, FLAT_VERSION);
	return emit(f, header, sizeof(header));
}

static int emit_record(struct flat_stream *f, uint64_t offset, uint64_t len)
{
	uint8_t record[FLAT_RECORD_BYTES];

	put_be64(record, offset);
	put_be64(record + 8, len);
	return emit(f, record, sizeof(record));
}

static int flat_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct flat_stream *f = ctx;
	int err = emit_record(f, offset, len);

	return err ? err : emit(f, buf, len);
}

struct dump_sink flat_sink(struct flat_stream *f)
{
	return (struct dump_sink){ .write = flat_write, .ctx = f, .once = true };
}

int flat_end(struct flat_stream *f)
{
	return emit_record(f, FLAT_END, FLAT_END);
}

/* ---- and back ---- */

/* @at: bytes read so far. @front: the dump's first bytes, as they are by now */
struct flat_input {
	ssize_t (*read)(void *ctx, void *buf, size_t len);
	void *ctx;
	uint64_t at;
	uint8_t front[FRONT_BYTES];
};

static int take(struct flat_input *in, void *buf, size_t len)
{
	ssize_t n = in->read(in->ctx, buf, len);

	if (n < 0) {
		log_error("the flattened dump cannot be read: %s", strerror((int)-n));
		return (int)n;
	}
	in->at += (size_t)n;
	if ((size_t)n < len) {
		log_error("the flattened dump ends early, after %" PRIu64 " bytes", in->at);
		return -ENODATA;
	}
	return 0;
}

static int take_header(struct flat_input *in)
{
	uint8_t header[FLAT_HEADER_BYTES];
	ssize_t n = in->read(in->ctx, header, sizeof(header));

	if (n != (ssize_t)sizeof(header) || !flat_matches(header) ||
	    get_be64(header + 16) != FLAT_TYPE) {
		log_error("this is no flattened dump");
		return -EBADMSG;
	}
	in->at = sizeof(header);
	return 0;
}

static int copy_record(struct flat_input *in, uint64_t offset, uint64_t len, uint8_t *buf,
		       const struct dump_sink *sink)
{
	while (len) {
		size_t n = MIN(len, (uint64_t)COPY_BYTES);
		int err = take(in, buf, n);

		if (!err)
			err = sink->write(sink->ctx, offset, buf, n);
		if (err)
			return err;
		if (offset < FRONT_BYTES)
			memcpy(in->front + offset, buf, MIN(n, FRONT_BYTES - offset));
		offset += n;
		len -= n;
	}
	return 0;
}

/* What a stream that is cut off left behind is no complete dump, whatever its header says. */
static void mark_incomplete(struct flat_input *in, const struct dump_sink *sink)
{
	uint32_t mark = DUMP_ELF_INCOMPLETE;
	uint64_t at;

	if (!memcmp(in->front, KDUMP_SIGNATURE, strlen(KDUMP_SIGNATURE))) {
		mark = DUMP_DH_COMPRESSED_INCOMPLETE;
		at = kdump_status_offset(kdump_is_wide(in->front));
	} else if (!memcmp(in->front, ELFMAG, SELFMAG) && in->front[EI_DATA] == ELFDATA2LSB) {
		at = in->front[EI_CLASS] == ELFCLASS64 ? offsetof(Elf64_Ehdr, e_flags) :
							 offsetof(Elf32_Ehdr, e_flags);
	} else {
		return;
	}
	put_le32(in->front + at, get_le32(in->front + at) | mark);
	sink->write(sink->ctx, at, in->front + at, sizeof(mark));
}

int flat_rearrange(ssize_t (*read)(void *ctx, void *buf, size_t len), void *ctx,
		   const struct dump_sink *sink)
{
	struct flat_input in = { .read = read, .ctx = ctx };
	_free_ uint8_t *buf = malloc(COPY_BYTES);
	int err;

	if (!buf) {
		log_error("out of memory");
		return -ENOMEM;
	}
	err = take_header(&in);
	while (!err) {
		uint8_t record[FLAT_RECORD_BYTES];
		uint64_t offset, len;

		err = take(&in, record, sizeof(record));
		if (err)
			break;
		offset = get_be64(record);
		len = get_be64(record + 8);
		if (offset == FLAT_END && len == FLAT_END)
			break;
		if (!range_within(offset, len, INT64_MAX)) {
			log_error("the flattened dump has an impossible record after %" PRIu64
				  " bytes",
				  in.at);
			err = -EBADMSG;
			break;
		}
		err = copy_record(&in, offset, len, buf, sink);
	}
	if (err)
		mark_incomplete(&in, sink);
	if (!err && sink->sync)
		err = sink->sync(sink->ctx);
	return err;
}
