// SPDX-License-Identifier: GPL-2.0-or-later
/* The turn of a target, on a directory that takes the place of what would be mounted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/init/record.h"
#include "capture/init/worker_private.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define EARLIER "2020-01-01-00:00"

struct turn {
	char path[64];
	struct init_state *st;
	struct worker w;
	struct init_saver saver;
};

static void end_turn(struct turn *t)
{
	char command[128];

	log_set_level(LOG_LVL_INFO);
	if (t->w.target.dir_fd >= 0)
		close(t->w.target.dir_fd);
	free(t->st);
	snprintf(command, sizeof(command), "rm -rf '%s'", t->path);
	if (system(command))
		test_fail(__FILE__, __LINE__, "%s failed", command);
}

#define _turn_ __cleanup(end_turn)

/* How often each of these acts still fails for want of room. */
static struct {
	unsigned make_dir, replace, create, log, commit;
} full;

static int try_act(struct target *target, unsigned *fails)
{
	if (!*fails)
		return 0;
	--*fails;
	return target_fail(target, -ENOSPC, "No space left on device");
}

static int make_dir(struct target *target, time_t when)
{
	int err = try_act(target, &full.make_dir);

	return err ? err : tree_make_dir(target, when);
}

static int replace(struct target *target, const char *name, const char *data, size_t len)
{
	int err = try_act(target, &full.replace);

	return err ? err : tree_replace(target, name, data, len);
}

static int create(struct target *target, const char *name, struct target_file *file_ret)
{
	int err = try_act(target, &full.create);

	return err ? err : tree_create(target, name, file_ret);
}

static int commit(struct target *target, struct target_file *file, const char *final_name)
{
	int err = try_act(target, &full.commit);

	if (!err)
		return tree_commit(target, file, final_name);
	close(take_fd(&file->fd));
	return err;
}

static int save_log(void *ctx, int fd)
{
	struct target unused = { .ops = NULL };

	(void)ctx;
	/* What got in before the disk was full stays, and is longer than the next try's. */
	if (full.log)
		return io_write_full(fd, "first try", 9) ?: try_act(&unused, &full.log);
	return io_write_full(fd, "second", 6);
}

static void describe(void *ctx, struct json *json)
{
	(void)ctx;
	(void)json;
}

static const struct target_ops full_ops = {
	.make_dir = make_dir,
	.reopen = tree_reopen,
	.create = create,
	.commit = commit,
	.abandon = tree_abandon,
	.replace = replace,
	.bytes = tree_bytes,
	.sync = tree_sync,
};

static void put_earlier(const struct turn *t)
{
	static const char manifest[] = "{\n  \"schema\": 1,\n  \"program\": \"vmcore-save\",\n"
				       "  \"version\": \"1\",\n  \"verdict\": \"complete\"\n}\n";
	char path[128];
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/" EARLIER, t->path);
	CHECK_EQ(mkdir(path, 0700), 0);
	strcat(path, "/" RECORD_NAME);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(io_write_full(fd, manifest, sizeof(manifest) - 1), 0);
}

static void begin_turn(struct turn *t, unsigned keep_dumps)
{
	const char *tmp = getenv("TMPDIR");

	*t = (struct turn){ .saver = { .save_log = save_log, .describe = describe } };
	snprintf(t->path, sizeof(t->path), "%.40s/vmcore-test-XXXXXX", tmp ? tmp : "/tmp");
	t->st = calloc(1, sizeof(*t->st));
	CHECK(t->st && mkdtemp(t->path));
	log_set_level(LOG_LVL_NONE);
	config_init(&t->st->config);
	t->st->config.nr_targets = 1;
	t->st->config.keep_dumps = keep_dumps;
	strcpy(t->st->config.targets[0].path, "/");
	atomic_store(&t->st->described_at, -1);
	t->w = (struct worker){
		.st = t->st,
		.saver = &t->saver,
		.steps = worker_steps(t->st),
		.t = &t->st->targets[0],
		.core_open = true,
		.target = { .ops = &full_ops,
			    .config = &t->st->config,
			    .where = &t->st->config.targets[0],
			    .mount_point = t->path,
			    .alive = worker_alive,
			    .alive_ctx = &t->w,
			    .dir_fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) },
	};
	steps_init(&t->w.steps);
	put_earlier(t);
}

