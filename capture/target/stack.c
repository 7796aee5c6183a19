// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of a stack file. */
#include "capture/target/stack.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/util.h"

#define LINE_MAX_BYTES 4096u
#define SECTORS_MAX    (UINT64_MAX >> 10)

struct words {
	char *rest;
};

static char *next_word(struct words *words)
{
	return strtok_r(NULL, " \t\r", &words->rest);
}

static bool parse_number(const char *word, uint64_t max, uint64_t *value_ret)
{
	unsigned long long v;
	char *end;

	if (!word || !isdigit((unsigned char)*word))
		return false;
	errno = 0;
	v = strtoull(word, &end, 10);
	if (*end || errno || v > max)
		return false;
	*value_ret = v;
	return true;
}

/* A name that can stand below /dev and in sysfs as it is. */
static bool good_name(const char *name)
{
	if (!name || !isalnum((unsigned char)*name) || strlen(name) >= STACK_NAME_SIZE)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("+_.-", *name))
			return false;
	return true;
}

static bool good_value(const char *value)
{
	if (!value || strlen(value) >= STACK_NAME_SIZE)
		return false;
	for (; *value; value++)
		if (!isgraph((unsigned char)*value))
			return false;
	return true;
}

struct stack_layer *stack_layer_of(struct stack *stack, const char *name)
{
	for (unsigned i = 0; i < stack->nr_layers; i++)
		if (streq(stack->layers[i].name, name))
			return &stack->layers[i];
	return NULL;
}

static bool good_device(struct stack *stack, const char *spec)
{
	struct stack_layer *below;

	if (!good_value(spec))
		return false;
	if (strchr(spec, '='))
		return after_prefix(spec, "UUID=") || after_prefix(spec, "PARTUUID=");
	below = stack_layer_of(stack, spec);
	/* Only one that is whole already: none is below itself. */
	return below && below != &stack->layers[stack->nr_layers - 1];
}

static int add_device(struct stack *stack, const char *spec, unsigned *index_ret)
{
	unsigned i;

	if (!good_device(stack, spec))
		return -EBADMSG;
	for (i = 0; i < stack->nr_devices; i++)
		if (streq(stack->devices[i], spec))
			break;
	if (i == STACK_MAX_DEVICES)
		return -EBADMSG;
	if (i == stack->nr_devices)
		strcpy(stack->devices[stack->nr_devices++], spec);
	*index_ret = i;
	return 0;
}

static int add_layer(struct stack *stack, enum stack_kind kind, const char *name, const char *uuid)
{
	struct stack_layer *layer;

	if (stack->nr_layers == STACK_MAX_LAYERS || !good_name(name) || streq(name, "control") ||
	    stack_layer_of(stack, name) || !good_value(uuid))
		return -EBADMSG;
	layer = &stack->layers[stack->nr_layers++];
	layer->kind = kind;
	layer->first_row = stack->nr_rows;
	strcpy(layer->name, name);
	strcpy(layer->uuid, uuid);
	return 0;
}

/* dm NAME UUID, which is "-" for none */
static int parse_dm(struct stack *stack, struct words *words)
{
	const char *name = next_word(words), *uuid = next_word(words);

	return add_layer(stack, STACK_DM, name, uuid && streq(uuid, "-") ? "" : uuid);
}

/* md NAME UUID raid1 VERSION MEMBERS */
static int parse_md(struct stack *stack, struct words *words)
{
	static const struct {
		const char *text;
		unsigned major, minor;
	} versions[] = { { "0.90", 0, 90 }, { "1.0", 1, 0 }, { "1.1", 1, 1 }, { "1.2", 1, 2 } };
	const char *name = next_word(words), *uuid = next_word(words), *level = next_word(words);
	const char *version = next_word(words);
	struct stack_layer *layer;
	uint64_t members;

	if (!name || !after_prefix(name, "md") || !level || !streq(level, "raid1") || !version ||
	    !parse_number(next_word(words), 64, &members) || !members)
		return -EBADMSG;
	if (add_layer(stack, STACK_MD, name, uuid))
		return -EBADMSG;
	layer = &stack->layers[stack->nr_layers - 1];
	layer->members = members;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		if (streq(versions[i].text, version)) {
			layer->major = versions[i].major;
			layer->minor = versions[i].minor;
			return 0;
		}
	}
	return -EBADMSG;
}

