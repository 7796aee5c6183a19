// SPDX-License-Identifier: GPL-2.0-or-later
/* What the metadata say of a volume group and of one volume. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/lvm.h"
#include "lib/lvm_private.h"
#include "lib/util.h"

#define SECTORS_MAX (UINT64_MAX >> 10)

/* Depths: the group, its lists, a volume or a physical volume in one, a segment. */
enum {
	IN_NOTHING,
	IN_VG,
	IN_LIST,
	IN_ENTRY,
	IN_SEGMENT
};

/* An ID as people see it: dashes between its 32 characters. */
static bool read_id(struct lvm_word word, char id_ret[LVM_ID_SIZE])
{
	char id[LVM_ID_SIZE] = "";
	size_t len = 0;

	for (size_t i = 0; i < word.len; i++) {
		if (word.s[i] == '-')
			continue;
		if (len == LVM_ID_SIZE - 1)
			return false;
		id[len++] = word.s[i];
	}
	if (len != LVM_ID_SIZE - 1)
		return false;
	memcpy(id_ret, id, sizeof(id));
	return true;
}

static bool is_string(const struct lvm_value *v, const char *key)
{
	return v->kind == LVM_STRING && lvm_word_is(v->key, key);
}

/* Return: whether @key is this value's, which is then in *@number, 0 for what is no number. */
static bool is_number(const struct lvm_value *v, const char *key, uint64_t *number)
{
	if (!lvm_word_is(v->key, key))
		return false;
	*number = v->kind == LVM_NUMBER && v->number <= SECTORS_MAX ? v->number : 0;
	return true;
}

static bool is_one_of(struct lvm_word word, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (lvm_word_is(word, list[i]))
			return true;
	return false;
}

struct vg_reader {
	struct lvm_vg vg;
	struct lvm_word name;
	uint64_t version, extent_size;
	bool contents, busy;
};

static int take_vg(void *ctx, const struct lvm_value *v)
{
	static const char *const quiet[] = { "READ", "WRITE", "RESIZEABLE", "CLUSTERED", "SHARED" };
	struct vg_reader *r = ctx;

	if (v->depth == IN_NOTHING) {
		if (is_string(v, "contents"))
			r->contents = lvm_word_is(v->word, "Text Format Volume Group");
		is_number(v, "version", &r->version);
		return 0;
	}
	if (!r->name.len)
		r->name = v->path[0];
	if (!lvm_word_same(r->name, v->path[0]))
		return -EBADMSG; /* an area holds one group */
	if (v->depth != IN_VG)
		return 0;
	if (is_string(v, "id") && !read_id(v->word, r->vg.id))
		return -EBADMSG;
	if (is_string(v, "status") && !is_one_of(v->word, quiet, ARRAY_SIZE(quiet)))
		r->busy = true;
	is_number(v, "seqno", &r->vg.seqno);
	is_number(v, "extent_size", &r->extent_size);
	return 0;
}

static int read_vg(const char *text, size_t len, struct vg_reader *r)
{
	int err = lvm_text_walk(text, len, take_vg, r);

	if (err)
		return err;
	return r->contents && r->version == 1 && *r->vg.id && r->extent_size ? 0 : -EBADMSG;
}

int lvm_vg_read(const char *text, size_t len, struct lvm_vg *vg_ret)
{
	struct vg_reader r = { .busy = false };
	int err = read_vg(text, len, &r);

	if (!err)
		*vg_ret = r.vg;
	return err;
}

/* A segment as the text has it, in extents of the volume. */
struct segment {
	struct lvm_word name;
	uint64_t start, count, nr_stripes, chunk;
	unsigned first_stripe, stripes; /* that were named */
	bool striped;
};

struct stripe {
	struct lvm_word pv;
	uint64_t extent;
};

struct pv {
	struct lvm_word name;
	char id[LVM_ID_SIZE];
	uint64_t start, count; /* sector of the first extent; extents */
	bool missing;
};

struct map_reader {
	const char *lv_id, *why;
	struct lvm_word lv;
	bool lv_is_pv; /* a physical volume is called the same in the text */
	bool writable;
	unsigned found, nr_segments, nr_stripes, nr_pvs;
	uint64_t segment_count;
	struct segment segments[LVM_MAX_SEGMENTS];
	struct stripe stripes[LVM_MAX_STRIPES];
	struct pv pvs[LVM_MAX_PVS];
};

static int refuse(struct map_reader *r, int err, const char *why)
{
	r->why = why;
	return err;
}

static bool in_list(const struct lvm_value *v, const char *list)
{
	return v->depth >= IN_ENTRY && lvm_word_is(v->path[1], list);
}

static int take_name(void *ctx, const struct lvm_value *v)
{
	struct map_reader *r = ctx;
	char id[LVM_ID_SIZE];

	if (v->depth == IN_ENTRY && in_list(v, "logical_volumes") && is_string(v, "id") &&
	    read_id(v->word, id) && streq(id, r->lv_id)) {
		r->lv = v->path[2];
		r->found++;
	}
	return 0;
}

