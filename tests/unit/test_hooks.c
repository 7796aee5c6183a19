// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/init/hooks.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* A root with scripts in it; each test has its own. */
struct scripts {
	char root[64];
	char trace[96];
	struct config config;
	struct hooks_call call;
};

static void remove_scripts(struct scripts *s)
{
	char command[128];

	log_set_level(LOG_LVL_INFO);
	snprintf(command, sizeof(command), "rm -rf '%s'", s->root);
	if (system(command))
		test_fail(__FILE__, __LINE__, "%s failed", command);
}

#define _scripts_ __cleanup(remove_scripts)

static void make_scripts(struct scripts *s, enum hooks_kind kind)
{
	const char *tmp = getenv("TMPDIR");

	*s = (struct scripts){ .call = { .kind = kind } };
	config_init(&s->config);
	s->config.hook_timeout = 5;
	snprintf(s->root, sizeof(s->root), "%.40s/vmcore-test-XXXXXX", tmp ? tmp : "/tmp");
	CHECK(mkdtemp(s->root));
	snprintf(s->trace, sizeof(s->trace), "%s/trace", s->root);
	s->call.config = &s->config;
	s->call.root = s->root;
	s->call.directory = s->root; /* so that scripts know where to write */
	log_set_level(LOG_LVL_NONE);
}

