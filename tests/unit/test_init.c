// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/init/child.h"
#include "capture/init/memory.h"
#include "capture/init/modules.h"
#include "capture/init/record.h"
#include "capture/init/worker.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* A clock that the steps themselves move: each takes what it says. */
static uint64_t fake_now;

static uint64_t read_fake_clock(void)
{
	return fake_now;
}

struct script {
	struct steps_progress *progress;
	char ran[16]; /* a letter for each step that ran */
	int results[4];
};

static int act(void *ctx, unsigned step)
{
	struct script *s = ctx;
	size_t len = strlen(s->ran);

	fake_now += 100 * (step + 1);
	s->ran[len] = 'a' + step;
	s->ran[len + 1] = '\0';
	if (s->results[step] == -EUCLEAN)
		return steps_fail(s->progress, -EUCLEAN, "sentence %u", step);
	return s->results[step];
}

static int act_a(void *ctx)
{
	return act(ctx, 0);
}

static int act_b(void *ctx)
{
	return act(ctx, 1);
}

static int act_c(void *ctx)
{
	return act(ctx, 2);
}

static int act_d(void *ctx)
{
	return act(ctx, 3);
}

struct limits {
	unsigned unused, extra;
};

static const struct step script_table[] = {
	{ "a", STEP_BEST_EFFORT, 10, 0, act_a },
	{ "b", STEP_REQUIRED, 10, offsetof(struct limits, extra), act_b },
	{ "c", STEP_BEST_EFFORT, 0, 0, act_c },
	{ "d", STEP_ALWAYS, 10, 0, act_d },
};

static struct steps script_steps(struct steps_progress *progress)
{
	struct steps s = { script_table, ARRAY_SIZE(script_table), progress, read_fake_clock };

	fake_now = 1000;
	steps_init(&s);
	return s;
}

