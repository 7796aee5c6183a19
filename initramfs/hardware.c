// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/hardware.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/path.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define LINE_MAX_BYTES 1024u

struct line {
	struct hardware *hw;
	unsigned nr;
};

static int complain(const struct line *line, const char *what, const char *word)
{
	log_error("%s:%u: %s%s%.64s", line->hw->name, line->nr, what, *word ? ": " : "", word);
	return -EBADMSG;
}

static int list_add(const struct line *line, struct hardware_list *list, const char *text)
{
	char *copy;

	if (list->nr == HARDWARE_MAX_LINES)
		return complain(line, "more than 256 names of a kind", "");
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	list->word[list->nr++] = (struct hardware_word){ copy, line->nr };
	return 0;
}

/* ---- kinds of lines */

static int add_driver(const struct line *line, const char *word)
{
	if (!word[*word == '?'])
		return complain(line, "a name has to follow the ?", "");
	return list_add(line, &line->hw->drivers, word);
}

static int add_firmware(const struct line *line, const char *word)
{
	if (!path_is_clean(word + (*word == '?')))
		return complain(line, "not a path below /lib/firmware", word);
	return list_add(line, &line->hw->firmware, word);
}

static int add_words(const struct line *line, char *rest,
		     int (*add)(const struct line *line, const char *word))
{
	char *save = NULL;
	int err = 0;

	for (char *w = strtok_r(rest, " \t", &save); w && !err; w = strtok_r(NULL, " \t", &save))
		err = add(line, w);
	return err;
}

/* Blanks within parameters are evened out; quoted ones are not possible. */
static int add_options(const struct line *line, char *rest)
{
	char text[LINE_MAX_BYTES] = "", *save = NULL;
	size_t len = 0, nr = 0;

	if (strchr(rest, '"'))
		return complain(line, "a parameter with blanks in it cannot be given", "");
	for (char *w = strtok_r(rest, " \t", &save); w; w = strtok_r(NULL, " \t", &save), nr++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", nr ? " " : "", w);
	if (nr < 2)
		return complain(line, "options takes a module and its parameters", "");
	return list_add(line, &line->hw->options, text);
}

static bool is_modalias(const char *s)
{
	return s[strcspn(s, ": \t")] == ':';
}

static int parse_line(const struct line *line, char *s)
{
	char *end = s + strlen(s), *rest;

	while (end > s && isspace((unsigned char)end[-1]))
		*--end = '\0';
	s += strspn(s, " \t");
	if (!*s || *s == '#')
		return 0;
	if (is_modalias(s) && !strpbrk(s, " \t")) /* as /sys/.../modalias has it */
		return add_driver(line, s);
	rest = s + strcspn(s, " \t");
	if (!*rest)
		return complain(line, "a name has to follow", s);
	*rest++ = '\0';
	if (streq(s, "driver") || streq(s, "modalias"))
		return add_words(line, rest, add_driver);
	if (streq(s, "firmware"))
		return add_words(line, rest, add_firmware);
	if (streq(s, "options"))
		return add_options(line, rest);
	return complain(line, "not driver, modalias, firmware or options", s);
}

int hardware_parse(const char *text, size_t len, const char *name, struct hardware *hw)
{
	struct line line = { .hw = hw };
	char buf[LINE_MAX_BYTES];
	int err = 0;

	*hw = (struct hardware){ .name = name };
	for (size_t at = 0, n; at < len && !err; at += n + 1) {
		const char *end = memchr(text + at, '\n', len - at);

		n = end ? (size_t)(end - (text + at)) : len - at;
		line.nr++;
		if (n >= sizeof(buf) || memchr(text + at, '\0', n))
			return complain(&line, "not a line of text of up to 1023 bytes", "");
		memcpy(buf, text + at, n);
		buf[n] = '\0';
		err = parse_line(&line, buf);
	}
	return err;
}

static void list_deinit(struct hardware_list *list)
{
	while (list->nr)
		free(list->word[--list->nr].text);
}

void hardware_deinit(struct hardware *hw)
{
	list_deinit(&hw->drivers);
	list_deinit(&hw->firmware);
	list_deinit(&hw->options);
}

/* ---- what it says */

char *hardware_join(const struct hardware_list *list)
{
	size_t size = 1, len = 0;
	char *text;

	for (size_t i = 0; i < list->nr; i++)
		size += strlen(list->word[i].text) + 1;
	text = malloc(size);
	if (!text)
		return NULL;
	text[0] = '\0';
	for (size_t i = 0; i < list->nr; i++)
		len += (size_t)sprintf(text + len, "%s%s", i ? " " : "", list->word[i].text);
	return text;
}

static unsigned line_of(const struct hardware_list *list, const char *text)
{
	for (size_t i = 0; i < list->nr; i++)
		if (streq(list->word[i].text, text))
			return list->word[i].line;
	return 0;
}

unsigned hardware_line(const struct hardware *hw, const char *text)
{
	unsigned line = hw ? line_of(&hw->drivers, text) : 0;

	return line || !hw ? line : line_of(&hw->firmware, text);
}

/* Where the parameters begin in "MODULE PARAMETERS"; NULL for another module's. */
static const char *options_of(const char *text, const char *module)
{
	for (; *module; text++, module++)
		if (*text != *module && !(strchr("-_", *text) && strchr("-_", *module)))
			return NULL;
	return *text == ' ' ? text + 1 : NULL;
}

const char *hardware_options(const struct hardware *hw, const char *module, size_t nr)
{
	for (size_t i = 0; hw && i < hw->options.nr; i++) {
		const char *found = options_of(hw->options.word[i].text, module);

		if (found && !nr--)
			return found;
	}
	return NULL;
}
