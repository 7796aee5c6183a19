// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/init/hooks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/init/child.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

#define POLL_MS	   50
#define LINE_SIZE  160
#define LINES_MAX  100 /* of one hook on the console; at 9600 baud that is about 15 s */
#define READ_BURST (64u << 10)
#define PATH_SIZE  512
#define ENV_MAX	   16

struct hook_kind {
	const char *name;
	const char *key;
	size_t program; /* offset in struct config */
	const char *folders[2];
};

/* kdump-utils' folders first: scripts that are there already count as before. */
static const struct hook_kind hook_kinds[] = {
	[HOOKS_PRE] = { "pre",
			"kdump_pre",
			offsetof(struct config, kdump_pre),
			{ "/etc/kdump/pre.d", "/etc/vmcore-save/pre.d" } },
	[HOOKS_POST] = { "post",
			 "kdump_post",
			 offsetof(struct config, kdump_post),
			 { "/etc/kdump/post.d", "/etc/vmcore-save/post.d" } },
	[HOOKS_EMERGENCY] = { "emergency",
			      "kdump_emergency",
			      offsetof(struct config, kdump_emergency),
			      { "/etc/kdump/emergency.d", "/etc/vmcore-save/emergency.d" } },
};

/* The environment, in one buffer. */
struct env {
	char *list[ENV_MAX + 1];
	unsigned nr;
	char text[4096];
	size_t used;
};

static void env_add(struct env *env, const char *name, const char *value)
{
	char *at = env->text + env->used;
	size_t room = sizeof(env->text) - env->used;
	int len;

	if (!value || !*value || env->nr == ENV_MAX)
		return;
	len = snprintf(at, room, "%s=%s", name, value);
	if (len < 0 || (size_t)len >= room)
		return;
	env->list[env->nr++] = at;
	env->list[env->nr] = NULL;
	env->used += len + 1;
}

static void env_fill(struct env *env, const struct hooks_call *call)
{
	env_add(env, "PATH", "/bin:/sbin:/usr/bin:/usr/sbin");
	env_add(env, "HOME", "/");
	env_add(env, "TERM", "linux");
	env_add(env, "VMCORE_SAVE_HOOK", hook_kinds[call->kind].name);
	env_add(env, "VMCORE_SAVE_TARGET", call->where);
	env_add(env, "VMCORE_SAVE_MOUNT", call->mount_point);
	env_add(env, "VMCORE_SAVE_DIR", call->directory);
	env_add(env, "VMCORE_SAVE_DUMP", call->dump);
	env_add(env, "VMCORE_SAVE_VERDICT", call->verdict);
	env_add(env, "VMCORE_SAVE_REASON", call->reason);
}

/* What a hook prints, on its way to the log. */
struct output {
	int fd; /* -1 at its end */
	const char *name;
	char line[LINE_SIZE];
	size_t len;
	unsigned lines;
};

static void output_flush(struct output *o)
{
	if (!o->len)
		return;
	o->line[o->len] = '\0';
	o->len = 0;
	if (o->lines < LINES_MAX)
		log_info("%s: %s", o->name, o->line);
	else if (o->lines == LINES_MAX)
		log_warn("%s: more than %u lines; the rest is not shown", o->name, LINES_MAX);
	o->lines += o->lines <= LINES_MAX;
}

/* A long line goes in pieces; what a terminal might obey does not go at all. */
static void output_take(struct output *o, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = data[i];

		if (c == '\n') {
			output_flush(o);
			continue;
		}
		if (c == '\r')
			continue;
		if (o->len == sizeof(o->line) - 1)
			output_flush(o);
		o->line[o->len++] = (c < 0x20 && c != '\t') || c == 0x7f ? '?' : c;
	}
}

/* What there is now, and not more than a burst of it, so that the clock is looked at. */
static void output_read(struct output *o)
{
	char buf[4096];

	for (size_t total = 0; o->fd >= 0 && total < READ_BURST;) {
		ssize_t n = read(o->fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close(take_fd(&o->fd));
			return;
		}
		output_take(o, buf, n);
		total += n;
	}
}

