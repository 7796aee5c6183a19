// SPDX-License-Identifier: GPL-2.0-or-later
/* name { ... } sections, key = value, arrays in brackets, strings in quotes, # comments. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/lvm_private.h"

struct cursor {
	const char *at, *end;
};

bool lvm_word_same(struct lvm_word a, struct lvm_word b)
{
	return a.len == b.len && !memcmp(a.s, b.s, a.len);
}

bool lvm_word_is(struct lvm_word word, const char *s)
{
	return lvm_word_same(word, (struct lvm_word){ s, strlen(s) });
}

/* Return: the next character that is neither space nor in a comment, not taken; 0 at the end. */
static char peek(struct cursor *c)
{
	for (; c->at < c->end; c->at++) {
		if (*c->at == '#') {
			c->at = memchr(c->at, '\n', c->end - c->at);
			if (!c->at)
				c->at = c->end;
			if (c->at == c->end)
				break;
		} else if (!isspace((unsigned char)*c->at)) {
			return *c->at;
		}
	}
	return 0;
}

static bool take_char(struct cursor *c, char want)
{
	if (peek(c) != want)
		return false;
	c->at++;
	return true;
}

/* A name or a number. */
static int take_word(struct cursor *c, struct lvm_word *word_ret)
{
	struct lvm_word word = { c->at, 0 };

	while (c->at < c->end && (isalnum((unsigned char)*c->at) || strchr("_.+-", *c->at)))
		c->at++;
	word.len = c->at - word.s;
	if (!word.len)
		return -EBADMSG;
	*word_ret = word;
	return 0;
}

static int take_string(struct cursor *c, struct lvm_word *word_ret)
{
	const char *start = ++c->at;

	for (; c->at < c->end; c->at++) {
		if (*c->at == '\\' && c->end - c->at > 1) {
			c->at++;
		} else if (*c->at == '"') {
			*word_ret = (struct lvm_word){ start, c->at++ - start };
			return 0;
		}
	}
	return -EBADMSG;
}

static enum lvm_kind read_number(struct lvm_word word, uint64_t *number_ret)
{
	uint64_t number = 0;

	for (size_t i = 0; i < word.len; i++)
		if (!isdigit((unsigned char)word.s[i]) ||
		    __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(word.s[i] - '0'), &number))
			return LVM_OTHER;
	*number_ret = number;
	return LVM_NUMBER;
}

static int take_value(struct cursor *c, struct lvm_value *value)
{
	int err;

	value->number = 0;
	value->kind = LVM_STRING;
	if (peek(c) == '"')
		return take_string(c, &value->word);
	err = take_word(c, &value->word);
	if (!err)
		value->kind = read_number(value->word, &value->number);
	return err;
}

/* What stands behind "key =": a value, or any number of them in brackets. */
static int take_values(struct cursor *c, struct lvm_value *value,
		       int (*take)(void *ctx, const struct lvm_value *value), void *ctx)
{
	bool array = take_char(c, '[');
	int err;

	value->index = 0;
	if (array && take_char(c, ']'))
		return 0;
	for (;;) {
		err = take_value(c, value);
		if (!err)
			err = take(ctx, value);
		if (err || !array || take_char(c, ']'))
			return err;
		if (!take_char(c, ','))
			return -EBADMSG;
		value->index++;
	}
}

int lvm_text_walk(const char *text, size_t len,
		  int (*take)(void *ctx, const struct lvm_value *value), void *ctx)
{
	struct cursor c = { text, text + strnlen(text, len) };
	struct lvm_value value = { .depth = 0 };
	int err = 0;

	while (!err && peek(&c)) {
		if (take_char(&c, '}')) {
			if (!value.depth--)
				return -EBADMSG;
			continue;
		}
		err = take_word(&c, &value.key);
		if (err)
			break;
		if (take_char(&c, '=')) {
			err = take_values(&c, &value, take, ctx);
		} else if (take_char(&c, '{') && value.depth < LVM_MAX_DEPTH) {
			value.path[value.depth++] = value.key;
		} else {
			err = -EBADMSG;
		}
	}
	return !err && value.depth ? -EBADMSG : err;
}
