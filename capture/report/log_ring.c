// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lockless ring buffer: a ring of descriptors, a ring of printk_info beside
 * it, and a ring of text blocks. A descriptor's state_var holds its id and, in
 * the top two bits, its state; a text block begins with its descriptor's id.
 * Kernel: kernel/printk/printk_ringbuffer.[ch].
 */
#include <errno.h>
#include <inttypes.h>

#include "capture/report/report_private.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_STRUCT    4096u /* bytes; the kernel's largest of these is below 256 */
#define MAX_DESC_BITS 26u   /* CONFIG_LOG_BUF_SHIFT and log_buf_len= end at 2 GiB of text, */
#define MAX_TEXT_BITS 31u   /* 32 bytes for each descriptor */
#define MAX_TEXT      65535u

enum desc_state {
	DESC_RESERVED = 0,
	DESC_COMMITTED = 1,
	DESC_FINALIZED = 2,
	DESC_REUSABLE = 3,
};

/* Offsets and sizes out of vmcoreinfo, in bytes. */
struct ring_layout {
	uint64_t rb_size, rb_desc_ring, rb_text_ring;
	uint64_t count_bits, descs, infos, head_id, tail_id;
	uint64_t size_bits, data;
	uint64_t desc_size, state_var, text_lpos, lpos_begin, lpos_next;
	uint64_t info_size, ts_nsec, text_len;
	uint64_t counter;
};

struct ring {
	const struct log_source *src;
	struct ring_layout at;
	uint64_t descs, infos, data; /* virtual addresses */
	uint64_t nr_descs, text_size;
	uint64_t head_id, tail_id, id_mask;
	uint64_t text_left; /* blocks do not overlap, so all text is at most text_size */
	struct vread desc_window, info_window;
	uint8_t desc[MAX_STRUCT], info[MAX_STRUCT];
	char text[MAX_TEXT];
};

static int load_layout(struct ring *r)
{
	struct ring_layout *l = &r->at;
	const struct log_fact facts[] = {
		{ FACT_SIZE, "printk_ringbuffer", &l->rb_size, MAX_STRUCT },
		{ FACT_OFFSET, "printk_ringbuffer.desc_ring", &l->rb_desc_ring, MAX_STRUCT },
		{ FACT_OFFSET, "printk_ringbuffer.text_data_ring", &l->rb_text_ring, MAX_STRUCT },
		{ FACT_OFFSET, "prb_desc_ring.count_bits", &l->count_bits, MAX_STRUCT },
		{ FACT_OFFSET, "prb_desc_ring.descs", &l->descs, MAX_STRUCT },
		{ FACT_OFFSET, "prb_desc_ring.infos", &l->infos, MAX_STRUCT },
		{ FACT_OFFSET, "prb_desc_ring.head_id", &l->head_id, MAX_STRUCT },
		{ FACT_OFFSET, "prb_desc_ring.tail_id", &l->tail_id, MAX_STRUCT },
		{ FACT_OFFSET, "prb_data_ring.size_bits", &l->size_bits, MAX_STRUCT },
		{ FACT_OFFSET, "prb_data_ring.data", &l->data, MAX_STRUCT },
		{ FACT_SIZE, "prb_desc", &l->desc_size, MAX_STRUCT },
		{ FACT_OFFSET, "prb_desc.state_var", &l->state_var, MAX_STRUCT },
		{ FACT_OFFSET, "prb_desc.text_blk_lpos", &l->text_lpos, MAX_STRUCT },
		{ FACT_OFFSET, "prb_data_blk_lpos.begin", &l->lpos_begin, MAX_STRUCT },
		{ FACT_OFFSET, "prb_data_blk_lpos.next", &l->lpos_next, MAX_STRUCT },
		{ FACT_SIZE, "printk_info", &l->info_size, MAX_STRUCT },
		{ FACT_OFFSET, "printk_info.ts_nsec", &l->ts_nsec, MAX_STRUCT },
		{ FACT_OFFSET, "printk_info.text_len", &l->text_len, MAX_STRUCT },
		{ FACT_OFFSET, "atomic_long_t.counter", &l->counter, MAX_STRUCT },
	};

	return log_source_facts(r->src, facts, ARRAY_SIZE(facts));
}

/* A field of @len bytes at @offset lies within a structure of @size bytes. */
static bool layout_fits(const struct ring *r)
{
	const struct ring_layout *l = &r->at;
	const unsigned w = r->src->long_size;
	const struct {
		uint64_t offset, len, size;
	} fields[] = {
		{ l->rb_desc_ring + l->count_bits, 4, l->rb_size },
		{ l->rb_desc_ring + l->descs, w, l->rb_size },
		{ l->rb_desc_ring + l->infos, w, l->rb_size },
		{ l->rb_desc_ring + l->head_id + l->counter, w, l->rb_size },
		{ l->rb_desc_ring + l->tail_id + l->counter, w, l->rb_size },
		{ l->rb_text_ring + l->size_bits, 4, l->rb_size },
		{ l->rb_text_ring + l->data, w, l->rb_size },
		{ l->state_var + l->counter, w, l->desc_size },
		{ l->text_lpos + l->lpos_begin, w, l->desc_size },
		{ l->text_lpos + l->lpos_next, w, l->desc_size },
		{ l->ts_nsec, 8, l->info_size },
		{ l->text_len, 2, l->info_size },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!range_within(fields[i].offset, fields[i].len, fields[i].size))
			return false;
	return true;
}

