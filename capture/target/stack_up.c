// SPDX-License-Identifier: GPL-2.0-or-later
/* Puts the layers of a stack together, and takes them down. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "capture/target/find.h"
#include "capture/target/md.h"
#include "capture/target/stack_private.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_MEMBERS	64
#define MAX_DEGRADED_MS 10000
#define LOOK_AGAIN_MS	500

void stack_set_problem(struct stack_layer *layer, const char *what, const char *which)
{
	snprintf(layer->problem, sizeof(layer->problem), "%.48s: %.80s%s%.48s", layer->name, what,
		 *which ? " " : "", which);
}

static void node_of(const struct stack_layer *layer, char *out, size_t size)
{
	snprintf(out, size, "/dev/%s%s", layer->kind == STACK_DM ? "mapper/" : "", layer->name);
}

/* All devices that @spec means, and @type where it is not NULL. Return: how many. */
static size_t find_all(const char *spec, const char *type, dev_t *devs, size_t max)
{
	_free_ struct find_seen *seen = calloc(1, sizeof(*seen));
	struct find_device device;
	struct stat st;
	size_t nr = 0;

	while (seen && nr < max && !find_device(&find_system_places, spec, seen, &device)) {
		if (type && !streq(device.type, type))
			continue;
		if (!stat(device.node, &st) && S_ISBLK(st.st_mode))
			devs[nr++] = st.st_rdev;
		if (seen->nr == ARRAY_SIZE(seen->names)) /* then nothing is left out any more */
			break;
	}
	return nr;
}

/* The one device that a name in a table means. */
static int find_below(struct stack *stack, struct stack_layer *layer, const char *spec,
		      dev_t *dev_ret)
{
	struct stack_layer *below = stack_layer_of(stack, spec);
	const char *type = after_prefix(spec, "UUID=") ? "LVM2_member" : NULL;
	char node[160];
	dev_t devs[2];
	struct stat st;
	size_t nr;

	if (below) {
		node_of(below, node, sizeof(node));
		if (below->up && !stat(node, &st)) {
			*dev_ret = st.st_rdev;
			return 0;
		}
		stack_set_problem(layer, "it lies on what is not there:", spec);
		return -ENODEV;
	}
	nr = find_all(spec, type, devs, 2);
	if (nr == 1) {
		*dev_ret = devs[0];
		return 0;
	}
	/* A snapshot of a disk, or a second path to it: writing to either may be wrong. */
	stack_set_problem(layer, nr ? "more than one device is" : "no device is", spec);
	return nr ? -ENOTUNIQ : -ENODEV;
}

int stack_add_leg(char *params, dev_t dev, uint64_t offset)
{
	size_t len = strlen(params), size = STACK_PARAMS_MAX;
	int n = snprintf(params + len, size - len, "%s%u:%u %llu", len ? " " : "", major(dev),
			 minor(dev), (unsigned long long)offset);

	return (size_t)n < size - len ? 0 : -E2BIG;
}

static int build_row(struct stack *stack, struct stack_layer *layer, const struct stack_row *row,
		     struct dm_table *table)
{
	char params[STACK_PARAMS_MAX] = "";
	dev_t dev;
	int err = 0;

	if (row->chunk)
		snprintf(params, sizeof(params), "%u %llu", row->nr_legs,
			 (unsigned long long)row->chunk);
	for (unsigned i = 0; i < row->nr_legs && !err; i++) {
		const struct stack_leg *leg = &stack->legs[row->first_leg + i];

		err = find_below(stack, layer, stack->devices[leg->device], &dev);
		if (!err)
			err = stack_add_leg(params, dev, leg->offset);
	}
	return err ? err :
		     dm_table_add(table, row->start, row->sectors,
				  row->chunk ? "striped" : "linear", params);
}

static int recorded_table(struct stack *stack, struct stack_layer *layer, struct dm_table *table)
{
	int err = 0;

	for (unsigned i = 0; i < layer->nr_rows && !err; i++)
		err = build_row(stack, layer, &stack->rows[layer->first_row + i], table);
	return err;
}

static int start_dm(struct stack *stack, struct stack_layer *layer)
{
	_free_ char *data = NULL;
	struct dm_table table = { .len = 0 };
	bool active = false;
	dev_t dev;
	int err = dm_find(layer->name, layer->uuid, &dev, &active);

	if (!err && active)
		return 0;
	if (!err) /* its maker died half-way */
		dm_remove(layer->name);
	if (err == -EEXIST) {
		stack_set_problem(layer, "there is another device of this name", "");
		return err;
	}
	table.data = data = malloc(DM_TABLE_MAX_BYTES);
	if (!data)
		return -ENOMEM;
	err = stack_is_lvm(layer) ? stack_lvm_table(stack, layer, &table) :
				    recorded_table(stack, layer, &table);
	if (err == -E2BIG)
		stack_set_problem(layer, "its table is too long", "");
	if (err)
		return err;
	err = dm_create(layer->name, layer->uuid, &table, &dev);
	if (err)
		stack_set_problem(layer, "the mapper refuses its table:", strerror(-err));
	return err;
}

