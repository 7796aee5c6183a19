// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/util.h"

/* Room kept for the manifest, so that it can be told that the disk is full. */
#define RESERVE_BYTES (64u << 10)

static void build_steps(struct json *j, const struct steps *steps)
{
	json_array(j, "steps");
	for (size_t i = 0; i < steps->nr; i++) {
		const struct step_state *st = &steps->progress->state[i];

		/* Writing this and what comes after cannot be told here. */
		if (steps->table[i].need == STEP_ALWAYS &&
		    (st->outcome == STEP_RUNNING || st->outcome == STEP_PENDING))
			continue;
		json_object(j, NULL);
		json_string(j, "name", steps->table[i].name);
		json_string(j, "outcome", steps_outcome_name(st->outcome));
		if (st->outcome == STEP_OK || st->outcome == STEP_FAILED)
			json_millis(j, "seconds", st->ms);
		if (st->outcome == STEP_FAILED) {
			json_i64(j, "errno", -(int64_t)st->err);
			json_string(j, "error", st->error);
		}
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void build_target(struct json *j, const struct init_state *st)
{
	char directory[sizeof(st->config.path) + DIR_NAME_SIZE];

	snprintf(directory, sizeof(directory), "%s/%s", st->config.path, st->dir_name);
	json_object(j, "target");
	json_string(j, "configured", st->config.device);
	json_string(j, "device", st->device);
	json_string(j, "fstype", st->fstype);
	json_string(j, "directory", directory);
	json_end(j, '}');
	json_object(j, "files");
	json_string(j, "log", st->log_saved ? RECORD_LOG_NAME : NULL);
	json_string(j, "dump",
		    st->dump_saved   ? RECORD_DUMP_NAME :
		    st->dump_started ? RECORD_DUMP_NAME "-incomplete" :
				       NULL);
	json_u64(j, "dump_bytes", st->dump_bytes);
	json_end(j, '}');
}

static void build_environment(struct json *j, const struct init_state *st)
{
	struct utsname u = { .release = "" };

	uname(&u);
	json_object(j, "environment");
	json_string(j, "kernel", u.release);
	json_u64(j, "mem_total_kib", st->mem_total_kib);
	json_u64(j, "mem_available_min_kib", st->mem_available_min_kib);
	json_u64(j, "peak_memory_kib", st->worker_peak_kib);
	json_end(j, '}');
}

/* Members that record_describe() has kept go in as they are. */
static void build_described(struct json *j, const struct init_state *st)
{
	int at = atomic_load(&st->described_at);

	if (at < 0 || at > 1 || !st->described[at][0])
		return;
	if (!j->empty)
		fputc(',', j->out);
	fwrite(st->described[at], 1, strnlen(st->described[at], STATE_DESCRIBED_SIZE), j->out);
	j->empty = false;
}

void record_build(const struct init_state *st, const struct steps *steps, time_t when, FILE *out)
{
	struct tm tm = { .tm_mday = 1 };
	char text[64];
	struct json j;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_init(&j, out);
	json_object(&j, NULL);
	json_u64(&j, "schema", RECORD_SCHEMA);
	json_string(&j, "program", "vmcore-save");
	json_string(&j, "version", VMCORE_SAVE_VERSION);
	json_string(&j, "verdict", state_verdict(st));
	json_string(&j, "reason", state_reason(st, steps));
	json_string(&j, "written", text);
	build_target(&j, st);
	build_steps(&j, steps);
	build_environment(&j, st);
	build_described(&j, st);
	json_end(&j, '}');
}

void record_describe(struct init_state *st, const struct init_saver *saver)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct json j = { .out = out, .depth = 1, .empty = true };
	int at = atomic_load(&st->described_at) == 0 ? 1 : 0;

	if (!out)
		return;
	saver->describe(saver->ctx, &j);
	if (fclose(out) || len >= STATE_DESCRIBED_SIZE || j.depth != 1)
		return;
	memcpy(st->described[at], text, len + 1);
	atomic_store(&st->described_at, at);
}

int record_write(const struct init_state *st, const struct steps *steps, int dir_fd)
{
	_close_ int fd = -1;
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err = -ENOMEM;

	if (out) {
		record_build(st, steps, time(NULL), out);
		if (fclose(out) == 0)
			err = dir_replace_file(dir_fd, RECORD_NAME, RECORD_TMP_NAME, text, len);
	}
	if (err) {
		log_error("cannot write %s: %s", RECORD_NAME, strerror(-err));
		return err;
	}
	if (!st->dump_saved) {
		fd = openat(dir_fd, RECORD_NAME, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			dir_reserve_file(fd, RESERVE_BYTES);
	}
	return 0;
}

/* The worker may have died between an act and its note of it: the names tell. */
static void look_at_files(struct init_state *st, int dir)
{
	static const char tmp_name[] = RECORD_DUMP_NAME "-incomplete";
	struct stat sb;

	st->log_saved = fstatat(dir, RECORD_LOG_NAME, &sb, AT_SYMLINK_NOFOLLOW) == 0;
	st->dump_saved = fstatat(dir, RECORD_DUMP_NAME, &sb, AT_SYMLINK_NOFOLLOW) == 0;
	if (st->dump_saved) {
		st->dump_bytes = sb.st_size;
		return;
	}
	st->dump_started = fstatat(dir, tmp_name, &sb, AT_SYMLINK_NOFOLLOW) == 0;
	st->dump_bytes = st->dump_started ? sb.st_size : 0;
	if (st->dump_started && !st->dump_bytes && unlinkat(dir, tmp_name, 0) == 0)
		st->dump_started = false;
}

int record_rescue(struct init_state *st, const struct steps *steps)
{
	_close_ int root = open(STATE_MOUNT_POINT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_close_ int parent = -1, dir = -1;
	int err = root < 0 ? -errno : dir_open_path(root, st->config.path, &parent);

	if (!err) {
		dir = openat(parent, st->dir_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = dir < 0 ? -errno : 0;
	}
	if (err) {
		log_error("cannot open the dump's directory again: %s", strerror(-err));
		return err;
	}
	look_at_files(st, dir);
	err = record_write(st, steps, dir);
	if (syncfs(dir) && !err)
		err = -errno;
	return err;
}