/* "%s/etc/kdump/pre.d/10-x" and so on, its folders made. */
static void put_script(struct scripts *s, const char *name, mode_t mode, const char *text)
{
	char path[256];
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s%s", s->root, name);
	for (char *slash = path + strlen(s->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	CHECK(fd >= 0);
	CHECK_EQ(io_write_full(fd, text, strlen(text)), 0);
}

static char *read_trace(const struct scripts *s)
{
	char *text = NULL;

	return io_read_file(s->trace, 4096, &text, NULL) ? strdup("") : text;
}

static int run_text(struct scripts *s, const char *text, char *why)
{
	char path[128];

	put_script(s, "/hook", 0755, text);
	snprintf(path, sizeof(path), "%s/hook", s->root);
	return hooks_run_program(&s->call, path, "kdump_pre", why);
}

TEST(hooks, ends_are_told)
{
	static const struct {
		const char *text;
		int err;
		const char *says;
	} cases[] = {
		{ "#!/bin/sh\nexit 0\n", 0, "" },
		{ "#!/bin/sh\nexit 3\n", -ECHILD, "exited with status 3" },
		{ "#!/bin/sh\nkill -SEGV $$\n", -ECHILD, "died of signal 11" },
		{ "#!/nonexistent/shell\n", -ENOENT, "its interpreter" },
		{ "exit 0\n", -ENOEXEC, "neither a program" },
		/* What it was started with: no input, its output not a terminal, "/" below it. */
		{ "#!/bin/sh\nread x && exit 1; test ! -t 1 && test $PWD = /\n", 0, "" },
		{ "#!/bin/sh\nexec >&- 2>&-\nsleep 0.3\nexit 4\n", -ECHILD, "status 4" },
		{ "#!/bin/sh\ntrap '' TERM\nprintf 'no end of line'\n", 0, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char why[STEPS_ERROR_SIZE] = "";
		struct scripts s _scripts_;

		make_scripts(&s, HOOKS_PRE);
		CHECK_EQ(run_text(&s, cases[i].text, why), cases[i].err);
		CHECK(strstr(why, cases[i].says));
		CHECK(!cases[i].err || after_prefix(why, "kdump_pre /"));
	}
}

TEST(hooks, missing_and_not_executable)
{
	char why[STEPS_ERROR_SIZE] = "", path[128];
	struct scripts s _scripts_;

	make_scripts(&s, HOOKS_PRE);
	CHECK_EQ(hooks_run_program(&s.call, "/nonexistent/hook", NULL, why), -ENOENT);
	CHECK(strstr(why, "no such file in the image"));
	put_script(&s, "/plain", 0644, "#!/bin/sh\n");
	snprintf(path, sizeof(path), "%s/plain", s.root);
	CHECK_EQ(hooks_run_program(&s.call, path, NULL, why), -EACCES);
	CHECK(strstr(why, "Permission denied"));
}

static void count_up(void *ctx)
{
	(*(unsigned *)ctx)++;
}

/* A zombie is not: whose child it has become may not care for it. */
static bool is_running(const char *pid_file)
{
	_free_ char *pid = NULL, *stat = NULL;
	char path[64];

	if (io_read_file(pid_file, 64, &pid, NULL))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", atoi(pid));
	return io_read_file(path, 4096, &stat, NULL) == 0 && !strstr(stat, ") Z ");
}

TEST(hooks, endless_is_killed_with_its_group)
{
	char why[STEPS_ERROR_SIZE] = "";
	struct scripts s _scripts_;
	unsigned beats = 0;
	uint64_t start;

	make_scripts(&s, HOOKS_PRE);
	s.config.hook_timeout = 1;
	s.call.alive = count_up;
	s.call.alive_ctx = &beats;
	start = clock_ms();
	CHECK_EQ(run_text(&s,
			  "#!/bin/sh\ntrap '' TERM\nsleep 600 &\necho $! >$VMCORE_SAVE_DIR/trace\n"
			  "while :; do sleep 60; done\n",
			  why),
		 -ETIMEDOUT);
	CHECK(clock_ms() - start < 4000);
	CHECK(strstr(why, "not done after 1 s and was killed"));
	CHECK(beats > 5);
	clock_sleep_ms(200);
	CHECK(!is_running(s.trace));
}

TEST(hooks, limit_gives_way_to_the_end_of_all)
{
	static const struct {
		unsigned hook_timeout;
		uint64_t until_ms, now_ms, limit_ms;
	} cases[] = {
		{ 60, 0, 500000, 60000 }, /* no end of all */
		{ 60, 900000, 500000, 60000 },
		{ 60, 900000, 880000, 20000 },
		{ 60, 900000, 899000, HOOKS_LATE_S * 1000 },
		{ 60, 900000, 950000, HOOKS_LATE_S * 1000 },
		{ 2, 900000, 950000, 2000 },
		{ 604800, UINT64_MAX, 1, 604800000 },
	};
	struct config config;

	config_init(&config);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		config.hook_timeout = cases[i].hook_timeout;
		CHECK_EQ(hooks_limit_ms(&config, cases[i].until_ms, cases[i].now_ms),
			 cases[i].limit_ms);
	}
}

TEST(hooks, endless_after_the_end_of_all_is_killed_soon)
{
	char why[STEPS_ERROR_SIZE] = "";
	struct scripts s _scripts_;
	uint64_t start = clock_ms();

	make_scripts(&s, HOOKS_POST);
	s.config.hook_timeout = 60;
	s.call.until_ms = 1; /* long ago */
	CHECK_EQ(run_text(&s, "#!/bin/sh\nsleep 600\n", why), -ETIMEDOUT);
	CHECK(clock_ms() - start < (HOOKS_LATE_S + 5) * 1000);
	CHECK(strstr(why, "not done after 5 s and was killed"));
}

TEST(hooks, flood_ends_in_time_and_does_not_block)
{
	char why[STEPS_ERROR_SIZE] = "";
	struct scripts s _scripts_;
	uint64_t start = clock_ms();

	make_scripts(&s, HOOKS_PRE);
	CHECK_EQ(run_text(&s, "#!/bin/sh\nhead -c 3000000 /dev/zero\nexit 5\n", why), -ECHILD);
	CHECK(strstr(why, "status 5")); /* it could write it all */
	unlinkat(AT_FDCWD, s.trace, 0);
	s.config.hook_timeout = 1;
	put_script(&s, "/flood", 0755, "#!/bin/sh\nexec yes\n");
	strcpy(s.trace, s.root);
	strcat(s.trace, "/flood");
	CHECK_EQ(hooks_run_program(&s.call, s.trace, NULL, why), -ETIMEDOUT);
	CHECK(clock_ms() - start < 20000);
}

/* One that leaves a process of another session behind, which holds the pipe open. */
TEST(hooks, daemon_does_not_hold_up)
{
	char why[STEPS_ERROR_SIZE] = "";
	struct scripts s _scripts_;
	uint64_t start = clock_ms();

	make_scripts(&s, HOOKS_PRE);
	CHECK_EQ(run_text(&s,
			  "#!/bin/sh\nsetsid sh -c 'echo $$ >$VMCORE_SAVE_DIR/trace; sleep 4' &\n"
			  "until [ -s $VMCORE_SAVE_DIR/trace ]; do sleep 0.1; done\n",
			  why),
		 0);
	CHECK(clock_ms() - start < 3000);
	CHECK(is_running(s.trace)); /* a service that a dump may need */
}

TEST(hooks, environment)
{
	char why[STEPS_ERROR_SIZE] = "";
	struct scripts s _scripts_;
	_free_ char *trace = NULL;

	make_scripts(&s, HOOKS_POST);
	setenv("SECRET", "1", 1);
	s.call.argument = "1";
	s.call.where = "LABEL=a b";
	s.call.mount_point = "/target";
	s.call.dump = "vmcore-incomplete";
	s.call.verdict = "incomplete";
	s.call.reason = "No space left";
	CHECK_EQ(run_text(&s,
			  "#!/bin/sh\necho \"$#,$1,$VMCORE_SAVE_HOOK,$VMCORE_SAVE_TARGET,"
			  "$VMCORE_SAVE_MOUNT,$VMCORE_SAVE_DUMP,$VMCORE_SAVE_VERDICT,"
			  "$VMCORE_SAVE_REASON,$SECRET,$PATH\" >$VMCORE_SAVE_DIR/trace\n",
			  why),
		 0);
	trace = read_trace(&s);
	CHECK_STR(trace, "1,1,post,LABEL=a b,/target,vmcore-incomplete,incomplete,No space left,,"
			 "/bin:/sbin:/usr/bin:/usr/sbin\n");
}

#define TRACE(letter) "#!/bin/sh\nprintf " letter "$1 >>$VMCORE_SAVE_DIR/trace\n"

TEST(hooks, order_of_program_and_folders)
{
	static const struct {
		enum hooks_kind kind;
		const char *argument, *program, *trace;
		unsigned ran, failed;
		bool program_failed;
	} cases[] = {
		{ HOOKS_PRE, NULL, TRACE("p"), "pabcd", 5, 0, false },
		{ HOOKS_PRE, NULL, TRACE("p") "exit 1\n", "p", 1, 1, true },
		{ HOOKS_PRE, NULL, NULL, "abcd", 4, 0, false },
		{ HOOKS_POST, "1", TRACE("p"), "a1b1c1d1p1", 5, 0, false },
		{ HOOKS_EMERGENCY, NULL, TRACE("p") "kill -9 $$\n", "abcdp", 5, 1, true },
	};
	static const char *const names[] = { "pre", "post", "emergency" };
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hooks_result result;
		struct scripts s _scripts_;
		_free_ char *trace = NULL;

		make_scripts(&s, cases[i].kind);
		s.call.argument = cases[i].argument;
#define PUT(folder, file, text)                                                                    \
	do {                                                                                       \
		snprintf(name, sizeof(name), folder "/%s.d/" file, names[cases[i].kind]);          \
		put_script(&s, name, 0755, text);                                                  \
	} while (0)
		PUT("/etc/kdump", "20-b", TRACE("b"));
		PUT("/etc/kdump", "10-a", TRACE("a"));
		PUT("/etc/kdump", ".hidden", TRACE("x"));
		PUT("/etc/vmcore-save", "b", TRACE("d"));
		PUT("/etc/vmcore-save", "a", TRACE("c"));
#undef PUT
		if (cases[i].program) {
			char *fields[] = { s.config.kdump_pre, s.config.kdump_post,
					   s.config.kdump_emergency };

			put_script(&s, "/program", 0755, cases[i].program);
			snprintf(fields[cases[i].kind], sizeof(s.config.kdump_pre), "%s/program",
				 s.root);
		}
		hooks_run(&s.call, &result);
		trace = read_trace(&s);
		CHECK_STR(trace, cases[i].trace);
		CHECK_EQ(result.ran, cases[i].ran);
		CHECK_EQ(result.failed, cases[i].failed);
		CHECK_EQ(result.program_failed, cases[i].program_failed);
	}
}

/* A folder's scripts that fail do not keep the others from running, and are not a refusal. */
TEST(hooks, first_failure_of_a_folder_is_kept)
{
	struct hooks_result result;
	struct scripts s _scripts_;

	make_scripts(&s, HOOKS_PRE);
	put_script(&s, "/etc/kdump/pre.d/1", 0755, "#!/bin/sh\nexit 7\n");
	put_script(&s, "/etc/kdump/pre.d/2", 0755, "#!/bin/sh\nexit 8\n");
	put_script(&s, "/etc/kdump/pre.d/3", 0644, "");
	hooks_run(&s.call, &result);
	CHECK_EQ(result.ran, 3);
	CHECK_EQ(result.failed, 3);
	CHECK(!result.program_failed);
	CHECK(strstr(result.why, "pre.d/1 exited with status 7"));
}

TEST(hooks, folders_have_a_limit_that_leaves_the_program_out)
{
	struct hooks_result result;
	struct scripts s _scripts_;
	_free_ char *trace = NULL;
	char name[64];

	make_scripts(&s, HOOKS_POST);
	for (unsigned i = 0; i < HOOKS_MAX + 3; i++) {
		snprintf(name, sizeof(name), "/etc/kdump/post.d/%02u", i);
		put_script(&s, name, 0755, TRACE("."));
	}
	put_script(&s, "/program", 0755, TRACE("p"));
	snprintf(s.config.kdump_post, sizeof(s.config.kdump_post), "%s/program", s.root);
	hooks_run(&s.call, &result);
	trace = read_trace(&s);
	CHECK_STR(trace, "................p");
	CHECK_EQ(result.failed, 1);
	CHECK(strstr(result.why, "more than 16"));
}

struct seen_group {
	pid_t group, seen;
};

static void see_group(void *ctx)
{
	struct seen_group *s = ctx;

	if (s->group > 1 && getpgid(s->group) == s->group)
		s->seen = s->group;
}

/* Whoever comes after the death of this process can end the hook. */
TEST(hooks, tell_their_group)
{
	struct seen_group group = { .group = 0 };
	char why[STEPS_ERROR_SIZE] = "";
	struct scripts s _scripts_;

	make_scripts(&s, HOOKS_PRE);
	s.call.group_ret = &group.group;
	s.call.alive = see_group;
	s.call.alive_ctx = &group;
	CHECK_EQ(run_text(&s, "#!/bin/sh\nsleep 0.3\n", why), 0);
	CHECK(group.seen > 1);
	CHECK_EQ(group.group, 0);
	CHECK(kill(-group.seen, 0) < 0);
}
