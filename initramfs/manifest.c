// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/manifest.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "initramfs/path.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define PATH_MAX_BYTES 1024u
#define LINE_MAX_BYTES 2048u
#define WORD_MAX_BYTES 16384u /* after variables have been put in */
#define MAX_WORDS      32u

/* The line under way, in words. */
struct line {
	const char *name; /* of the file */
	unsigned nr;
	char *word[MAX_WORDS]; /* owned */
	size_t nr_words;
};

static int __attribute__((format(printf, 2, 3)))
complain(const struct line *line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s:%u: %s", line->name, line->nr, text);
	return -EBADMSG;
}

/* ---- variables */

/* Puts the variables into one word of the file. */
static int expand_word(const struct line *line, const char *word, struct manifest_vars *vars,
		       char **word_ret)
{
	char out[WORD_MAX_BYTES];
	size_t len = 0;

	while (*word) {
		const char *value = word;
		size_t n = 1, name_len;

		if (word[0] == '$' && word[1] == '{') {
			name_len = manifest_var_name_len(word + 2);
			if (!name_len || word[2 + name_len] != '}')
				return complain(line, "a variable is written ${NAME}");
			value = manifest_var_value(vars, word + 2, name_len);
			if (!value)
				return complain(line,
						"variable %.*s is not set: give -D %.*s=VALUE",
						(int)name_len, word + 2, (int)name_len, word + 2);
			n = strlen(value);
			word += name_len + 3;
		} else {
			word++;
		}
		if (n >= sizeof(out) - len)
			return complain(line, "longer than %u bytes", WORD_MAX_BYTES - 1);
		memcpy(out + len, value, n);
		len += n;
	}
	out[len] = '\0';
	*word_ret = strdup(out);
	return *word_ret ? 0 : -ENOMEM;
}

/* ---- lines */

static void line_clear(struct line *line)
{
	while (line->nr_words)
		free(line->word[--line->nr_words]);
}

/* A line behind "?NAME" counts only where ${NAME} is not empty; takes that word off. */
static int take_condition(const struct line *line, char **s, struct manifest_vars *vars,
			  bool *counts_ret)
{
	const char *value;
	size_t n;

	*s += strspn(*s, " \t");
	*counts_ret = true;
	if (**s != '?')
		return 0;
	n = manifest_var_name_len(*s + 1);
	if (!n || ((*s)[1 + n] != ' ' && (*s)[1 + n] != '\t'))
		return complain(line, "a condition is written ?NAME, with a blank behind it");
	value = manifest_var_value(vars, *s + 1, n);
	if (!value)
		return complain(line, "variable %.*s is not set: give -D %.*s=VALUE, or =", (int)n,
				*s + 1, (int)n, *s + 1);
	*counts_ret = *value;
	*s += 1 + n;
	return 0;
}