TEST(init, steps_run_by_their_need)
{
	static const struct {
		int results[4];
		const char *ran;
		int ret;
		enum step_outcome outcomes[4];
	} cases[] = {
		{ { 0 }, "abcd", 0, { STEP_OK, STEP_OK, STEP_OK, STEP_OK } },
		{ { -EIO }, "abcd", -EIO, { STEP_FAILED, STEP_OK, STEP_OK, STEP_OK } },
		{ { 0, -ENODEV }, "abd", -ENODEV, { STEP_OK, STEP_FAILED, STEP_SKIPPED, STEP_OK } },
		{ { -EIO, -ENODEV, 0, -EPERM },
		  "abd",
		  -EIO,
		  { STEP_FAILED, STEP_FAILED, STEP_SKIPPED, STEP_FAILED } },
		{ { STEPS_SKIP, STEPS_SKIP },
		  "abcd",
		  0,
		  { STEP_SKIPPED, STEP_SKIPPED, STEP_OK, STEP_OK } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct steps_progress progress;
		struct steps s = script_steps(&progress);
		struct script script = { .progress = &progress };

		memcpy(script.results, cases[i].results, sizeof(script.results));
		CHECK_EQ(steps_run(&s, &script), cases[i].ret);
		CHECK_STR(script.ran, cases[i].ran);
		for (size_t j = 0; j < 4; j++)
			CHECK_EQ(progress.state[j].outcome, cases[i].outcomes[j]);
	}
}

TEST(init, steps_keep_time_and_sentence)
{
	struct steps_progress progress;
	struct steps s = script_steps(&progress);
	struct script script = { &progress, "", { -EUCLEAN, 0, -ENOSPC, 0 } };

	CHECK_EQ(steps_current(&s), -1);
	CHECK_EQ(steps_run(&s, &script), -EUCLEAN);
	CHECK_STR(progress.state[0].error, "sentence 0");
	CHECK_EQ(progress.state[0].err, -EUCLEAN);
	CHECK_EQ(progress.state[0].ms, 100);
	CHECK_EQ(progress.state[1].start_ms, 1100);
	CHECK_EQ(progress.state[1].ms, 200);
	CHECK_STR(progress.state[2].error, "No space left on device");
	CHECK_EQ(atomic_load(&progress.progress_ms), 1600); /* the last step's start */
}

TEST(init, limits_end_a_step)
{
	struct steps_progress progress;
	struct steps s = script_steps(&progress);
	struct limits config = { .extra = 5 };
	struct steps_limits limits = { 1000, 60, 100, &config };
	static const struct {
		int current;
		unsigned step_s, progress_s, now_s; /* since the start */
		const char *why;		    /* empty: go on */
	} cases[] = {
		{ -1, 0, 0, 60, "" },
		{ -1, 0, 0, 61, "start: no progress for 60 s" },
		{ 0, 20, 20, 30, "" },
		{ 0, 20, 20, 31, "a: not done after 10 s" },
		{ 1, 20, 30, 35, "" },
		{ 1, 20, 30, 36, "b: not done after 15 s" },
		{ 2, 20, 40, 100, "" }, /* no limit of its own */
		{ 2, 20, 30, 91, "c: no progress for 60 s" },
		{ 2, 20, 100, 101, "c: the whole capture took more than max_time, 100 s" },
		{ 2, 20, 40, 30, "" }, /* progress after the clock was read */
		{ 99, 0, 0, 61, "start: no progress for 60 s" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char why[128] = "";
		int err;

		atomic_store(&progress.current, cases[i].current);
		atomic_store(&progress.progress_ms, 1000 + cases[i].progress_s * 1000);
		for (size_t j = 0; j < 4; j++)
			progress.state[j].start_ms = 1000 + cases[i].step_s * 1000;
		/* A millisecond more than the whole seconds of a limit is over it. */
		fake_now = 1000 + cases[i].now_s * 1000;
		err = steps_overdue(&s, &limits, why, sizeof(why));
		CHECK_STR(why, cases[i].why);
		CHECK_EQ(err, *cases[i].why ? -ETIMEDOUT : 0);
	}
}

TEST(init, a_dead_runner_leaves_closed_steps)
{
	struct steps_progress progress;
	struct steps s = script_steps(&progress);

	progress.state[0].outcome = STEP_OK;
	progress.state[1].outcome = STEP_RUNNING;
	progress.state[1].start_ms = 1000;
	atomic_store(&progress.current, 1);
	fake_now = 4000;
	steps_close(&s, -ECANCELED, "it died");
	CHECK_EQ(progress.state[0].outcome, STEP_OK);
	CHECK_EQ(progress.state[1].outcome, STEP_FAILED);
	CHECK_EQ(progress.state[1].ms, 3000);
	CHECK_STR(progress.state[1].error, "it died");
	CHECK_EQ(progress.state[2].outcome, STEP_SKIPPED);
}

TEST(init, a_scribbled_state_is_made_safe)
{
	_free_ struct init_state *st = malloc(sizeof(*st));

	CHECK(st != NULL);
	memset(st, 0xff, sizeof(*st));
	state_sanitize(st);
	CHECK_STR(st->config.path, "/var/crash");
	CHECK_EQ(st->config.timeout, 900);
	CHECK_EQ(st->config.final_action, CONFIG_REBOOT);
	CHECK_EQ(strlen(st->dir_name), DIR_NAME_SIZE - 1);
	CHECK_EQ(strlen(st->progress.state[0].error), STEPS_ERROR_SIZE - 1);
	CHECK_EQ(atomic_load(&st->described_at), -1);
}

static struct init_state *new_state(void)
{
	struct init_state *st = calloc(1, sizeof(*st));
	struct steps s;

	if (!st)
		abort();
	s = worker_steps(st);
	config_init(&st->config);
	atomic_store(&st->described_at, -1);
	steps_init(&s);
	return st;
}

TEST(init, verdict_and_reason)
{
	_free_ struct init_state *st = new_state();
	struct steps s = worker_steps(st);

	CHECK_STR(state_verdict(st), "failed");
	CHECK_STR(state_reason(st, &s), "the dump is not written yet");
	/* Modules failed and the run went on; the mount is why there is no dump. */
	st->progress.state[1].outcome = STEP_FAILED;
	strcpy(st->progress.state[1].error, "modules");
	st->progress.state[3].outcome = STEP_FAILED;
	strcpy(st->progress.state[3].error, "mount");
	CHECK_STR(state_reason(st, &s), "mount");
	st->progress.state[s.nr - 1].outcome = STEP_FAILED;
	strcpy(st->progress.state[s.nr - 1].error, "unmount");
	CHECK_STR(state_reason(st, &s), "mount");
	st->progress.state[4].outcome = STEP_RUNNING;
	CHECK_STR(state_reason(st, &s), "the capture was still under way when this was written");
	strcpy(st->failure, "died");
	CHECK_STR(state_reason(st, &s), "died");
	st->log_saved = true;
	CHECK_STR(state_verdict(st), "log-only");
	st->dump_started = true;
	CHECK_STR(state_verdict(st), "incomplete");
	st->dump_saved = true;
	CHECK_STR(state_verdict(st), "complete");
	CHECK(state_reason(st, &s) == NULL);
}

static void describe(void *ctx, struct json *json)
{
	const char *text = ctx;

	json_object(json, "panic");
	json_string(json, "line", text);
	json_end(json, '}');
}

static char *build(struct init_state *st)
{
	struct steps s = worker_steps(st);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	record_build(st, &s, 0, out);
	fclose(out);
	return text;
}

TEST(init, manifest_tells_what_is_known)
{
	_free_ struct init_state *st = new_state();
	struct init_saver saver = { .describe = describe, .ctx = "a \"line\"" };
	_free_ char *text = NULL;

	strcpy(st->config.device, "LABEL=\"x");
	strcpy(st->dir_name, "1970-01-01-00:00");
	st->log_saved = st->dump_started = true;
	st->dump_bytes = 77;
	st->progress.state[0].outcome = STEP_OK;
	st->progress.state[0].ms = 1500;
	st->progress.state[7].outcome = STEP_FAILED;
	st->progress.state[7].err = -ENOSPC;
	strcpy(st->progress.state[7].error, "full");
	record_describe(st, &saver);
	text = build(st);
	CHECK(strstr(text, "\"schema\": 1,") != NULL);
	CHECK(strstr(text, "\"verdict\": \"incomplete\",\n  \"reason\": \"full\",\n"
			   "  \"written\": \"1970-01-01T00:00:00Z\"") != NULL);
	CHECK(strstr(text, "\"configured\": \"LABEL=\\\"x\"") != NULL);
	CHECK(strstr(text, "\"directory\": \"/var/crash/1970-01-01-00:00\"") != NULL);
	CHECK(strstr(text, "\"dump\": \"vmcore-incomplete\",\n    \"dump_bytes\": 77") != NULL);
	CHECK(strstr(text, "\"name\": \"config\",\n      \"outcome\": \"ok\",\n"
			   "      \"seconds\": 1.500") != NULL);
	CHECK(strstr(text, "\"errno\": 28,\n      \"error\": \"full\"") != NULL);
	CHECK(strstr(text, "\n  },\n  \"panic\": {\n    \"line\": \"a \\\"line\\\"\"\n  }\n}\n") !=
	      NULL);
	CHECK(strstr(text, "\"unmount\"") == NULL); /* that is still to come */
}

static void describe_too_much(void *ctx, struct json *json)
{
	(void)ctx;
	for (unsigned i = 0; i < STATE_DESCRIBED_SIZE; i++)
		json_u64(json, "n", i);
}

TEST(init, a_description_too_long_leaves_the_one_before)
{
	_free_ struct init_state *st = new_state();
	struct init_saver saver = { .describe = describe, .ctx = "one" };
	_free_ char *text = NULL;

	record_describe(st, &saver);
	saver.ctx = "two";
	record_describe(st, &saver);
	saver.describe = describe_too_much;
	record_describe(st, &saver);
	text = build(st);
	CHECK(strstr(text, "\"line\": \"two\"") != NULL);
	CHECK(strstr(text, "\"n\"") == NULL);
}

TEST(init, memory_fields)
{
	static const char text[] = "MemTotal:   2048 kB\nMemFree: 7 kB\nnr_x 1\noom_kill 3\n";
	uint64_t value = 9;

	CHECK(memory_field(text, "MemTotal", &value));
	CHECK_EQ(value, 2048);
	CHECK(memory_field(text, "oom_kill", &value));
	CHECK_EQ(value, 3);
	CHECK(!memory_field(text, "Mem", &value));
	CHECK(!memory_field(text, "kB", &value));
	CHECK(!memory_field("", "x", &value));
	CHECK_EQ(value, 3);
}

TEST(init, module_lines)
{
	static const struct {
		const char *line, *path, *params;
	} cases[] = {
		{ "", NULL, "" },
		{ " \t\r", NULL, "" },
		{ "# /lib/x.ko", NULL, "" },
		{ "/lib/x.ko", "/lib/x.ko", "" },
		{ "  /lib/x.ko \r", "/lib/x.ko", "" },
		{ "/lib/x.ko  a=1 b=\"c d\" ", "/lib/x.ko", "a=1 b=\"c d\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[64], *params = "", *path;

		snprintf(line, sizeof(line), "%s", cases[i].line);
		path = modules_parse_line(line, &params);
		CHECK_EQ(path != NULL, cases[i].path != NULL);
		if (!path)
			continue;
		CHECK_STR(path, cases[i].path);
		CHECK_STR(params, cases[i].params);
	}
}

static void no_alive(void *ctx)
{
	++*(unsigned *)ctx;
}

TEST(init, bad_modules_are_counted_and_left_out)
{
	char list[] = "/tmp/vmcore-test-XXXXXX";
	_close_ int fd = mkstemp(list);
	struct modules_count count = { .loaded = 9 };
	unsigned calls = 0;
	int err;

	CHECK(fd >= 0);
	CHECK(dprintf(fd, "# none of these is a module\n/nonexistent.ko\n%s a=b\n", list) > 0);
	err = modules_load_list(list, no_alive, &calls, &count);
	unlink(list);
	CHECK_EQ(err, 0);
	CHECK_EQ(calls, 2);
	CHECK_EQ(count.loaded, 0);
	CHECK_EQ(count.failed, 2);
	CHECK_EQ(modules_load_list("/nonexistent", no_alive, &calls, &count), -ENOENT);
}

static int child_fails(void *ctx)
{
	(void)ctx;
	return -ENOSPC;
}

static int child_hangs(void *ctx)
{
	(void)ctx;
	while (pause())
		;
	return 0;
}

static int child_dies(void *ctx)
{
	(void)ctx;
	raise(SIGKILL);
	return 0;
}

TEST(init, children_are_bounded)
{
	uint64_t start = clock_ms();

	CHECK_EQ(child_run(child_fails, NULL, 5000), -ENOSPC);
	CHECK_EQ(child_run(child_dies, NULL, 5000), -EINTR);
	CHECK_EQ(child_run(child_hangs, NULL, 200), -ETIMEDOUT);
	CHECK(clock_ms() - start < 5000);
}
