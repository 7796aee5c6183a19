// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/lvm.h"
#include "lib/lvm_private.h"
#include "lib/util.h"
#include "tests/unit/lvm_sample.h"
#include "tests/unit/test.h"

#define NOBODY	"1111111111111111111111111111111a"
#define MAX_LEN 8192

static const struct lvm_area area = { 4096, 1044480 };

/* ID of what is called @name in the sample, without dashes. */
static void id_of(const char *name, char id[LVM_ID_SIZE])
{
	char line[64];
	const char *at;
	unsigned n = 0;

	snprintf(line, sizeof(line), "\n%s {\nid = \"", name);
	at = strstr(lvm_sample_text, line) + strlen(line);
	for (; *at != '"'; at++)
		if (*at != '-')
			id[n++] = *at;
	id[n] = '\0';
}

static void label_sum(uint8_t *sector)
{
	put_le32(sector + 16, lvm_crc(sector + 20, 512 - 20));
}

static void header_sum(uint8_t *header)
{
	put_le32(header, lvm_crc(header + 4, LVM_HEADER_BYTES - 4));
}

TEST(lvm, what_the_tools_wrote_is_read)
{
	uint8_t start[LVM_LABEL_BYTES] = { 0 }, header[LVM_HEADER_BYTES] = { 0 };
	struct lvm_label label;
	struct lvm_place place;
	char id[LVM_ID_SIZE];

	lvm_sample_bytes(LVM_SAMPLE_LABEL, start + 512);
	lvm_sample_bytes(LVM_SAMPLE_HEADER, header);
	CHECK_EQ(lvm_label_read(start, &label), 0);
	id_of("pv0", id);
	CHECK_STR(label.id, id);
	CHECK_EQ(label.nr_areas, 1);
	CHECK_EQ(label.areas[0].start, area.start);
	CHECK_EQ(label.areas[0].size, area.size);
	CHECK_EQ(lvm_header_read(header, &area, &place), 0);
	CHECK_EQ(place.nr, 1);
	CHECK_EQ(place.pieces[0].size, sizeof(lvm_sample_text));
	CHECK_EQ(place.crc, lvm_crc(lvm_sample_text, sizeof(lvm_sample_text)));
}

TEST(lvm, any_flipped_bit_is_noticed)
{
	uint8_t start[LVM_LABEL_BYTES] = { 0 }, header[LVM_HEADER_BYTES] = { 0 };
	struct lvm_label label;
	struct lvm_place place;

	lvm_sample_bytes(LVM_SAMPLE_LABEL, start + 512);
	lvm_sample_bytes(LVM_SAMPLE_HEADER, header);
	for (unsigned bit = 0; bit < 512 * 8; bit++) {
		start[512 + bit / 8] ^= 1 << bit % 8;
		header[bit / 8] ^= 1 << bit % 8;
		if (!lvm_label_read(start, &label) || !lvm_header_read(header, &area, &place))
			test_fail(__FILE__, __LINE__, "bit %u may be wrong", bit);
		start[512 + bit / 8] ^= 1 << bit % 8;
		header[bit / 8] ^= 1 << bit % 8;
	}
	CHECK_EQ(lvm_label_read(start, &label), 0);
	CHECK_EQ(lvm_header_read(header, &area, &place), 0);
}

TEST(lvm, a_label_with_bad_lists_is_refused)
{
	uint8_t start[LVM_LABEL_BYTES] = { 0 }, *sector = start + 512;
	struct lvm_label label = { .nr_areas = 77 };

	CHECK_EQ(lvm_label_read(start, &label), -ENODATA);
	lvm_sample_bytes(LVM_SAMPLE_LABEL, sector);
	for (unsigned at = 32 + 40; at < 512; at += 8) /* lists without an end */
		put_le64(sector + at, 4096);
	label_sum(sector);
	CHECK_EQ(lvm_label_read(start, &label), -EBADMSG);
	put_le64(sector + 32 + 40, 0); /* no data, and more areas than there can be */
	put_le64(sector + 32 + 40 + 16 * (LVM_MAX_AREAS + 2), 0);
	label_sum(sector);
	CHECK_EQ(lvm_label_read(start, &label), -EBADMSG);
	put_le64(sector + 32 + 40 + 16 * (LVM_MAX_AREAS + 1), 0);
	label_sum(sector);
	CHECK_EQ(lvm_label_read(start, &label), 0);
	CHECK_EQ(label.nr_areas, LVM_MAX_AREAS);
	for (unsigned at = 0; at < 1024; at++) { /* the volume's header is told to be anywhere */
		put_le32(sector + 20, at < 512 ? at : UINT32_MAX - (1024 - at));
		label_sum(sector);
		lvm_label_read(start, &label);
	}
	memmove(start, sector, 512); /* not where it says */
	CHECK_EQ(lvm_label_read(start, &label), -EBADMSG);
}

