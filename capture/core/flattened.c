// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/core/flattened.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/file.h"
#include "lib/bytes.h"
#include "lib/log.h"
#include "lib/util.h"

/* Headers to walk from an extent's start to what is looked for, at first. */
#define FLAT_SPAN_RECORDS 64u

/* How many more pieces overlaps may cut extents into; a dump rewrites its header at most. */
#define FLAT_CUTS_MAX 4096u

struct record {
	uint64_t start, size, raw; /* @raw: of its header */
	bool last;
};

/*
 * @records: in the last extent
 * @span: records at which an extent is full; doubles whenever the array has been
 * @at: where the next record is
 */
struct build {
	const struct core_file *file;
	struct file_view *view;
	struct flat_extent *extents;
	size_t nr, room;
	uint64_t records, span;
	uint64_t at;
};

bool flat_matches(const uint8_t *head)
{
	return !memcmp(head, FLAT_SIGNATURE, sizeof(FLAT_SIGNATURE));
}

static int check_header(const struct core_file *file, struct file_view *view)
{
	uint8_t head[32];

	if (file_view_raw(view, 0, head, sizeof(head))) {
		log_error("%s: a flattened file that ends within its header", file->name);
		return -EBADMSG;
	}
	if (get_be64(head + 16) != FLAT_TYPE || get_be64(head + 24) != FLAT_VERSION) {
		log_error("%s: a flattened file of unknown type %llu, version %llu", file->name,
			  (unsigned long long)get_be64(head + 16),
			  (unsigned long long)get_be64(head + 24));
		return -EBADMSG;
	}
	return 0;
}

/* Return: 0; -ENODATA the file ends here; -EBADMSG; -errno of reading. */
static int read_record(struct file_view *view, uint64_t raw, struct record *rec_ret)
{
	uint8_t head[FLAT_RECORD_BYTES];
	uint64_t start, size, end;
	int err = file_view_raw(view, raw, head, sizeof(head));

	if (err)
		return err;
	start = get_be64(head);
	size = get_be64(head + 8);
	if (start == FLAT_END && size == FLAT_END) {
		*rec_ret = (struct record){ .last = true };
		return 0;
	}
	if (__builtin_add_overflow(start, size, &end) || end > INT64_MAX)
		return -EBADMSG;
	*rec_ret = (struct record){ .start = start, .size = size, .raw = raw };
	return 0;
}

/* Make each two extents that belong together one. */
static void join_extents(struct build *b)
{
	size_t out = 0;

	for (size_t i = 0; i < b->nr; i++) {
		struct flat_extent e = b->extents[i];

		if (i + 1 < b->nr && b->extents[i + 1].start == e.end)
			e.end = b->extents[++i].end;
		b->extents[out++] = e;
	}
	b->nr = out;
	b->span *= 2;
}

static int make_room(struct build *b)
{
	struct flat_extent *extents;
	size_t room = b->room ? b->room * 2 : 1024;

	if (b->nr < b->room)
		return 0;
	if (b->room == FLAT_EXTENTS_MAX) {
		join_extents(b);
		if (b->nr <= FLAT_EXTENTS_MAX / 8 * 7)
			return 0;
		log_error("%s: its parts are too scattered to be read in place; "
			  "makedumpfile -R makes a plain file of it",
			  b->file->name);
		return -EFBIG;
	}
	extents = realloc(b->extents, room * sizeof(*extents));
	if (!extents)
		return -ENOMEM;
	b->extents = extents;
	b->room = room;
	return 0;
}

static int add_record(struct build *b, const struct record *rec, uint64_t size)
{
	struct flat_extent *last = b->nr ? &b->extents[b->nr - 1] : NULL;
	int err;

	if (!size)
		return 0;
	if (last && last->end == rec->start && b->records < b->span) {
		last->end += size;
		b->records++;
		return 0;
	}
	err = make_room(b);
	if (err)
		return err;
	b->extents[b->nr++] = (struct flat_extent){ rec->start, rec->start + size, rec->raw };
	b->records = 1;
	return 0;
}

static int walk_records(struct build *b)
{
	const uint64_t raw_size = b->file->raw_size;

	for (;;) {
		struct record rec;
		uint64_t left;
		int err = read_record(b->view, b->at, &rec);

		if (err == -ENODATA) {
			log_warn("%s: a flattened file without its end", b->file->name);
			return 0;
		}
		if (err == -EBADMSG)
			log_error("%s: at 0x%llx there is a record of a flattened file that "
				  "cannot be",
				  b->file->name, (unsigned long long)b->at);
		else if (err)
			log_error("%s: cannot be read: %s", b->file->name, strerror(-err));
		if (err || rec.last)
			return err;
		left = raw_size - b->at - FLAT_RECORD_BYTES;
		err = add_record(b, &rec, MIN(rec.size, left));
		if (err)
			return err;
		b->at = rec.size <= left ? b->at + FLAT_RECORD_BYTES + rec.size : raw_size;
	}
}

static bool starts_before(const struct flat_extent *a, const struct flat_extent *b)
{
	return a->start != b->start ? a->start < b->start : a->raw < b->raw;
}

static int cmp_extents(const void *a, const void *b)
{
	return starts_before(a, b) ? -1 : 1;
}

static void sift_down(struct flat_extent *heap, size_t nr, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		struct flat_extent moved;

		if (child + 1 < nr && starts_before(&heap[child + 1], &heap[child]))
			child++;
		if (child >= nr || !starts_before(&heap[child], &heap[i]))
			return;
		moved = heap[i];
		heap[i] = heap[child];
		heap[child] = moved;
		i = child;
	}
}

