// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dump/dump_private.h"

int batch_init(struct batch *b, size_t page_size, bool compresses, bool find_zero)
{
	*b = (struct batch){
		.page_size = page_size,
		.max = BATCH_BYTES / page_size,
		.find_zero = find_zero,
	};
	b->in = malloc(BATCH_BYTES);
	b->out = compresses ? malloc(BATCH_BYTES) : NULL;
	return b->in && (b->out || !compresses) ? 0 : -ENOMEM;
}

void batch_deinit(struct batch *b)
{
	free(b->in);
	free(b->out);
	*b = (struct batch){ 0 };
}

int batch_tools_init(struct batch_tools *t, struct core *core, const struct codec *codec,
		     int codec_level)
{
	int err;

	*t = (struct batch_tools){ 0 };
	err = core_reader_create(core, &t->reader);
	if (err || !codec)
		return err;
	err = codec->create(codec_level, &t->codec_state);
	if (!err)
		t->codec = codec;
	return err;
}

void batch_tools_deinit(struct batch_tools *t)
{
	if (t->codec)
		t->codec->destroy(t->codec_state);
	core_reader_destroy(t->reader);
	*t = (struct batch_tools){ 0 };
}

static void mark_unreadable(struct batch *b, unsigned i, int err)
{
	b->pages[i].state = PAGE_STATE_UNREADABLE;
	if (!b->read_errno) {
		b->read_errno = -err;
		b->read_errno_pfn = b->pages[i].pfn;
	}
}

/* Pages first to first + nr - 1, whose pfns follow each other. */
static void read_run(struct batch *b, struct core_reader *reader, unsigned first, unsigned nr)
{
	const size_t size = b->page_size;
	uint64_t paddr = b->pages[first].pfn * size;

	if (core_reader_read_pages(reader, paddr, b->in + first * size, nr * size) == 0)
		return;
	for (unsigned i = first; i < first + nr; i++) {
		int err = core_reader_read_pages(reader, b->pages[i].pfn * size, b->in + i * size,
						 size);

		if (err)
			mark_unreadable(b, i, err);
	}
}

bool page_is_zero(const uint8_t *page, size_t size)
{
	return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

static void compress_page(struct batch *b, struct batch_tools *t, unsigned i)
{
	struct batch_page *p = &b->pages[i];
	uint8_t *out;
	size_t n;

	p->data = b->in + i * b->page_size;
	p->len = b->page_size;
	p->flag = 0;
	if (p->state == PAGE_STATE_UNREADABLE)
		return;
	if (b->find_zero && page_is_zero(p->data, b->page_size)) {
		p->state = PAGE_STATE_ZERO;
		return;
	}
	if (!t->codec)
		return;
	out = b->out + i * b->page_size;
	n = t->codec->compress(t->codec_state, p->data, b->page_size, out, b->page_size - 1);
	if (!n)
		return;
	p->data = out;
	p->len = n;
	p->flag = t->codec->page_flag;
}

void batch_work(struct batch *b, struct batch_tools *t)
{
	unsigned first = 0;

	b->read_errno = 0;
	for (unsigned i = 1; i <= b->nr; i++) {
		if (i < b->nr && b->pages[i].pfn == b->pages[i - 1].pfn + 1)
			continue;
		read_run(b, t->reader, first, i - first);
		first = i;
	}
	for (unsigned i = 0; i < b->nr; i++)
		compress_page(b, t, i);
}