/* "pv0", 1024, "pv1", 0 */
static int take_stripe(struct map_reader *r, struct segment *segment, const struct lvm_value *v)
{
	if (v->index % 2 == 0) {
		if (r->nr_stripes == LVM_MAX_STRIPES)
			return refuse(r, -EOPNOTSUPP, "it has too many segments");
		r->stripes[r->nr_stripes++] = (struct stripe){ .pv = v->word };
		return v->kind == LVM_STRING ? 0 : -EBADMSG;
	}
	r->stripes[r->nr_stripes - 1].extent = v->number;
	segment->stripes++;
	return v->kind == LVM_NUMBER ? 0 : -EBADMSG;
}

static int take_segment(struct map_reader *r, const struct lvm_value *v)
{
	struct segment *segment = r->nr_segments ? &r->segments[r->nr_segments - 1] : NULL;

	if (!segment || !lvm_word_same(segment->name, v->path[3])) {
		if (r->nr_segments == LVM_MAX_SEGMENTS)
			return refuse(r, -EOPNOTSUPP, "it has too many segments");
		segment = &r->segments[r->nr_segments++];
		segment->name = v->path[3];
		segment->first_stripe = r->nr_stripes;
	}
	if (v->depth != IN_SEGMENT)
		return 0;
	if (is_string(v, "type"))
		segment->striped = lvm_word_is(v->word, "striped");
	if (lvm_word_is(v->key, "stripes"))
		return take_stripe(r, segment, v);
	is_number(v, "start_extent", &segment->start);
	is_number(v, "extent_count", &segment->count);
	is_number(v, "stripe_count", &segment->nr_stripes);
	is_number(v, "stripe_size", &segment->chunk);
	return 0;
}

/* Whether a segment of another volume names this one: a snapshot its origin, a pvmove, a
 * mirror, a pool what it is on. Only in lists of stripes names of physical volumes stand too. */
static bool names_it(const struct map_reader *r, const struct lvm_value *v)
{
	if (v->depth < IN_SEGMENT || v->kind != LVM_STRING || !lvm_word_same(v->word, r->lv))
		return false;
	if (lvm_word_is(v->key, "stripes"))
		return !r->lv_is_pv;
	return !lvm_word_is(v->key, "type") && !lvm_word_is(v->key, "tags");
}

static int take_lv(void *ctx, const struct lvm_value *v)
{
	static const char *const quiet[] = { "READ", "WRITE", "VISIBLE", "FIXED_MINOR",
					     "ACTIVATION_SKIP" };
	struct map_reader *r = ctx;

	if (in_list(v, "physical_volumes") && lvm_word_same(v->path[2], r->lv))
		r->lv_is_pv = true;
	if (!in_list(v, "logical_volumes") || !lvm_word_same(v->path[2], r->lv))
		return 0;
	if (v->depth >= IN_SEGMENT)
		return take_segment(r, v);
	is_number(v, "segment_count", &r->segment_count);
	if (is_string(v, "status") && lvm_word_is(v->word, "WRITE"))
		r->writable = true;
	if ((is_string(v, "status") || is_string(v, "flags")) &&
	    !is_one_of(v->word, quiet, ARRAY_SIZE(quiet)))
		return refuse(r, -EOPNOTSUPP, "a pvmove, or another change of it, was under way");
	return 0;
}

static int take_others(void *ctx, const struct lvm_value *v)
{
	struct map_reader *r = ctx;

	if (!in_list(v, "logical_volumes") || lvm_word_same(v->path[2], r->lv) || !names_it(r, v))
		return 0;
	return refuse(r, -EOPNOTSUPP, "another volume, such as a snapshot, builds on it");
}

static int take_pv(void *ctx, const struct lvm_value *v)
{
	struct map_reader *r = ctx;
	struct pv *pv = NULL;

	if (v->depth != IN_ENTRY || !in_list(v, "physical_volumes"))
		return 0;
	for (unsigned i = 0; i < r->nr_pvs && !pv; i++)
		if (lvm_word_same(r->pvs[i].name, v->path[2]))
			pv = &r->pvs[i];
	if (!pv)
		return 0;
	if (is_string(v, "id") && !read_id(v->word, pv->id))
		return -EBADMSG;
	if ((is_string(v, "status") || is_string(v, "flags")) && lvm_word_is(v->word, "MISSING"))
		pv->missing = true;
	is_number(v, "pe_start", &pv->start);
	is_number(v, "pe_count", &pv->count);
	return 0;
}

/* Each physical volume that a stripe is on, once. */
static int collect_pvs(struct map_reader *r)
{
	for (unsigned i = 0; i < r->nr_stripes; i++) {
		unsigned pv = 0;

		while (pv < r->nr_pvs && !lvm_word_same(r->pvs[pv].name, r->stripes[i].pv))
			pv++;
		if (pv == LVM_MAX_PVS)
			return refuse(r, -EOPNOTSUPP, "it is on too many physical volumes");
		if (pv == r->nr_pvs)
			r->pvs[r->nr_pvs++].name = r->stripes[i].pv;
	}
	return 0;
}

