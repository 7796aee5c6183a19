// SPDX-License-Identifier: GPL-2.0-or-later
/* check: whether the image has the modules that the way to a target needs. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "control/check/check.h"
#include "control/kmod.h"
#include "lib/cleanup.h"
#include "lib/util.h"

#define TO_REBUILD "\"" CTL_PROGRAM " rebuild --force\""

/* struct wanted - @missing: of the modules that are wanted, those that the image lacks;
 * @unknown: those of which nothing tells whether the kernel has them in it */
struct wanted {
	const struct check *c;
	const struct kmod *kmod;
	unsigned nr;
	char missing[256], unknown[256];
};

static bool is_listed(const char *list, const char *name)
{
	const size_t len = strlen(name);

	for (; *list; list += strcspn(list, " "), list += *list == ' ')
		if (!strncmp(list, name, len) && (!list[len] || list[len] == ' '))
			return true;
	return false;
}

static void add(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	if (!is_listed(list, name) && len + strlen(name) + 2 < size)
		snprintf(list + len, size - len, " %s", name);
}

static int want_one(void *ctx, const char *path, size_t len)
{
	struct wanted *w = ctx;
	char name[CONTENT_MODULE_BYTES];

	if (!content_module_name(path, len, name))
		return 0;
	w->nr++;
	if (!content_has(&w->c->content, name) && kmod_state(w->kmod, name) == KMOD_MODULE)
		add(w->missing, sizeof(w->missing), name);
	return 0;
}

/* With all that it needs itself, for nothing in the image looks for that. */
static void want(struct wanted *w, const char *name)
{
	switch (kmod_state(w->kmod, name)) {
	case KMOD_MODULE:
		kmod_each_needed(w->kmod, name, want_one, w);
		break;
	case KMOD_BUILT_IN:
		break;
	case KMOD_NONE:
		add(w->missing, sizeof(w->missing), name);
		break;
	case KMOD_UNKNOWN:
		if (!content_has(&w->c->content, name))
			add(w->unknown, sizeof(w->unknown), name);
	}
}

static void tell(struct check *c, const struct wanted *w, const char *name, const char *where)
{
	if (*w->missing)
		check_tell(c, CHECK_FAIL, name, TO_REBUILD, "%s: the image lacks%s", where,
			   w->missing);
	else if (*w->unknown)
		check_tell(c, CHECK_WARN, name, "", "%s: nothing tells whether the kernel has%s",
			   where, w->unknown);
	else
		check_tell(c, CHECK_OK, name, "", "%s: the image has all %u", where, w->nr);
}

/* The module of a driver of the running kernel; false for what is built in. */
static bool module_of(const struct check *c, const char *driver, char name[CONTENT_MODULE_BYTES])
{
	_free_ char *pattern = NULL, *module = NULL;
	glob_t found;

	if (strpbrk(driver, "*?[]\\/") ||
	    asprintf(&pattern, "%s/sys/bus/*/drivers/%s/module", c->sys.in->root, driver) < 0) {
		pattern = NULL;
		return false;
	}
	if (!glob(pattern, GLOB_NOSORT, NULL, &found)) {
		module = realpath(found.gl_pathv[0], NULL);
		globfree(&found);
	}
	if (module)
		snprintf(name, CONTENT_MODULE_BYTES, "%s", strrchr(module, '/') + 1);
	return module;
}

/* A driver that is a module here may be built into the kernel that captures, and what is not known
 * of it is taken for a module. Names of tables are in brackets. */
