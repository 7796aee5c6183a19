// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/util.h"

#define POLL_MS	     100
#define SPLICE_BYTES (1u << 20)
#define READ_BYTES   512

/* What the process before the client has to say at the end; small enough for a pipe to
 * take it whole. */
struct word {
	uint64_t bytes;
	int status;
	char line[SSH_LINE_SIZE];
};

/* The pipes' ends on our side; -1 for none. */
struct client {
	pid_t pid;
	int in, out, err;
};

static void __attribute__((noreturn)) exec_client(const struct ssh_args *args, const int fds[3])
{
	static char *const envp[] = { "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/", "LC_ALL=C",
				      NULL };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	for (int std = 0; std <= 2; std++)
		dup2(fds[std], std);
	execve(args->argv[0], args->argv, envp);
	dprintf(2, "cannot start %s: %s\n", args->argv[0], strerror(errno));
	_exit(SSH_CLIENT_FAILED);
}

static int start_client(const struct ssh_args *args, struct client *c)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, errs[2] = { -1, -1 }, err = 0;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(errs, O_CLOEXEC))
		err = -errno;
	c->pid = err ? -1 : fork();
	if (c->pid == 0)
		exec_client(args, (const int[]){ in[0], out[1], errs[1] });
	if (!err && c->pid < 0)
		err = -errno;
	cleanup_close(&in[0]);
	cleanup_close(&out[1]);
	cleanup_close(&errs[1]);
	c->in = in[1];
	c->out = out[0];
	c->err = errs[0];
	return err;
}

static void close_client(struct client *c)
{
	cleanup_close(&c->in);
	cleanup_close(&c->out);
	cleanup_close(&c->err);
	c->in = c->out = c->err = -1;
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : SSH_CLIENT_FAILED;
}

/* Read what there is; at the end of file, close it. */
static ssize_t read_some(int *fd, char *buf, size_t size)
{
	ssize_t n = read(*fd, buf, size);

	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return MAX(n, 0);
	close(take_fd(fd));
	return 0;
}

static void take_messages(int *fd, struct ssh_line *line)
{
	char buf[READ_BYTES];

	ssh_line_add(line, buf, read_some(fd, buf, sizeof(buf)));
}

static void take_output(int *fd, struct ssh_run *run, size_t *len)
{
	char buf[READ_BYTES];
	size_t n = read_some(fd, buf, sizeof(buf)), room;

	if (!run->out)
		return;
	room = MIN(n, run->out_size - 1 - *len);
	memcpy(run->out + *len, buf, room);
	*len += room;
	run->out[*len] = '\0';
}

static void give_input(int *fd, const struct ssh_run *run, size_t *at)
{
	ssize_t n = 0;

	if (*at < run->in_len)
		n = write(*fd, run->in + *at, run->in_len - *at);
	if (n > 0)
		*at += n;
	if (*at == run->in_len || (n < 0 && errno != EAGAIN && errno != EINTR))
		close(take_fd(fd));
}

/* poll(2) leaves out what is closed: negative descriptors. */
static void exchange(struct client *c, struct ssh_run *run, struct ssh_line *line, size_t done[2])
{
	struct pollfd fds[] = {
		{ c->in, POLLOUT, 0 },
		{ c->out, POLLIN, 0 },
		{ c->err, POLLIN, 0 },
	};

	if (poll(fds, ARRAY_SIZE(fds), POLL_MS) <= 0)
		return;
	if (fds[0].revents)
		give_input(&c->in, run, &done[0]);
	if (fds[1].revents)
		take_output(&c->out, run, &done[1]);
	if (fds[2].revents)
		take_messages(&c->err, line);
}

int ssh_run(const struct ssh_args *args, struct ssh_run *run)
{
	const uint64_t end_ms = clock_ms() + run->limit_s * UINT64_C(1000);
	struct ssh_line line = { .text = "" };
	struct client c;
	size_t done[2] = { 0, 0 };
	bool late = false;
	int status, err;

	err = start_client(args, &c);
	if (err) {
		close_client(&c);
		return err;
	}
	fcntl(c.in, F_SETFL, O_NONBLOCK);
	if (run->out)
		run->out[0] = '\0';
	/* The end of the client is when it says nothing more: it may have left a child. */
	while (c.out >= 0 || c.err >= 0) {
		late = clock_ms() > end_ms;
		if (late)
			break;
		run->alive(run->alive_ctx);
		exchange(&c, run, &line, done);
	}
	close_client(&c);
	if (late)
		kill(c.pid, SIGKILL);
	while (waitpid(c.pid, &status, late ? 0 : WNOHANG) == 0) {
		late = clock_ms() > end_ms;
		if (late)
			kill(c.pid, SIGKILL);
		run->alive(run->alive_ctx);
		clock_sleep_ms(POLL_MS / 10);
	}
	run->status = status_of(status);
	strcpy(run->line, ssh_line_text(&line));
	return late ? -ETIMEDOUT : 0;
}

