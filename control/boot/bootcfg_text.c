// SPDX-License-Identifier: GPL-2.0-or-later
/* crashkernel= words within the command lines of a text. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/boot/bootcfg_private.h"
#include "lib/cleanup.h"
#include "lib/cmdline.h"
#include "lib/util.h"

bool bootcfg_value_valid(const char *value)
{
	size_t len = strlen(value);

	if (!len || len >= BOOTCFG_VALUE_SIZE || value[len - 1] == ' ')
		return false;
	while (*value) {
		size_t n = strspn(value, BOOTCFG_CHARS);

		if (!n || !isdigit((unsigned char)*value) || (value[n] && value[n] != ' '))
			return false;
		value += n + (value[n] == ' ');
	}
	return true;
}

/* Adds to the values so far; what is none, or too long, becomes "?". */
static void note(char value[BOOTCFG_VALUE_SIZE], const char *at, size_t len)
{
	size_t used = strlen(value);

	if (len + 2 > BOOTCFG_VALUE_SIZE - used)
		len = used = 0;
	snprintf(value + used, BOOTCFG_VALUE_SIZE - used, "%s%.*s", used ? " " : "",
		 (int)(len ? len : 1), len ? at : "?");
}

bool bootcfg_value_in(const char *text, char value[BOOTCFG_VALUE_SIZE])
{
	bool found = false;

	*value = '\0';
	while (*text) {
		const char *line = text + strspn(text, " \t");
		size_t len = strcspn(line, "\n");

		for (size_t i = 0; *line != '#' && i + strlen(BOOTCFG_WORD) <= len; i++) {
			const char *at = line + i + strlen(BOOTCFG_WORD);

			if (memcmp(line + i, BOOTCFG_WORD, strlen(BOOTCFG_WORD)) ||
			    (i && (isalnum((unsigned char)line[i - 1]) || line[i - 1] == '_')))
				continue;
			note(value, at, strspn(at, BOOTCFG_CHARS));
			found = true;
		}
		text = line + len;
		text += *text == '\n';
	}
	return found;
}

/* Return: whether the span has any. */
static int span_values(const char *text, const struct bootcfg_span *span,
		       char value[BOOTCFG_VALUE_SIZE], bool *has_ret)
{
	_free_ char *line = strndup(text + span->start, span->len);
	const char *cursor = line;
	struct cmdline_word w;
	bool is;

	if (!line)
		return -ENOMEM;
	*has_ret = false;
	while (cmdline_next(&cursor, &w)) {
		if (!cmdline_is(&w, "crashkernel"))
			continue;
		*has_ret = true;
		is = w.value && strspn(w.value, BOOTCFG_CHARS) >= w.value_len;
		note(value, w.value, is ? w.value_len : 0);
	}
	return 0;
}

int bootcfg_text_get(const struct bootcfg_form *form, const char *const *names, const char *text,
		     size_t len, char value[BOOTCFG_VALUE_SIZE], bool *mixed_ret, size_t *spans_ret)
{
	_spans_ struct bootcfg_spans spans = { 0 };
	int err = memchr(text, '\0', len) ? -EBADMSG : form->find(text, len, names, &spans);
	bool mixed = false, has;

	*value = '\0';
	for (size_t i = 0; !err && i < spans.nr; i++) {
		char one[BOOTCFG_VALUE_SIZE] = "";

		err = span_values(text, &spans.span[i], form->each ? one : value, &has);
		if (form->each && !i)
			memcpy(value, one, sizeof(one));
		mixed |= form->each && !streq(value, one);
	}
	if (mixed_ret)
		*mixed_ret = mixed;
	if (spans_ret)
		*spans_ret = spans.nr;
	return err;
}

bool bootcfg_shell_is(const char *text, size_t len, const char *name, const char *value)
{
	const char *const names[] = { name, NULL };
	_spans_ struct bootcfg_spans spans = { 0 };
	int err = bootcfg_form_shell.find(text, len, names, &spans);
	const struct bootcfg_span *last = spans.nr ? &spans.span[spans.nr - 1] : NULL;

	return !err && last && last->len == strlen(value) &&
	       !memcmp(text + last->start, value, last->len);
}