static int load_ring(struct ring *r)
{
	const struct ring_layout *l = &r->at;
	const struct log_source *src = r->src;
	const uint8_t *desc_ring = r->desc + l->rb_desc_ring,
		      *text_ring = r->desc + l->rb_text_ring;
	uint32_t count_bits, size_bits;
	uint64_t prb;
	int err = log_source_symbol_value(src, "prb", src->long_size, &prb);

	if (err)
		return err;
	err = core_read_vaddr(src->core, prb, r->desc, l->rb_size);
	if (err) {
		log_error("the log's ring buffer at 0x%" PRIx64 " cannot be read", prb);
		return err;
	}
	count_bits = get_le32(desc_ring + l->count_bits);
	size_bits = get_le32(text_ring + l->size_bits);
	if (count_bits == 0 || count_bits > MAX_DESC_BITS || size_bits > MAX_TEXT_BITS ||
	    1ull << size_bits <= src->long_size) {
		log_error("the log's ring buffer says 2^%u records and 2^%u bytes, which cannot be",
			  count_bits, size_bits);
		return -EBADMSG;
	}
	r->nr_descs = 1ull << count_bits;
	r->text_size = r->text_left = 1ull << size_bits;
	r->id_mask = (src->long_size == 8 ? UINT64_MAX : UINT32_MAX) >> 2;
	r->descs = log_source_long(src, desc_ring + l->descs);
	r->infos = log_source_long(src, desc_ring + l->infos);
	r->data = log_source_long(src, text_ring + l->data);
	r->head_id = log_source_long(src, desc_ring + l->head_id + l->counter) & r->id_mask;
	r->tail_id = log_source_long(src, desc_ring + l->tail_id + l->counter) & r->id_mask;
	return 0;
}

/*
 * Where a record's text lies in the text ring. Logical positions grow for ever;
 * a block that would cross the end of the ring stands whole at its start.
 * Return: 1 with *@at_ret and *@room_ret; 0 a record without text; -EBADMSG.
 */
static int find_text(const struct ring *r, uint64_t *at_ret, uint64_t *room_ret)
{
	const uint8_t *lpos = r->desc + r->at.text_lpos;
	uint64_t begin = log_source_long(r->src, lpos + r->at.lpos_begin) & (r->text_size - 1);
	uint64_t next = log_source_long(r->src, lpos + r->at.lpos_next) & (r->text_size - 1);

	if (begin == next)
		return 0;
	if (next == 0)
		next = r->text_size; /* ends exactly where the ring ends */
	if (begin > next)
		begin = 0;
	begin += r->src->long_size; /* the id before the text */
	if (begin > next)
		return -EBADMSG;
	*at_ret = begin;
	*room_ret = next - begin;
	return 1;
}

/* Return: 1 with *@rec filled, 0 nothing to print, -errno a bad record. */
static int load_record(struct ring *r, uint64_t id, struct log_record *rec)
{
	const struct ring_layout *l = &r->at;
	uint64_t i = id & (r->nr_descs - 1), state_var, at, room;
	unsigned state;
	int err = vread_bytes(&r->desc_window, r->descs + i * l->desc_size, r->desc, l->desc_size);

	if (err)
		return err;
	state_var = log_source_long(r->src, r->desc + l->state_var + l->counter);
	state = state_var >> (8 * r->src->long_size - 2) & 3;
	if ((state_var & r->id_mask) != id || (state != DESC_COMMITTED && state != DESC_FINALIZED))
		return 0;
	err = find_text(r, &at, &room);
	if (err <= 0)
		return err;
	err = vread_bytes(&r->info_window, r->infos + i * l->info_size, r->info, l->info_size);
	if (err)
		return err;
	rec->text = r->text;
	rec->text_len = MIN(room, (uint64_t)get_le16(r->info + l->text_len));
	rec->ts_nsec = get_le64(r->info + l->ts_nsec);
	/*
	 * printk_info has a caller_id in every kernel, but dmesg shows it only with
	 * CONFIG_PRINTK_CALLER, of which vmcoreinfo does not tell.
	 */
	rec->has_caller = false;
	err = core_read_vaddr(r->src->core, r->data + at, r->text, rec->text_len);
	return err ? err : 1;
}

static int dump_ring(struct ring *r)
{
	struct printk_stats *stats = r->src->text->stats;
	uint64_t nr = ((r->head_id - r->tail_id) & r->id_mask) + 1;

	if (nr > r->nr_descs) {
		log_warn("the log's first record is not known: taking the %" PRIu64
			 " before its last",
			 r->nr_descs);
		nr = r->nr_descs;
	}
	for (uint64_t i = nr; i-- > 0;) {
		struct log_record rec;
		int err = load_record(r, (r->head_id - i) & r->id_mask, &rec);

		if (err == 0)
			continue;
		if (err < 0) {
			stats->bad_records++;
			continue;
		}
		if (rec.text_len > r->text_left) {
			log_error("the log's records claim more text than its buffer holds");
			return -EBADMSG;
		}
		r->text_left -= rec.text_len;
		err = log_text_record(r->src->text, &rec);
		if (err)
			return err;
	}
	return 0;
}

int log_ring_dump(const struct log_source *src)
{
	_free_ struct ring *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->src = src;
	vread_init(&r->desc_window, src->core);
	vread_init(&r->info_window, src->core);
	err = load_layout(r);
	if (err)
		return err;
	if (!layout_fits(r)) {
		log_error("vmcoreinfo's layout of the log's ring buffer contradicts itself");
		return -EBADMSG;
	}
	err = load_ring(r);
	return err ? err : dump_ring(r);
}