static const struct pv *pv_of(const struct map_reader *r, const struct stripe *stripe,
			      unsigned *index_ret)
{
	for (unsigned i = 0; i < r->nr_pvs; i++) {
		if (lvm_word_same(r->pvs[i].name, stripe->pv)) {
			*index_ret = i;
			return &r->pvs[i];
		}
	}
	return NULL;
}

static int add_stripe(const struct map_reader *r, const struct stripe *stripe, uint64_t extents,
		      uint64_t extent_size, struct lvm_map *map)
{
	struct lvm_stripe *to = &map->stripes[map->nr_stripes];
	const struct pv *pv = pv_of(r, stripe, &to->pv);

	if (!pv || !range_within(stripe->extent, extents, pv->count) ||
	    __builtin_mul_overflow(stripe->extent, extent_size, &to->offset) ||
	    __builtin_add_overflow(to->offset, pv->start, &to->offset) || to->offset > SECTORS_MAX)
		return -EBADMSG;
	map->nr_stripes++;
	return 0;
}

/* @extent: the one that must come next */
static int add_segment(struct map_reader *r, const struct segment *segment, uint64_t extent,
		       uint64_t extent_size, struct lvm_map *map)
{
	struct lvm_segment *to = &map->segments[map->nr_segments];

	if (!segment->striped)
		return refuse(r, -EOPNOTSUPP, "it is neither linear nor striped any more");
	if (segment->start != extent || !segment->count || !segment->nr_stripes ||
	    segment->stripes != segment->nr_stripes || segment->count % segment->nr_stripes ||
	    (segment->nr_stripes > 1 && !segment->chunk) ||
	    __builtin_mul_overflow(segment->start, extent_size, &to->start) ||
	    __builtin_mul_overflow(segment->count, extent_size, &to->sectors) ||
	    !range_within(to->start, to->sectors, SECTORS_MAX))
		return -EBADMSG;
	to->chunk = segment->nr_stripes > 1 ? segment->chunk : 0;
	to->first_stripe = map->nr_stripes;
	to->nr_stripes = segment->stripes;
	for (unsigned i = 0; i < segment->stripes; i++) {
		int err = add_stripe(r, &r->stripes[segment->first_stripe + i],
				     segment->count / segment->nr_stripes, extent_size, map);
		if (err)
			return err;
	}
	map->nr_segments++;
	return 0;
}

static int make_map(struct map_reader *r, uint64_t extent_size, struct lvm_map *map)
{
	uint64_t extent = 0;
	int err;

	if (!r->writable)
		return refuse(r, -EOPNOTSUPP, "it was made read-only");
	if (!r->nr_segments || r->segment_count != r->nr_segments)
		return -EBADMSG;
	for (unsigned i = 0; i < r->nr_pvs; i++) {
		if (r->pvs[i].missing)
			return refuse(r, -EOPNOTSUPP, "LVM missed a disk that it is on");
		if (!*r->pvs[i].id || !r->pvs[i].start)
			return -EBADMSG;
		memcpy(map->pvs[i], r->pvs[i].id, LVM_ID_SIZE);
	}
	map->nr_pvs = r->nr_pvs;
	for (unsigned i = 0; i < r->nr_segments; i++) {
		err = add_segment(r, &r->segments[i], extent, extent_size, map);
		if (err)
			return err;
		extent += r->segments[i].count;
	}
	return 0;
}

/* What is told of one value may depend on what stands behind it: a walk for each question. */
static int read_map(const char *text, size_t len, struct map_reader *r, struct lvm_map *map)
{
	struct vg_reader vg = { .busy = false };
	int err = read_vg(text, len, &vg);

	if (!err && vg.busy)
		return refuse(r, -EOPNOTSUPP, "its volume group is exported, or was being changed");
	if (!err)
		err = lvm_text_walk(text, len, take_name, r);
	if (!err && r->found != 1)
		return r->found ? -EBADMSG :
				  refuse(r, -ENOENT,
					 "it was removed or made anew since the image was built: "
					 "build that again");
	if (!err)
		err = lvm_text_walk(text, len, take_lv, r);
	if (!err)
		err = lvm_text_walk(text, len, take_others, r);
	if (!err)
		err = collect_pvs(r);
	if (!err)
		err = lvm_text_walk(text, len, take_pv, r);
	return err ? err : make_map(r, vg.extent_size, map);
}

int lvm_map_read(const char *text, size_t len, const char *lv_id, struct lvm_map **map_ret,
		 const char **why_ret)
{
	_free_ struct map_reader *r = calloc(1, sizeof(*r));
	_free_ struct lvm_map *map = calloc(1, sizeof(*map));
	int err;

	if (!r || !map) {
		*why_ret = strerror(ENOMEM);
		return -ENOMEM;
	}
	r->lv_id = lv_id;
	r->why = "LVM's metadata of it cannot be understood";
	err = read_map(text, len, r, map);
	if (err) {
		*why_ret = r->why;
		return err;
	}
	*map_ret = take_ptr(map);
	return 0;
}