static bool is_there(const struct turn *t, const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s/%s", t->path, folder, name);
	return access(path, F_OK) == 0;
}

TEST(worker, an_earlier_capture_gives_way_to_a_record)
{
	static const struct {
		unsigned make_dir, replace, create, log, commit;
		unsigned keep_dumps;
		int directory, save; /* what the two steps return */
		bool stays;	     /* the earlier capture */
	} cases[] = {
		{ 0, 0, 0, 0, 0, 3, 0, 0, true },
		{ 1, 0, 0, 0, 0, 3, 0, 0, false },
		{ 0, 1, 0, 0, 0, 3, 0, 0, false },
		{ 0, 0, 1, 0, 0, 3, 0, 0, false },
		{ 0, 0, 0, 1, 0, 3, 0, 0, false },
		{ 0, 0, 0, 0, 1, 3, 0, 0, false },
		/* One more try and no more. */
		{ 2, 0, 0, 0, 0, 3, -ENOSPC, 0, false },
		{ 0, 2, 0, 0, 0, 3, -ENOSPC, 0, false },
		{ 0, 0, 0, 2, 0, 3, 0, -ENOSPC, false },
		/* Nothing is removed where nobody has allowed it. */
		{ 1, 0, 0, 0, 0, 0, -ENOSPC, 0, true },
		{ 0, 0, 0, 1, 0, 0, 0, -ENOSPC, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct turn t _turn_;
		const char *folder;

		begin_turn(&t, cases[i].keep_dumps);
		folder = t.st->targets[0].dir_name;
		full.make_dir = cases[i].make_dir;
		full.replace = cases[i].replace;
		full.create = cases[i].create;
		full.log = cases[i].log;
		full.commit = cases[i].commit;
		CHECK_EQ(worker_step_directory(&t.w), cases[i].directory);
		if (!cases[i].directory) {
			CHECK_EQ(worker_step_log(&t.w), cases[i].save);
			CHECK(is_there(&t, folder, RECORD_NAME));
			CHECK_EQ(is_there(&t, folder, RECORD_LOG_NAME), !cases[i].save);
			CHECK_EQ(is_there(&t, folder, RECORD_LOG_TMP), cases[i].save != 0);
		}
		CHECK_EQ(is_there(&t, EARLIER, RECORD_NAME), cases[i].stays);
	}
}

/* The log of a first visit that failed is in the way of none. */
TEST(worker, a_second_visit_saves_the_log)
{
	struct turn t _turn_;
	_free_ char *text = NULL;
	char path[256];

	begin_turn(&t, 0);
	full.log = 1;
	CHECK_EQ(worker_step_directory(&t.w), 0);
	CHECK_EQ(worker_step_log(&t.w), -ENOSPC);
	CHECK(!t.st->targets[0].log_saved);
	/* As the next worker, or the next visit, finds it. */
	t.w.in_directory = false;
	CHECK_EQ(worker_step_directory(&t.w), 0);
	CHECK_EQ(worker_step_log(&t.w), 0);
	CHECK_EQ(worker_step_log(&t.w), STEPS_SKIP);
	snprintf(path, sizeof(path), "%s/%s/%s", t.path, t.st->targets[0].dir_name,
		 RECORD_LOG_NAME);
	CHECK_EQ(io_read_file(path, 100, &text, NULL), 0);
	CHECK_STR(text, "second");
	CHECK(!is_there(&t, t.st->targets[0].dir_name, RECORD_LOG_TMP));
}
