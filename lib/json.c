// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/json.h"

#include <inttypes.h>

void json_init(struct json *j, FILE *out)
{
	*j = (struct json){ .out = out, .empty = true };
}

/* Length of the valid UTF-8 sequence at @s, or 0 (RFC 3629: no overlong forms, no surrogates). */
static int utf8_len(const unsigned char *s)
{
	int n = s[0] < 0x80 ? 1 :
		s[0] < 0xc2 ? 0 :
		s[0] < 0xe0 ? 2 :
		s[0] < 0xf0 ? 3 :
		s[0] < 0xf5 ? 4 :
			      0;

	for (int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void put_string(struct json *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	fputc('"', j->out);
	while (*s) {
		int n = utf8_len(s);

		if (*s == '"' || *s == '\\')
			fprintf(j->out, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", j->out);
		else if (*s == '\t')
			fputs("\\t", j->out);
		else if (n == 0 || *s < 0x20 || *s == 0x7f)
			fprintf(j->out, "\\u%04x", *s);
		else
			fwrite(s, 1, n, j->out);
		s += n ? n : 1;
	}
	fputc('"', j->out);
}

/* What comes before every value: comma, line break, indent, key. */
static void begin_value(struct json *j, const char *key)
{
	if (j->depth) {
		if (!j->empty)
			fputc(',', j->out);
		fprintf(j->out, "\n%*s", (int)j->depth * 2, "");
	}
	j->empty = false;
	if (key) {
		put_string(j, key);
		fputs(": ", j->out);
	}
}

static void open_container(struct json *j, const char *key, char c)
{
	begin_value(j, key);
	fputc(c, j->out);
	j->depth++;
	j->empty = true;
}

void json_object(struct json *j, const char *key)
{
	open_container(j, key, '{');
}

void json_array(struct json *j, const char *key)
{
	open_container(j, key, '[');
}

void json_end(struct json *j, char close)
{
	j->depth--;
	if (!j->empty)
		fprintf(j->out, "\n%*s", (int)j->depth * 2, "");
	fputc(close, j->out);
	j->empty = false;
	if (!j->depth)
		fputc('\n', j->out);
}

void json_string(struct json *j, const char *key, const char *value)
{
	begin_value(j, key);
	if (value)
		put_string(j, value);
	else
		fputs("null", j->out);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_millis(struct json *j, const char *key, uint64_t ms)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}