static int parse_legs(struct stack *stack, struct words *words, struct stack_row *row)
{
	for (unsigned i = 0; i < row->nr_legs; i++) {
		struct stack_leg *leg = &stack->legs[stack->nr_legs];

		if (stack->nr_legs == STACK_MAX_LEGS ||
		    add_device(stack, next_word(words), &leg->device) ||
		    !parse_number(next_word(words), SECTORS_MAX, &leg->offset))
			return -EBADMSG;
		stack->nr_legs++;
	}
	return 0;
}

/* table START SECTORS linear DEVICE OFFSET
 * table START SECTORS striped N CHUNK (DEVICE OFFSET)... */
static int parse_table(struct stack *stack, struct words *words)
{
	struct stack_layer *layer;
	uint64_t end = 0, nr_legs = 1;
	struct stack_row row = { .first_leg = stack->nr_legs };
	const char *type;

	if (!stack->nr_layers || stack->nr_rows == STACK_MAX_ROWS)
		return -EBADMSG;
	layer = &stack->layers[stack->nr_layers - 1];
	if (layer->kind != STACK_DM)
		return -EBADMSG;
	if (layer->nr_rows)
		end = stack->rows[stack->nr_rows - 1].start +
		      stack->rows[stack->nr_rows - 1].sectors;
	if (!parse_number(next_word(words), SECTORS_MAX, &row.start) || row.start != end ||
	    !parse_number(next_word(words), SECTORS_MAX - row.start, &row.sectors) || !row.sectors)
		return -EBADMSG;
	type = next_word(words);
	if (!type)
		return -EBADMSG;
	if (streq(type, "striped")) {
		if (!parse_number(next_word(words), 128, &nr_legs) || !nr_legs ||
		    !parse_number(next_word(words), UINT32_MAX, &row.chunk) || !row.chunk)
			return -EBADMSG;
	} else if (!streq(type, "linear")) {
		return -EBADMSG;
	}
	row.nr_legs = nr_legs;
	if (parse_legs(stack, words, &row))
		return -EBADMSG;
	stack->rows[stack->nr_rows++] = row;
	layer->nr_rows++;
	return 0;
}

/* link DIRECTORY/NAME */
static int parse_link(struct stack *stack, struct words *words)
{
	const char *path = next_word(words), *slash = path ? strchr(path, '/') : NULL;
	char dir[STACK_NAME_SIZE];

	if (!stack->nr_layers || !good_value(path) || !slash || !good_name(slash + 1))
		return -EBADMSG;
	memcpy(dir, path, slash - path);
	dir[slash - path] = '\0';
	if (!good_name(dir))
		return -EBADMSG;
	strcpy(stack->layers[stack->nr_layers - 1].link, path);
	return 0;
}

static int parse_line(struct stack *stack, char *line)
{
	static const struct {
		const char *word;
		int (*parse)(struct stack *stack, struct words *words);
	} kinds[] = {
		{ "dm", parse_dm },
		{ "table", parse_table },
		{ "md", parse_md },
		{ "link", parse_link },
	};
	struct words words;
	char *word = strtok_r(line, " \t\r", &words.rest);

	if (!word || *word == '#')
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!streq(word, kinds[i].word))
			continue;
		if (kinds[i].parse(stack, &words))
			return -EBADMSG;
		return next_word(&words) ? -EBADMSG : 0;
	}
	return -EBADMSG;
}

bool stack_is_lvm(const struct stack_layer *layer)
{
	return layer->kind == STACK_DM && after_prefix(layer->uuid, "LVM-");
}

/* A mapper device without a table is none, unless LVM's metadata have it. */
static int check_layers(const struct stack *stack)
{
	for (unsigned i = 0; i < stack->nr_layers; i++) {
		const struct stack_layer *layer = &stack->layers[i];

		if (layer->kind == STACK_DM && !layer->nr_rows && !stack_is_lvm(layer))
			return -EBADMSG;
	}
	return 0;
}

int stack_parse(const char *text, size_t len, struct stack **stack_ret, unsigned *line_ret)
{
	_free_ struct stack *stack = calloc(1, sizeof(*stack));
	char line[LINE_MAX_BYTES];
	unsigned nr = 0;

	if (!stack)
		return -ENOMEM;
	for (size_t at = 0, n; at < len; at += n + 1) {
		const char *end = memchr(text + at, '\n', len - at);

		n = end ? (size_t)(end - (text + at)) : len - at;
		*line_ret = ++nr;
		if (n >= sizeof(line) || memchr(text + at, '\0', n))
			return -EBADMSG;
		memcpy(line, text + at, n);
		line[n] = '\0';
		if (parse_line(stack, line))
			return -EBADMSG;
	}
	if (check_layers(stack))
		return -EBADMSG;
	*stack_ret = take_ptr(stack);
	return 0;
}
