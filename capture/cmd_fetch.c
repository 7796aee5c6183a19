// SPDX-License-Identifier: GPL-2.0-or-later
/* A capture that went to a raw partition: list it, fetch it, let it go. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/commands.h"
#include "capture/fetch.h"
#include "capture/output.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/log.h"

static const char *state_name(enum raw_state state)
{
	switch (state) {
	case RAW_COMPLETE:
		return "complete";
	case RAW_INCOMPLETE:
		return "incomplete";
	default:
		return "cut off";
	}
}

static void list_json(const struct fetch *f)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "device", f->name);
	json_u64(&j, "room", f->dir.area);
	json_string(&j, "directory", *f->dir.dir_name ? f->dir.dir_name : NULL);
	json_array(&j, "files");
	for (unsigned i = 0; i < f->dir.nr; i++) {
		const struct raw_file *file = &f->dir.files[i];
		char hex[SHA256_HEX_BYTES];

		sha256_hex(file->sha256, hex);
		json_object(&j, NULL);
		json_string(&j, "name", file->name);
		json_string(&j, "state", state_name(file->state));
		json_u64(&j, "offset", file->offset);
		json_u64(&j, "bytes", file->bytes);
		json_string(&j, "sha256", file->digested ? hex : NULL);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

static enum filter_exit list(const struct fetch *f, const struct options *o)
{
	char why[192];

	/* Whoever builds an image asks this way whether the device will do. */
	if (raw_check(f->fd, f->name, why, sizeof(why))) {
		log_error("%s", why);
		return FILTER_FAILED;
	}
	if (o->json) {
		list_json(f);
	} else if (!*f->dir.dir_name) {
		printf("%s: no capture, room for %" PRIu64 " MiB\n", f->name, f->dir.area >> 20);
	} else {
		printf("%s: %s\n", f->name, f->dir.dir_name);
		for (unsigned i = 0; i < f->dir.nr; i++)
			printf("%12" PRIu64 " %-10s %s\n", f->dir.files[i].bytes,
			       state_name(f->dir.files[i].state), f->dir.files[i].name);
	}
	return output_flush(stdout) ? FILTER_FAILED : FILTER_OK;
}

/* An empty directory, and no beginning of a dump for a reader to take for one. */
static enum filter_exit erase(struct fetch *f)
{
	char what[64];
	int err = raw_foreign(f->fd, what, sizeof(what));

	if (!err && *what) {
		log_error("%s holds %s, which stays", f->name, what);
		return FILTER_FAILED;
	}
	f->dir.nr = 0;
	memset(f->dir.files, 0, sizeof(f->dir.files));
	memset(f->dir.dir_name, 0, sizeof(f->dir.dir_name));
	if (!err)
		err = raw_store(f->fd, &f->dir);
	if (!err)
		err = raw_clear_head(f->fd);
	if (err) {
		log_error("%s cannot be erased: %s", f->name, strerror(-err));
		return FILTER_FAILED;
	}
	log_info("%s is ready for the next dump", f->name);
	return FILTER_OK;
}

static enum filter_exit fetch_and_erase(struct fetch *f, const struct options *o)
{
	int err = 0;

	if (o->nr_files == 2 && f->dir.nr) {
		err = fetch_save(f, o->files[1]);
	} else if (o->nr_files == 2) {
		err = fetch_flattened(f, o->files[1]);
		if (err == -ENODATA)
			log_error("%s: there is no dump", f->name);
	}
	if (err)
		return FILTER_FAILED;
	return o->erase ? erase(f) : FILTER_OK;
}

enum filter_exit cmd_fetch(const struct options *o, struct core *core)
{
	const int mode = o->erase ? O_RDWR | O_EXCL : O_RDONLY;
	struct fetch f = { .name = o->files[0] };
	_close_ int fd = -1;
	int err;

	(void)core;
	if (o->list ? o->nr_files != 1 || o->erase : o->nr_files != 2 && !o->erase) {
		log_error("--fetch needs a device and a directory; --list and --erase alone, a "
			  "device");
		return FILTER_FAILED;
	}
	fd = open(f.name, mode | O_CLOEXEC);
	f.fd = fd;
	err = fd < 0 ? -errno : raw_load(fd, &f.dir);
	if (err == -ENOSPC) {
		log_error("%s is too small for a dump", f.name);
		return FILTER_FAILED;
	}
	if (err && err != -ENODATA) {
		log_error("%s cannot be opened: %s", f.name, strerror(-err));
		return FILTER_FAILED;
	}
	return o->list ? list(&f, o) : fetch_and_erase(&f, o);
}
