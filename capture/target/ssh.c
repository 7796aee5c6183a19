// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A directory on another machine, reached by ssh. Each act is a script of its own for the
 * POSIX shell there, and its exit status is what is believed: a name that says complete is
 * given only by a script that was started after all before it went well.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/target/ssh.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/util.h"

#define RETRY_MS   1000
#define HOST_MAX   40
#define NOT_THERE  44 /* exit statuses of our scripts */
#define WRONG_SIZE 45
#define MAX_LOST   2 /* after so many connections in a row that failed, no more are tried */

/* Room for a manifest to be rewritten on a full disk, taken from a dump that is cut anyway. */
#define ROOM_BYTES 65536

static int fail_client(struct target *target, int err, const char *what)
{
	const struct ssh *ssh = target->priv;

	return target_fail(target, err, "cannot %s on %.60s: %.100s", what, ssh->host.host,
			   ssh->line[0] ? ssh->line : strerror(-err));
}

/* What became of a run, as an errno; the sentence is in ssh->line. */
static int judge(struct ssh *ssh, const struct ssh_run *run, int err)
{
	strcpy(ssh->line, run->line);
	if (err == -ETIMEDOUT)
		snprintf(ssh->line, sizeof(ssh->line), "no end after %u s", run->limit_s);
	if (!err && run->status == SSH_CLIENT_FAILED) {
		err = -ECONNABORTED;
		if (!ssh->line[0])
			snprintf(ssh->line, sizeof(ssh->line), "the client died");
	}
	if (err && !ssh->lost)
		strcpy(ssh->why_lost, ssh->line);
	ssh->lost = err ? ssh->lost + 1 : 0;
	if (err)
		return err;
	return run->status == NOT_THERE ? -ENOENT : run->status ? -EIO : 0;
}

/* Runs ssh->script, which @script_err says was written. */
static int call(struct target *target, int script_err, struct ssh_run *run)
{
	struct ssh *ssh = target->priv;
	int err;

	ssh->line[0] = '\0';
	if (script_err)
		return script_err;
	if (ssh->lost >= MAX_LOST) {
		snprintf(ssh->line, sizeof(ssh->line), "lost, %.150s", ssh->why_lost);
		return -ECONNABORTED;
	}
	err = ssh_args_build(&ssh->args, ssh->client, &ssh->host, target->where->options,
			     ssh->script);
	if (err)
		return err;
	run->alive = target->alive;
	run->alive_ctx = target->alive_ctx;
	if (!run->limit_s)
		run->limit_s = SSH_CALL_S;
	return judge(ssh, run, ssh_run(&ssh->args, run));
}

static int prepare(struct target *target)
{
	struct ssh *ssh = target->priv;
	const char *why;

	if (ssh)
		return 0;
	ssh = calloc(1, sizeof(*ssh));
	if (!ssh)
		return target_fail(target, -ENOMEM, "%s", strerror(ENOMEM));
	ssh->stream.result_fd = -1;
	ssh->client = SSH_CLIENT_PATH;
	target->priv = ssh;
	if (ssh_parse_where(target->where->where, target->where->options, &ssh->host, &why))
		return target_fail(target, -EINVAL, "ssh %.80s: %s", target->where->where, why);
	if (access(SSH_CLIENT_PATH, X_OK))
		return target_fail(target, -ENOENT, "there is no %s in the image", SSH_CLIENT_PATH);
	if (access(SSH_KEY_PATH, R_OK) || access(SSH_KNOWN_HOSTS_PATH, R_OK))
		return target_fail(target, -ENOENT, "there is no %s or no %s in the image",
				   SSH_KEY_PATH, SSH_KNOWN_HOSTS_PATH);
	/* A peer that goes away is an error of write(2), not the end of this process. */
	signal(SIGPIPE, SIG_IGN);
	snprintf(target->description, sizeof(target->description), "%.60s@%.180s port %u",
		 ssh->host.user, ssh->host.host, ssh->host.port);
	return 0;
}

/* What waiting may mend: nobody there yet. A refused key or a wrong host stays wrong. */
static bool may_come(const struct ssh *ssh, int err)
{
	return err == -ECONNABORTED &&
	       (after_prefix(ssh->line, "ssh: ") || strstr(ssh->line, "timed out"));
}

static int log_in(struct target *target)
{
	const uint64_t end_ms = clock_ms() + target->wait_s * UINT64_C(1000);
	struct ssh *ssh = target->priv;
	int err;

	for (;;) {
		struct ssh_run run = { .limit_s = SSH_LOGIN_S };

		err = call(target, ssh_script(ssh->script, sizeof(ssh->script), "exit 0"), &run);
		if (!may_come(ssh, err) || clock_ms() >= end_ms)
			break;
		ssh->lost = 0;
		target->alive(target->alive_ctx);
		clock_sleep_ms(RETRY_MS);
	}
	return err ? fail_client(target, err, "log in") : 0;
}

