// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/digest.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define HEAD "vmcore-save inputs 1\n"
#define NONE "-"

void inputs_deinit(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->nr; i++) {
		free(inputs->list[i].name);
		free(inputs->list[i].text);
	}
	free(inputs->list);
	*inputs = (struct inputs){ 0 };
}

/* Takes over what @input owns. */
static int add(struct inputs *inputs, struct input *input)
{
	struct input *list = inputs->list;
	int err = inputs->nr == INPUTS_MAX ? -E2BIG : input->name ? 0 : -ENOMEM;

	if (!err && inputs->nr == inputs->room) {
		list = realloc(list, (inputs->room + 64) * sizeof(*list));
		if (list) {
			inputs->list = list;
			inputs->room += 64;
		} else {
			err = -ENOMEM;
		}
	}
	if (err) {
		free(input->name);
		free(input->text);
		return err;
	}
	inputs->list[inputs->nr++] = *input;
	return 0;
}

static bool same_file(const struct input *a, const struct input *b)
{
	return a->size == b->size && a->mtime_ns == b->mtime_ns && a->inode == b->inode;
}

int inputs_add_file(struct inputs *inputs, const struct inputs *known, const char *root,
		    const char *name)
{
	struct input input = { .sha256 = NONE };
	const struct input *before = known ? inputs_find(known, name, false) : NULL;
	_free_ char *path = NULL;
	_close_ int fd = -1;
	struct stat sb;
	int err = 0;

	if (asprintf(&path, "%s%s", root, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (inputs_find(inputs, name, false))
		return 0;
	/* Nothing that blocks: a FIFO may stand there. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		err = -errno;
	if (fd >= 0 && fstat(fd, &sb))
		err = -errno;
	if (!err && fd >= 0 && S_ISREG(sb.st_mode)) {
		input.size = (uint64_t)sb.st_size;
		input.mtime_ns =
			(uint64_t)sb.st_mtim.tv_sec * 1000000000 + (uint64_t)sb.st_mtim.tv_nsec;
		input.inode = sb.st_ino;
		if (before && same_file(before, &input))
			memcpy(input.sha256, before->sha256, sizeof(input.sha256));
		else
			err = digest_fd(fd, input.size, input.sha256);
	}
	if (err) {
		log_error("%s: %s", path, strerror(-err));
		return err;
	}
	input.name = strdup(name);
	return add(inputs, &input);
}

int inputs_add_held(struct inputs *inputs, const struct inputs *known, const char *root,
		    const char *name)
{
	size_t nr = inputs->nr;
	int err = inputs_add_file(inputs, known, root, name);

	if (inputs->nr > nr)
		inputs->list[nr].held = true;
	return err;
}

void inputs_drop_held(struct inputs *inputs)
{
	size_t kept = 0;

	for (size_t i = 0; i < inputs->nr; i++) {
		if (inputs->list[i].held)
			free(inputs->list[i].name);
		else
			inputs->list[kept++] = inputs->list[i];
	}
	inputs->nr = kept;
}

int inputs_add_fact(struct inputs *inputs, const char *name, const char *text)
{
	struct input input = { .name = strdup(name), .text = strdup(text) };

	for (char *p = input.text; p && *p; p++) {
		if ((unsigned char)*p < ' ')
			*p = ' ';
	}
	if (!input.text) {
		free(input.name);
		return -ENOMEM;
	}
	return add(inputs, &input);
}

const struct input *inputs_find(const struct inputs *inputs, const char *name, bool fact)
{
	for (size_t i = 0; i < inputs->nr; i++) {
		if (!inputs->list[i].text != fact && streq(inputs->list[i].name, name))
			return &inputs->list[i];
	}
	return NULL;
}

void inputs_print(const struct inputs *inputs, FILE *to)
{
	fputs(HEAD, to);
	for (size_t i = 0; i < inputs->nr; i++) {
		const struct input *in = &inputs->list[i];

		if (in->text)
			fprintf(to, "fact %s\t%s\n", in->name, in->text);
		else
			fprintf(to, "%s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n",
				in->held ? "held" : "file", in->sha256, in->size, in->mtime_ns,
				in->inode, in->name);
	}
}

static bool take_number(const char **at, uint64_t *v_ret)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*v_ret = strtoull(*at, &end, 10);
	if (errno || *end != ' ')
		return false;
	*at = end + 1;
	return true;
}

static int take_file(const char *line, size_t len, struct input *in)
{
	const char *at = line, *end = line + len;
	size_t hex = strcspn(at, " \n");

	if (hex >= sizeof(in->sha256) || at[hex] != ' ' ||
	    (hex != SHA256_HEX_BYTES - 1 && (hex != 1 || *at != *NONE)))
		return -EBADMSG;
	memcpy(in->sha256, at, hex);
	in->sha256[hex] = '\0';
	at += hex + 1;
	if (!take_number(&at, &in->size) || !take_number(&at, &in->mtime_ns) ||
	    !take_number(&at, &in->inode) || at >= end)
		return -EBADMSG;
	in->name = strndup(at, (size_t)(end - at));
	return 0;
}

static int take_fact(const char *line, size_t len, struct input *in)
{
	const char *tab = memchr(line, '\t', len);

	if (!tab || tab == line)
		return -EBADMSG;
	in->name = strndup(line, (size_t)(tab - line));
	in->text = strndup(tab + 1, len - (size_t)(tab + 1 - line));
	if (in->name && in->text)
		return 0;
	free(in->name);
	free(in->text);
	return -ENOMEM;
}

int inputs_parse(const char *text, struct inputs *inputs_ret)
{
	struct inputs inputs = { 0 };
	const char *line = after_prefix(text, HEAD);
	int err = line ? 0 : -EBADMSG;

	while (!err && *line) {
		struct input in = { 0 };
		size_t len = strcspn(line, "\n");
		const char *rest;

		if (line[len] != '\n')
			err = -EBADMSG; /* cut short */
		else if ((rest = after_prefix(line, "file ")))
			err = take_file(rest, len - 5, &in);
		else if ((in.held = (rest = after_prefix(line, "held "))))
			err = take_file(rest, len - 5, &in);
		else if ((rest = after_prefix(line, "fact ")))
			err = take_fact(rest, len - 5, &in);
		else
			err = -EBADMSG;
		if (!err)
			err = add(&inputs, &in);
		line += len + 1;
	}
	if (err)
		inputs_deinit(&inputs);
	else
		*inputs_ret = inputs;
	return err;
}

static bool differs(const struct input *a, const struct input *b)
{
	return a->text ? !streq(a->text, b->text) : !streq(a->sha256, b->sha256);
}

/* One that was not there is as good as one that was not listed. */
static bool is_there(const struct input *in)
{
	return in && (in->text || !streq(in->sha256, NONE));
}

unsigned inputs_difference(const struct inputs *before, const struct inputs *now,
			   void (*report)(void *ctx, const char *name, const char *what), void *ctx)
{
	unsigned nr = 0;

	for (size_t i = 0; i < now->nr; i++) {
		const struct input *in = &now->list[i];
		const struct input *was = inputs_find(before, in->name, in->text);
		const char *what = is_there(in) && is_there(was) ?
					   (differs(was, in) ? "changed" : NULL) :
				   is_there(in)	 ? "new" :
				   is_there(was) ? "gone" :
						   NULL;

		if (what && report)
			report(ctx, in->name, what);
		nr += !!what;
	}
	for (size_t i = 0; i < before->nr; i++) {
		const struct input *was = &before->list[i];

		if (!is_there(was) || inputs_find(now, was->name, was->text))
			continue;
		if (report)
			report(ctx, was->name, "gone");
		nr++;
	}
	return nr;
}
