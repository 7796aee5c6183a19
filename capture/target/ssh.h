/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the ssh target is made of: an existing client in the image, one run of it for each
 * thing to be done, and POSIX sh on the other side. docs/ssh.md says what is asked of it.
 */
#ifndef CAPTURE_TARGET_SSH_H
#define CAPTURE_TARGET_SSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SSH_KEY_PATH	     "/etc/vmcore-save/ssh/key"
#define SSH_KNOWN_HOSTS_PATH "/etc/vmcore-save/ssh/known_hosts"
#define SSH_HOSTNAME_PATH    "/etc/hostname"

#define SSH_DEFAULT_PORT 22
#define SSH_CONNECT_S	 15  /* to connect, shake hands and log in */
#define SSH_ALIVE_S	 10  /* silence before the client asks the server for a sign … */
#define SSH_CALL_S	 40  /* a small script */
#define SSH_LOGIN_S	 25  /* the last try when the time to wait is over */
#define SSH_COMMIT_S	 600 /* flushing a dump to a slow disk there */
#define SSH_ALIVE_COUNT	 3   /* … and how often it asks in vain before it gives up */

#define SSH_SCRIPT_SIZE	  3072
#define SSH_LINE_SIZE	  160
#define SSH_MAX_ARGS	  64
#define SSH_CLIENT_PATH	  "/usr/bin/ssh"
#define SSH_CLIENT_FAILED 255 /* the client's status for its own failures; ssh(1) */

/*
 * ssh_words.c: text in, text out.
 */

/** struct ssh_host - USER@HOST taken apart. @alias: the host's name in known_hosts. */
struct ssh_host {
	char user[64];
	char host[256];
	char alias[272];
	unsigned port;
};

/** ssh_parse_where() - Take apart USER@HOST, USER@HOST:PORT or USER@[IPV6]:PORT; an IPv6
 * address may do without brackets where there is no port. A Port=N of @options counts more.
 * Return: 0; -EINVAL, with *@why_ret a constant sentence. */
int ssh_parse_where(const char *where, const char *options, struct ssh_host *host_ret,
		    const char **why_ret);

/** ssh_quote() - Append @text to the string @buf as one word of a POSIX shell.
 * Return: 0; -ENAMETOOLONG where it does not fit, with @buf as it was. */
int ssh_quote(char *buf, size_t size, const char *text);

/**
 * ssh_script() - Write a script with quoted words.
 * @fmt: text; each %q is the next argument, a string, as one word, %s as it is, %u an
 *	unsigned, %U a uint64_t, and %% a percent sign
 *
 * Return: 0; -ENAMETOOLONG.
 */
int ssh_script(char *buf, size_t size, const char *fmt, ...);

/**
 * struct ssh_args - A client's command line; it holds pointers into itself.
 */
struct ssh_args {
	char *argv[SSH_MAX_ARGS + 1];
	unsigned nr;
	size_t used;
	char text[2 * SSH_SCRIPT_SIZE + 2048];
};

/**
 * ssh_args_build() - The client's command line that runs @script in a POSIX shell on @host,
 * whatever the user's shell is there.
 * @client: the program's path
 * @options: further options of the client, "Name=value" with commas or blanks between; they cannot
 *	take back how host and user are authenticated
 *
 * Return: 0; -E2BIG; -EINVAL an option is not of that form.
 */
int ssh_args_build(struct ssh_args *args, const char *client, const struct ssh_host *host,
		   const char *options, const char *script);

/** struct ssh_line - Of what was written the last line that is not empty, cut to size and
 * with a '?' for what cannot be printed. All zero at first. */
struct ssh_line {
	char text[SSH_LINE_SIZE]; /* the last whole line */
	char next[SSH_LINE_SIZE]; /* under way */
	size_t len;
};

/** ssh_line_add() - @len bytes more. */
void ssh_line_add(struct ssh_line *line, const char *data, size_t len);

/** ssh_line_text() - The line; within @line. */
const char *ssh_line_text(struct ssh_line *line);

/** ssh_parse_df() - Bytes available, of what `df -Pk` wrote. Return: 0; -EBADMSG. */
int ssh_parse_df(const char *text, uint64_t *bytes_ret);

/** ssh_is_name() - Whether @text is a directory's name as ssh_make_dir() makes them. */
bool ssh_is_name(const char *text);

/*
 * ssh_run.c: the client as a process.
 */

/**
 * struct ssh_run - A run of the client, to its end.
 * @in, @in_len: what it reads
 * @out, @out_size: gets what it writes, as a string, cut off where it is longer
 * @limit_s: after that it is killed
 * @alive: called several times a second
 * @status: its exit status; SSH_CLIENT_FAILED also where it died of a signal
 * @line: the last line of its messages
 */
struct ssh_run {
	const char *in;
	size_t in_len;
	char *out;
	size_t out_size;
	unsigned limit_s;
	void (*alive)(void *ctx);
	void *alive_ctx;

	int status;
	char line[SSH_LINE_SIZE];
};

/** ssh_run() - Start the client and wait for it.
 * Return: 0 with run->status; -ETIMEDOUT; -errno it could not be started. */
int ssh_run(const struct ssh_args *args, struct ssh_run *run);

/**
 * struct ssh_stream - The client with a process before it that counts what goes through.
 * @pid: of the process
 * @result_fd: where it leaves its word
 */
struct ssh_stream {
	pid_t pid;
	int result_fd;
};

/** ssh_stream_start() - @fd_ret: to write to, to be closed by the caller; after the client's
 * end a write gets -EPIPE. Return: 0 or -errno. */
int ssh_stream_start(const struct ssh_args *args, struct ssh_stream *stream, int *fd_ret);

/**
 * ssh_stream_end() - After the fd was closed: wait for the client's end.
 * @run: limit_s and alive on the way in; status and line on the way out
 * @bytes_ret: that the client was given
 *
 * Return: 0 with run->status; -ETIMEDOUT, it was killed; -EIO the process died.
 */
int ssh_stream_end(struct ssh_stream *stream, struct ssh_run *run, uint64_t *bytes_ret);

/*
 * ssh.c: the row of the table.
 */

/**
 * struct ssh - The row's own part of a target; made at its first use, unless it is there.
 * @client: the program's path
 * @line: the last line of what the last run had to say
 * @lost: connections in a row that came to nothing; @why_lost: the first of them
 * @stream: pid 0 for none
 */
struct ssh {
	const char *client;
	struct ssh_host host;
	struct ssh_args args;
	char script[SSH_SCRIPT_SIZE];
	char line[SSH_LINE_SIZE];
	char why_lost[SSH_LINE_SIZE];
	unsigned lost;
	struct ssh_stream stream;
};

#endif