TEST(lvm, the_ring_wraps_and_ends)
{
	static const struct {
		uint64_t offset, size;
		uint32_t flags;
		int err;
		uint64_t first; /* piece's size */
	} cases[] = {
		{ 512, 100, 0, 0, 100 },
		{ 8192 - 100, 100, 0, 0, 100 },
		{ 8192 - 100, 101, 0, 0, 100 },
		{ 8192 - 1, 7680, 0, 0, 1 }, /* the whole ring */
		{ 8192 - 1, 7681, 0, -EBADMSG, 0 },
		{ 8192, 1, 0, -EBADMSG, 0 },
		{ 511, 1, 0, -EBADMSG, 0 }, /* in the header */
		{ 512, 0, 0, -EBADMSG, 0 },
		{ 512, UINT64_MAX, 0, -EBADMSG, 0 },
		{ UINT64_MAX, 2, 0, -EBADMSG, 0 },
		{ 0, 0, 0, -ENODATA, 0 },
		{ 512, 100, 1, -ESTALE, 0 }, /* set aside */
		{ 0, 0, 1, -ESTALE, 0 },
	};
	static const struct lvm_area small = { 4096, 8192 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t header[LVM_HEADER_BYTES] = { 0 };
		struct lvm_place place = { .nr = 0 };
		uint64_t rest;
		int err;

		lvm_sample_bytes(LVM_SAMPLE_HEADER, header);
		put_le64(header + 32, small.size);
		put_le64(header + 40, cases[i].offset);
		put_le64(header + 48, cases[i].size);
		put_le32(header + 60, cases[i].flags);
		header_sum(header);
		err = lvm_header_read(header, &small, &place);
		if (err != cases[i].err)
			test_fail(__FILE__, __LINE__, "case %zu: %d", i, err);
		if (err || cases[i].err)
			continue;
		rest = cases[i].size - cases[i].first;
		CHECK_EQ(place.nr, rest ? 2 : 1);
		CHECK_EQ(place.pieces[0].start, small.start + cases[i].offset);
		CHECK_EQ(place.pieces[0].size, cases[i].first);
		CHECK_EQ(place.pieces[1].start, rest ? small.start + LVM_HEADER_BYTES : 0);
		CHECK_EQ(place.pieces[1].size, rest);
	}
}

/* "section.section.key[index]=word;" for each value. */
static int note(void *ctx, const struct lvm_value *v)
{
	char *out = ctx;

	for (unsigned i = 0; i < v->depth; i++)
		sprintf(out + strlen(out), "%.*s.", (int)v->path[i].len, v->path[i].s);
	sprintf(out + strlen(out), "%.*s[%u]%c%.*s;", (int)v->key.len, v->key.s, v->index,
		"\"=?"[v->kind], (int)v -> word.len, v->word.s);
	return 0;
}