/* All was flushed when it was written, and there is nothing to unmount. */
static int ssh_close(struct target *target)
{
	struct ssh *ssh = target->priv;
	struct ssh_run run = { .limit_s = 0,
			       .alive = target->alive,
			       .alive_ctx = target->alive_ctx };
	uint64_t bytes;

	if (ssh && ssh->stream.pid)
		ssh_stream_end(&ssh->stream, &run, &bytes);
	free(ssh);
	target->priv = NULL;
	return 0;
}

/* A target that did not come is not closed. */
static int ssh_wait(struct target *target)
{
	int err = prepare(target);

	if (!err)
		err = log_in(target);
	if (err)
		ssh_close(target);
	return err;
}

static int ssh_open(struct target *target)
{
	struct ssh *ssh = target->priv;
	struct ssh_run run = { .limit_s = SSH_CALL_S };
	int err = ssh_script(ssh->script, sizeof(ssh->script),
			     "mkdir -p -- %q && cd -- %q && test -w . && test -x . || { "
			     "echo not a directory to write in >&2; exit 1; }",
			     target->where->path, target->where->path);

	snprintf(target->fstype, sizeof(target->fstype), "ssh");
	err = call(target, err, &run);
	return err ? fail_client(target, err, "use the directory") : 0;
}

/* How this machine is called in names over there; empty where the image does not say. */
static void read_hostname(char name[HOST_MAX])
{
	_free_ char *text = NULL;

	name[0] = '\0';
	if (io_read_file(SSH_HOSTNAME_PATH, 256, &text, NULL))
		return;
	text[strcspn(text, "\n")] = '\0';
	if (ssh_is_name(text))
		snprintf(name, HOST_MAX, "%.*s", HOST_MAX - 1, text);
}

/* The shell there knows which address this machine has for it. */
static int ssh_make_dir(struct target *target, time_t when)
{
	struct ssh *ssh = target->priv;
	char host[HOST_MAX], stamp[DIR_NAME_SIZE], name[2 * DIR_NAME_SIZE];
	struct ssh_run run = { .out = name, .out_size = sizeof(name) };
	int err;

	read_hostname(host);
	dir_format_name(stamp, when, ':', 0);
	err = ssh_script(ssh->script, sizeof(ssh->script),
			 "cd -- %q || exit; umask 077; h=%q; "
			 "[ \"$h\" ] || h=${SSH_CLIENT%%%% *}; b=${h:-unknown}-%q; d=$b; n=0; "
			 "until mkdir \"$d\" 2>/dev/null; do n=$((n + 1)); "
			 "if [ ! -e \"$d\" ] || [ $n -gt 99 ]; then mkdir \"$d\"; exit 1; fi; "
			 "d=$b-$n; done; sync . && echo \"$d\"",
			 target->where->path, host, stamp);
	err = call(target, err, &run);
	if (err)
		return fail_client(target, err, "make a directory");
	name[strcspn(name, "\r\n")] = '\0';
	if (!ssh_is_name(name) || strlen(name) >= sizeof(target->dir_name))
		return target_fail(target, -EBADMSG, "%s says something strange: is it a shell?",
				   ssh->host.host);
	strcpy(target->dir_name, name);
	return 0;
}

static int ssh_reopen(struct target *target)
{
	return prepare(target);
}

/* Begin ssh->script in the directory of the capture. */
#define IN_DIR "cd -- %q/%q || exit; umask 077; "

static int ssh_space(struct target *target, uint64_t *bytes_ret)
{
	struct ssh *ssh = target->priv;
	char out[1024];
	struct ssh_run run = { .out = out, .out_size = sizeof(out) };
	int err = ssh_script(ssh->script, sizeof(ssh->script), "cd -- %q && df -Pk .",
			     target->where->path);

	err = call(target, err, &run);
	if (!err && ssh_parse_df(out, bytes_ret))
		return target_fail(target, -EOPNOTSUPP, "%s does not say how much room it has",
				   ssh->host.host);
	return err ? fail_client(target, err, "ask for the room") : 0;
}

static int ssh_create(struct target *target, const char *name, struct target_file *file_ret)
{
	struct ssh *ssh = target->priv;
	int fd, err = ssh_script(ssh->script, sizeof(ssh->script), IN_DIR "rm -f %q; set -C; cat >%q",
				 target->where->path, target->dir_name, name, name);

	ssh->line[0] = '\0';
	if (!err)
		err = ssh_args_build(&ssh->args, ssh->client, &ssh->host, target->where->options,
				     ssh->script);
	if (!err)
		err = ssh_stream_start(&ssh->args, &ssh->stream, &fd);
	if (err)
		return fail_client(target, err, "make a file");
	*file_ret = (struct target_file){ .fd = fd, .stream = true, .pid = ssh->stream.pid };
	snprintf(file_ret->name, sizeof(file_ret->name), "%s", name);
	return 0;
}