/* The child's descriptors: nothing to read, one pipe for all it says. */
static int spawn(const char *path, const char *argument, char **envp, int out, pid_t *pid_ret)
{
	char *argv[] = { (char *)path, (char *)argument, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	err = posix_spawn(pid_ret, path, &actions, &attr, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -err;
}

uint64_t hooks_limit_ms(const struct config *config, uint64_t until_ms, uint64_t now_ms)
{
	const uint64_t limit_ms = config->hook_timeout * UINT64_C(1000);
	uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;

	left_ms = MAX(left_ms, HOOKS_LATE_S * UINT64_C(1000));
	return until_ms ? MIN(limit_ms, left_ms) : limit_ms;
}

/* Only this child: others of this process belong to other parts. It stays a zombie, so that the
 * number of its group is nobody else's when that is killed. */
static bool has_died(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

static void tell_group(const struct hooks_call *call, pid_t group)
{
	if (call->group_ret)
		*call->group_ret = group;
}

static int watch(const struct hooks_call *call, pid_t pid, struct output *o, uint64_t limit_ms,
		 int *status_ret)
{
	uint64_t start = clock_ms();
	int err = 0;

	tell_group(call, pid);
	while (!has_died(pid)) {
		struct pollfd p = { .fd = o->fd, .events = POLLIN };

		if (clock_ms() - start >= limit_ms) {
			err = -ETIMEDOUT;
			break;
		}
		if (call->alive)
			call->alive(call->alive_ctx);
		poll(&p, 1, POLL_MS);
		output_read(o);
	}
	/* After its end as well: what it left in its group has had its time. */
	kill(-pid, SIGKILL);
	tell_group(call, 0);
	start = clock_ms();
	while (err && !has_died(pid)) {
		if (clock_ms() - start >= HOOKS_KILL_LIMIT_S * 1000) {
			log_error("%s does not die, it is stuck in the kernel; going on without",
				  o->name);
			break;
		}
		clock_sleep_ms(POLL_MS);
	}
	waitpid(pid, status_ret, WNOHANG);
	output_read(o);
	output_flush(o);
	return err;
}

static const char *start_problem(const char *path, int err)
{
	switch (err) {
	case -ENOENT:
		return access(path, F_OK) ? "there is no such file in the image" :
					    "its interpreter or its libraries are not in the image";
	case -ENOEXEC:
		return "neither a program of this machine nor a script with #! in it";
	default:
		return strerror(-err);
	}
}

static int __attribute__((format(printf, 5, 6)))
fail(char *why, const char *what, const char *path, int err, const char *fmt, ...)
{
	char text[STEPS_ERROR_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(why, STEPS_ERROR_SIZE, "%s%s%.80s %.80s", what ? what : "", what ? " " : "", path,
		 text);
	log_error("%s", why);
	return err;
}

static int judge(char *why, const char *what, const char *path, int status)
{
	if (WIFSIGNALED(status))
		return fail(why, what, path, -ECHILD, "died of signal %d (%s)", WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return fail(why, what, path, -ECHILD, "exited with status %d", WEXITSTATUS(status));
	return 0;
}

int hooks_run_program(const struct hooks_call *call, const char *path, const char *what,
		      char why[STEPS_ERROR_SIZE])
{
	struct output o = { .fd = -1, .name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path };
	const uint64_t limit_ms = hooks_limit_ms(call->config, call->until_ms, clock_ms());
	struct env env = { .nr = 0 };
	int ends[2], status = 0, err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return fail(why, what, path, -errno, "cannot be started: %s", strerror(errno));
	o.fd = ends[0];
	fcntl(o.fd, F_SETFL, O_NONBLOCK);
	env_fill(&env, call);
	log_info("running %s%s%s", path, call->argument ? " " : "",
		 call->argument ? call->argument : "");
	err = spawn(path, call->argument, env.list, ends[1], &pid);
	close(ends[1]);
	if (!err)
		err = watch(call, pid, &o, limit_ms, &status);
	else
		fail(why, what, path, err, "cannot be started: %s", start_problem(path, err));
	if (o.fd >= 0)
		close(o.fd);
	if (err == -ETIMEDOUT)
		return fail(why, what, path, err, "was not done after %u s and was killed",
			    (unsigned)(limit_ms / 1000));
	return err ? err : judge(why, what, path, status);
}

static void count(struct hooks_result *result, int err, const char *why)
{
	result->ran++;
	if (err && !result->failed++)
		strcpy(result->why, why);
}

static void run_program(const struct hooks_call *call, struct hooks_result *result)
{
	const struct hook_kind *kind = &hook_kinds[call->kind];
	const char *program = (const char *)call->config + kind->program;
	char why[STEPS_ERROR_SIZE];
	int err;

	if (!*program)
		return;
	err = hooks_run_program(call, program, kind->key, why);
	result->program_failed = err != 0;
	count(result, err, why);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void run_file(const struct hooks_call *call, const char *path, struct hooks_result *result)
{
	char why[STEPS_ERROR_SIZE];
	int err;

	if (result->ran > HOOKS_MAX)
		return;
	if (result->ran == HOOKS_MAX)
		err = fail(why, NULL, path, -E2BIG, "and what follows is not run: more than %u",
			   HOOKS_MAX);
	else
		err = hooks_run_program(call, path, NULL, why);
	count(result, err, why);
}

static void run_folder(const struct hooks_call *call, const char *folder,
		       struct hooks_result *result)
{
	char path[PATH_SIZE];
	struct dirent **entries;
	int nr;

	snprintf(path, sizeof(path), "%s%s", call->root ? call->root : "", folder);
	nr = scandir(path, &entries, is_visible, alphasort);
	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s%s/%s", call->root ? call->root : "", folder,
			 entries[i]->d_name);
		free(entries[i]);
		run_file(call, path, result);
	}
	if (nr >= 0)
		free(entries);
}

static void run_folders(const struct hooks_call *call, struct hooks_result *result)
{
	for (size_t i = 0; i < ARRAY_SIZE(hook_kinds[0].folders); i++)
		run_folder(call, hook_kinds[call->kind].folders[i], result);
}

void hooks_run(const struct hooks_call *call, struct hooks_result *result_ret)
{
	*result_ret = (struct hooks_result){ .ran = 0 };
	if (call->kind == HOOKS_PRE) {
		run_program(call, result_ret);
		if (!result_ret->failed)
			run_folders(call, result_ret);
	} else {
		run_folders(call, result_ret);
		/* Never left out for the sake of the folders' limit. */
		run_program(call, result_ret);
	}
}
