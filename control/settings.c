// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/settings.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_BYTES (64u << 10)

static const struct key {
	const char *name;
	size_t at, size;
} keys[] = {
#define KEY(name, member)                                                                          \
	{                                                                                          \
		name, offsetof(struct settings, member), sizeof(((struct settings *)0)->member)    \
	}
	KEY("KERNEL_APPEND", append),
	KEY("KERNEL_APPEND_EXTRA", append_extra),
	KEY("KEXEC_ARGS", kexec_args),
#undef KEY
};

void settings_init(struct settings *settings)
{
	*settings = (struct settings){ .append = SETTINGS_APPEND };
}

/* Takes the quotes off [*text, *text + *len). What a shell would expand or run is refused. */
static const char *value_problem(const char **text, size_t *len)
{
	const char *t = *text;
	size_t n = *len;
	char quote = n && (*t == '"' || *t == '\'') ? *t : '\0';

	while (n && (t[n - 1] == ' ' || t[n - 1] == '\t' || t[n - 1] == '\r'))
		n--;
	if (quote) {
		if (n < 2 || t[n - 1] != quote)
			return "a quote is not closed";
		t++;
		n -= 2;
	}
	for (size_t i = 0; i < n; i++) {
		if (t[i] == quote || (!quote && (t[i] == '"' || t[i] == '\'')))
			return "quotes are only understood around the whole value";
		if (quote != '\'' && strchr("$`\\", t[i]))
			return "$, ` and \\ are not expanded here";
		if (!quote && strchr(" \t;&|<>()", t[i]))
			return "a value with blanks or ;&|<>() needs quotes";
		if ((unsigned char)t[i] < ' ' && t[i] != '\t')
			return "a control character";
	}
	*text = t;
	*len = n;
	return NULL;
}

static const char *take_line(const char *line, size_t len, struct settings *settings)
{
	const char *equals = memchr(line, '=', len), *value, *problem;
	size_t name_len, value_len;

	if (!equals)
		return "KEY=value is expected";
	name_len = (size_t)(equals - line);
	value = equals + 1;
	value_len = len - name_len - 1;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char *to = (char *)settings + keys[i].at;

		if (strlen(keys[i].name) != name_len || memcmp(keys[i].name, line, name_len))
			continue;
		problem = value_problem(&value, &value_len);
		if (problem)
			return problem;
		if (value_len >= keys[i].size)
			return "the value is too long";
		memcpy(to, value, value_len);
		to[value_len] = '\0';
		return NULL;
	}
	return "no such key";
}

int settings_parse(const char *text, const char *name, struct settings *settings)
{
	int mistakes = 0;

	for (unsigned nr = 1; *text; nr++) {
		const char *line = text + strspn(text, " \t");
		size_t len = strcspn(line, "\n");
		const char *problem = NULL;

		if (len && *line != '#' && *line != '\r')
			problem = take_line(line, len, settings);
		if (problem) {
			log_error("%s:%u: %s", name, nr, problem);
			mistakes++;
		}
		text = line + len;
		text += *text == '\n';
	}
	return mistakes;
}

int settings_read(const char *path, struct settings *settings)
{
	_free_ char *text = NULL;
	size_t len;
	int err = io_read_file(path, MAX_BYTES, &text, &len);

	settings_init(settings);
	if (err == -ENOENT)
		return 0;
	if (!err && strlen(text) != len)
		err = -EINVAL;
	if (err) {
		log_error("%s: %s", path, strerror(-err));
		return err;
	}
	return settings_parse(text, path, settings) ? -EINVAL : 0;
}
