// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tables of other services have in common. */
#include "control/migrate/migrate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/settings.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/config.h"
#include "lib/util.h"

static const struct migrate_dialect *const dialects[] = { &migrate_debian, &migrate_fedora,
							  &migrate_suse };

static void add(struct migration *m, char **text, const char *before, const char *line)
{
	char *longer;

	if (m->failed || !line ||
	    asprintf(&longer, "%s%s%s\n", *text ? *text : "", before, line) < 0) {
		m->failed = true;
		return;
	}
	free(*text);
	*text = longer;
}

static void add_comment(struct migration *m, const char *fmt, va_list ap)
{
	_free_ char *line = NULL, *clean = NULL;

	if (vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	clean = line ? text_clean(line) : NULL;
	add(m, &m->config, "# ", clean);
}

void migrate_say(struct migration *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_comment(m, fmt, ap);
	va_end(ap);
}

void migrate_lose(struct migration *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_comment(m, fmt, ap);
	va_end(ap);
	m->nr_lost++;
}

static const struct migrate_row *find_row(const struct migrate_dialect *dialect, const char *name)
{
	for (size_t i = 0; i < dialect->nr; i++)
		if (streq(dialect->rows[i].name, name))
			return &dialect->rows[i];
	return NULL;
}

/* What the shell would have in the end. */
static const char *assigned(const struct migration *m, const char *name)
{
	for (size_t i = m->nr; i--;)
		if (streq(m->variables[i].name, name))
			return m->variables[i].value;
	return NULL;
}

const char *migrate_get(const struct migration *m, const char *name)
{
	const struct migrate_row *row = find_row(m->dialect, name);
	const char *value = assigned(m, name);

	return value && *value ? value : row ? row->standard : "";
}

/* The first mistake's sentence, without the place, which is one in a text of our own. */
static void note_mistake(void *ctx, const char *message)
{
	const char *sentence = strstr(message, ": ");
	char **first = ctx;

	if (!*first)
		*first = strdup(sentence ? sentence + 2 : message);
}

bool migrate_key(struct migration *m, const char *key, const char *value)
{
	_free_ char *line = NULL, *all = NULL, *mistake = NULL;
	struct config config;

	if (m->failed || asprintf(&line, "%s %s", key, value) < 0 ||
	    asprintf(&all, "%s%s\n", m->config ? m->config : "", line) < 0) {
		m->failed = true;
		return false;
	}
	config_init(&config);
	if (config_parse(all, strlen(all), "it", &config, note_mistake, &mistake)) {
		migrate_lose(m, "%s: %s", line, mistake ? mistake : "a mistake");
		return false;
	}
	add(m, &m->config, "", line);
	return true;
}

void migrate_setting(struct migration *m, const char *key, const char *value)
{
	_free_ char *line = NULL;

	/* As control/settings.c reads them. */
	if (strpbrk(value, "\"$`\\")) {
		migrate_lose(m, "%s: quotes, $, ` and \\ cannot stand in " SETTINGS_PATH, key);
		return;
	}
	if (asprintf(&line, "%s=\"%s\"", key, value) < 0)
		line = NULL;
	add(m, &m->settings, "", line);
	migrate_say(m, "%s: %s in " SETTINGS_PATH ", of --settings", m->row ? m->row->name : key,
		    key);
}

static bool is_word_of(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static bool is_of_use(const char *word)
{
	static const char *const others[] = { "systemd.", "rd.", "udev.", "crashkernel=" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (after_prefix(word, others[i]))
			return false;
	return !is_word_of(SETTINGS_APPEND, word);
}

void migrate_append(struct migration *m, const char *value)
{
	_free_ char *words = strdup(value), *kept = calloc(1, strlen(value) + 2);

	if (!words || !kept) {
		m->failed = true;
		return;
	}
	for (char *save = NULL, *word = strtok_r(words, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (!is_of_use(word))
			continue;
		/* kernel/smp.c, nrcpus(): of two the smaller one counts. */
		if (after_prefix(word, "nr_cpus=")) {
			migrate_lose(m, "%s: in the place of nr_cpus=1 in KERNEL_APPEND", word);
			continue;
		}
		if (*kept)
			strcat(kept, " ");
		strcat(kept, word);
	}
	if (*kept)
		migrate_setting(m, "KERNEL_APPEND_EXTRA", kept);
}

void migrate_take_kexec_args(struct migration *m, const char *value)
{
	migrate_setting(m, "KEXEC_ARGS", value);
}

void migrate_take_kernel(struct migration *m, const char *value)
{
	migrate_lose(m,
		     "%s: vmcorectl start --kernel=VERSION, for another kernel than the running"
		     " one (%s)",
		     m->row->name, value);
}

static void complain(struct migration *m, unsigned line, const char *why)
{
	migrate_lose(m, "line %u is not taken: %s", line, why);
}

/* Whose names most of the variables are. */
static const struct migrate_dialect *find_dialect(const struct migration *m)
{
	const struct migrate_dialect *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < ARRAY_SIZE(dialects); i++) {
		size_t known = 0;

		for (size_t j = 0; j < m->nr; j++)
			known += find_row(dialects[i], m->variables[j].name) != NULL;
		if (known > most) {
			most = known;
			best = dialects[i];
		}
	}
	return best;
}

static void take_row(struct migration *m, const struct migrate_row *row)
{
	const char *value = assigned(m, row->name);

	if (!value || !*value || streq(value, row->standard))
		return;
	m->row = row;
	if (row->take)
		row->take(m, value);
	else if (row->why)
		migrate_lose(m, "%s: %s", row->name, row->why);
	m->row = NULL;
}

static void say_unknown(struct migration *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		const char *name = m->variables[i].name;

		if (!find_row(m->dialect, name))
			migrate_lose(m, "%.64s: no variable of %s is called that", name,
				     m->dialect->name);
	}
}

int migrate_text(const char *text, struct migration *m_ret)
{
	struct migration *m = m_ret;
	int err;

	*m = (struct migration){ .nr = 0 };
	err = migrate_read(text, m, complain);
	if (!err && !(m->dialect = find_dialect(m)))
		err = -ENODATA;
	if (err)
		return err;
	m->dialect->begin(m);
	for (size_t i = 0; i < m->dialect->nr; i++)
		take_row(m, &m->dialect->rows[i]);
	say_unknown(m);
	return m->failed ? -ENOMEM : 0;
}

void migrate_deinit(struct migration *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		free(m->variables[i].name);
		free(m->variables[i].value);
	}
	free(m->config);
	free(m->settings);
}