/* Close the file and wait until the other side has taken all of it, or has failed. */
static int end_stream(struct target *target, struct target_file *file, uint64_t *bytes_ret)
{
	struct ssh *ssh = target->priv;
	struct ssh_run run = {
		.limit_s = SSH_COMMIT_S,
		.alive = target->alive,
		.alive_ctx = target->alive_ctx,
	};
	int err;

	close(take_fd(&file->fd));
	file->pid = 0;
	err = ssh_stream_end(&ssh->stream, &run, bytes_ret);
	return judge(ssh, &run, err);
}

static int ssh_commit(struct target *target, struct target_file *file, const char *final_name)
{
	struct ssh *ssh = target->priv;
	struct ssh_run run = { .limit_s = SSH_COMMIT_S };
	uint64_t bytes = 0;
	int err = end_stream(target, file, &bytes);

	if (err)
		return fail_client(target, err, "save the file");
	/* Old ones of coreutils, and others, flush everything and ignore the name. */
	err = ssh_script(ssh->script, sizeof(ssh->script),
			 IN_DIR "n=$(wc -c <%q) && { [ \"$n\" -eq %U ] || { "
				"echo \"$n bytes have come of %U\" >&2; exit %u; }; } && "
				"sync %q && mv %q %q && sync .",
			 target->where->path, target->dir_name, file->name, bytes, bytes,
			 WRONG_SIZE, file->name, file->name, final_name);
	err = call(target, err, &run);
	return err ? fail_client(target, err, "save the file") : 0;
}

/*
 * Where the disk is full, the manifest must still find room to say so: the end of a dump
 * that is cut off anyway makes some.
 */
static int ssh_abandon(struct target *target, struct target_file *file)
{
	struct ssh *ssh = target->priv;
	struct ssh_run run = { .limit_s = SSH_CALL_S };
	uint64_t bytes = 0;
	int why = end_stream(target, file, &bytes), err;

	/* The writer knows of a broken pipe alone; this is what broke it. */
	if (why)
		fail_client(target, why, "save the whole file");
	err = ssh_script(ssh->script, sizeof(ssh->script),
			 IN_DIR "f=%q; [ -s \"$f\" ] || { rm -f \"$f\"; exit 0; }; "
				"if ! dd if=/dev/zero of=.room bs=%u count=1 2>/dev/null; then "
				"n=$(($(wc -c <\"$f\") - %u)); rm -f .room; [ $n -le 0 ] || "
				"dd if=/dev/null of=\"$f\" bs=1 seek=$n 2>/dev/null; fi; "
				"rm -f .room; sync \"$f\"",
			 target->where->path, target->dir_name, file->name, ROOM_BYTES, ROOM_BYTES);
	err = call(target, err, &run);
	if (err && !why)
		return fail_client(target, err, "keep what there is of the file");
	return why ? why : err;
}

static int ssh_replace(struct target *target, const char *name, const char *data, size_t len)
{
	struct ssh *ssh = target->priv;
	struct ssh_run run = { .in = data, .in_len = len };
	char tmp[TARGET_NAME_SIZE];
	int err;

	snprintf(tmp, sizeof(tmp), "%.*s.new", (int)sizeof(tmp) - 5, name);
	/* A connection that breaks ends the data like any other end of it. */
	err = ssh_script(ssh->script, sizeof(ssh->script),
			 IN_DIR "cat >%q && [ \"$(wc -c <%q)\" -eq %U ] && sync %q && "
				"mv -f %q %q && sync . || { rm -f %q; exit 1; }",
			 target->where->path, target->dir_name, tmp, tmp, (uint64_t)len, tmp, tmp,
			 name, tmp);
	err = call(target, err, &run);
	return err ? fail_client(target, err, "write the manifest") : 0;
}

static int ssh_bytes(struct target *target, const char *name, uint64_t *bytes_ret)
{
	struct ssh *ssh = target->priv;
	char out[64];
	struct ssh_run run = { .out = out, .out_size = sizeof(out) };
	uint64_t bytes;
	int err = ssh_script(ssh->script, sizeof(ssh->script),
			     IN_DIR "[ -f %q ] || exit %u; wc -c <%q", target->where->path,
			     target->dir_name, name, NOT_THERE, name);

	err = call(target, err, &run);
	if (err == -ENOENT)
		return err;
	if (!err && sscanf(out, "%" SCNu64, &bytes) != 1)
		err = -EBADMSG;
	if (err)
		return fail_client(target, err, "ask for a file's size");
	*bytes_ret = bytes;
	return 0;
}

static const char *const ssh_types[] = { "ssh", NULL };

const struct target_ops target_ssh_ops = {
	.name = "ssh",
	.types = ssh_types,
	.limits = { SSH_LOGIN_S, SSH_CALL_S, SSH_COMMIT_S + SSH_CALL_S },
	.network = true,
	.wait = ssh_wait,
	.open = ssh_open,
	.make_dir = ssh_make_dir,
	.reopen = ssh_reopen,
	.space = ssh_space,
	.create = ssh_create,
	.commit = ssh_commit,
	.abandon = ssh_abandon,
	.replace = ssh_replace,
	.bytes = ssh_bytes,
	.close = ssh_close,
};