TEST(lvm, syntax)
{
	static const struct {
		const char *text, *want; /* NULL: not accepted */
	} cases[] = {
		{ "", "" },
		{ "a=1", "a[0]=1;" },
		{ " # only a comment", "" },
		{ "a {\n# x }\nb = [ 1, \"x\" ] # y\n}\nc=\"}\"", "a.b[0]=1;a.b[1]\"x;c[0]\"};" },
		{ "a{}b{c{d=1}}", "b.c.d[0]=1;" },
		{ "a=[]", "" },
		{ "a=\"x\\\"y\\\\\"", "a[0]\"x\\\"y\\\\;" },
		{ "a=-1 b=1.5 c=99999999999999999999",
		  "a[0]?-1;b[0]?1.5;c[0]?99999999999999999999;" },
		{ "a=18446744073709551615", "a[0]=18446744073709551615;" },
		{ "a", NULL },
		{ "a=", NULL },
		{ "a={", NULL },
		{ "a={}", NULL },
		{ "a{", NULL },
		{ "a{}}", NULL },
		{ "}", NULL },
		{ "=1", NULL },
		{ "{}", NULL },
		{ "a=\"x", NULL },
		{ "a=\"x\\", NULL },
		{ "a=\"x\\\"", NULL },
		{ "a=[", NULL },
		{ "a=[1", NULL },
		{ "a=[1,", NULL },
		{ "a=[1,]", NULL },
		{ "a=[1 2]", NULL },
		{ "a=[[1]]", NULL },
		{ "a=]", NULL },
		{ "a{a{a{a{a{a{a{a{b=1}}}}}}}}", "a.a.a.a.a.a.a.a.b[0]=1;" },
		{ "a{a{a{a{a{a{a{a{a{b=1}}}}}}}}}", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = strlen(cases[i].text);
		_free_ char *exact = malloc(len + 1); /* that reading behind the end is seen */
		char said[512] = "";
		int err, want = cases[i].want ? 0 : -EBADMSG;

		memcpy(exact, cases[i].text, len);
		err = lvm_text_walk(exact, len, note, said);
		if (err != want || (!err && !streq(said, cases[i].want)))
			test_fail(__FILE__, __LINE__, "%s: %d, %s", cases[i].text, err, said);
	}
}

TEST(lvm, bombs_are_cheap)
{
	_free_ char *text = malloc(LVM_TEXT_MAX_BYTES);
	static const char *const pieces[] = { "a{", "{", "[", "a=[", "\"", "\\", "}" };
	char said[64] = "";

	CHECK(text);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t n = strlen(pieces[i]);

		for (size_t at = 0; at < LVM_TEXT_MAX_BYTES; at++)
			text[at] = pieces[i][at % n];
		CHECK_EQ(lvm_text_walk(text, LVM_TEXT_MAX_BYTES, note, said), -EBADMSG);
	}
}

TEST(lvm, group_and_volume)
{
	size_t len = sizeof(lvm_sample_text);
	_free_ struct lvm_map *dump = NULL, *striped = NULL;
	char id[LVM_ID_SIZE], pv[2][LVM_ID_SIZE];
	const char *why = NULL;
	struct lvm_vg vg;

	CHECK_EQ(lvm_vg_read(lvm_sample_text, len, &vg), 0);
	CHECK_EQ(vg.seqno, 5);
	CHECK_EQ(strlen(vg.id), 32);
	id_of("pv0", pv[0]);
	id_of("pv1", pv[1]);
	id_of("dump", id);
	CHECK_EQ(lvm_map_read(lvm_sample_text, len, id, &dump, &why), 0);
	CHECK_EQ(dump->nr_pvs, 1);
	CHECK_STR(dump->pvs[0], pv[0]);
	CHECK_EQ(dump->nr_segments, 2);
	CHECK_EQ(dump->segments[0].sectors, 4 * 8192);
	CHECK_EQ(dump->segments[0].chunk, 0);
	CHECK_EQ(dump->stripes[0].offset, 2048);
	CHECK_EQ(dump->segments[1].start, 4 * 8192);
	CHECK_EQ(dump->stripes[dump->segments[1].first_stripe].offset, 2048 + 7 * 8192);
	id_of("striped", id);
	CHECK_EQ(lvm_map_read(lvm_sample_text, len, id, &striped, &why), 0);
	CHECK_EQ(striped->nr_segments, 1);
	CHECK_EQ(striped->segments[0].sectors, 4 * 8192);
	CHECK_EQ(striped->segments[0].chunk, 128);
	CHECK_EQ(striped->segments[0].nr_stripes, 2);
	CHECK_STR(striped->pvs[striped->stripes[0].pv], pv[0]);
	CHECK_STR(striped->pvs[striped->stripes[1].pv], pv[1]);
	CHECK_EQ(striped->stripes[0].offset, 2048 + 11 * 8192);
	CHECK_EQ(striped->stripes[1].offset, 2048);
}

#define LVS "logical_volumes {\n"