static void check_drivers(struct check *c, const struct kmod *kmod, const char *where,
			  char *devices)
{
	struct wanted w = { .c = c, .kmod = kmod };
	char name[CONTENT_MODULE_BYTES];
	unsigned depth = 0;

	for (char *save, *word = strtok_r(devices, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		bool inside = depth > 0;

		depth += strchr(word, '(') != NULL;
		inside |= depth > 0;
		depth -= depth && strchr(word, ')');
		if (inside || !module_of(c, word, name))
			continue;
		if (kmod_state(kmod, name) == KMOD_MODULE)
			want(&w, name);
		else if (kmod_state(kmod, name) != KMOD_BUILT_IN) {
			w.nr++;
			if (!content_has(&c->content, name))
				add(w.missing, sizeof(w.missing), name);
		}
	}
	tell(c, &w, "drivers", where);
}

/* What dracut-module/99vmcore-save takes for them, too. Those without a row are one module, by
 * their own name. */
static void want_fs(struct wanted *w, const char *fs)
{
	static const struct {
		const char *fs, *modules[2];
	} rows[] = {
		{ "ext2", { "ext4" } },
		{ "ext3", { "ext4" } },
		{ "9p", { "9p", "9pnet_virtio" } },
		{ "vfat", { "vfat" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!streq(rows[i].fs, fs))
			continue;
		for (size_t n = 0; n < 2 && rows[i].modules[n]; n++)
			want(w, rows[i].modules[n]);
		return;
	}
	if (*fs)
		want(w, fs);
}

/* NFS's versions are modules of their own, and which is used the server decides. */
static void want_nfs(struct wanted *w)
{
	static const char *const versions[] = { "nfsv4", "nfsv3" };

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (kmod_state(w->kmod, versions[i]) == KMOD_MODULE)
			want(w, versions[i]);
}

/* "dm(NAME UUID)" and "md(LEVEL UUID)", as devices_of_target() has them. */
static void want_stack(struct wanted *w, const char *devices)
{
	static const struct {
		const char *text, *modules[2];
	} rows[] = {
		{ " dm(", { "dm_mod" } },
		{ " CRYPT-", { "dm_crypt" } },
		{ " mpath-", { "dm_multipath" } },
		{ " md(raid1 ", { "md_mod", "raid1" } },
		{ " md(raid0 ", { "md_mod", "raid0" } },
		{ " md(raid10 ", { "md_mod", "raid10" } },
		{ " md(raid4 ", { "md_mod", "raid456" } },
		{ " md(raid5 ", { "md_mod", "raid456" } },
		{ " md(raid6 ", { "md_mod", "raid456" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strstr(devices, rows[i].text))
			continue;
		for (size_t n = 0; n < 2 && rows[i].modules[n]; n++)
			want(w, rows[i].modules[n]);
	}
}

/* A tiny image puts together what it has written down, and nothing else; docs/stack.md. */
static void check_stack(struct check *c, const struct check_target *s)
{
	unsigned nr = 0;

	if (!c->content.listed)
		return;
	for (const char *at = s->devices; (at = strchr(at, '(')); at++) {
		const char *blank = at + strcspn(at, " )");
		char uuid[161];

		snprintf(uuid, sizeof(uuid), "%.*s", (int)strcspn(blank + (*blank == ' '), ")"),
			 blank + (*blank == ' '));
		if (!*uuid)
			continue;
		nr++;
		if (c->content.stack && strstr(c->content.stack, uuid))
			continue;
		check_tell(c, CHECK_FAIL, "layers", TO_REBUILD,
			   "%s: the image does not know how to put %s together", s->where, uuid);
		return;
	}
	if (nr)
		check_tell(c, CHECK_OK, "layers", "", "%s: the image has all %u", s->where, nr);
}

void check_modules(struct check *c, struct check_target *s)
{
	struct wanted w = { .c = c };
	struct kmod kmod;

	if (!c->opened)
		return;
	kmod_init(&kmod, c->sys.in->root, c->sys.release);
	w.kmod = &kmod;
	want_fs(&w, s->fs);
	if (streq(s->fs, "nfs"))
		want_nfs(&w);
	want_stack(&w, s->devices);
	if (*s->fs || w.nr)
		tell(c, &w, "modules", s->where);
	check_stack(c, s);
	if (*s->devices)
		check_drivers(c, &kmod, s->where, s->devices);
	kmod_deinit(&kmod);
}
