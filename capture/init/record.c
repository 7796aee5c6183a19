// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <termios.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/util.h"

static void build_step(struct json *j, const struct init_state *st, const struct step *step,
		       const struct step_state *run)
{
	json_object(j, NULL);
	json_string(j, "name", step->name);
	if (run->group < st->config.nr_targets)
		json_string(j, "target", st->config.targets[run->group].where);
	json_string(j, "outcome", steps_outcome_name(run->outcome));
	if (run->start_ms >= st->start_ms && run->outcome != STEP_SKIPPED)
		json_millis(j, "at", run->start_ms - st->start_ms);
	if (run->outcome == STEP_OK || run->outcome == STEP_FAILED)
		json_millis(j, "seconds", run->ms);
	if (run->outcome == STEP_FAILED) {
		json_i64(j, "errno", -(int64_t)run->err);
		json_string(j, "error", run->error);
	}
	json_end(j, '}');
}

static void build_steps(struct json *j, const struct init_state *st, const struct steps *steps)
{
	int current = steps_current(steps);

	json_array(j, "steps");
	for (int i = 0; i <= current; i++) {
		const struct step *step = steps_row(steps, i);
		const struct step_state *run = &steps->progress->state[i];

		/* Writing this cannot be told here. */
		if (!step || (step->need == STEP_ALWAYS && run->outcome == STEP_RUNNING))
			continue;
		build_step(j, st, step, run);
	}
	json_end(j, ']');
}

static void directory_of(const struct init_state *st, unsigned i, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s", config_path_prefix(st->config.targets[i].path),
		 st->targets[i].dir_name);
}

static void build_target(struct json *j, const struct init_state *st, unsigned i)
{
	const struct state_target *t = &st->targets[i];
	char directory[sizeof(st->config.path) + DIR_NAME_SIZE];

	directory_of(st, i, directory, sizeof(directory));
	json_string(j, "type", st->config.targets[i].type);
	json_string(j, "configured", st->config.targets[i].where);
	json_string(j, "device", t->device);
	json_string(j, "fstype", t->fstype);
	json_string(j, "directory", t->dir_name[0] ? directory : NULL);
}

static void build_files(struct json *j, const struct state_target *t)
{
	json_object(j, "files");
	json_string(j, "log", t->log_saved ? RECORD_LOG_NAME : NULL);
	json_string(j, "dump", t->dump_saved || t->dump_started ? t->dump_name : NULL);
	json_u64(j, "dump_bytes", t->dump_bytes);
	json_end(j, '}');
}

/* All of them: whoever finds one directory can find the others. */
static void build_targets(struct json *j, const struct init_state *st)
{
	json_array(j, "targets");
	for (unsigned i = 0; i < st->config.nr_targets; i++) {
		json_object(j, NULL);
		build_target(j, st, i);
		json_string(j, "verdict",
			    st->targets[i].visited ? state_verdict(st, i) : "not tried yet");
		json_end(j, '}');
	}
	json_end(j, ']');
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

void record_build(const struct init_state *st, const struct steps *steps, unsigned i, time_t when,
		  FILE *out)
{
	struct tm tm = { .tm_mday = 1 };
	char text[64], reason[1024];
	struct json j;

	gmtime_r(&when, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_init(&j, out);
	json_object(&j, NULL);
	json_u64(&j, "schema", RECORD_SCHEMA);
	json_string(&j, "program", "vmcore-save");
	json_string(&j, "version", VMCORE_SAVE_VERSION);
	json_string(&j, "verdict", state_verdict(st, i));
	json_string(&j, "reason", state_reason(st, steps, i, reason, sizeof(reason)));
	json_string(&j, "written", text);
	json_object(&j, "target");
	build_target(&j, st, i);
	json_end(&j, '}');
	build_files(&j, &st->targets[i]);
	build_targets(&j, st);
	build_steps(&j, st, steps);
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

int record_write(const struct init_state *st, const struct steps *steps, unsigned i,
		 struct target *target)
{
	_free_ char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool built;

	if (out)
		record_build(st, steps, i, time(NULL), out);
	built = out && fclose(out) == 0;
	if (!built)
		return target_fail(target, -ENOMEM, "cannot write %s: %s", RECORD_NAME,
				   strerror(ENOMEM));
	return target->ops->replace(target, RECORD_NAME, text, len);
}

int record_report(const struct init_state *st, const struct steps *steps)
{
	_close_ int fd = open(st->config.report, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	_free_ char *text = NULL;
	int best = state_best(st), err;
	size_t len = 0;
	FILE *out;

	if (fd < 0)
		return -errno;
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	record_build(st, steps, best < 0 ? 0 : (unsigned)best, time(NULL), out);
	if (fclose(out))
		return -ENOMEM;
	err = io_write_full(fd, text, len);
	/* What closes a serial port waits for it, but not for long. */
	return err ? err : tcdrain(fd) && errno != ENOTTY ? -errno : 0;
}

/* A target that cannot be asked says nothing of what is there. */
static int look_for(struct target *target, const char *name, bool *there_ret, uint64_t *bytes_ret)
{
	int err = target->ops->bytes(target, name, bytes_ret);

	if (err && err != -ENOENT)
		return err;
	*there_ret = !err;
	return 0;
}

static int look_for_dump(struct state_target *t, struct target *target)
{
	static const char *const names[] = { RECORD_DUMP_NAME, RECORD_DUMP_FLAT, RECORD_DUMP_TMP };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const bool last = i + 1 == ARRAY_SIZE(names);
		bool there;
		uint64_t bytes = 0;
		int err = look_for(target, names[i], &there, &bytes);

		if (err)
			return err;
		if (!there && !last)
			continue;
		t->dump_saved = !last;
		t->dump_started = bytes; /* an empty file is no dump */
		t->dump_bytes = bytes;
		snprintf(t->dump_name, sizeof(t->dump_name), "%s", names[i]);
		break;
	}
	return 0;
}

int record_look(struct state_target *t, struct target *target)
{
	bool there;
	uint64_t bytes;
	int err = look_for(target, RECORD_LOG_NAME, &there, &bytes);

	if (err)
		return err;
	t->log_saved = there;
	return look_for_dump(t, target);
}

static void ignore(void *ctx)
{
	(void)ctx;
}

int record_rescue(struct init_state *st, const struct steps *steps)
{
	struct state_target *t = &st->targets[st->target];
	struct target target = { .alive = ignore };
	char mount_point[STATE_MOUNT_POINT_SIZE];
	int err;

	state_mount_point(st->target, mount_point);
	err = target_init(&target, &st->config, &st->config.targets[st->target], mount_point);
	if (!err) {
		strcpy(target.dir_name, t->dir_name);
		snprintf(target.device.node, sizeof(target.device.node), "%s", t->device);
		err = target.ops->reopen(&target);
	}
	if (err) {
		log_error("%s", target.error);
		return err;
	}
	if (record_look(t, &target))
		log_error("%s", target.error);
	err = record_write(st, steps, st->target, &target);
	if (!err && target.ops->sync)
		err = target.ops->sync(&target);
	if (err)
		log_error("%s", target.error);
	return err;
}
