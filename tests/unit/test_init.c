// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/init/child.h"
#include "capture/init/final.h"
#include "capture/init/memory.h"
#include "capture/init/modules.h"
#include "capture/init/record.h"
#include "capture/init/worker.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/log.h"
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

static const struct step script_rows[] = {
	{ "a", STEP_BEST_EFFORT, 10, 0, { 0 }, act_a },
	{ "b", STEP_REQUIRED, 10, offsetof(struct limits, extra), { 0 }, act_b },
	{ "c", STEP_BEST_EFFORT, 0, 0, { 0 }, act_c },
	{ "d", STEP_ALWAYS, 10, 0, { 1, 2, 3 }, act_d },
};

static const struct steps_table script_table = { script_rows, ARRAY_SIZE(script_rows) };

static struct steps script_steps(struct steps_progress *progress)
{
	struct steps s = { &script_table, 1, progress, 0, read_fake_clock };

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
		CHECK_EQ(steps_run(&s, &script_table, 0, &script), cases[i].ret);
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
	CHECK_EQ(steps_run(&s, &script_table, 0, &script), -EUCLEAN);
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
	struct steps_limits limits = { 1000, 60, 100, &config, { 20, 3, 1 } };
	static const struct {
		int current;
		unsigned step_s, progress_s, now_s; /* since the start */
		const char *why;		    /* empty: go on */
		enum step_outcome outcome;
	} cases[] = {
		{ -1, 0, 0, 60, "", STEP_RUNNING },
		{ -1, 0, 0, 61, "start: no progress for 60 s", STEP_RUNNING },
		{ 0, 20, 20, 30, "", STEP_RUNNING },
		{ 0, 20, 20, 31, "a: not done after 10 s", STEP_RUNNING },
		{ 1, 20, 30, 35, "", STEP_RUNNING },
		{ 1, 20, 30, 36, "b: not done after 15 s", STEP_RUNNING },
		{ 2, 20, 40, 100, "", STEP_RUNNING }, /* no limit of its own */
		{ 2, 20, 30, 91, "c: no progress for 60 s", STEP_RUNNING },
		{ 2, 20, 100, 101, "c: the whole capture took more than max_time, 100 s",
		  STEP_RUNNING },
		{ 2, 20, 31, 30, "", STEP_RUNNING }, /* progress after the clock was read */
		{ 2, 20, 32, 30, "c: no progress for 60 s", STEP_RUNNING }, /* in a time to come */
		{ 0, 32, 30, 30, "a: not done after 10 s", STEP_RUNNING },
		/* With what the target says of its acts: 10 + 20 + 2 * 3 + 3 * 1. */
		{ 3, 20, 50, 59, "", STEP_RUNNING },
		{ 3, 20, 50, 60, "d: not done after 39 s", STEP_RUNNING },
		{ 999, 0, 0, 61, "start: no progress for 60 s", STEP_RUNNING },
		/* What the last runner died of, while the next one has not begun a step. */
		{ 0, 20, 50, 50, "", STEP_FAILED },
		{ 0, 20, 50, 50, "", STEP_OK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char why[128] = "";
		int err;

		atomic_store(&progress.current, cases[i].current);
		atomic_store(&progress.progress_ms, 1000 + cases[i].progress_s * 1000);
		for (size_t j = 0; j < 4; j++) {
			progress.state[j].step = &script_rows[j];
			progress.state[j].start_ms = 1000 + cases[i].step_s * 1000;
			progress.state[j].outcome = cases[i].outcome;
		}
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
	CHECK_EQ(progress.state[2].outcome, STEP_PENDING);
}

TEST(init, runs_beyond_the_room_take_the_last_place)
{
	struct steps_progress progress;
	struct steps s = script_steps(&progress);
	struct script script = { .progress = &progress };

	for (size_t i = 0; i < STEPS_MAX / 4 + 2; i++) {
		script.ran[0] = '\0';
		CHECK_EQ(steps_run(&s, &script_table, 0, &script), 0);
	}
	CHECK_EQ(steps_current(&s), STEPS_MAX - 1);
	CHECK(steps_row(&s, STEPS_MAX - 1) == &script_rows[3]);
	CHECK(steps_row(&s, STEPS_MAX) == NULL);
	progress.state[0].step = &script_rows[4];
	CHECK(steps_row(&s, 0) == NULL);
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
	CHECK_EQ(strlen(st->targets[0].dir_name), DIR_NAME_SIZE - 1);
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

/* One more run of a step. */
static struct step_state *add_run(struct init_state *st, const char *name, unsigned group,
				  enum step_outcome outcome, const char *error)
{
	struct steps s = worker_steps(st);
	int at = steps_current(&s) + 1;
	struct step_state *run = &st->progress.state[at];

	for (size_t t = 0; t < s.nr_tables; t++)
		for (size_t i = 0; i < s.tables[t].nr; i++)
			if (streq(s.tables[t].rows[i].name, name))
				run->step = &s.tables[t].rows[i];
	if (!run->step)
		abort();
	run->group = group;
	run->outcome = outcome;
	snprintf(run->error, sizeof(run->error), "%s", error);
	atomic_store(&st->progress.current, at);
	return run;
}

static const char *reason(struct init_state *st, int i)
{
	static char buf[1024];
	struct steps s = worker_steps(st);

	return state_reason(st, &s, i, buf, sizeof(buf));
}

TEST(init, verdict_and_reason)
{
	_free_ struct init_state *st = new_state();
	struct state_target *t = st->targets;

	CHECK_STR(state_verdict(st, -1), "failed");
	CHECK_STR(reason(st, -1), "the dump is not written yet");
	/* Modules failed and the run went on; the mount is why there is no dump. */
	add_run(st, "modules", STATE_ALL_TARGETS, STEP_FAILED, "modules");
	CHECK_STR(reason(st, -1), "modules");
	add_run(st, "mount", 0, STEP_FAILED, "mount");
	CHECK_STR(reason(st, 0), "mount");
	add_run(st, "unmount", 0, STEP_FAILED, "unmount");
	CHECK_STR(reason(st, 0), "mount");
	CHECK_STR(reason(st, 1), "modules");	/* that is not about the other target */
	st->config.nr_targets = st->target = 1; /* all had their turn */
	CHECK_STR(reason(st, -1), "mount");
	add_run(st, "log", 0, STEP_RUNNING, "");
	CHECK_STR(reason(st, 0), "the capture was still under way when this was written");
	add_run(st, "dump", 0, STEP_FAILED, "died");
	CHECK_STR(reason(st, -1), "died");
	t->log_saved = true;
	CHECK_STR(state_verdict(st, 0), "log-only");
	t->dump_started = true;
	CHECK_STR(state_verdict(st, 0), "incomplete");
	t->dump_saved = true;
	CHECK_STR(state_verdict(st, -1), "complete");
	CHECK(reason(st, -1) == NULL);
	CHECK(reason(st, 0) == NULL);
}

static bool go_on(struct init_state *st)
{
	char say[WORKER_SAY_SIZE];

	return worker_go_on(st, say, sizeof(say));
}

TEST(init, a_dead_worker_costs_what_it_was_at)
{
	static const struct {
		enum state_phase phase;
		bool goes_on, no_core;
		unsigned target; /* after it was 1 */
	} cases[] = {
		{ STATE_PREPARE, true, false, 1 }, { STATE_CORE, true, true, 1 },
		{ STATE_TARGETS, true, false, 2 }, { STATE_TOO_SMALL, true, false, 2 },
		{ STATE_TELL, true, false, 2 },	   { STATE_DONE, false, false, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ struct init_state *st = new_state();

		st->phase = cases[i].phase;
		st->target = 1;
		CHECK_EQ(go_on(st), cases[i].goes_on);
		CHECK_EQ(st->phase, cases[i].phase);
		CHECK_EQ(st->no_core, cases[i].no_core);
		CHECK_EQ(st->target, cases[i].target);
	}
}

/* A configuration in which no target can come up: each gets its turn, none twice. */
TEST(init, a_worker_goes_on_behind_the_dead)
{
	_free_ struct init_state *st = new_state();
	struct steps s = worker_steps(st);
	struct init_saver saver = { .open = NULL };

	st->config.nr_targets = 3;
	for (unsigned i = 0; i < 3; i++)
		strcpy(st->config.targets[i].type, "none such");
	st->no_core = true;
	st->phase = STATE_TARGETS;
	st->target = 0;
	add_run(st, "mount", 0, STEP_FAILED, "died");
	CHECK(go_on(st));
	worker_run(st, &saver);
	CHECK(!st->targets[0].visited);
	CHECK(st->targets[1].visited && st->targets[2].visited);
	CHECK_EQ(st->phase, STATE_DONE);
	for (int i = 0; i <= steps_current(&s); i++) /* and no step of preparing ran again */
		CHECK(st->progress.state[i].group != STATE_ALL_TARGETS);
	CHECK_STR(reason(st, 0), "died");
	CHECK_STR(reason(st, 1), "no kind of target is called none such");
}

TEST(init, a_worker_that_dies_of_the_core_costs_no_target)
{
	static const struct {
		enum state_phase phase;
		const char *step;
		int err;
		bool no_core;
		unsigned target; /* after it was 1 */
	} cases[] = {
		{ STATE_CORE, "core", -ECANCELED, true, 1 },
		{ STATE_CORE, "pstore", -ECANCELED, false, 1 },
		{ STATE_TARGETS, "core", -ECANCELED, true, 1 },
		{ STATE_TARGETS, "pstore", -ECANCELED, false, 1 },
		{ STATE_TOO_SMALL, "core", -ECANCELED, true, 1 },
		{ STATE_TARGETS, "pstore", -EIO, false, 2 }, /* it failed, and then it died */
		{ STATE_TARGETS, "dump", -ECANCELED, false, 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ struct init_state *st = new_state();

		st->phase = cases[i].phase;
		st->target = 1;
		add_run(st, cases[i].step, STATE_ALL_TARGETS, STEP_FAILED, "died")->err =
			cases[i].err;
		CHECK(go_on(st));
		CHECK_EQ(st->no_core, cases[i].no_core);
		CHECK_EQ(st->target, cases[i].target);
	}
}

/* The list of modules is gone on with, but not for ever, and no other step is tried twice. */
TEST(init, a_worker_goes_on_behind_a_bad_module)
{
	static const struct {
		const char *died_in;
		unsigned deaths;
		const char *next;
	} cases[] = {
		{ "config", 0, "modules" },
		{ "modules", 0, "modules" },
		{ "modules", 6, "modules" },
		{ "modules", 7, "network" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ struct init_state *st = new_state();
		struct init_saver saver = { .open = NULL };
		struct steps s = worker_steps(st);

		st->no_core = true;
		st->modules_deaths = cases[i].deaths;
		add_run(st, cases[i].died_in, STATE_ALL_TARGETS, STEP_FAILED, "died")->err =
			-ECANCELED;
		CHECK(go_on(st));
		worker_run(st, &saver);
		CHECK_EQ(st->phase, STATE_DONE);
		CHECK(steps_row(&s, 1) != NULL);
		CHECK_STR(steps_row(&s, 1)->name, cases[i].next);
	}
}

TEST(init, what_a_dead_worker_cost_is_said)
{
	static const struct {
		enum state_phase phase;
		const char *step;
		unsigned target;
		const char *say;
	} cases[] = {
		{ STATE_PREPARE, "config", 0, "lost: the step config; next: modules" },
		{ STATE_PREPARE, "modules", 0, "lost: the step modules; next: modules" },
		{ STATE_PREPARE, "network", 0, "lost: the step network; next: core" },
		{ STATE_CORE, "core", 0, "lost: the core; next: target 1 (LABEL=a)" },
		{ STATE_CORE, "pstore", 0, "lost: the log in pstore; next: target 1 (LABEL=a)" },
		{ STATE_TARGETS, "core", 1, "lost: the core; next: target 2 (LABEL=b)" },
		{ STATE_TARGETS, "mount", 0,
		  "lost: target 1 (LABEL=a), where it is failed; next: target 2 (LABEL=b)" },
		{ STATE_TARGETS, "dump", 2,
		  "lost: target 3 (LABEL=c), where it is incomplete; "
		  "next: target 2 (LABEL=b), for as much as goes in" },
		{ STATE_TOO_SMALL, "dump", 1,
		  "lost: target 2 (LABEL=b), where it is failed; next: the end, no target is "
		  "left" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ struct init_state *st = new_state();
		char say[WORKER_SAY_SIZE];

		st->phase = cases[i].phase;
		st->target = cases[i].target;
		st->config.nr_targets = 3;
		for (unsigned t = 0; t < 3; t++)
			snprintf(st->config.targets[t].where, 16, "LABEL=%c", 'a' + t);
		st->targets[1].too_small = true;
		st->targets[2].dump_started = true;
		add_run(st, cases[i].step, STATE_ALL_TARGETS, STEP_FAILED, "died")->err =
			-ECANCELED;
		CHECK(worker_go_on(st, say, sizeof(say)));
		CHECK_STR(say, cases[i].say);
	}
}

/* A target without room for the whole dump gets another turn, also where a dump began elsewhere
 * and failed; one such is enough. */
TEST(init, those_too_small_get_a_second_turn)
{
	static const struct {
		bool saved, squeezed, started;
		bool visited;
	} cases[] = {
		{ false, false, false, true },
		{ false, false, true, true },
		{ false, true, true, false },
		{ false, true, false, true }, /* it could not be begun there */
		{ true, false, true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ struct init_state *st = new_state();
		struct init_saver saver = { .open = NULL };

		st->config.nr_targets = 2;
		strcpy(st->config.targets[0].type, "none such");
		strcpy(st->config.targets[1].type, "none such");
		st->no_core = true;
		st->phase = STATE_TOO_SMALL;
		st->targets[0].too_small = true;
		st->targets[1].dump_saved = cases[i].saved;
		st->targets[1].dump_started = cases[i].started;
		st->targets[1].squeezed = cases[i].squeezed;
		worker_run(st, &saver);
		CHECK_EQ(st->targets[0].visited, cases[i].visited);
		CHECK(!st->targets[1].visited);
	}
}

TEST(init, a_shell_is_followed_by_the_final_action)
{
	static const struct {
		enum config_action action, final_action, then;
	} cases[] = {
		{ CONFIG_SHELL, CONFIG_POWEROFF, CONFIG_POWEROFF },
		{ CONFIG_SHELL, CONFIG_HALT, CONFIG_HALT },
		{ CONFIG_SHELL, CONFIG_SHELL, CONFIG_REBOOT },
		{ CONFIG_DUMP_TO_ROOTFS, CONFIG_POWEROFF, CONFIG_POWEROFF },
		{ CONFIG_DUMP_TO_ROOTFS, CONFIG_DUMP_TO_ROOTFS, CONFIG_REBOOT },
		{ CONFIG_HALT, CONFIG_POWEROFF, CONFIG_HALT },
		{ CONFIG_REBOOT, CONFIG_HALT, CONFIG_REBOOT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ struct init_state *st = new_state();

		st->config.final_action = cases[i].final_action;
		CHECK_EQ(final_action_after(st, cases[i].action), cases[i].then);
	}
}

TEST(init, the_best_target_counts)
{
	_free_ struct init_state *st = new_state();
	struct state_target *t = st->targets;

	CHECK_EQ(state_best(st), -1);
	t[2].log_saved = true;
	CHECK_EQ(state_best(st), 2);
	t[0].dump_started = t[1].dump_started = true;
	t[0].dump_bytes = 1;
	t[1].dump_bytes = 2;
	CHECK_EQ(state_best(st), 1);
	CHECK_STR(state_verdict(st, -1), "incomplete");
	CHECK(!state_dump_saved(st));
	t[2].dump_saved = true;
	CHECK_EQ(state_best(st), 2);
	strcpy(st->config.targets[2].where, "LABEL=c");
	strcpy(st->config.targets[2].path, "/var/crash");
	strcpy(t[2].dir_name, "now");
	CHECK_STR(reason(st, 0), "the dump is in /var/crash/now on LABEL=c");
	add_run(st, "dump", 0, STEP_FAILED, "no space");
	CHECK_STR(reason(st, 0), "no space; the dump is in /var/crash/now on LABEL=c");
	CHECK_STR(reason(st, 1), "the dump is in /var/crash/now on LABEL=c");
	strcpy(st->config.targets[2].path, "/");
	CHECK_STR(reason(st, 1), "the dump is in /now on LABEL=c");
	CHECK_STR(state_verdict(st, 3), "failed");
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
	record_build(st, &s, 0, 0, out);
	fclose(out);
	return text;
}

TEST(init, manifest_tells_what_is_known)
{
	_free_ struct init_state *st = new_state();
	struct init_saver saver = { .describe = describe, .ctx = "a \"line\"" };
	_free_ char *text = NULL;

	st->config.nr_targets = 2;
	strcpy(st->config.targets[0].where, "LABEL=\"x");
	strcpy(st->config.targets[0].path, "/var/crash");
	strcpy(st->targets[0].dir_name, "1970-01-01-00:00");
	st->targets[0].visited = st->targets[0].log_saved = st->targets[0].dump_started = true;
	strcpy(st->targets[0].dump_name, RECORD_DUMP_TMP);
	st->targets[0].dump_bytes = 77;
	add_run(st, "config", STATE_ALL_TARGETS, STEP_OK, "")->ms = 1500;
	add_run(st, "dump", 0, STEP_FAILED, "full")->err = -ENOSPC;
	add_run(st, "manifest", 0, STEP_RUNNING, "");
	record_describe(st, &saver);
	text = build(st);
	CHECK(strstr(text, "\"schema\": 1,") != NULL);
	CHECK(strstr(text, "\"verdict\": \"incomplete\",\n  \"reason\": \"full\",\n"
			   "  \"written\": \"1970-01-01T00:00:00Z\"") != NULL);
	CHECK(strstr(text, "\"configured\": \"LABEL=\\\"x\"") != NULL);
	CHECK(strstr(text, "\"directory\": \"/var/crash/1970-01-01-00:00\"") != NULL);
	CHECK(strstr(text, "\"dump\": \"vmcore-incomplete\",\n    \"dump_bytes\": 77") != NULL);
	CHECK(strstr(text, "\"name\": \"config\",\n      \"outcome\": \"ok\",\n"
			   "      \"at\": 0.000,\n      \"seconds\": 1.500") != NULL);
	CHECK(strstr(text, "\"errno\": 28,\n      \"error\": \"full\"") != NULL);
	CHECK(strstr(text, "\n  },\n  \"panic\": {\n    \"line\": \"a \\\"line\\\"\"\n  }\n}\n") !=
	      NULL);
	CHECK(strstr(text, "\"name\": \"manifest\"") == NULL); /* it is being written */
	CHECK(strstr(text, "\"verdict\": \"not tried yet\"") != NULL);
}

TEST(init, the_report_is_the_best_manifest)
{
	_free_ struct init_state *st = new_state();
	const struct steps s = worker_steps(st);
	char path[] = "/tmp/vmcore-test-XXXXXX";
	_free_ char *text = NULL;
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	st->config.nr_targets = 2;
	strcpy(st->config.targets[1].where, "LABEL=second");
	st->targets[1].visited = st->targets[1].dump_saved = true;
	strcpy(st->config.report, path);
	add_run(st, "unmount", 1, STEP_OK, "");
	CHECK_EQ(record_report(st, &s), 0);
	CHECK_EQ(io_read_file(path, 1u << 16, &text, NULL), 0);
	CHECK(strstr(text, "\"verdict\": \"complete\"") != NULL);
	CHECK(strstr(text, "\"configured\": \"LABEL=second\"") != NULL);
	CHECK(strstr(text, "\"name\": \"unmount\"") != NULL);
	unlink(path);
	CHECK_EQ(record_report(st, &s), -ENOENT);
	CHECK_EQ(access(path, F_OK), -1); /* it makes no file */
}

/* A target that has the files that @priv names, one letter each, or cannot be asked. */
static int fake_bytes(struct target *target, const char *name, uint64_t *bytes_ret)
{
	static const struct {
		char letter;
		const char *name;
	} files[] = {
		{ 'l', RECORD_LOG_NAME },
		{ 'd', RECORD_DUMP_NAME },
		{ 'f', RECORD_DUMP_FLAT },
		{ 'i', RECORD_DUMP_TMP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!streq(name, files[i].name))
			continue;
		if (strchr(target->priv, '!') && !strchr(target->priv, files[i].letter))
			return target_fail(target, -EIO, "lost");
		if (strchr(target->priv, files[i].letter))
			*bytes_ret = strchr(target->priv, '0') ? 0 : 100 + i;
		return strchr(target->priv, files[i].letter) ? 0 : -ENOENT;
	}
	return -ENOENT;
}

TEST(init, names_tell_what_a_dead_worker_saved)
{
	static const struct target_ops ops = { .bytes = fake_bytes };
	static const struct state_target nothing = { .visited = true };
	static const struct state_target all = { .log_saved = true,
						 .dump_started = true,
						 .dump_saved = true,
						 .dump_bytes = 7,
						 .dump_name = RECORD_DUMP_NAME };
	static const struct {
		const struct state_target *before;
		const char *files; /* '!': the others cannot be asked for; '0': they are empty */
		int err;
		bool log, started, saved;
		uint64_t bytes;
		const char *name;
	} cases[] = {
		{ &nothing, "", 0, false, false, false, 0, RECORD_DUMP_TMP },
		{ &nothing, "l", 0, true, false, false, 0, RECORD_DUMP_TMP },
		{ &nothing, "li", 0, true, true, false, 103, RECORD_DUMP_TMP },
		{ &nothing, "li0", 0, true, false, false, 0, RECORD_DUMP_TMP },
		{ &nothing, "ld", 0, true, true, true, 101, RECORD_DUMP_NAME },
		{ &nothing, "lf", 0, true, true, true, 102, RECORD_DUMP_FLAT },
		{ &all, "", 0, false, false, false, 0, RECORD_DUMP_TMP },
		{ &all, "!", -EIO, true, true, true, 7, RECORD_DUMP_NAME },
		{ &all, "l!", -EIO, true, true, true, 7, RECORD_DUMP_NAME },
		{ &nothing, "l!", -EIO, true, false, false, 0, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target target = { .ops = &ops, .priv = (void *)cases[i].files };
		struct state_target t = *cases[i].before;

		CHECK_EQ(record_look(&t, &target), cases[i].err);
		CHECK_EQ(t.log_saved, cases[i].log);
		CHECK_EQ(t.dump_started, cases[i].started);
		CHECK_EQ(t.dump_saved, cases[i].saved);
		CHECK_EQ(t.dump_bytes, cases[i].bytes);
		CHECK_STR(t.dump_name, cases[i].name);
	}
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
	unsigned calls = 0, at = 0;
	int err;

	CHECK(fd >= 0);
	CHECK(dprintf(fd, "# none of these is a module\n/nonexistent.ko\n%s a=b\n", list) > 0);
	err = modules_load_list(list, &at, no_alive, &calls, &count);
	CHECK_EQ(err, 0);
	CHECK_EQ(calls, 2);
	CHECK_EQ(at, 2);
	CHECK_EQ(count.loaded, 0);
	CHECK_EQ(count.failed, 2);
	/* The first one was the end of the worker before. */
	at = 1;
	CHECK_EQ(modules_load_list(list, &at, no_alive, &calls, &count), 0);
	CHECK_EQ(calls, 3);
	CHECK_EQ(count.failed, 1);
	at = 99;
	CHECK_EQ(modules_load_list(list, &at, no_alive, &calls, &count), 0);
	CHECK_EQ(calls, 3);
	unlink(list);
	CHECK_EQ(modules_load_list("/nonexistent", &at, no_alive, &calls, &count), -ENOENT);
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

/* Killed at the first two tries, well at the third. */
static int child_dies_twice(void *ctx)
{
	unsigned *tries = ctx;

	return ++*tries < 3 ? child_dies(NULL) : 0;
}

static int child_fails_and_counts(void *ctx)
{
	unsigned *tries = ctx;

	++*tries;
	return -ENOSPC;
}

TEST(init, children_that_were_killed_run_again)
{
	unsigned *tries = mmap(NULL, sizeof(*tries), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(tries != MAP_FAILED);
	CHECK_EQ(child_run_again(child_dies_twice, tries, 5000, NULL), 0);
	CHECK_EQ(*tries, 3);
	*tries = 0;
	CHECK_EQ(child_run_again(child_fails_and_counts, tries, 5000, NULL), -ENOSPC);
	CHECK_EQ(*tries, 1);
	munmap(tries, sizeof(*tries));
}

TEST(init, children_are_bounded)
{
	uint64_t start = clock_ms();

	CHECK_EQ(child_run(child_fails, NULL, 5000, NULL), -ENOSPC);
	CHECK_EQ(child_run(child_dies, NULL, 5000, NULL), -EINTR);
	CHECK_EQ(child_run(child_hangs, NULL, 200, NULL), -ETIMEDOUT);
	CHECK(clock_ms() - start < 5000);
}
