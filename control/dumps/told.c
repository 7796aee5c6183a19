// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/dumps/told.h"

#include <string.h>

#include "lib/util.h"

/* A path's line; what would end it early is left out, the same way each time. */
static void put_path(FILE *to, const char *path)
{
	for (; *path; path++) {
		if (*path != '\n')
			fputc(*path, to);
	}
	fputc('\n', to);
}

static bool is_line_of(const char *line, size_t len, const char *path)
{
	for (; *path; path++) {
		if (*path == '\n')
			continue;
		if (!len || *line != *path)
			return false;
		line++;
		len--;
	}
	return !len;
}

bool told_knows(const char *text, const struct dump *dump)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (is_line_of(text, len, dump->path))
			return true;
		text += len + (text[len] == '\n');
	}
	return false;
}

static bool was_looked_at(const struct dumps *dumps, const char *line, size_t len)
{
	for (unsigned i = 0; i < dumps->nr_places; i++) {
		const char *place = dumps->places[i].path;
		size_t n = strlen(place);

		if (len > n && !strncmp(line, place, n) && line[n] == '/')
			return true;
	}
	return false;
}

void told_write(FILE *to, const char *before, const struct dumps *dumps)
{
	for (unsigned i = 0; i < dumps->nr; i++) {
		if (dumps->list[i].ours)
			put_path(to, dumps->list[i].path);
	}
	while (*before) {
		size_t len = strcspn(before, "\n");

		if (len && !was_looked_at(dumps, before, len))
			fprintf(to, "%.*s\n", (int)len, before);
		before += len + (before[len] == '\n');
	}
}
