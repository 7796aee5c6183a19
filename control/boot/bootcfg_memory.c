// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a boot loader's files were before we changed them, in one file:
 *
 *	vmcore-save boot-loader 1
 *	set VALUE
 *	was VALUE
 *	file LENGTH SHA-256 PATH	and that many bytes and a newline; LENGTH "-": it was not
 *there
 *
 * The digest is that of what we made of it, "-" before that was done. Where a file still has it,
 * the old bytes go back; where somebody else has changed it meanwhile, only our word is taken out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "control/boot/bootcfg_private.h"
#include "lib/cleanup.h"
#include "lib/util.h"

#define HEAD "vmcore-save boot-loader 1\n"

struct cursor {
	const char *at, *end;
};

/* The next line behind @key, NUL-terminated, in @buf. */
static bool take_line(struct cursor *c, const char *key, char *buf, size_t size)
{
	size_t left = (size_t)(c->end - c->at), n = strlen(key);
	const char *newline = memchr(c->at, '\n', left);
	size_t len = newline ? (size_t)(newline - c->at) : 0;

	if (!newline || len < n || memcmp(c->at, key, n) || len - n >= size)
		return false;
	memcpy(buf, c->at + n, len - n);
	buf[len - n] = '\0';
	c->at = newline + 1;
	return !memchr(buf, '\0', len - n);
}

/* "" is none; anything else is one that we, or a kernel, would take, or "?". */
static bool take_value(struct cursor *c, const char *key, char value[BOOTCFG_VALUE_SIZE])
{
	return take_line(c, key, value, BOOTCFG_VALUE_SIZE) &&
	       (!*value || streq(value, "?") ||
		strspn(value, "?" BOOTCFG_CHARS " ") == strlen(value));
}

struct bootcfg_kept *bootcfg_memory_keep(struct bootcfg_memory *memory, const char *path,
					 const char *text, size_t len)
{
	_free_ char *name = strdup(path), *copy = malloc(len + 1);
	struct bootcfg_kept *list = NULL;

	if (name && copy && memory->nr < BOOTCFG_MAX_FILES)
		list = realloc(memory->kept, (memory->nr + 1) * sizeof(*list));
	if (!list)
		return NULL;
	memory->kept = list;
	list += memory->nr++;
	*list = (struct bootcfg_kept){ .path = take_ptr(name) };
	if (text) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		list->text = take_ptr(copy);
		list->len = len;
	}
	return list;
}

static int take_file(struct cursor *c, struct bootcfg_memory *memory)
{
	char line[4096 + 128], *path, *after, *end;
	unsigned long len = 0;
	struct bootcfg_kept *kept;
	bool absent;

	if (!take_line(c, "file ", line, sizeof(line)))
		return -EBADMSG;
	after = strchr(line, ' ');
	path = after ? strchr(after + 1, ' ') : NULL;
	if (!path || path[1] != '/')
		return -EBADMSG;
	*after++ = *path++ = '\0';
	absent = streq(line, "-");
	if (!absent) {
		len = strtoul(line, &end, 10);
		if (*line < '0' || *line > '9' || *end || len > BOOTCFG_MAX_BYTES)
			return -EBADMSG;
	}
	if (!streq(after, "-") && strspn(after, "0123456789abcdef") != SHA256_HEX_BYTES - 1)
		return -EBADMSG;
	if (len + 1 > (size_t)(c->end - c->at) || c->at[len] != '\n' || memchr(c->at, '\0', len))
		return -EBADMSG;
	if (strlen(after) >= sizeof(kept->after) || bootcfg_memory_find(memory, path))
		return -EBADMSG;
	kept = bootcfg_memory_keep(memory, path, absent ? NULL : c->at, len);
	if (!kept)
		return -ENOMEM;
	if (!streq(after, "-"))
		memcpy(kept->after, after, sizeof(kept->after));
	c->at += len + 1;
	return 0;
}

int bootcfg_memory_parse(const char *text, size_t len, struct bootcfg_memory *memory)
{
	struct cursor c = { text, text + len };
	char rest[2];
	int err = 0;

	*memory = (struct bootcfg_memory){ 0 };
	if (!take_line(&c, "vmcore-save boot-loader 1", rest, sizeof(rest)) || *rest ||
	    !take_value(&c, "set ", memory->set) || !take_value(&c, "was ", memory->was))
		return -EBADMSG;
	while (!err && c.at < c.end)
		err = take_file(&c, memory);
	memory->there = !err;
	return err;
}

void bootcfg_memory_deinit(struct bootcfg_memory *memory)
{
	for (size_t i = 0; i < memory->nr; i++) {
		free(memory->kept[i].path);
		free(memory->kept[i].text);
	}
	free(memory->kept);
	*memory = (struct bootcfg_memory){ 0 };
}

int bootcfg_memory_print(const struct bootcfg_memory *memory, char **text_ret, size_t *len_ret)
{
	_free_ char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return -ENOMEM;
	fprintf(to, HEAD "set %s\nwas %s\n", memory->set, memory->was);
	for (size_t i = 0; i < memory->nr; i++) {
		const struct bootcfg_kept *k = &memory->kept[i];

		if (k->text)
			fprintf(to, "file %zu ", k->len);
		else
			fputs("file - ", to);
		fprintf(to, "%s %s\n", *k->after ? k->after : "-", k->path);
		if (k->text)
			fwrite(k->text, 1, k->len, to);
		fputc('\n', to);
	}
	if (fclose(to))
		return -ENOMEM;
	*text_ret = take_ptr(text);
	*len_ret = len;
	return 0;
}

struct bootcfg_kept *bootcfg_memory_find(const struct bootcfg_memory *memory, const char *path)
{
	for (size_t i = 0; i < memory->nr; i++) {
		if (streq(memory->kept[i].path, path))
			return &memory->kept[i];
	}
	return NULL;
}
