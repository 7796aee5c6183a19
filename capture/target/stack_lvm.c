// SPDX-License-Identifier: GPL-2.0-or-later
/* A logical volume's map by the metadata that LVM keeps on the disks. What was recorded when
 * the image was built may be out of date, and by it a capture would write into whatever lies
 * there now. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/target/find.h"
#include "capture/target/stack_private.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/lvm.h"
#include "lib/util.h"

/* As many devices as struct find_seen can tell apart. */
#define MAX_FOUND 512u

/* A physical volume that is there. @damaged: its metadata, or part of them, cannot be read;
 * @foreign: by its own it is in another group, or in none */
struct found {
	char id[LVM_ID_SIZE];
	dev_t dev;
	bool damaged, foreign;
};

/* All of them, and the newest text of the group that was asked for. @split: two texts of the
 * same number differ */
struct survey {
	char vg_id[LVM_ID_SIZE];
	unsigned nr;
	struct found found[MAX_FOUND];
	char *text;
	size_t len;
	uint32_t crc;
	uint64_t seqno;
	bool split;
};

static void survey_free(struct survey **survey)
{
	if (*survey)
		free((*survey)->text);
	free(*survey);
}

/* Return: 0 with a text of the size and checksum that its place tells; -errno. */
static int read_text(int fd, const struct lvm_place *place, char **text_ret, size_t *len_ret)
{
	size_t total = 0, at = 0;
	_free_ char *text = NULL;

	for (unsigned i = 0; i < place->nr; i++)
		total += place->pieces[i].size;
	text = malloc(total);
	if (!text)
		return -ENOMEM;
	for (unsigned i = 0; i < place->nr; i++) {
		const struct lvm_area *piece = &place->pieces[i];
		ssize_t n = io_pread_full(fd, text + at, piece->size, piece->start);

		if (n < 0)
			return (int)n;
		if ((uint64_t)n != piece->size)
			return -EBADMSG;
		at += piece->size;
	}
	if (lvm_crc(text, total) != place->crc)
		return -EBADMSG;
	*text_ret = take_ptr(text);
	*len_ret = total;
	return 0;
}

/* Keeps the text where it is the group's and newer than what there is. */
static int take_text(struct survey *survey, char **text, size_t len, uint32_t crc)
{
	struct found *found = &survey->found[survey->nr];
	struct lvm_vg vg;
	int err = lvm_vg_read(*text, len, &vg);

	if (err)
		return err;
	found->foreign |= !streq(vg.id, survey->vg_id);
	if (found->foreign || (survey->text && vg.seqno < survey->seqno))
		return 0;
	if (survey->text && vg.seqno == survey->seqno) {
		survey->split |= len != survey->len || crc != survey->crc;
		return 0;
	}
	free(survey->text);
	survey->text = take_ptr(*text);
	survey->len = len;
	survey->crc = crc;
	survey->seqno = vg.seqno;
	survey->split = false;
	return 0;
}

static int read_area(struct survey *survey, int fd, const struct lvm_area *area)
{
	uint8_t header[LVM_HEADER_BYTES];
	_free_ char *text = NULL;
	struct lvm_place place;
	size_t len = 0;
	ssize_t n = io_pread_full(fd, header, sizeof(header), area->start);
	int err;

	if (n != (ssize_t)sizeof(header))
		return n < 0 ? (int)n : -EBADMSG;
	err = lvm_header_read(header, area, &place);
	if (err == -ENODATA)
		survey->found[survey->nr].foreign = true;
	if (err)
		return err == -ENODATA || err == -ESTALE ? 0 : err;
	err = read_text(fd, &place, &text, &len);
	return err ? err : take_text(survey, &text, len, place.crc);
}

/* What cannot be read counts only where the volume turns out to be on it. */
static void read_pv(struct survey *survey, const char *node)
{
	_close_ int fd = open(node, O_RDONLY | O_CLOEXEC);
	struct found *found = &survey->found[survey->nr];
	uint8_t start[LVM_LABEL_BYTES];
	struct lvm_label label;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISBLK(st.st_mode) ||
	    io_pread_full(fd, start, sizeof(start), 0) != (ssize_t)sizeof(start) ||
	    lvm_label_read(start, &label))
		return;
	memcpy(found->id, label.id, sizeof(found->id));
	found->dev = st.st_rdev;
	for (unsigned i = 0; i < label.nr_areas; i++)
		found->damaged |= read_area(survey, fd, &label.areas[i]) != 0;
	survey->nr++;
}

static int survey_all(struct survey *survey)
{
	_free_ struct find_seen *seen = calloc(1, sizeof(*seen));
	struct find_device device;

	if (!seen)
		return -ENOMEM;
	while (!find_device(&find_system_places, "TYPE=LVM2_member", seen, &device)) {
		if (seen->nr == ARRAY_SIZE(seen->names) || survey->nr == MAX_FOUND)
			return -E2BIG;
		read_pv(survey, device.node);
	}
	return 0;
}

/* Return: the device of this ID; NULL, with the problem set, for none, two, or one that is not
 * to be used. A disk that was away while others were given to another group still tells of
 * them as its own group's. */
