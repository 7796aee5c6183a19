// SPDX-License-Identifier: GPL-2.0-or-later
/* One directory with a dump. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "control/dumps/records.h"
#include "lib/cleanup.h"
#include "lib/dump_dir.h"
#include "lib/io.h"
#include "lib/util.h"

/* Names that vmcore-save and kdump-utils give, and beginnings of kdump-tools' names. */
static const char *const dump_names[] = { RECORD_DUMP_NAME, RECORD_DUMP_FLAT, RECORD_DUMP_TMP };
static const char *const log_names[] = { RECORD_LOG_NAME, RECORD_LOG_TMP };
#define FOREIGN_DUMP "dump."
#define FOREIGN_LOG  "dmesg."

static bool find_file(int dir_fd, const char *name, char found[DUMP_NAME_SIZE], uint64_t *bytes)
{
	struct stat sb;

	if (fstatat(dir_fd, name, &sb, AT_SYMLINK_NOFOLLOW) || !S_ISREG(sb.st_mode))
		return false;
	snprintf(found, DUMP_NAME_SIZE, "%s", name);
	if (bytes)
		*bytes = (uint64_t)sb.st_size;
	return true;
}

/* kdump-tools: dump.202601020304 and dmesg.202601020304 in the directory 202601020304. */
static void find_files(int dir_fd, const char *folder, struct dump *d)
{
	char name[DUMP_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(dump_names); i++) {
		if (find_file(dir_fd, dump_names[i], d->file, &d->bytes))
			break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(log_names); i++) {
		if (find_file(dir_fd, log_names[i], d->log, NULL))
			break;
	}
	snprintf(name, sizeof(name), FOREIGN_DUMP "%s", folder);
	if (!*d->file)
		find_file(dir_fd, name, d->file, &d->bytes);
	snprintf(name, sizeof(name), FOREIGN_LOG "%s", folder);
	if (!*d->log)
		find_file(dir_fd, name, d->log, NULL);
}

/* Return: 0; -ENOENT; -errno with what is wrong in @why. */
static int read_record(int dir_fd, struct record *record, const char **why)
{
	_close_ int fd =
		openat(dir_fd, RECORD_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_free_ char *text = NULL;
	struct stat sb;
	ssize_t n;

	*why = "it cannot be read";
	if (fd < 0)
		return -errno;
	if (fstat(fd, &sb))
		return -errno;
	if (!S_ISREG(sb.st_mode) || sb.st_size > (off_t)RECORD_MAX_BYTES) {
		*why = "it is not one of vmcore-save's";
		return -EBADMSG;
	}
	text = malloc(RECORD_MAX_BYTES);
	if (!text)
		return -ENOMEM;
	n = io_read_full(fd, text, RECORD_MAX_BYTES);
	return n < 0 ? (int)n : record_parse(text, (size_t)n, record, why);
}

/* The manifest says what was there when it was written; the files say what is there. */
static void judge(struct dump *d)
{
	const bool complete = streq(d->record.verdict, "complete");

	d->verdict = d->record.verdict;
	if (complete && (!*d->file || streq(d->file, RECORD_DUMP_TMP)))
		snprintf(d->problem, sizeof(d->problem),
			 "the manifest tells of a complete dump, which is not there");
	else if (complete && d->record.dump_bytes != d->bytes)
		snprintf(d->problem, sizeof(d->problem),
			 "the dump has %" PRIu64 " bytes, and had %" PRIu64 " when it was saved",
			 d->bytes, d->record.dump_bytes);
	else if (streq(d->verdict, "incomplete") && !*d->file)
		snprintf(d->problem, sizeof(d->problem),
			 "the manifest tells of a part of a dump, which is not there");
	if (*d->problem)
		d->verdict = "damaged";
}

static int read_from(int dir_fd, const char *name, struct dump *d)
{
	const char *why;
	struct stat sb;
	int err;

	if (fstat(dir_fd, &sb))
		return -errno;
	find_files(dir_fd, name, d);
	err = read_record(dir_fd, &d->record, &why);
	if (err == -ENOMEM)
		return err;
	d->ours = !err;
	d->when = d->ours && d->record.when ? d->record.when : sb.st_mtime;
	d->when = d->when > 0 && d->when <= RECORD_MAX_TIME ? d->when : 0;
	if (d->ours) {
		judge(d);
		return 0;
	}
	if (err == -ENOENT && !*d->file && !*d->log)
		return -ENODATA;
	d->verdict = "unknown";
	if (err == -ENOENT)
		snprintf(d->problem, sizeof(d->problem),
			 "there is no " RECORD_NAME
			 ": vmcore-save did not make it, or was cut off");
	else
		snprintf(d->problem, sizeof(d->problem), RECORD_NAME ": %s", why);
	return 0;
}

int dump_read(const char *place, const char *name, struct dump *ret)
{
	struct dump d = { .verdict = "unknown" };
	_close_ int fd = -1;
	int err;

	if (asprintf(&d.path, "%s/%s", streq(place, "/") ? "" : place, name) < 0)
		return -ENOMEM;
	d.name = d.path + strlen(d.path) - strlen(name);
	fd = open(d.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err = fd < 0 ? -errno : read_from(fd, d.name, &d);
	if (err) {
		dump_deinit(&d);
		return err;
	}
	*ret = d;
	return 0;
}

void dump_deinit(struct dump *dump)
{
	record_deinit(&dump->record);
	free(dump->path);
	dump->path = NULL;
}

const char *dump_panic_line(const struct dump *dump)
{
	return dump->record.panic_line ?: "no panic line is known";
}

void dump_json(struct json *j, const struct dump *dump)
{
	const struct record *r = &dump->record;

	json_string(j, "path", dump->path);
	json_i64(j, "time", dump->when);
	json_string(j, "verdict", dump->verdict);
	json_string(j, "problem", *dump->problem ? dump->problem : NULL);
	json_bool(j, "foreign", !dump->ours);
	json_string(j, "kernel", r->kernel);
	json_string(j, "panic_line", r->panic_line);
	json_string(j, "dump", *dump->file ? dump->file : NULL);
	json_u64(j, "dump_bytes", dump->bytes);
	json_string(j, "log", *dump->log ? dump->log : NULL);
}
