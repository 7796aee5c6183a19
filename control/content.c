// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/archive.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

bool content_module_name(const char *path, size_t len, char name[CONTENT_MODULE_BYTES])
{
	const char *slash = memrchr(path, '/', len), *end = path + len, *dot;

	if (slash)
		path = slash + 1;
	dot = memmem(path, (size_t)(end - path), ".ko", 3);
	if (!dot || dot == path || (dot + 3 < end && dot[3] != '.') ||
	    (size_t)(dot - path) >= CONTENT_MODULE_BYTES)
		return false;
	for (; path < dot; path++)
		*name++ = *path == '-' ? '_' : *path;
	*name = '\0';
	return true;
}

static int add_module(struct content *c, const char *path, size_t len)
{
	if (c->nr_modules == CONTENT_MAX_MODULES)
		return -E2BIG;
	c->nr_modules += content_module_name(path, len, c->modules[c->nr_modules]);
	return 0;
}

/* Lines "PATH [PARAMETERS...]". */
static int take_list(struct content *c, const char *text, size_t len)
{
	const char *end = text + len;
	int err = 0;

	c->nr_modules = 0;
	c->listed = true;
	while (text < end && !err) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((newline ? newline : end) - text);
		const char *blank = memchr(text, ' ', line);

		err = add_module(c, text, blank ? (size_t)(blank - text) : line);
		text += line + 1;
	}
	return err;
}

static int take_stack(struct content *c, const char *text, size_t len)
{
	if (len > CONTENT_MAX_STACK)
		return -E2BIG;
	free(c->stack);
	c->stack = strndup(text, len);
	return c->stack ? 0 : -ENOMEM;
}

static int take_entry(void *ctx, const struct archive_entry *e)
{
	struct content *c = ctx;

	if (!S_ISREG(e->mode))
		return 0;
	if (streq(e->name, "etc/vmcore-save/modules"))
		return take_list(c, e->data, e->size);
	if (streq(e->name, "etc/vmcore-save/stack"))
		return take_stack(c, e->data, e->size);
	c->config |= streq(e->name, "etc/vmcore-save.conf");
	c->program |= streq(e->name, "init") || streq(e->name, "bin/vmcore-save") ||
		      streq(e->name, "usr/bin/vmcore-save") || streq(e->name, "sbin/vmcore-save") ||
		      streq(e->name, "usr/sbin/vmcore-save");
	return c->listed ? 0 : add_module(c, e->name, strlen(e->name));
}

int content_of(const void *data, size_t len, struct content *content_ret)
{
	struct content c = { .modules = calloc(CONTENT_MAX_MODULES, sizeof(*c.modules)) };
	int err;

	if (!c.modules)
		return -ENOMEM;
	err = archive_walk(data, len, 2ul * CONTENT_MAX_IMAGE, take_entry, &c);
	if (err) {
		content_deinit(&c);
		return err;
	}
	*content_ret = c;
	return 0;
}

int content_read(const char *path, struct content *content_ret)
{
	_free_ char *data = NULL;
	size_t len;
	int err = io_read_file(path, CONTENT_MAX_IMAGE, &data, &len);

	return err ? err : content_of(data, len, content_ret);
}

const char *content_packing(const char *path)
{
	_free_ char *data = NULL;
	size_t len;

	return io_read_file(path, CONTENT_MAX_IMAGE, &data, &len) ? NULL :
								    archive_unread(data, len);
}

void content_deinit(struct content *content)
{
	free(content->modules);
	free(content->stack);
	*content = (struct content){ 0 };
}

bool content_has(const struct content *content, const char *name)
{
	for (unsigned i = 0; i < content->nr_modules; i++) {
		const char *a = content->modules[i], *b = name;

		while (*b && *a == (*b == '-' ? '_' : *b))
			a++, b++;
		if (!*a && !*b)
			return true;
	}
	return false;
}
