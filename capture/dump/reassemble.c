// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/reassemble.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/core/kdump_layout.h"
#include "capture/dump/dump_private.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define PAGE_BYTES_MAX (64u * 1024)
#define DESCS_AT_ONCE  1024u
#define COPY_BYTES     (64u * 1024)

/* One file, its headers checked. @bitmap2, @descs: offsets */
struct part {
	int fd;
	const char *name;
	uint64_t size;
	bool wide; /* the crashed kernel has 64 bits */
	struct kdump_header header;
	struct kdump_sub_header sub;
	uint64_t bitmap2, descs;
	uint64_t start_pfn, end_pfn;
};

/* @zero_page: offset of the page that all zero pages share */
struct assembly {
	struct part *parts;
	unsigned nr;
	uint64_t page_size;
	struct writer writer;
	uint64_t descs, zero_page, rank;
	bool incomplete;
	uint8_t *page;
	struct kdump_page_desc in[DESCS_AT_ONCE];
};

static int complain(const struct part *p, const char *what)
{
	log_error("%s %s", p->name, what);
	return -EBADMSG;
}

static int read_at(const struct part *p, uint64_t offset, void *buf, size_t len)
{
	ssize_t n = io_pread_full(p->fd, buf, len, offset);

	if (n >= 0 && (size_t)n == len)
		return 0;
	log_error("%s cannot be read at 0x%" PRIx64 ": %s", p->name, offset,
		  n < 0 ? strerror((int)-n) : "it ends there");
	return n < 0 ? (int)n : -EBADMSG;
}

static int check_part(struct part *p)
{
	const uint64_t block = le32toh(p->header.block_size);
	const uint64_t sub_blocks = le32toh(p->header.sub_hdr_size);
	const uint64_t bitmap_blocks = le32toh(p->header.bitmap_blocks);
	const uint64_t max_pfn = le64toh(p->sub.max_mapnr_64);

	if (le32toh(p->header.header_version) < KDUMP_HEADER_VERSION)
		return complain(p, "has a header version older than 6");
	if (!le32toh(p->sub.split))
		return complain(p, "is no part of a split dump");
	if (sub_blocks > INT32_MAX || bitmap_blocks > INT32_MAX || bitmap_blocks % 2 || !max_pfn ||
	    max_pfn > bitmap_blocks / 2 * block * 8)
		return complain(p, "has impossible headers");
	p->bitmap2 = (1 + sub_blocks + bitmap_blocks / 2) * block;
	p->descs = (1 + sub_blocks + bitmap_blocks) * block;
	p->start_pfn = le64toh(p->sub.start_pfn_64);
	p->end_pfn = MIN(le64toh(p->sub.end_pfn_64), max_pfn);
	if (p->start_pfn > p->end_pfn || p->descs > p->size)
		return complain(p, "has impossible headers");
	return 0;
}

static int read_header(struct part *p)
{
	uint8_t raw[sizeof(p->header)] = { 0 };
	int err = read_at(p, 0, raw, KDUMP_HEAD_BYTES);

	if (err)
		return err;
	p->wide = kdump_is_wide(raw);
	err = read_at(p, 0, raw, kdump_header_bytes(p->wide));
	if (!err)
		kdump_header_unpack(raw, p->wide, &p->header);
	return err;
}

static int read_sub_header(struct part *p)
{
	uint8_t raw[sizeof(p->sub)] = { 0 };
	int err = read_at(p, le32toh(p->header.block_size), raw,
			  kdump_sub_header_bytes(p->wide, KDUMP_HEADER_VERSION));

	if (!err)
		kdump_sub_header_unpack(raw, p->wide, &p->sub);
	return err;
}

static int write_header(struct assembly *a, const struct kdump_header *header)
{
	uint8_t raw[sizeof(*header)];

	kdump_header_pack(header, a->parts[0].wide, raw);
	return writer_put(&a->writer, 0, raw, kdump_header_bytes(a->parts[0].wide));
}

static int write_sub_header(struct assembly *a, const struct kdump_sub_header *sub)
{
	uint8_t raw[sizeof(*sub)];

	kdump_sub_header_pack(sub, a->parts[0].wide, raw);
	return writer_put(&a->writer, a->page_size, raw,
			  kdump_sub_header_bytes(a->parts[0].wide, KDUMP_HEADER_VERSION));
}

