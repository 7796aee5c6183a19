// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/modtree.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/modindex.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define NAME_MAX_BYTES 64u /* the kernel's MODULE_NAME_LEN is 56 */
#define STACK_MAX      65536u

enum state {
	MODULE_NEW,
	MODULE_WAITS,
	MODULE_LISTED
};

struct module {
	char name[NAME_MAX_BYTES]; /* with '_' for '-' */
	const char *path;	   /* points into modtree.dep_text, as does deps */
	const char *deps;	   /* paths with blanks between, the last one to be loaded first */
	const char *softdep;	   /* "pre: … post: …" or NULL; points into softdep_text */
	enum state state;
};

struct modtree {
	struct module *modules; /* sorted by name */
	size_t nr;
	size_t *loaded; /* indexes, in load order; room for nr */
	size_t nr_loaded;
	/* Texts of files, cut into strings where the comment says so. */
	char *dep_text;	    /* at line ends and behind paths */
	char *softdep_text; /* at line ends */
	char *alias_text;   /* whole; may be NULL */
	char *builtin_text; /* whole; may be NULL */
	char *modinfo_text; /* NUL-separated already; may be NULL */
	size_t modinfo_len;
};

/* Steps that are still to be done, the next one on top. */
struct step {
	uint32_t module;
	bool list; /* all that it needs is listed: list it */
};

struct stack {
	struct step *step;
	size_t nr;
};

/* ---- names */

/*
 * The name of a module from a path or as a person writes it: no folder, no ".ko…",
 * '_' for '-'. False where it is too long to be one.
 */
