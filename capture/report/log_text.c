// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/report/log_text.h"

#include <stdio.h>
#include <string.h>

#include "lib/util.h"

#define CALLER_IS_CPU 0x80000000u /* kernel: kernel/printk/printk.c, printk_caller_id() */

/*
 * What tells best why a kernel went down. "Kernel panic" outranks what led to
 * it; of equals the first counts, since later ones are often its consequences.
 */
static const struct {
	const char *text;
	int rank;
} panic_signs[] = {
	{ "Kernel panic - not syncing", 2 },
	{ "BUG: ", 1 },
	{ "kernel BUG at ", 1 },
	{ "Oops", 1 },
	{ "Unable to handle kernel", 1 },
	{ "general protection fault", 1 },
};

static bool contains(const char *line, size_t len, const char *what)
{
	return memmem(line, len, what, strlen(what)) != NULL;
}

static void look_for_panic(struct log_text *t, const char *line, size_t len)
{
	char *out = t->stats->panic_line;
	int rank = 0;

	for (size_t i = 0; i < ARRAY_SIZE(panic_signs) && !rank; i++)
		if (contains(line, len, panic_signs[i].text))
			rank = panic_signs[i].rank;
	/* The closing line "---[ end Kernel panic - not syncing: ... ]---" says it again. */
	if (rank <= t->panic_rank || contains(line, len, "---[ end "))
		return;
	t->panic_rank = rank;
	len = MIN(len, sizeof(t->stats->panic_line) - 1);
	for (size_t i = 0; i < len; i++)
		out[i] = (line[i] >= 0x20 && line[i] < 0x7f) ? line[i] : '?';
	out[len] = '\0';
}

/* Every line of a text; a raw buffer's lines still carry their "<4>[  1.234567] " head. */
static void look_at_lines(struct log_text *t, const char *text, size_t len, bool has_heads)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		const char *head = has_heads && n && (*text == '<' || *text == '[') ?
					   memmem(text, n, "] ", 2) :
					   NULL;
		size_t skip = head ? (size_t)(head + 2 - text) : 0;

		look_for_panic(t, text + skip, n - skip);
		n += end != NULL;
		text += n;
		len -= n;
	}
}

int log_text_flush(struct log_text *t)
{
	int err = t->len ? t->emit(t->ctx, t->buf, t->len) : 0;

	t->len = 0;
	return err;
}

static int put(struct log_text *t, const char *text, size_t len)
{
	if (len > sizeof(t->buf) - t->len) {
		int err = log_text_flush(t);

		if (err)
			return err;
	}
	memcpy(t->buf + t->len, text, len);
	t->len += len;
	return 0;
}

static bool is_plain(unsigned char c)
{
	return (c >= 0x20 && c < 0x7f) || (c >= '\t' && c <= '\r');
}

static int put_char(struct log_text *t, unsigned char c, size_t indent)
{
	char out[96];
	int n;

	if (c == '\n')
		n = snprintf(out, sizeof(out), "\n%*s", (int)indent, "");
	else if (is_plain(c))
		n = snprintf(out, sizeof(out), "%c", c);
	else
		n = snprintf(out, sizeof(out), "\\x%02x", c);
	return put(t, out, n);
}

static size_t format_head(const struct log_record *r, char *head, size_t size)
{
	size_t n = snprintf(head, size, "[%5llu.%06lu] ",
			    (unsigned long long)(r->ts_nsec / 1000000000),
			    (unsigned long)(r->ts_nsec % 1000000000 / 1000));

	if (r->has_caller) {
		char caller[16];

		snprintf(caller, sizeof(caller), "%c%u", r->caller_id & CALLER_IS_CPU ? 'C' : 'T',
			 r->caller_id & ~CALLER_IS_CPU);
		n += snprintf(head + n, size - n, "[%8s] ", caller);
	}
	return n;
}

int log_text_record(struct log_text *t, const struct log_record *r)
{
	char head[64]; /* the longest: 20-digit seconds and an 11-character caller */
	size_t indent = format_head(r, head, sizeof(head));
	int err = put(t, head, indent);

	for (size_t i = 0; i < r->text_len && !err; i++)
		err = put_char(t, r->text[i], indent);
	if (!err)
		err = put(t, "\n", 1);
	if (err)
		return err;
	t->stats->records++;
	look_at_lines(t, r->text, r->text_len, false);
	return 0;
}

int log_text_raw(struct log_text *t, const char *text, size_t len)
{
	int err = log_text_flush(t);

	if (!err && len)
		err = t->emit(t->ctx, text, len);
	if (err)
		return err;
	look_at_lines(t, text, len, true);
	return 0;
}