/* Move what has come on to the client; at the end of either, close the client's side.
 * Return: whether it was the end of what comes, and so all of it has gone on. */
static bool pass_on(int from, struct client *c, uint64_t *bytes)
{
	ssize_t n =
		splice(from, NULL, c->in, NULL, SPLICE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n > 0)
		*bytes += n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close(take_fd(&c->in));
	return n == 0;
}

/*
 * The process before the client. The writer can be stuck in a write for as long as the
 * client takes nothing, so this is who must notice the client's end.
 */
static void relay(const struct ssh_args *args, int from, struct word *word)
{
	struct ssh_line line = { .text = "" };
	struct client c;
	bool all = false;
	int status, err;

	err = start_client(args, &c);
	if (err) {
		snprintf(word->line, sizeof(word->line), "cannot start %s: %s", args->argv[0],
			 strerror(-err));
		return;
	}
	while (c.out >= 0 || c.err >= 0) {
		/* First something to send, then room for it. */
		struct pollfd ready = { from, POLLIN, 0 };
		const bool have = c.in >= 0 && poll(&ready, 1, 0) > 0;
		struct pollfd fds[] = {
			{ c.out, POLLIN, 0 },
			{ c.err, POLLIN, 0 },
			{ c.in, have ? POLLOUT : 0, 0 },
			{ c.in >= 0 && !have ? from : -1, POLLIN, 0 },
		};
		char buf[READ_BYTES];

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[0].revents)
			read_some(&c.out, buf, sizeof(buf));
		if (fds[1].revents)
			take_messages(&c.err, &line);
		if (fds[2].revents & POLLERR)
			close(take_fd(&c.in)); /* its reader has gone */
		else if (fds[2].revents)
			all = pass_on(from, &c, &word->bytes);
	}
	close_client(&c);
	close(from); /* the writer learns at its next write */
	if (waitpid(c.pid, &status, 0) == c.pid)
		word->status = status_of(status);
	strcpy(word->line, ssh_line_text(&line));
	/* It went well, it says, and does not know of what it did not take. */
	if (!all && !word->status) {
		word->status = SSH_CLIENT_FAILED;
		strcpy(word->line, "the client did not take all of it");
	}
}

static void __attribute__((noreturn))
relay_main(const struct ssh_args *args, int from, int result_fd)
{
	struct word word = { .status = SSH_CLIENT_FAILED };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "vmcore-ssh");
	relay(args, from, &word);
	_exit(io_write_full(result_fd, &word, sizeof(word)) ? 1 : 0);
}

int ssh_stream_start(const struct ssh_args *args, struct ssh_stream *stream, int *fd_ret)
{
	int data[2] = { -1, -1 }, result[2] = { -1, -1 }, err = 0;
	pid_t pid = -1;

	if (pipe2(data, O_CLOEXEC) || pipe2(result, O_CLOEXEC))
		err = -errno;
	if (!err) {
		pid = fork();
		err = pid < 0 ? -errno : 0;
	}
	if (pid == 0) {
		close(data[1]); /* or the end of what is written there would never come */
		close(result[0]);
		relay_main(args, data[0], result[1]);
	}
	cleanup_close(&data[0]);
	cleanup_close(&result[1]);
	if (err) {
		cleanup_close(&data[1]);
		cleanup_close(&result[0]);
		return err;
	}
	*stream = (struct ssh_stream){ .pid = pid, .result_fd = result[0] };
	*fd_ret = data[1];
	return 0;
}

int ssh_stream_end(struct ssh_stream *stream, struct ssh_run *run, uint64_t *bytes_ret)
{
	const uint64_t end_ms = clock_ms() + run->limit_s * UINT64_C(1000);
	struct pollfd result = { stream->result_fd, POLLIN, 0 };
	struct word word;
	bool come = false;
	int err = 0;

	while (!come && clock_ms() <= end_ms) {
		run->alive(run->alive_ctx);
		come = poll(&result, 1, POLL_MS) > 0;
	}
	if (!come)
		err = -ETIMEDOUT;
	else if (io_read_full(stream->result_fd, &word, sizeof(word)) != (ssize_t)sizeof(word))
		err = -EIO;
	kill(stream->pid, SIGKILL); /* it has nothing more to do, and takes the client along */
	waitpid(stream->pid, NULL, 0);
	close(stream->result_fd);
	*stream = (struct ssh_stream){ .pid = 0, .result_fd = -1 };
	if (err)
		return err;
	word.line[sizeof(word.line) - 1] = '\0';
	strcpy(run->line, word.line);
	run->status = word.status;
	*bytes_ret = word.bytes;
	return 0;
}