static const struct found *found_of(const struct survey *survey, struct stack_layer *layer,
				    const char *id)
{
	const struct found *found = NULL;
	char spec[48];

	/* As LVM and blkid print it. */
	snprintf(spec, sizeof(spec), "UUID=%.6s-%.4s-%.4s-%.4s-%.4s-%.4s-%.6s", id, id + 6, id + 10,
		 id + 14, id + 18, id + 22, id + 26);
	for (unsigned i = 0; i < survey->nr; i++) {
		if (!streq(survey->found[i].id, id))
			continue;
		if (found) { /* a copy of a disk: writing to either may be wrong */
			stack_set_problem(layer, "more than one device is", spec);
			return NULL;
		}
		found = &survey->found[i];
	}
	if (found && !found->damaged && !found->foreign)
		return found;
	stack_set_problem(layer,
			  !found	 ? "no device is" :
			  found->damaged ? "LVM's metadata are damaged on" :
					   "it is not in this volume group any more:",
			  spec);
	return NULL;
}

static int add_row(const struct survey *survey, struct stack_layer *layer,
		   const struct lvm_map *map, const struct lvm_segment *segment,
		   struct dm_table *table)
{
	char params[STACK_PARAMS_MAX] = "";
	int err;

	if (segment->chunk)
		snprintf(params, sizeof(params), "%u %llu", segment->nr_stripes,
			 (unsigned long long)segment->chunk);
	for (unsigned i = 0; i < segment->nr_stripes; i++) {
		const struct lvm_stripe *stripe = &map->stripes[segment->first_stripe + i];
		const struct found *found = found_of(survey, layer, map->pvs[stripe->pv]);

		if (!found)
			return -ENODEV;
		err = stack_add_leg(params, found->dev, stripe->offset);
		if (err)
			return err;
	}
	return dm_table_add(table, segment->start, segment->sectors,
			    segment->chunk ? "striped" : "linear", params);
}

/* Whether a device as it was recorded, a physical volume's UUID or the name of a layer, may be
 * that of this ID. */
static bool same_device(const char *spec, const char *id)
{
	const char *uuid = after_prefix(spec, "UUID=");

	for (; uuid && *uuid && *id; uuid++)
		if (*uuid != '-' && *uuid != *id++)
			return false;
	return !uuid || (!*uuid && !*id);
}

static bool same_row(const struct stack *stack, const struct stack_row *row,
		     const struct lvm_map *map, const struct lvm_segment *segment)
{
	if (row->start != segment->start || row->sectors != segment->sectors ||
	    row->chunk != segment->chunk || row->nr_legs != segment->nr_stripes)
		return false;
	for (unsigned i = 0; i < row->nr_legs; i++) {
		const struct stack_leg *leg = &stack->legs[row->first_leg + i];
		const struct lvm_stripe *stripe = &map->stripes[segment->first_stripe + i];

		if (leg->offset != stripe->offset ||
		    !same_device(stack->devices[leg->device], map->pvs[stripe->pv]))
			return false;
	}
	return true;
}

/* Tells whoever reads the log that the image is older than the volume. */
static void compare(const struct stack *stack, const struct stack_layer *layer,
		    const struct lvm_map *map)
{
	bool same = layer->nr_rows == map->nr_segments;

	if (!layer->nr_rows)
		return;
	for (unsigned i = 0; same && i < layer->nr_rows; i++)
		same = same_row(stack, &stack->rows[layer->first_row + i], map, &map->segments[i]);
	if (!same)
		log_info("%s: changed since the image was built; mapped as LVM's metadata have it",
			 layer->name);
}

static int build_table(struct stack *stack, struct stack_layer *layer, const struct survey *survey,
		       struct dm_table *table)
{
	const char *lv_id = layer->uuid + strlen("LVM-") + LVM_ID_SIZE - 1, *why = NULL;
	_free_ struct lvm_map *map = NULL;
	int err;

	if (!survey->text) {
		stack_set_problem(layer, "no disk holds the metadata of its volume group", "");
		return -ENODATA;
	}
	if (survey->split) {
		stack_set_problem(layer, "its volume group's metadata differ between disks", "");
		return -EBADMSG;
	}
	err = lvm_map_read(survey->text, survey->len, lv_id, &map, &why);
	if (err) {
		stack_set_problem(layer, why, "");
		return err;
	}
	for (unsigned i = 0; i < map->nr_segments && !err; i++)
		err = add_row(survey, layer, map, &map->segments[i], table);
	if (!err)
		compare(stack, layer, map);
	return err;
}

int stack_lvm_table(struct stack *stack, struct stack_layer *layer, struct dm_table *table)
{
	__cleanup(survey_free) struct survey *survey = calloc(1, sizeof(*survey));
	int err;

	if (!survey)
		return -ENOMEM;
	if (strlen(layer->uuid) != strlen("LVM-") + 2 * (LVM_ID_SIZE - 1)) {
		stack_set_problem(layer, "it is an inner part of LVM's, not a volume", "");
		return -EOPNOTSUPP;
	}
	memcpy(survey->vg_id, layer->uuid + strlen("LVM-"), LVM_ID_SIZE - 1);
	err = survey_all(survey);
	if (err) {
		stack_set_problem(layer,
				  "the physical volumes cannot be looked at:", strerror(-err));
		return err;
	}
	return build_table(stack, layer, survey, table);
}
