// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/cmdline.h"

#include <errno.h>
#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cut the first '=' and the quotes out of the word at @raw, as next_arg() does. */
static void split_word(struct cmdline_word *w)
{
	const char *end = w->raw + w->raw_len, *equals;

	w->name = w->raw;
	if (*w->name == '"') {
		w->name++;
		if (end > w->name && end[-1] == '"')
			end--;
	}
	/* As in the kernel: a '=' that begins a word does not part name and value. */
	equals = end > w->name ? memchr(w->name + 1, '=', end - w->name - 1) : NULL;
	w->name_len = (equals ? equals : end) - w->name;
	w->value = NULL;
	w->value_len = 0;
	if (!equals)
		return;
	w->value = equals + 1;
	if (w->value < end && *w->value == '"') {
		w->value++;
		if (end > w->value && end[-1] == '"')
			end--;
	}
	w->value_len = end - w->value;
}

bool cmdline_next(const char **cursor, struct cmdline_word *word_ret)
{
	const char *s = *cursor;
	struct cmdline_word w;
	bool quoted = false;

	while (is_space(*s))
		s++;
	w.raw = s;
	for (; *s && (quoted || !is_space(*s)); s++)
		if (*s == '"')
			quoted = !quoted;
	*cursor = s;
	w.raw_len = s - w.raw;
	if (!w.raw_len)
		return false;
	split_word(&w);
	*word_ret = w;
	return true;
}

static char dash(char c)
{
	return c == '-' ? '_' : c;
}

bool cmdline_is(const struct cmdline_word *word, const char *name)
{
	for (size_t i = 0; i < word->name_len; i++)
		if (!name[i] || dash(name[i]) != dash(word->name[i]))
			return false;
	return name[word->name_len] == '\0';
}

int cmdline_find(const char *cmdline, const char *name, char *value, size_t size)
{
	struct cmdline_word w, found = { .raw = NULL };

	while (cmdline_next(&cmdline, &w))
		if (cmdline_is(&w, name))
			found = w;
	if (!found.raw)
		return -ENOENT;
	if (found.value_len >= size)
		return -E2BIG;
	if (found.value)
		memcpy(value, found.value, found.value_len);
	value[found.value_len] = '\0';
	return 0;
}

int cmdline_remove(const char *cmdline, const char *const *names, char *out, size_t size)
{
	struct cmdline_word w;
	size_t len = 0;

	if (!size)
		return -E2BIG;
	while (cmdline_next(&cmdline, &w)) {
		const char *const *name = names;

		while (*name && !cmdline_is(&w, *name))
			name++;
		if (*name)
			continue;
		/* One more for the space before it or the NUL behind it. */
		if (w.raw_len >= size - len - (len ? 1 : 0))
			return -E2BIG;
		if (len)
			out[len++] = ' ';
		memcpy(out + len, w.raw, w.raw_len);
		len += w.raw_len;
	}
	out[len] = '\0';
	return 0;
}
