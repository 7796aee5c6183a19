// SPDX-License-Identifier: GPL-2.0-or-later
/* A package's modules are indexed where it is installed; an unpacked one has the modules alone.
 * What they need and stand for is in each one's section .modinfo (kernel: scripts/mod/modpost.c).
 */
#include "initramfs/modindex.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/sections.h"
#include "initramfs/unpack.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define DEPTH_MAX 32

struct writer {
	FILE *dep, *softdep, *alias;
	size_t nr;
};

static bool is_module(const char *name)
{
	const char *suffix = strstr(name, ".ko");

	return suffix && suffix != name &&
	       (streq(suffix, ".ko") || streq(suffix, ".ko.gz") || streq(suffix, ".ko.xz") ||
		streq(suffix, ".ko.zst"));
}

/* "jbd2,crc16" as modules.dep has it, the one to load first at the end; modtree takes names for
 * paths. */
static void write_dep(const struct writer *w, const struct sections *s, const char *path)
{
	const char *depends = modinfo_next(s, "depends=", NULL);
	size_t end = depends ? strlen(depends) : 0, start;

	fprintf(w->dep, "%s:", path);
	while (end) {
		for (start = end; start && depends[start - 1] != ',';)
			start--;
		if (start < end)
			fprintf(w->dep, " %.*s", (int)(end - start), depends + start);
		end = start ? start - 1 : 0;
	}
	fputc('\n', w->dep);
}

/* @path: below the folder. A value that has a line end in it could be taken for another line. */
static void write_module(const struct writer *w, const struct sections *s, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *value;
	int len = (int)(strstr(base, ".ko") - base);

	write_dep(w, s, path);
	for (value = NULL; (value = modinfo_next(s, "softdep=", value));)
		if (!strchr(value, '\n'))
			fprintf(w->softdep, "softdep %.*s %s\n", len, base, value);
	for (value = NULL; (value = modinfo_next(s, "alias=", value));)
		if (!strpbrk(value, " \n"))
			fprintf(w->alias, "alias %s %.*s\n", value, len, base);
}

static int take_module(struct writer *w, const char *file, const char *path)
{
	_free_ void *data = NULL;
	struct sections s;
	size_t len;
	int err = unpack_file(file, &data, &len);

	if (err)
		return err;
	err = sections_read(data, len, &s);
	if (err) {
		log_error("%s: no modules.dep there, and this module cannot be looked into "
			  "(%s); \"depmod -b ROOT VERSION\" makes one",
			  file, strerror(-err));
		return err;
	}
	write_module(w, &s, path);
	sections_deinit(&s);
	w->nr++;
	return 0;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int walk(struct writer *w, char *dir)
{
	char *const dirs[] = { dir, NULL };
	FTS *fts = fts_open(dirs, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, by_name);
	size_t skip = strlen(dir) + 1;
	int err = fts ? 0 : -errno;

	for (FTSENT *e; !err && (e = fts_read(fts));) {
		if (e->fts_info == FTS_D && e->fts_level > DEPTH_MAX)
			err = -ELOOP;
		else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR)
			err = -e->fts_errno;
		else if (e->fts_level > 0 && e->fts_info != FTS_D && e->fts_info != FTS_DP &&
			 e->fts_info != FTS_SL && is_module(e->fts_name) &&
			 !strpbrk(e->fts_path + skip, " :\n"))
			err = take_module(w, e->fts_path, e->fts_path + skip);
	}
	if (fts)
		fts_close(fts);
	return err;
}

int modindex_build(const char *dir, struct modindex *index_ret)
{
	struct modindex index = { 0 };
	size_t len[3];
	struct writer w = {
		.dep = open_memstream(&index.dep, &len[0]),
		.softdep = open_memstream(&index.softdep, &len[1]),
		.alias = open_memstream(&index.alias, &len[2]),
	};
	_free_ char *copy = strdup(dir);
	int err = w.dep && w.softdep && w.alias && copy ? 0 : -ENOMEM;

	log_info("%s: no modules.dep there: looking into each module", dir);
	if (!err)
		err = walk(&w, copy);
	if (!err && !w.nr) {
		log_error("%s: no modules there", dir);
		err = -ENOENT;
	}
	for (size_t i = 0; i < 3; i++) {
		FILE *out = i == 0 ? w.dep : i == 1 ? w.softdep : w.alias;

		if (out && fclose(out) && !err)
			err = -ENOMEM;
	}
	if (err) {
		free(index.dep);
		free(index.softdep);
		free(index.alias);
		return err;
	}
	*index_ret = index;
	return 0;
}