/* Splits a NUL-terminated line, which it cuts up, at blanks; '#' starts a comment. */
static int split_line(struct line *line, char *s, struct manifest_vars *vars)
{
	char *save = NULL;
	bool counts;
	int err = take_condition(line, &s, vars, &counts);

	if (err || !counts)
		return err;
	for (char *w = strtok_r(s, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
		if (*w == '#')
			break;
		if (line->nr_words == MAX_WORDS)
			return complain(line, "more than %u words", MAX_WORDS);
		err = expand_word(line, w, vars, &line->word[line->nr_words]);
		if (err)
			return err;
		line->nr_words++;
	}
	return 0;
}

static int parse_number(const struct line *line, size_t word, int base, uint32_t max,
			uint32_t *value_ret)
{
	const char *s = line->word[word];
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(s, &end, base);
	if (isdigit((unsigned char)*s) && !*end && !errno && v <= max) {
		*value_ret = (uint32_t)v;
		return 0;
	}
	if (base == 8)
		return complain(line, "\"%.64s\" is not an octal number up to %04o", s, max);
	return complain(line, "\"%.64s\" is not a number up to %u", s, max);
}

/* "MODE [UID GID]" from @word on; @nr_after words may follow them. */
static int parse_owner(const struct line *line, size_t word, size_t nr_after,
		       struct manifest_entry *e)
{
	size_t nr = line->nr_words > word ? line->nr_words - word : 0;
	int err;

	if (nr != 1 + nr_after && nr != 3 + nr_after)
		return complain(line, "%s: wrong number of words", line->word[0]);
	err = parse_number(line, word, 8, 07777, &e->mode);
	if (!err && nr == 3 + nr_after)
		err = parse_number(line, word + 1, 10, UINT32_MAX - 1, &e->uid);
	if (!err && nr == 3 + nr_after)
		err = parse_number(line, word + 2, 10, UINT32_MAX - 1, &e->gid);
	return err;
}

static int parse_value_and_owner(const struct line *line, struct manifest_entry *e)
{
	int err = parse_owner(line, 3, 0, e);

	if (err)
		return err;
	if (!*line->word[2])
		return complain(line, "%s: the second word is empty", line->word[0]);
	e->value = strdup(line->word[2]);
	return e->value ? 0 : -ENOMEM;
}

static int parse_dir(const struct line *line, struct manifest_entry *e)
{
	return parse_owner(line, 2, 0, e);
}

static int parse_nod(const struct line *line, struct manifest_entry *e)
{
	int err = parse_owner(line, 2, 3, e);
	const char *type;

	if (err)
		return err;
	type = line->word[line->nr_words - 3];
	if (!streq(type, "c") && !streq(type, "b"))
		return complain(line, "a node's type is c or b");
	e->mode |= *type == 'c' ? S_IFCHR : S_IFBLK;
	err = parse_number(line, line->nr_words - 2, 10, 0xfff, &e->major);
	return err ? err : parse_number(line, line->nr_words - 1, 10, 0xfffff, &e->minor);
}

/* Names of modules or firmware. A variable may hold several names: blanks are evened out over all
 * words. */
static int parse_names(const struct line *line, struct manifest_entry *e)
{
	size_t size = 1, len = 0;
	char *value, *save;

	for (size_t i = 2; i < line->nr_words; i++)
		size += strlen(line->word[i]) + 1;
	e->value = value = malloc(size);
	if (!value)
		return -ENOMEM;
	for (size_t i = 2; i < line->nr_words; i++) {
		save = NULL;
		for (char *w = strtok_r(line->word[i], " \t", &save); w;
		     w = strtok_r(NULL, " \t", &save))
			len += (size_t)sprintf(value + len, "%s%s", len ? " " : "", w);
	}
	value[len] = '\0';
	return 0;
}

static int parse_path_only(const struct line *line, struct manifest_entry *e)
{
	e->mode = 0644;
	return line->nr_words == 2 ? 0 : complain(line, "%s takes a path alone", line->word[0]);
}

static const struct {
	const char *word;
	enum manifest_kind kind;
	int (*parse)(const struct line *line, struct manifest_entry *e);
} directives[] = {
	{ "dir", MANIFEST_DIR, parse_dir },
	{ "file", MANIFEST_FILE, parse_value_and_owner },
	{ "slink", MANIFEST_SLINK, parse_value_and_owner },
	{ "nod", MANIFEST_NOD, parse_nod },
	{ "modules", MANIFEST_MODULES, parse_names },
	{ "firmware", MANIFEST_FIRMWARE, parse_names },
	{ "module-list", MANIFEST_MODULE_LIST, parse_path_only },
	{ "build-note", MANIFEST_BUILD_NOTE, parse_path_only },
};

/* ---- paths */

/* All but those that put files of other names into a folder. */
static bool has_own_path(const struct manifest_entry *e)
{
	return e->kind != MANIFEST_MODULES && e->kind != MANIFEST_FIRMWARE;
}

static const struct manifest_entry *find_path(const struct manifest *m, const char *path,
					      size_t len)
{
	for (size_t i = 0; i < m->nr; i++) {
		const struct manifest_entry *e = &m->entries[i];

		if (has_own_path(e) && !strncmp(e->path, path, len) && !e->path[len])
			return e;
	}
	return NULL;
}

static int check_path(const struct line *line, const struct manifest *m,
		      const struct manifest_entry *e)
{
	size_t len = strlen(e->path), dir_len;
	const struct manifest_entry *other;

	if (*e->path != '/' || len >= PATH_MAX_BYTES || !path_is_clean(e->path + 1))
		return complain(line, "\"%.64s\" is not a plain absolute path", e->path);
	if (has_own_path(e)) {
		other = find_path(m, e->path, len);
		if (other)
			return complain(line, "%s is listed twice, see %s:%u", e->path, other->name,
					other->line);
		dir_len = (size_t)(strrchr(e->path, '/') - e->path);
	} else {
		dir_len = len;
	}
	if (!dir_len)
		return 0;
	other = find_path(m, e->path, dir_len);
	if (!other || other->kind != MANIFEST_DIR)
		return complain(line, "there is no dir %.*s before this line", (int)dir_len,
				e->path);
	return 0;
}

bool manifest_has_file(const struct manifest *m, const char *path)
{
	const struct manifest_entry *e = find_path(m, path, strlen(path));

	return e && (e->kind == MANIFEST_FILE || e->kind == MANIFEST_SLINK);
}

/* ---- the file */

static void entry_deinit(struct manifest_entry *e)
{
	free(e->path);
	free(e->value);
}

void manifest_deinit(struct manifest *m)
{
	while (m->nr)
		entry_deinit(&m->entries[--m->nr]);
	free(m->entries);
	m->entries = NULL;
}

static int parse_entry(const struct line *line, const struct manifest *m, struct manifest_entry *e)
{
	size_t i = 0;
	int err;

	while (i < ARRAY_SIZE(directives) && !streq(line->word[0], directives[i].word))
		i++;
	if (i == ARRAY_SIZE(directives))
		return complain(line, "\"%.64s\" is not a kind of entry", line->word[0]);
	if (line->nr_words < 2)
		return complain(line, "%s needs a path", line->word[0]);
	e->kind = directives[i].kind;
	e->name = line->name;
	e->line = line->nr;
	e->path = strdup(line->word[1]);
	if (!e->path)
		return -ENOMEM;
	err = check_path(line, m, e);
	return err ? err : directives[i].parse(line, e);
}

static int parse_line(struct line *line, char *text, struct manifest_vars *vars, struct manifest *m)
{
	struct manifest_entry e = { 0 };
	int err = split_line(line, text, vars);

	if (err || !line->nr_words)
		return err;
	if (m->nr == MANIFEST_MAX_ENTRIES)
		return complain(line, "more than %u entries", MANIFEST_MAX_ENTRIES);
	err = parse_entry(line, m, &e);
	if (err)
		entry_deinit(&e);
	else
		m->entries[m->nr++] = e;
	return err;
}

int manifest_add(const char *text, size_t len, const char *name, struct manifest_vars *vars,
		 struct manifest *m)
{
	struct line line = { .name = name };
	size_t nr = m->nr;
	char buf[LINE_MAX_BYTES];
	int err = 0;

	if (!m->entries)
		m->entries = calloc(MANIFEST_MAX_ENTRIES, sizeof(*m->entries));
	if (!m->entries)
		return -ENOMEM;
	for (size_t at = 0, n; at < len && !err; at += n + 1) {
		const char *end = memchr(text + at, '\n', len - at);

		n = end ? (size_t)(end - (text + at)) : len - at;
		line.nr++;
		if (n >= sizeof(buf) || memchr(text + at, '\0', n)) {
			err = complain(&line, "not a line of text of up to %u bytes",
				       LINE_MAX_BYTES - 1);
			break;
		}
		memcpy(buf, text + at, n);
		buf[n] = '\0';
		err = parse_line(&line, buf, vars, m);
		line_clear(&line);
	}
	while (err && m->nr > nr)
		entry_deinit(&m->entries[--m->nr]);
	return err;
}

int manifest_parse(const char *text, size_t len, const char *name, struct manifest_vars *vars,
		   struct manifest *manifest_ret)
{
	struct manifest m = { 0 };
	int err = manifest_add(text, len, name, vars, &m);

	if (err)
		manifest_deinit(&m);
	else
		*manifest_ret = m;
	return err;
}