static int start_md(struct stack_layer *layer, bool degraded)
{
	char spec[STACK_NAME_SIZE + 8];
	dev_t members[MAX_MEMBERS];
	size_t nr;
	int err;

	if (md_running(layer->name))
		return 0;
	snprintf(spec, sizeof(spec), "UUID=%s", layer->uuid);
	nr = find_all(spec, "linux_raid_member", members, MAX_MEMBERS);
	if (!nr || (nr < layer->members && !degraded)) {
		stack_set_problem(layer, nr ? "lacks members of" : "no member of", spec);
		return -ENODEV;
	}
	if (nr < layer->members)
		log_warn("%s: starting with %zu of its %u members", layer->name, nr,
			 layer->members);
	err = md_start(layer->name, layer->major, layer->minor, members, nr);
	if (err)
		stack_set_problem(layer, "the array does not start:", strerror(-err));
	return err;
}

/* /dev/NAME/LINK, and for the mapper /dev/mapper/NAME, which udev would make. */
static void make_links(const struct stack_layer *layer)
{
	char to[160], from[160];
	dev_t dev;
	bool active;

	if (layer->kind == STACK_DM && !dm_find(layer->name, layer->uuid, &dev, &active)) {
		snprintf(to, sizeof(to), "../dm-%u", minor(dev));
		node_of(layer, from, sizeof(from));
		unlink(from);
		if (symlink(to, from))
			log_warn("cannot make %s: %s", from, strerror(errno));
	}
	if (!*layer->link)
		return;
	snprintf(from, sizeof(from), "/dev/%.*s", (int)strcspn(layer->link, "/"), layer->link);
	mkdir(from, 0755);
	snprintf(from, sizeof(from), "/dev/%s", layer->link);
	snprintf(to, sizeof(to), "../%s%s", layer->kind == STACK_DM ? "mapper/" : "", layer->name);
	unlink(from);
	if (symlink(to, from))
		log_warn("cannot make %s: %s", from, strerror(errno));
}

struct stack *stack_read(void)
{
	_free_ char *text = NULL;
	struct stack *stack = NULL;
	unsigned line = 0;
	size_t len;
	int err = io_read_file(STACK_PATH, STACK_MAX_BYTES, &text, &len);

	if (err == -ENOENT)
		return NULL;
	if (!err)
		err = stack_parse(text, len, &stack, &line);
	if (err == -EBADMSG)
		log_error("%s:%u: not a line of a stack", STACK_PATH, line);
	else if (err)
		log_error("%s: %s", STACK_PATH, strerror(-err));
	return stack;
}

void stack_assemble(struct stack *stack, uint64_t waited_ms, uint64_t limit_ms)
{
	bool degraded = waited_ms >= MIN(limit_ms / 3, (uint64_t)MAX_DEGRADED_MS);

	if (!stack || waited_ms < stack->look_ms)
		return;
	stack->look_ms = waited_ms + LOOK_AGAIN_MS;
	for (unsigned i = 0; i < stack->nr_layers; i++) {
		struct stack_layer *layer = &stack->layers[i];
		int err;

		if (layer->up)
			continue;
		err = layer->kind == STACK_DM ? start_dm(stack, layer) : start_md(layer, degraded);
		if (err)
			continue;
		layer->up = true;
		make_links(layer);
		log_info("%s is put together", layer->name);
	}
}

const char *stack_problem(const struct stack *stack)
{
	for (unsigned i = 0; stack && i < stack->nr_layers; i++)
		if (!stack->layers[i].up && *stack->layers[i].problem)
			return stack->layers[i].problem;
	return NULL;
}

void stack_stop(void)
{
	_free_ struct stack *stack = stack_read();
	char node[160];
	dev_t dev;
	bool active;

	for (unsigned i = stack ? stack->nr_layers : 0; i > 0; i--) {
		const struct stack_layer *layer = &stack->layers[i - 1];
		int err;

		if (layer->kind == STACK_MD && md_running(layer->name)) {
			err = md_stop(layer->name);
		} else if (layer->kind == STACK_DM &&
			   !dm_find(layer->name, layer->uuid, &dev, &active)) {
			err = dm_remove(layer->name);
			node_of(layer, node, sizeof(node));
			if (!err)
				unlink(node);
		} else {
			continue;
		}
		if (err && err != -EBUSY)
			log_warn("cannot stop %s: %s", layer->name, strerror(-err));
	}
}