static int open_part(struct part *p, const struct reassemble_input *input)
{
	uint64_t block;
	struct stat st;
	int err;

	p->fd = input->fd;
	p->name = input->name;
	if (fstat(p->fd, &st))
		return -errno;
	p->size = (uint64_t)st.st_size;
	err = read_header(p);
	if (err)
		return err;
	block = le32toh(p->header.block_size);
	if (memcmp(p->header.signature, KDUMP_SIGNATURE, sizeof(p->header.signature)) ||
	    block < 4096 || block > PAGE_BYTES_MAX || block & (block - 1))
		return complain(p, "is no kdump-compressed dump");
	err = read_sub_header(p);
	return err ? err : check_part(p);
}

static int cmp_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return (x->start_pfn > y->start_pfn) - (x->start_pfn < y->start_pfn);
}

/* Whether two files are of one dump: all but status and split range is the same. */
static bool same_dump(const struct part *a, const struct part *b)
{
	struct kdump_header x = a->header, y = b->header;

	x.status = y.status = 0;
	return !memcmp(&x, &y, sizeof(x)) && a->sub.max_mapnr_64 == b->sub.max_mapnr_64 &&
	       a->sub.dump_level == b->sub.dump_level && a->sub.size_note == b->sub.size_note;
}

static int check_parts(struct assembly *a)
{
	struct part *p = a->parts;

	qsort(p, a->nr, sizeof(*p), cmp_parts);
	for (unsigned i = 0; i < a->nr; i++) {
		if (!same_dump(&p[0], &p[i]))
			return complain(&p[i], "is of another dump than the other files");
		if (p[i].start_pfn != (i ? p[i - 1].end_pfn : 0)) {
			log_error("no file, or more than one, holds the pages before %s",
				  p[i].name);
			return -EBADMSG;
		}
		a->incomplete |= le32toh(p[i].header.status) & DUMP_DH_COMPRESSED_INCOMPLETE;
	}
	if (p[a->nr - 1].end_pfn != le64toh(p[0].sub.max_mapnr_64)) {
		log_error("no file holds the pages after %s", p[a->nr - 1].name);
		return -EBADMSG;
	}
	return 0;
}

/* How many pages of the dump have pfns in [start, end). */
static int count_pages(const struct part *p, uint64_t start, uint64_t end, uint64_t *nr_ret)
{
	uint8_t buf[4096];
	uint64_t nr = 0;

	for (uint64_t at = start / 8; at * 8 < end; at += sizeof(buf)) {
		const size_t n = MIN(DIV_ROUND_UP(end, 8) - at, sizeof(buf));
		int err = read_at(p, p->bitmap2 + at, buf, n);

		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			const uint64_t pfn = (at + i) * 8;
			unsigned bits = buf[i];

			if (pfn < start)
				bits &= 0xff << (start - pfn);
			if (pfn + 8 > end)
				bits &= 0xff >> (pfn + 8 - end);
			nr += (unsigned)__builtin_popcount(bits & 0xff);
		}
	}
	*nr_ret = nr;
	return 0;
}

/* Everything up to the descriptors, as the first file has it, but for the split. */
static int write_front(struct assembly *a)
{
	const struct part *p = &a->parts[0];
	struct kdump_header header = p->header;
	struct kdump_sub_header sub = p->sub;
	uint8_t buf[COPY_BYTES];
	int err = 0;

	for (uint64_t at = 0; !err && at < p->descs; at += sizeof(buf)) {
		const size_t n = MIN(p->descs - at, sizeof(buf));

		err = read_at(p, at, buf, n);
		if (!err)
			err = writer_put(&a->writer, at, buf, n);
	}
	header.status |= htole32(DUMP_DH_COMPRESSED_INCOMPLETE);
	sub.split = 0;
	sub.start_pfn = sub.end_pfn = sub.start_pfn_64 = sub.end_pfn_64 = 0;
	if (!err)
		err = write_header(a, &header);
	return err ? err : write_sub_header(a, &sub);
}

/* One page's data. Return: 0; -EBADMSG; -errno. */
static int read_page(struct assembly *a, const struct part *p, const struct kdump_page_desc *desc)
{
	const uint64_t offset = le64toh(desc->offset), size = le32toh(desc->size);
	ssize_t n;

	if (!size || size > a->page_size || !range_within(offset, size, p->size))
		return -EBADMSG;
	n = io_pread_full(p->fd, a->page, size, offset);
	if (n < 0)
		return (int)n;
	return (uint64_t)n == size ? 0 : -EIO;
}