static bool module_name(const char *s, size_t len, char out[static NAME_MAX_BYTES])
{
	const char *slash = memrchr(s, '/', len), *suffix;

	if (slash) {
		len -= (size_t)(slash + 1 - s);
		s = slash + 1;
	}
	suffix = memmem(s, len, ".ko", 3);
	if (suffix)
		len = (size_t)(suffix - s);
	if (!len || len >= NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = s[i] == '-' ? '_' : s[i];
	out[len] = '\0';
	return true;
}

/* As kmod does: '-' becomes '_' but for what stands in [brackets]. */
static void alias_normalize(char *s)
{
	bool bracket = false;

	for (; *s; s++) {
		if (*s == '[')
			bracket = true;
		else if (*s == ']')
			bracket = false;
		else if (*s == '-' && !bracket)
			*s = '_';
	}
}

static int compare_modules(const void *a, const void *b)
{
	return strcmp(((const struct module *)a)->name, ((const struct module *)b)->name);
}

static struct module *find_module(const struct modtree *t, const char *name)
{
	struct module key;

	if (!t->nr || !module_name(name, strlen(name), key.name))
		return NULL;
	return bsearch(&key, t->modules, t->nr, sizeof(key), compare_modules);
}

/* ---- reading the folder */

/* Ends the line that starts at @s with a NUL; returns the next one, or NULL. */
static char *cut_line(char *s)
{
	char *end = strchr(s, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	return end + 1;
}

static int parse_dep(struct modtree *t, const char *dir)
{
	char *next, *colon;
	size_t nr = 1;

	for (const char *s = t->dep_text; *s; s++)
		nr += *s == '\n';
	if (nr > MODTREE_MAX_MODULES)
		nr = MODTREE_MAX_MODULES;
	t->modules = calloc(nr, sizeof(*t->modules));
	t->loaded = calloc(nr, sizeof(*t->loaded));
	if (!t->modules || !t->loaded)
		return -ENOMEM;
	for (char *s = t->dep_text; s && *s; s = next) {
		struct module *m = &t->modules[t->nr];

		next = cut_line(s);
		colon = strchr(s, ':');
		if (!colon || t->nr == nr || !module_name(s, (size_t)(colon - s), m->name)) {
			log_error("%s/modules.dep: line %zu is not \"module: modules\"", dir,
				  t->nr + 1);
			return -EBADMSG;
		}
		*colon = '\0';
		m->path = s;
		m->deps = colon + 1;
		t->nr++;
	}
	qsort(t->modules, t->nr, sizeof(*t->modules), compare_modules);
	return 0;
}

/* Lines are "softdep NAME pre: NAMES post: NAMES". */
static void parse_softdep(struct modtree *t)
{
	char *next;

	for (char *s = t->softdep_text; s && *s; s = next) {
		const char *rest;
		char name[NAME_MAX_BYTES];
		struct module *m;
		size_t n;

		next = cut_line(s);
		rest = after_prefix(s, "softdep ");
		if (!rest)
			continue;
		n = strcspn(rest, " ");
		if (!module_name(rest, n, name))
			continue;
		m = find_module(t, name);
		if (m && !m->softdep)
			m->softdep = rest + n;
	}
}

/* A file that may be missing leaves NULL. */
static int read_in(const char *dir, const char *name, char **text_ret, size_t *len_ret)
{
	char path[4096];
	int err;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	err = io_read_file(path, MODTREE_FILE_MAX, text_ret, len_ret);
	if (err && err != -ENOENT)
		log_error("%s: %s", path, strerror(-err));
	return err == -ENOENT ? 0 : err;
}

/* What depmod has written besides modules.dep. */
static int read_index(struct modtree *t, const char *dir)
{
	int err = read_in(dir, "modules.softdep", &t->softdep_text, NULL);

	return err ? err : read_in(dir, "modules.alias", &t->alias_text, NULL);
}

static int make_index(struct modtree *t, const char *dir)
{
	struct modindex index;
	int err = modindex_build(dir, &index);

	if (err)
		return err;
	t->dep_text = index.dep;
	t->softdep_text = index.softdep;
	t->alias_text = index.alias;
	return 0;
}

static int read_tree(struct modtree *t, const char *dir)
{
	int err = read_in(dir, "modules.dep", &t->dep_text, NULL);

	if (!err)
		err = t->dep_text ? read_index(t, dir) : make_index(t, dir);
	if (!err)
		err = read_in(dir, "modules.builtin", &t->builtin_text, NULL);
	if (!err && !t->builtin_text)
		log_warn("%s: no modules.builtin there: what is built in counts as missing", dir);
	if (!err)
		err = read_in(dir, "modules.builtin.modinfo", &t->modinfo_text, &t->modinfo_len);
	if (!err)
		err = parse_dep(t, dir);
	if (!err)
		parse_softdep(t);
	return err;
}

int modtree_open(const char *dir, struct modtree **tree_ret)
{
	struct modtree *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	err = read_tree(t, dir);
	if (err)
		modtree_close(t);
	else
		*tree_ret = t;
	return err;
}

void modtree_close(struct modtree *t)
{
	if (!t)
		return;
	free(t->modules);
	free(t->loaded);
	free(t->dep_text);
	free(t->softdep_text);
	free(t->alias_text);
	free(t->builtin_text);
	free(t->modinfo_text);
	free(t);
}

/* ---- what a name needs */

static int push(struct modtree *t, struct stack *stack, const struct module *m, bool list)
{
	if (stack->nr == STACK_MAX) {
		log_error("modules.dep: too many dependencies at %s", m->name);
		return -EBADMSG;
	}
	stack->step[stack->nr++] = (struct step){ (uint32_t)(m - t->modules), list };
	return 0;
}

static bool is_builtin(const struct modtree *t, const char *name)
{
	char want[NAME_MAX_BYTES], have[NAME_MAX_BYTES];
	size_t n;

	if (!module_name(name, strlen(name), want))
		return false;
	for (const char *s = t->builtin_text; s && *s; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		if (module_name(s, n, have) && streq(have, want))
			return true;
	}
	return false;
}

static bool alias_matches(const char *pattern, size_t len, const char *alias)
{
	char buf[512];

	if (len >= sizeof(buf))
		return false;
	memcpy(buf, pattern, len);
	buf[len] = '\0';
	alias_normalize(buf);
	return fnmatch(buf, alias, 0) == 0;
}

/* Strings are "NAME.KEY=VALUE". */
static bool is_builtin_alias(const struct modtree *t, const char *alias)
{
	const char *end = t->modinfo_text ? t->modinfo_text + t->modinfo_len : NULL;
	const char *value;

	for (const char *s = t->modinfo_text; s < end; s += strlen(s) + 1) {
		value = strchr(s, '.');
		value = value ? after_prefix(value, ".alias=") : NULL;
		if (value && alias_matches(value, strlen(value), alias))
			return true;
	}
	return false;
}

/* Pushes the modules that an alias stands for, so that the first in the file comes up first. */
static int push_alias(struct modtree *t, struct stack *stack, const char *name)
{
	size_t bottom = stack->nr, n;
	char alias[512];
	int err = 0;

	if (strlen(name) >= sizeof(alias))
		return -ENOENT;
	strcpy(alias, name);
	alias_normalize(alias);
	for (char *s = t->alias_text; s && *s && !err; s += n + (s[n] == '\n')) {
		const char *pattern = after_prefix(s, "alias ");
		char module[NAME_MAX_BYTES];
		const struct module *m;
		size_t len;

		n = strcspn(s, "\n");
		if (!pattern)
			continue;
		len = strcspn(pattern, " \n");
		if (pattern[len] != ' ' || !alias_matches(pattern, len, alias) ||
		    !module_name(pattern + len + 1, strcspn(pattern + len + 1, "\n"), module))
			continue;
		m = find_module(t, module);
		if (m)
			err = push(t, stack, m, false);
	}
	if (!err && stack->nr == bottom && !is_builtin_alias(t, alias))
		return -ENOENT;
	for (size_t i = bottom, j = stack->nr; i + 1 < j; i++) {
		struct step swap = stack->step[i];

		stack->step[i] = stack->step[--j];
		stack->step[j] = swap;
	}
	return err;
}

static int push_name(struct modtree *t, struct stack *stack, const char *name)
{
	const struct module *m = find_module(t, name);
	int err;

	if (m)
		return push(t, stack, m, false);
	err = push_alias(t, stack, name);
	return err == -ENOENT && is_builtin(t, name) ? 0 : err;
}

/* Pushes the names of "pre:" or "post:", the last first; those that are not there are left out. */
static int push_softdep(struct modtree *t, struct stack *stack, const struct module *m,
			const char *which)
{
	char text[2048], *names, *end, *word;
	int err = 0;

	if (!m->softdep || strlen(m->softdep) >= sizeof(text))
		return 0;
	strcpy(text, m->softdep);
	names = strstr(text, which);
	if (!names)
		return 0;
	names += strlen(which);
	end = strchr(names, ':');
	if (end) /* the next key: its word does not count */
		while (end > names && *end != ' ')
			*end-- = '\0';
	while (!err && (word = strrchr(names, ' '))) {
		*word++ = '\0';
		if (*word)
			err = push_name(t, stack, word);
		if (err == -ENOENT)
			err = 0;
	}
	return err;
}

static int push_deps(struct modtree *t, struct stack *stack, const struct module *m)
{
	char path[1024];
	size_t n;
	int err = 0;

	for (const char *s = m->deps; *s && !err; s += n) {
		const struct module *dep;

		s += strspn(s, " ");
		n = strcspn(s, " ");
		if (!n)
			break;
		snprintf(path, sizeof(path), "%.*s", (int)MIN(n, sizeof(path) - 1), s);
		dep = find_module(t, path);
		if (!dep) {
			log_error("modules.dep: %s needs %s, which is not listed", m->name, path);
			return -EBADMSG;
		}
		err = push(t, stack, dep, false);
	}
	return err;
}

/* Replaces the top of the stack by what it needs and, below that, its own listing. */
static int take_step(struct modtree *t, struct stack *stack)
{
	struct step step = stack->step[--stack->nr];
	struct module *m = &t->modules[step.module];
	int err;

	if (step.list) {
		m->state = MODULE_LISTED;
		t->loaded[t->nr_loaded++] = step.module;
		return 0;
	}
	if (m->state != MODULE_NEW)
		return 0;
	m->state = MODULE_WAITS;
	err = push_softdep(t, stack, m, "post:");
	if (!err)
		err = push(t, stack, m, true);
	if (!err)
		err = push_deps(t, stack, m);
	if (!err)
		err = push_softdep(t, stack, m, "pre:");
	return err;
}

int modtree_need(struct modtree *t, const char *name)
{
	_free_ struct step *steps = calloc(STACK_MAX, sizeof(*steps));
	struct stack stack = { .step = steps };
	int err;

	if (!steps)
		return -ENOMEM;
	err = push_name(t, &stack, name);
	while (!err && stack.nr)
		err = take_step(t, &stack);
	return err;
}

size_t modtree_nr_loaded(const struct modtree *t)
{
	return t->nr_loaded;
}

const char *modtree_loaded(const struct modtree *t, size_t i)
{
	return t->modules[t->loaded[i]].path;
}