char *bootcfg_words(const char *value)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	while (value && *value) {
		size_t n = strcspn(value, " ");

		fprintf(f, "%s" BOOTCFG_WORD "%.*s", ftell(f) ? " " : "", (int)n, value);
		value += n + (value[n] == ' ');
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* The command line @line with @words for what it has of them. @glued: a word that is not one of
 * its words stands right before it. */
static void put_line(FILE *to, const char *line, const char *words, bool glued)
{
	const char *cursor = line, *gap = line;
	bool done = !*words, first = true;
	struct cmdline_word w;

	while (cmdline_next(&cursor, &w)) {
		bool is = cmdline_is(&w, "crashkernel");

		if (is && done) { /* it goes, with the gap before it, or else with that behind */
			gap = cursor;
			if (first && !glued)
				gap += strspn(gap, " \t");
			continue;
		}
		fwrite(gap, 1, (size_t)(w.raw - gap), to);
		if (is)
			fputs(words, to);
		else
			fwrite(w.raw, 1, w.raw_len, to);
		done |= is;
		first = false;
		gap = cursor;
	}
	if (!done)
		fprintf(to, "%s%s", first && !glued ? "" : " ", words);
	fputs(gap, to);
}

static int put_span(FILE *to, const char *text, const struct bootcfg_span *span, const char *words)
{
	_free_ char *line = strndup(text + span->start, span->len);
	const char *quote = span->bare && *words ? "\"" : "";
	char before = span->start ? text[span->start - 1] : '\n';

	if (!line)
		return -ENOMEM;
	fputs(quote, to);
	put_line(to, line, words, isalnum((unsigned char)before));
	fputs(quote, to);
	return 0;
}

/* Of which name's last span it becomes a word: where it is now, else the first that is there. */
static int pick(const struct bootcfg_spans *spans, const char *text, size_t *at_ret)
{
	unsigned name = -1u, with = -1u;
	bool has;

	for (size_t i = 0; i < spans->nr; i++) {
		char value[BOOTCFG_VALUE_SIZE] = "";
		int err = span_values(text, &spans->span[i], value, &has);

		if (err)
			return err;
		name = MIN(name, spans->span[i].name);
		if (has)
			with = MIN(with, spans->span[i].name);
	}
	name = with == -1u ? name : with;
	for (size_t i = 0; i < spans->nr; i++) {
		if (spans->span[i].name == name)
			*at_ret = i;
	}
	return 0;
}

/* A word behind a quote that is not closed would be part of the one before. */
static bool is_open(const char *text, const struct bootcfg_span *span)
{
	bool open = false;

	for (size_t i = 0; i < span->len; i++)
		open ^= text[span->start + i] == '"';
	return open;
}

static int put_all(FILE *to, const struct bootcfg_form *form, const struct bootcfg_spans *spans,
		   const char *text, size_t len, const char *words)
{
	size_t at = 0, target = 0;
	int err = pick(spans, text, &target);

	for (size_t i = 0; !err && i < spans->nr; i++) {
		const struct bootcfg_span *span = &spans->span[i];

		if (*words && is_open(text, span))
			return -EBADMSG;
		fwrite(text + at, 1, span->start - at, to);
		err = put_span(to, text, span, form->each || i == target ? words : "");
		at = span->start + span->len;
	}
	fwrite(text + at, 1, len - at, to);
	return err;
}

/* A block keeps its size. */
static int fill(const struct bootcfg_form *form, char **text, size_t *len)
{
	size_t used = *len;
	char *filled;

	if (!form->block)
		return 0;
	while (used && (*text)[used - 1] == '#')
		used--;
	if (used > form->block)
		return -ENOSPC;
	filled = malloc(form->block + 1);
	if (!filled)
		return -ENOMEM;
	memcpy(filled, *text, used);
	memset(filled + used, '#', form->block - used);
	filled[form->block] = '\0';
	free(*text);
	*text = filled;
	*len = form->block;
	return 0;
}

static int write_edited(const struct bootcfg_form *form, const struct bootcfg_spans *spans,
			const char *name, const char *text, size_t len, const char *words,
			char **out_ret, size_t *len_ret)
{
	_free_ char *out = NULL;
	size_t out_len;
	FILE *to = open_memstream(&out, &out_len);
	int err;

	if (!to)
		return -ENOMEM;
	err = put_all(to, form, spans, text, len, words);
	if (!spans->nr && *words) {
		if (len && text[len - 1] != '\n')
			fputc('\n', to);
		fprintf(to, "%s%s%s%s", form->named ? name : "", form->open, words, form->close);
	}
	if (fclose(to))
		err = -ENOMEM;
	if (!err)
		err = fill(form, &out, &out_len);
	if (err)
		return err;
	*out_ret = take_ptr(out);
	*len_ret = out_len;
	return 0;
}

int bootcfg_text_edit(const struct bootcfg_form *form, const char *const *names, const char *text,
		      size_t len, const char *value, bool insert, char **out_ret, size_t *len_ret)
{
	_spans_ struct bootcfg_spans spans = { 0 };
	int err = memchr(text, '\0', len) ? -EBADMSG : form->find(text, len, names, &spans);
	_free_ char *words = bootcfg_words(value);

	if (err)
		return err;
	if (!words)
		return -ENOMEM;
	if (!spans.nr && *words && !(insert && form->open))
		return -ENODATA;
	return write_edited(form, &spans, names ? names[0] : "", text, len, words, out_ret,
			    len_ret);
}
