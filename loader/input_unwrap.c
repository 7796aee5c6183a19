// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/decompress.h"
#include "lib/util.h"
#include "loader/input.h"
#include "loader/pe.h"

static void probe(struct unwrapped *u)
{
	image_probe(u->kernel, MIN(u->kernel_len, (size_t)IMAGE_HEAD_MAX), u->kernel_len,
		    &u->image);
}

/* @name: of a section that may be absent, which leaves @data_ret as it is */
static int take_section(const struct unwrapped *u, const struct pe *pe, const char *name,
			const uint8_t **data_ret, size_t *len_ret)
{
	uint64_t from, len;

	if (!pe_find_section(pe, name, &from, &len))
		return 0;
	if (!range_within(from, len, u->kernel_len))
		return -EBADMSG;
	*data_ret = u->kernel + from;
	*len_ret = len;
	return 0;
}

/* The text ends at a NUL or with the section; a newline at its end is an editor's. */
static int take_cmdline(struct unwrapped *u, const uint8_t *text, size_t len)
{
	len = strnlen((const char *)text, len);
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	u->cmdline = strndup((const char *)text, len);
	return u->cmdline ? 0 : -ENOMEM;
}

static int open_uki(struct unwrapped *u, const char *path, char *why, size_t why_size)
{
	const uint8_t *kernel = NULL, *cmdline = NULL;
	size_t kernel_len = 0, cmdline_len = 0;
	struct pe pe;
	int err;

	if (!pe_open(u->kernel, u->kernel_len, &pe))
		return -EBADMSG;
	err = take_section(u, &pe, ".linux", &kernel, &kernel_len);
	if (!err)
		err = take_section(u, &pe, ".initrd", &u->initrd, &u->initrd_len);
	if (!err)
		err = take_section(u, &pe, ".cmdline", &cmdline, &cmdline_len);
	if (err || !kernel_len) {
		snprintf(why, why_size, "%s is a unified kernel image that is %s", path,
			 err ? "cut off: a section reaches beyond its end" :
			       "damaged: its .linux section is empty");
		return -EBADMSG;
	}
	if (!u->initrd_len)
		u->initrd = NULL;
	u->kernel = kernel;
	u->kernel_len = kernel_len;
	u->kind = IMAGE_UKI;
	u->wrapping = u->image.what;
	probe(u);
	return cmdline ? take_cmdline(u, cmdline, cmdline_len) : 0;
}

static int unpack(struct unwrapped *u, const char *path, char *why, size_t why_size)
{
	const char *what = u->image.what;
	size_t len = 0;
	int err = decompress(u->kernel, u->kernel_len, INPUT_UNPACKED_MAX, &u->owned, &len);

	if (err == -EFBIG)
		snprintf(why, why_size, "%s holds more than %u MiB, which is no kernel", path,
			 INPUT_UNPACKED_MAX >> 20);
	else if (err == -ENOMEM)
		snprintf(why, why_size, "there is no memory to unpack %s in", path);
	else if (err)
		snprintf(why, why_size, "%s is %s that is damaged or cut off", path, what);
	if (err)
		return err;
	u->kernel = u->owned;
	u->kernel_len = len;
	u->kind = IMAGE_COMPRESSED;
	u->wrapping = what;
	probe(u);
	return 0;
}

int input_unwrap(const void *file, size_t len, const char *path, struct unwrapped *ret, char *why,
		 size_t why_size)
{
	struct unwrapped u = { .kernel = file, .kernel_len = len };
	int err = 0;

	probe(&u);
	u.kind = u.image.kind;
	if (u.image.kind == IMAGE_COMPRESSED)
		err = unpack(&u, path, why, why_size);
	if (!err && u.image.kind == IMAGE_UKI)
		err = open_uki(&u, path, why, why_size);
	if (err) {
		input_unwrap_free(&u);
		return err;
	}
	*ret = u;
	return 0;
}

void input_unwrap_free(struct unwrapped *u)
{
	free(u->cmdline);
	free(u->owned);
}

unsigned input_calls(const struct options *opts, const struct image *image, char *why,
		     size_t why_size)
{
	unsigned want = IMAGE_FILE_CALL | IMAGE_LOAD_CALL;

	if (opts->flags & OPT_FILE_CALL)
		want = IMAGE_FILE_CALL;
	if ((opts->flags & OPT_OLD_CALL) || opts->load_only)
		want = IMAGE_LOAD_CALL;
	if (want & image->calls)
		return want & image->calls;
	if (want & IMAGE_LOAD_CALL)
		snprintf(why, why_size, "%s is %s, which is not loaded by kexec_load(2) here",
			 opts->kernel, image->what);
	else
		snprintf(why, why_size,
			 "%s is %s that kexec_file_load(2) does not take (%s): leave -s out",
			 opts->kernel, image->what,
			 image->file_problem ? image->file_problem : "no kernel does");
	return 0;
}