/* Copy one page's data and make @desc point to it; all zero where the page is missing. */
static int copy_page(struct assembly *a, const struct part *p, struct kdump_page_desc *desc)
{
	struct dump_stats *stats = a->writer.stats;
	const uint32_t size = le32toh(desc->size);
	int err;

	if (!desc->offset)
		return 0; /* not in the dump */
	err = read_page(a, p, desc);
	if (err) {
		*desc = (struct kdump_page_desc){ .offset = 0 };
		if (!stats->unreadable_pages++)
			stats->first_read_errno = -err;
		return 0;
	}
	stats->kept_pages++;
	if (!desc->flags && size == a->page_size && page_is_zero(a->page, size)) {
		desc->offset = htole64(a->zero_page);
		stats->zero_pages++;
		return 0;
	}
	desc->offset = htole64(writer_tell(&a->writer));
	return writer_append(&a->writer, a->page, size);
}

static int copy_part(struct assembly *a, const struct part *p)
{
	uint64_t nr;
	int err = count_pages(p, p->start_pfn, p->end_pfn, &nr);

	for (uint64_t done = 0; !err && done < nr;) {
		const size_t n = MIN(nr - done, (uint64_t)DESCS_AT_ONCE);

		err = read_at(p, p->descs + done * sizeof(a->in[0]), a->in, n * sizeof(a->in[0]));
		for (size_t i = 0; !err && i < n; i++)
			err = copy_page(a, p, &a->in[i]);
		if (!err)
			err = writer_flush(&a->writer);
		if (!err)
			err = writer_put(&a->writer, a->descs + a->rank * sizeof(a->in[0]), a->in,
					 n * sizeof(a->in[0]));
		done += n;
		a->rank += n;
	}
	return err;
}

static int finish(struct assembly *a)
{
	struct kdump_header header = a->parts[0].header;
	const uint32_t mark = htole32(DUMP_DH_COMPRESSED_INCOMPLETE);
	int err = writer_sync(&a->writer);

	header.status = a->incomplete ? header.status | mark : header.status & ~mark;
	if (!err)
		err = write_header(a, &header);
	return err ? err : writer_sync(&a->writer);
}

static int assemble(struct assembly *a, struct dump_stats *stats)
{
	const uint64_t max_pfn = le64toh(a->parts[0].sub.max_mapnr_64);
	int err = count_pages(&a->parts[0], 0, max_pfn, &stats->planned_pages);

	if (err)
		return err;
	a->descs = a->parts[0].descs;
	a->zero_page = a->descs + stats->planned_pages * sizeof(a->in[0]);
	err = write_front(a);
	if (!err)
		err = writer_put_zeros(&a->writer, a->zero_page, a->page_size);
	writer_seek(&a->writer, a->zero_page + a->page_size);
	for (unsigned i = 0; !err && i < a->nr; i++)
		err = copy_part(a, &a->parts[i]);
	return err ? err : finish(a);
}

int reassemble(struct reassemble_input *inputs, unsigned nr, const struct dump_sink *sink,
	       bool *incomplete_ret, struct dump_stats *stats_ret)
{
	_free_ struct part *parts = calloc(nr, sizeof(*parts));
	_free_ struct assembly *a = calloc(1, sizeof(*a));
	_free_ uint8_t *page = malloc(PAGE_BYTES_MAX);
	int err;

	*stats_ret = (struct dump_stats){ 0 };
	if (!parts || !a || !page) {
		log_error("out of memory");
		return -ENOMEM;
	}
	a->parts = parts;
	a->nr = nr;
	a->page = page;
	for (unsigned i = 0; i < nr; i++) {
		err = open_part(&parts[i], &inputs[i]);
		if (err)
			return err;
	}
	a->page_size = le32toh(parts[0].header.block_size);
	err = check_parts(a);
	*incomplete_ret = a->incomplete;
	if (!err) {
		err = writer_init(&a->writer, sink, stats_ret);
		if (err)
			log_error("out of memory");
	}
	if (!err)
		err = assemble(a, stats_ret);
	writer_deinit(&a->writer);
	return err;
}
