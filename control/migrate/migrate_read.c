// SPDX-License-Identifier: GPL-2.0-or-later
/* Assignments of a shell file, read and not run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/migrate/migrate.h"
#include "lib/cleanup.h"

/* struct reader - A line, and the value that is taken out of it. */
struct reader {
	const char *at, *end;
	char *value; /* with room for the whole line */
	size_t len;
};

static bool is_name(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

/* POSIX shell, 2.2.3: within double quotes a backslash stands before four characters. */
static const char *take_double(struct reader *r)
{
	for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
		if (*r->at == '\\' && r->at + 1 < r->end && strchr("$`\"\\", r->at[1]))
			r->at++;
		else if (strchr("$`", *r->at))
			return "the shell would put something into the value";
		r->value[r->len++] = *r->at;
	}
	if (r->at == r->end)
		return "a value over several lines";
	r->at++;
	return NULL;
}

static const char *take_single(struct reader *r)
{
	for (r->at++; r->at < r->end && *r->at != '\''; r->at++)
		r->value[r->len++] = *r->at;
	if (r->at == r->end)
		return "a value over several lines";
	r->at++;
	return NULL;
}

static const char *take_plain(struct reader *r)
{
	if (strchr("$`", *r->at))
		return "the shell would put something into the value";
	if (strchr("();&|<>*?[", *r->at))
		return "more than an assignment";
	if (*r->at == '\\' && ++r->at == r->end)
		return "a value over several lines";
	r->value[r->len++] = *r->at++;
	return NULL;
}

static const char *take_value(struct reader *r)
{
	const char *problem = NULL;

	while (!problem && r->at < r->end && !is_blank(*r->at))
		problem = *r->at == '"'	 ? take_double(r) :
			  *r->at == '\'' ? take_single(r) :
					   take_plain(r);
	r->value[r->len] = '\0';
	for (size_t i = 0; !problem && i < r->len; i++)
		if ((unsigned char)r->value[i] < ' ' || r->value[i] == 0x7f)
			problem = "a control character";
	skip_blanks(r);
	if (!problem && r->at < r->end && *r->at != '#')
		problem = "more than an assignment";
	return problem;
}

static int keep(struct migration *m, const char *name, size_t name_len, const struct reader *r,
		unsigned line)
{
	struct migrate_variable *v = &m->variables[m->nr];

	if (m->nr == MIGRATE_MAX_VARIABLES)
		return -E2BIG;
	v->name = strndup(name, name_len);
	v->value = strndup(r->value, r->len);
	v->line = line;
	m->nr++; /* whatever it has got is freed */
	return v->name && v->value ? 0 : -ENOMEM;
}

/* @problem_ret: why it is no assignment; NULL for one, and for an empty line. */
static int take_line(struct migration *m, struct reader *r, unsigned line, const char **problem_ret)
{
	const char *name;
	size_t name_len;

	skip_blanks(r);
	if (r->end - r->at > 7 && !memcmp(r->at, "export", 6) && is_blank(r->at[6])) {
		r->at += 6;
		skip_blanks(r);
	}
	if (r->at == r->end || *r->at == '#')
		return 0;
	name = r->at;
	while (r->at < r->end && is_name(*r->at, r->at == name))
		r->at++;
	name_len = (size_t)(r->at - name);
	if (!name_len || r->at == r->end || *r->at != '=') {
		*problem_ret = "no assignment";
		return 0;
	}
	r->at++;
	*problem_ret = take_value(r);
	return *problem_ret ? 0 : keep(m, name, name_len, r, line);
}

int migrate_read(const char *text, struct migration *m,
		 void (*complain)(struct migration *m, unsigned line, const char *why))
{
	int err = 0;

	for (unsigned line = 1; !err && *text; line++) {
		const char *end = text + strcspn(text, "\n"), *problem = NULL;
		_free_ char *value = malloc((size_t)(end - text) + 1);
		struct reader r = { .at = text, .end = end, .value = value };

		if (!value)
			return -ENOMEM;
		err = take_line(m, &r, line, &problem);
		if (problem)
			complain(m, line, problem);
		text = end + (*end == '\n');
	}
	return err;
}