TEST(lvm, what_is_not_sure_is_refused)
{
	static const struct {
		const char *from, *to; /* in the sample, at the first place */
		int err;
		const char *why;
	} cases[] = {
		{ "seqno = 5", "seqno = 6", 0, NULL },
		{ "\ndump {", "\nrenamed {", 0, NULL },
		{ "\"pv0\", 7", "\"pv1\", 7", 0, NULL },
		{ "segment_count = 2", "segment_count = 3", -EBADMSG, "understood" },
		{ "\"pv0\", 7", "\"pv2\", 7", -EBADMSG, "understood" },
		{ "\"pv0\", 7", "\"other\", 7", -EBADMSG, "understood" },
		{ "\"pv0\", 7", "\"pv0\", 12", -EBADMSG, "understood" }, /* beyond pe_count */
		{ "\"pv0\", 7", "\"pv0\"", -EBADMSG, "understood" },
		{ "\"pv0\", 7", "\"pv0\", 7, \"pv1\", 7", -EBADMSG, "understood" },
		{ "\"pv0\", 7", "\"pv0\", 18446744073709551615", -EBADMSG, "understood" },
		{ "\"pv0\", 7", "7, \"pv0\"", -EBADMSG, "understood" },
		{ "start_extent = 4", "start_extent = 5", -EBADMSG, "understood" },
		{ "stripe_count = 1", "stripe_count = 0", -EBADMSG, "understood" },
		{ "extent_size = 8192", "extent_size = 0", -EBADMSG, "understood" },
		{ "extent_size = 8192", "extent_size = 9007199254740992", -EBADMSG, "understood" },
		{ "pe_start = 2048", "pe_start = -1", -EBADMSG, "understood" },
		{ "pe_start = 2048", "pe_start = 18014398509481983", -EBADMSG, "understood" },
		{ "version = 1", "version = 2", -EBADMSG, "understood" },
		{ "\n}\n#", "\n}\nvg2 {\na = 1\n}\n#", -EBADMSG, "understood" },
		{ "\"RESIZEABLE\"", "\"RESIZEABLE\", \"EXPORTED\"", -EOPNOTSUPP, "exported" },
		{ "\"WRITE\", \"VISIBLE\"", "\"VISIBLE\"", -EOPNOTSUPP, "read-only" },
		{ "\"VISIBLE\"", "\"VISIBLE\", \"LOCKED\"", -EOPNOTSUPP, "pvmove" },
		{ "\"VISIBLE\"", "\"VISIBLE\", \"OF TOMORROW\"", -EOPNOTSUPP, "pvmove" },
		{ "\"ALLOCATABLE\"]\nflags = []", "\"ALLOCATABLE\"]\nflags = [\"MISSING\"]",
		  -EOPNOTSUPP, "missed" },
		{ "type = \"striped\"", "type = \"striped+NEW\"", -EOPNOTSUPP, "neither" },
		{ "type = \"striped\"", "type = \"raid1\"", -EOPNOTSUPP, "neither" },
		{ LVS, LVS "s {\nsegment1 {\ntype = \"snapshot\"\norigin = \"dump\"\n}\n}\n",
		  -EOPNOTSUPP, "builds on it" },
		{ LVS, LVS "s {\nsegment1 {\nmirrors = [\n\"dump\", 0\n]\n}\n}\n", -EOPNOTSUPP,
		  "builds on it" },
		{ LVS, LVS "s {\nsegment1 {\nstripes = [\n\"dump\", 0\n]\n}\n}\n", -EOPNOTSUPP,
		  "builds on it" },
		{ LVS, LVS "s {\nsegment1 {\ntags = [\"dump\"]\n}\n}\n", 0, NULL },
		{ LVS, LVS "s {\ntags = [\"dump\"]\n}\n", 0, NULL },
		{ "\npv1 {", "\ndump {", 0, NULL }, /* then stripes on "dump" are on a disk */
	};
	char id[LVM_ID_SIZE];

	id_of("dump", id);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = strstr(lvm_sample_text, cases[i].from), *why = "";
		struct lvm_map *map = NULL;
		char text[MAX_LEN];
		int err;

		CHECK(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - lvm_sample_text),
			 lvm_sample_text, cases[i].to, at + strlen(cases[i].from));
		err = lvm_map_read(text, strlen(text), id, &map, &why);
		if (err != cases[i].err || !map != !!err || (err && !strstr(why, cases[i].why)))
			test_fail(__FILE__, __LINE__, "case %zu: %d, %s", i, err, why);
		free(map);
	}
}

TEST(lvm, a_volume_made_anew_is_another)
{
	struct lvm_map *map = NULL;
	const char *why = NULL;

	CHECK_EQ(lvm_map_read(lvm_sample_text, sizeof(lvm_sample_text), NOBODY, &map, &why),
		 -ENOENT);
	CHECK(strstr(why, "since the image was built"));
	CHECK(!map);
}

TEST(lvm, a_text_that_ends_early_is_none)
{
	struct lvm_vg vg;

	/* Up to the line that says which format it is. */
	for (size_t len = 0;
	     len < (size_t)(strstr(lvm_sample_text, "version = 1") - lvm_sample_text); len++) {
		_free_ char *exact = malloc(len + 1);

		memcpy(exact, lvm_sample_text, len);
		CHECK_EQ(lvm_vg_read(exact, len, &vg), -EBADMSG);
	}
}