/*
 * One step of cut_overlaps(): what is left of the two extents that start lowest, @first
 * done with and @next on top of the heap. Return: what becomes of the heap's top.
 */
static struct flat_extent cut_pair(struct flat_extent *first, struct flat_extent next,
				   struct flat_extent *rest_ret)
{
	*rest_ret = (struct flat_extent){ 0 };
	if (next.raw < first->raw) { /* overwritten as far as @first goes */
		next.start = MIN(first->end, next.end);
		return next;
	}
	if (first->end > next.end)
		*rest_ret = (struct flat_extent){ next.end, first->end, first->raw };
	first->end = next.start;
	return next;
}

/*
 * From ascending extents, make ones that do not overlap. What is later in the file counts.
 * A sorted array is a heap already; what a cut leaves over goes back into it.
 */
static int cut_overlaps(struct build *b)
{
	size_t nr = b->nr, out = 0, cuts = 0;
	struct flat_extent *done = malloc((b->nr + FLAT_CUTS_MAX) * sizeof(*done));
	struct flat_extent *heap = b->extents;

	if (!done)
		return -ENOMEM;
	while (nr) {
		struct flat_extent next = heap[0], rest = { 0 };

		if (out && next.start < done[out - 1].end) {
			uint64_t start = next.start;

			if (++cuts > FLAT_CUTS_MAX)
				break;
			next = cut_pair(&done[out - 1], next, &rest);
			if (done[out - 1].start == done[out - 1].end)
				out--;
			if (rest.start < rest.end) { /* takes the place of @next in the heap */
				heap[0] = rest;
			} else if (next.start > start && next.start < next.end) {
				heap[0] = next;
				next.end = next.start; /* not yet */
			} else {
				heap[0] = heap[--nr];
			}
		} else {
			heap[0] = heap[--nr];
		}
		sift_down(heap, nr, 0);
		if (next.start < next.end)
			done[out++] = next;
	}
	free(heap);
	b->extents = done;
	b->nr = out;
	if (nr)
		log_error("%s: parts of it are overwritten too often", b->file->name);
	return nr ? -EBADMSG : 0;
}

static int sort_extents(struct build *b)
{
	qsort(b->extents, b->nr, sizeof(*b->extents), cmp_extents);
	for (size_t i = 1; i < b->nr; i++)
		if (b->extents[i].start < b->extents[i - 1].end)
			return cut_overlaps(b);
	return 0;
}

int flat_index_create(const struct core_file *file, struct file_view *view,
		      struct flat_index **index_ret)
{
	struct build b = {
		.file = file, .view = view, .span = FLAT_SPAN_RECORDS, .at = FLAT_HEADER_BYTES
	};
	struct flat_index *index = calloc(1, sizeof(*index));
	int err = index ? check_header(file, view) : -ENOMEM;

	if (!err)
		err = walk_records(&b);
	if (!err && b.nr)
		err = sort_extents(&b);
	if (err) {
		free(b.extents);
		free(index);
		return err;
	}
	index->extents = b.extents;
	index->nr = b.nr;
	index->end = b.nr ? b.extents[b.nr - 1].end : 0;
	log_debug("%s: a flattened file, read by an index of %zu entries", file->name, b.nr);
	*index_ret = index;
	return 0;
}

void flat_index_destroy(struct flat_index *index)
{
	if (!index)
		return;
	free(index->extents);
	free(index);
}

/* The first extent that ends beyond @offset; nr where none does. */
static size_t find_extent(const struct flat_index *index, uint64_t offset)
{
	size_t lo = 0, hi = index->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (index->extents[mid].end <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint64_t flat_next(const struct flat_index *index, uint64_t offset)
{
	size_t i = find_extent(index, offset);

	if (i == index->nr)
		return UINT64_MAX;
	return MAX(offset, index->extents[i].start);
}

/* Walk on from @cursor to the record that holds @offset. */
static int find_record(struct flat_cursor *cursor, struct file_view *view, uint64_t offset,
		       struct record *rec_ret)
{
	for (;;) {
		int err = read_record(view, cursor->raw, rec_ret);

		if (err || rec_ret->last)
			return err == -EIO ? err : -EBADMSG; /* the file has changed */
		if (offset - rec_ret->start < rec_ret->size)
			return 0;
		if (__builtin_add_overflow(cursor->raw, FLAT_RECORD_BYTES + rec_ret->size,
					   &cursor->raw))
			return -EBADMSG;
	}
}

int flat_find(const struct flat_index *index, struct flat_cursor *cursor, struct file_view *view,
	      uint64_t offset, uint64_t *raw_ret, uint64_t *len_ret)
{
	const struct flat_extent *e;
	struct record rec;
	int err;

	if (cursor->extent >= index->nr || !cursor->raw ||
	    offset < index->extents[cursor->extent].start ||
	    offset >= index->extents[cursor->extent].end || offset < cursor->start) {
		cursor->extent = find_extent(index, offset);
		cursor->raw = 0;
	}
	if (cursor->extent == index->nr) {
		*len_ret = UINT64_MAX - offset;
		return -ENODATA;
	}
	e = &index->extents[cursor->extent];
	if (offset < e->start) {
		*len_ret = e->start - offset;
		return -ENODATA;
	}
	if (!cursor->raw)
		cursor->raw = e->raw;
	err = find_record(cursor, view, offset, &rec);
	if (err) {
		cursor->raw = 0;
		return err;
	}
	cursor->start = rec.start;
	*raw_ret = rec.raw + FLAT_RECORD_BYTES + (offset - rec.start);
	*len_ret = MIN(rec.start + rec.size, e->end) - offset;
	return 0;
}
