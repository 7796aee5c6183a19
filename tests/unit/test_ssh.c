// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/target/ssh.h"
#include "capture/target/target.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/io.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define WHEN 1795551000 /* 2026-11-24 20:10 UTC */

TEST(ssh, parses_where)
{
	static const struct {
		const char *where, *user, *host, *alias;
		unsigned port;
		const char *options;
	} good[] = {
		{ "root@192.0.2.1", "root", "192.0.2.1", "192.0.2.1", 22, "" },
		{ "dump@server.example.org:2222", "dump", "server.example.org",
		  "[server.example.org]:2222", 2222, "" },
		{ "a@2001:db8::1", "a", "2001:db8::1", "2001:db8::1", 22, "" },
		{ "a@[2001:db8::1]", "a", "2001:db8::1", "2001:db8::1", 22, "" },
		{ "a@[fe80::1%eth0]:65535", "a", "fe80::1%eth0", "[fe80::1%eth0]:65535", 65535,
		  "" },
		{ "me@corp.example@host", "me@corp.example", "host", "host", 22, "" },
		{ "a@::1", "a", "::1", "[::1]:2222", 2222, "Compression=yes,Port=2222" },
	};
	static const char *const bad[] = {
		"",	    "host",
		"@host",    "a@",
		"a@:22",    "a@host:",
		"a@host:0", "a@h:65536",
		"a@h:2x",   "a@[::1]x",
		"a@[::1]:", "a@[]:22",
		"-a@host",  "a@-oProxy",
		"a@h;id",   "a b@host",
		"a@h o",    "a@$(id)",
		"a@h\n",    "a@[h",
		"a'b@h",    "a@h:99999999999999999999",
	};
	struct ssh_host h;
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CHECK_EQ(ssh_parse_where(good[i].where, good[i].options, &h, &why), 0);
		CHECK_STR(h.user, good[i].user);
		CHECK_STR(h.host, good[i].host);
		CHECK_STR(h.alias, good[i].alias);
		CHECK_EQ(h.port, good[i].port);
	}
	CHECK_EQ(ssh_parse_where("a@h", "Port=65536", &h, &why), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (ssh_parse_where(bad[i], "", &h, &why) != -EINVAL)
			test_fail(__FILE__, __LINE__, "\"%s\" was taken", bad[i]);
}

/* What a shell must not find a meaning in. */
static const char *const hostile[] = {
	"",    "plain",	   "two words", "'",	 "''''''",	 "a'b\"c`d$(e)${f}\\",
	"-n",  "\n\t x\n", "$HOME",	"*?[a]", "!!",		 "; rm -rf / #",
	"\\'", "\xff\x80", "~",		"a&b|c", "'; exit 3; '",
};

static void nothing(void *ctx)
{
	++*(unsigned *)ctx;
}

static int run_argv(struct ssh_args *args, struct ssh_run *run)
{
	static unsigned alive;

	run->alive = nothing;
	run->alive_ctx = &alive;
	if (!run->limit_s)
		run->limit_s = 20;
	return ssh_run(args, run);
}

/* As sshd does it: the user's shell gets the command, which starts sh with the script. */
TEST(ssh, quotes_for_two_shells)
{
	struct ssh_host host = { .user = "u", .host = "h", .alias = "h", .port = 22 };
	struct ssh_args args, shell = { .argv = { "/bin/sh", "-c", NULL, NULL }, .nr = 3 };
	char script[SSH_SCRIPT_SIZE], out[256];

	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct ssh_run run = { .out = out, .out_size = sizeof(out) };

		CHECK_EQ(ssh_script(script, sizeof(script), "printf %%s%%s.%u.%U %q %q", 7u,
				    UINT64_MAX, hostile[i], "end"),
			 0);
		CHECK_EQ(ssh_args_build(&args, "ssh", &host, "", script), 0);
		shell.argv[2] = args.argv[args.nr - 1];
		CHECK_EQ(run_argv(&shell, &run), 0);
		CHECK_EQ(run.status, 0);
		snprintf(script, sizeof(script), "%send.7.18446744073709551615", hostile[i]);
		CHECK_STR(out, script);
	}
}

TEST(ssh, quotes_within_its_room)
{
	char buf[8] = "a";

	CHECK_EQ(ssh_quote(buf, sizeof(buf), "12345"), -ENAMETOOLONG);
	CHECK_STR(buf, "a");
	CHECK_EQ(ssh_quote(buf, sizeof(buf), "'"), 0);
	CHECK_STR(buf, "a''\\''"
		       "'");
}

static int index_of(const struct ssh_args *args, const char *word)
{
	for (unsigned i = 0; i < args->nr; i++)
		if (streq(args->argv[i], word))
			return i;
	return -1;
}

TEST(ssh, options_cannot_weaken_it)
{
	struct ssh_host host = { .user = "u", .host = "h", .alias = "[h]:99", .port = 99 };
	static const char *const bad[] = { "Compression", "-oA=b", "-F", "=x", "A=b -N" };
	struct ssh_args args;
	int strict, theirs, timeout;

	CHECK_EQ(ssh_args_build(&args, "/usr/bin/ssh", &host,
				"StrictHostKeyChecking=no,ConnectTimeout=60 ", "exit 0"),
		 0);
	strict = index_of(&args, "StrictHostKeyChecking=yes");
	theirs = index_of(&args, "StrictHostKeyChecking=no");
	timeout = index_of(&args, "ConnectTimeout=60");
	CHECK(strict > 0 && strict < theirs); /* the first one counts */
	CHECK(timeout > theirs && timeout < index_of(&args, "ConnectTimeout=15"));
	CHECK(index_of(&args, "HostKeyAlias=[h]:99") > 0);
	CHECK_STR(args.argv[args.nr - 2], "h");
	CHECK_STR(args.argv[args.nr - 1], "exec sh -c 'exit 0'");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(ssh_args_build(&args, "ssh", &host, bad[i], ""), -EINVAL);
}

TEST(ssh, reads_df)
{
	static const struct {
		const char *text;
		int err;
		uint64_t bytes;
	} cases[] = {
		{ "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
		  "/dev/vda1 41152736 20000000 19000000 52% /\n",
		  0, 19000000ull << 10 },
		{ "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
		  "a name 12 34 of blanks 100 90 10 90% /mnt/5 6% 7\n",
		  0, 10240 },
		{ "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
		  "full 100 110 -10 110% /\n",
		  0, 0 },
		{ "h\nbig 1 1 999999999999999999 1% /\n", 0, UINT64_MAX },
		{ "h\nlong 1 1 99999999999999999999999 1% /\n", -EBADMSG, 0 },
		{ "h\nnone 0 0 0 - /\n", -EBADMSG, 0 },
		{ "100 90 10 90% /\n", -EBADMSG, 0 },
		{ "h\n", -EBADMSG, 0 },
		{ "", -EBADMSG, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t bytes = 0;

		CHECK_EQ(ssh_parse_df(cases[i].text, &bytes), cases[i].err);
		CHECK_EQ(bytes, cases[i].bytes);
	}
}

TEST(ssh, keeps_the_last_line)
{
	struct ssh_line line = { .text = "" };
	char flood[4096];

	memset(flood, 'x', sizeof(flood));
	ssh_line_add(&line, "first\nPermission den", 20);
	ssh_line_add(&line, "ied\x1b[2J.\r\n\n  \n", 14);
	CHECK_STR(ssh_line_text(&line), "Permission denied?[2J.");
	ssh_line_add(&line, flood, sizeof(flood));
	CHECK_EQ(strlen(ssh_line_text(&line)), SSH_LINE_SIZE - 1);
}

TEST(ssh, ends_a_client_that_hangs)
{
	static char *const ways[] = { "sleep 60", "exec >&- 2>&-; exec sleep 60" };

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct ssh_args args = { .argv = { "/bin/sh", "-c", ways[i], NULL }, .nr = 3 };
		struct ssh_run run = { .limit_s = 1 };
		uint64_t start = clock_ms();

		CHECK_EQ(run_argv(&args, &run), -ETIMEDOUT);
		CHECK(clock_ms() - start < 20000);
	}
}

TEST(ssh, says_that_there_is_no_client)
{
	struct ssh_args args = { .argv = { "/nonexistent/ssh", NULL }, .nr = 1 };
	struct ssh_run run = { .limit_s = 5 };

	CHECK_EQ(run_argv(&args, &run), 0);
	CHECK_EQ(run.status, SSH_CLIENT_FAILED);
	CHECK_STR(run.line, "cannot start /nonexistent/ssh: No such file or directory");
}

/*
 * The row over a client that is a script: it runs what it is given on this machine.
 */
struct far {
	char root[64];
	char client[80];
	struct config_target where;
	struct config config;
	struct target target;
	unsigned alive;
	struct sigaction pipe;
};

static int remove_entry(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void cleanup_far(struct far *f)
{
	target_ssh_ops.close(&f->target);
	nftw(f->root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	sigaction(SIGPIPE, &f->pipe, NULL);
}

#define _far_ __cleanup(cleanup_far)

static int write_file(const char *path, const char *text, mode_t mode)
{
	_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	return fd < 0 ? -errno : io_write_full(fd, text, strlen(text));
}

/* @before: shell code of the client's, with the script in $c */
static int far_init(struct far *f, const char *before)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct ssh *ssh = calloc(1, sizeof(*ssh));
	const char *why;
	char text[512];

	*f = (struct far){ .where = { .type = "ssh", .where = "u@server" } };
	sigaction(SIGPIPE, &ignore, &f->pipe); /* as the row's first use does */
	strcpy(f->root, "/tmp/vmcore-test-XXXXXX");
	if (!ssh || !mkdtemp(f->root))
		return -EIO;
	snprintf(f->client, sizeof(f->client), "%s/client", f->root);
	snprintf(text, sizeof(text),
		 "#!/bin/sh\nfor c; do :; done\nPATH=${0%%/*}:$PATH\nexport SSH_CLIENT='192.0.2.7 "
		 "999 22'\n%s\n"
		 "exec sh -c \"$c\"\n",
		 before);
	/* A path that only right quoting gets through. */
	snprintf(f->where.path, sizeof(f->where.path), "%s/a 'b' $c/-d", f->root);
	f->target = (struct target){
		.where = &f->where,
		.config = &f->config,
		.ops = &target_ssh_ops,
		.dir_fd = -1,
		.priv = ssh,
		.alive = nothing,
		.alive_ctx = &f->alive,
	};
	ssh->client = f->client;
	ssh->stream.result_fd = -1;
	return ssh_parse_where(f->where.where, "", &ssh->host, &why) ?
		       -EINVAL :
		       write_file(f->client, text, 0700);
}

static int far_open(struct far *f)
{
	int err = target_ssh_ops.wait(&f->target);

	if (!err)
		err = target_ssh_ops.open(&f->target);
	return err ? err : target_ssh_ops.make_dir(&f->target, WHEN);
}

/* What the file holds; an absent one holds "(none)". */
static const char *far_read(const struct far *f, const char *name, char buf[256])
{
	char path[512];
	_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%.200s/%s/%s", f->where.path, f->target.dir_name, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : io_read_full(fd, buf, 255);
	if (n < 0)
		return "(none)";
	buf[n] = '\0';
	return buf;
}

static mode_t far_mode(const struct far *f, const char *name)
{
	char path[512];
	struct stat sb;

	snprintf(path, sizeof(path), "%.200s/%s/%s", f->where.path, f->target.dir_name, name);
	return stat(path, &sb) ? 0 : sb.st_mode & 07777;
}

TEST(ssh, makes_its_directory)
{
	_far_ struct far f;

	CHECK_EQ(far_init(&f, ""), 0);
	CHECK_EQ(far_open(&f), 0);
	CHECK_STR(strchr(f.target.dir_name, '-'), "-2026-11-24-20:10");
	CHECK_EQ(far_mode(&f, ""), 0700);
	CHECK_EQ(target_ssh_ops.make_dir(&f.target, WHEN), 0);
	CHECK_STR(strchr(f.target.dir_name, '-'), "-2026-11-24-20:10-1");
	CHECK_EQ(target_ssh_ops.make_dir(&f.target, WHEN), 0);
	CHECK_STR(strchr(f.target.dir_name, '-'), "-2026-11-24-20:10-2");
	CHECK(f.alive > 0);
}

TEST(ssh, keeps_files)
{
	_far_ struct far f;
	struct target_file file;
	uint64_t bytes = 0;
	char buf[256];

	CHECK_EQ(far_init(&f, ""), 0);
	CHECK_EQ(far_open(&f), 0);
	CHECK_EQ(target_ssh_ops.create(&f.target, "x-incomplete", &file), 0);
	CHECK(file.stream && file.pid > 0);
	CHECK_EQ(io_write_full(file.fd, "contents", 8), 0);
	CHECK_EQ(target_ssh_ops.commit(&f.target, &file, "x"), 0);
	CHECK_STR(far_read(&f, "x", buf), "contents");
	CHECK_STR(far_read(&f, "x-incomplete", buf), "(none)");
	CHECK_EQ(far_mode(&f, "x"), 0600);
	CHECK_EQ(target_ssh_ops.bytes(&f.target, "x", &bytes), 0);
	CHECK_EQ(bytes, 8);
	CHECK_EQ(target_ssh_ops.bytes(&f.target, "y", &bytes), -ENOENT);
	CHECK_EQ(target_ssh_ops.replace(&f.target, "m", "first one", 9), 0);
	CHECK_EQ(target_ssh_ops.replace(&f.target, "m", "second", 6), 0);
	CHECK_STR(far_read(&f, "m", buf), "second");
	CHECK_STR(far_read(&f, "m.new", buf), "(none)");
	CHECK_EQ(target_ssh_ops.space(&f.target, &bytes), 0);
	CHECK(bytes > 4096);
}

TEST(ssh, streams_more_than_pipes_hold)
{
	_far_ struct far f;
	static char chunk[10000];
	struct target_file file;
	uint64_t bytes = 0;

	CHECK_EQ(far_init(&f, "case $c in *'cat >'*) sleep 1;; esac"), 0);
	CHECK_EQ(far_open(&f), 0);
	CHECK_EQ(target_ssh_ops.create(&f.target, "big", &file), 0);
	for (unsigned i = 0; i < 500; i++)
		CHECK_EQ(io_write_full(file.fd, chunk, sizeof(chunk)), 0);
	CHECK_EQ(target_ssh_ops.commit(&f.target, &file, "done"), 0);
	CHECK_EQ(target_ssh_ops.bytes(&f.target, "done", &bytes), 0);
	CHECK_EQ(bytes, 500 * sizeof(chunk));
}

/* What an earlier try left there under the same name gives way. */
TEST(ssh, a_file_takes_the_place_of_an_earlier_try)
{
	_far_ struct far f;
	struct target_file file;
	char buf[256];

	CHECK_EQ(far_init(&f, ""), 0);
	CHECK_EQ(far_open(&f), 0);
	CHECK_EQ(target_ssh_ops.replace(&f.target, "x", "old", 3), 0);
	CHECK_EQ(target_ssh_ops.create(&f.target, "x", &file), 0);
	CHECK_EQ(write(file.fd, "new", 3), 3);
	CHECK_EQ(target_ssh_ops.commit(&f.target, &file, "y"), 0);
	CHECK_STR(far_read(&f, "x", buf), "(none)");
	CHECK_STR(far_read(&f, "y", buf), "new");
}

/* Ways in which a file does not come through, and what is said of each. */
TEST(ssh, does_not_believe_what_is_not_whole)
{
	static const struct {
		const char *before, *said;
	} cases[] = {
		/* a connection that breaks ends the data as if it were all */
		{ "case $c in *'cat >'*) head -c 3 | sh -c \"$c\"; exit 0;; esac",
		  "3 bytes have come of 6" },
		{ "case $c in *'cat >'*) sh -c \"$c\"; echo lost >&2; exit 255;; esac", "lost" },
		{ "case $c in *'cat >'*) kill -KILL $$;; esac", "the client died" },
		{ "case $c in *'mv '*) echo no disk >&2; exit 1;; esac", "no disk" },
		{ "case $c in *'mv '*) echo 'echo sync: I/O error >&2; exit 1' >${0%/*}/sync;"
		  "chmod 755 ${0%/*}/sync;; esac",
		  "sync: I/O error" },
	};
	char buf[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_far_ struct far f;
		struct target_file file;

		CHECK_EQ(far_init(&f, cases[i].before), 0);
		CHECK_EQ(far_open(&f), 0);
		CHECK_EQ(target_ssh_ops.create(&f.target, "x-incomplete", &file), 0);
		io_write_full(file.fd, "abcdef", 6);
		CHECK(target_ssh_ops.commit(&f.target, &file, "x") < 0);
		if (!strstr(f.target.error, cases[i].said))
			test_fail(__FILE__, __LINE__, "%s: \"%s\"", cases[i].said, f.target.error);
		CHECK_STR(far_read(&f, "x", buf), "(none)");
	}
}

/* A client that takes nothing and says that all went well, while the data is still with us. */
TEST(ssh, does_not_believe_a_client_that_did_not_take_all)
{
	_far_ struct far f;
	struct target_file file;
	char buf[256], closed[80];

	CHECK_EQ(far_init(&f, "case $c in *'cat >'*) exec <&-; : >${0%/*}/closed; "
			      "sh -c \"$c\" </dev/null; sleep 1; exit 0;; esac"),
		 0);
	CHECK_EQ(far_open(&f), 0);
	CHECK_EQ(target_ssh_ops.create(&f.target, "x-incomplete", &file), 0);
	snprintf(closed, sizeof(closed), "%s/closed", f.root);
	for (int i = 0; i < 1000 && access(closed, F_OK); i++)
		clock_sleep_ms(10);
	io_write_full(file.fd, "abcdef", 6);
	CHECK(target_ssh_ops.commit(&f.target, &file, "x") < 0);
	CHECK(strstr(f.target.error, "did not take all"));
	CHECK_STR(far_read(&f, "x", buf), "(none)");
}

TEST(ssh, tells_the_writer_of_the_end)
{
	_far_ struct far f;
	static char chunk[4096];
	struct target_file file;
	char buf[256];
	int err = 0;

	CHECK_EQ(far_init(&f, "case $c in *'cat >'*) head -c 5 | sh -c \"$c\"; "
			      "echo cat: No space left on device >&2; exit 1;; esac"),
		 0);
	CHECK_EQ(far_open(&f), 0);
	CHECK_EQ(target_ssh_ops.create(&f.target, "x", &file), 0);
	for (unsigned i = 0; i < 1000 && !err; i++)
		err = io_write_full(file.fd, chunk, sizeof(chunk));
	CHECK_EQ(err, -EPIPE);
	CHECK_EQ(target_ssh_ops.abandon(&f.target, &file), -EIO);
	CHECK(strstr(f.target.error, "No space left on device"));
	CHECK_EQ(strlen(far_read(&f, "x", buf)), 0); /* five NULs */
	CHECK_EQ(far_mode(&f, "x"), 0600);
}

TEST(ssh, abandons_nothing_but_what_is_empty)
{
	_far_ struct far f;
	struct target_file file;
	char buf[256];

	CHECK_EQ(far_init(&f, ""), 0);
	CHECK_EQ(far_open(&f), 0);
	CHECK_EQ(target_ssh_ops.create(&f.target, "empty", &file), 0);
	CHECK_EQ(target_ssh_ops.abandon(&f.target, &file), 0);
	CHECK_STR(far_read(&f, "empty", buf), "(none)");
	CHECK_EQ(target_ssh_ops.create(&f.target, "part", &file), 0);
	CHECK_EQ(io_write_full(file.fd, "part", 4), 0);
	CHECK_EQ(target_ssh_ops.abandon(&f.target, &file), 0);
	CHECK_STR(far_read(&f, "part", buf), "part");
	CHECK_STR(far_read(&f, ".room", buf), "(none)");
}

/* On a full disk, the end of a cut dump makes room for the manifest. */
TEST(ssh, makes_room_on_a_full_disk)
{
	_far_ struct far f;
	static char chunk[100000];
	struct target_file file;
	uint64_t bytes;

	/* A dd that cannot write anything new. */
	CHECK_EQ(far_init(&f, "cat >${0%/*}/dd <<'END'\n"
			      "case $* in *of=.room*) exit 1;; esac\n"
			      "PATH=${PATH#*:} exec dd \"$@\"\nEND\nchmod 755 ${0%/*}/dd"),
		 0);
	CHECK_EQ(far_open(&f), 0);
	CHECK_EQ(target_ssh_ops.create(&f.target, "x", &file), 0);
	CHECK_EQ(io_write_full(file.fd, chunk, sizeof(chunk)), 0);
	CHECK_EQ(target_ssh_ops.abandon(&f.target, &file), 0);
	CHECK_EQ(target_ssh_ops.bytes(&f.target, "x", &bytes), 0);
	CHECK_EQ(bytes, sizeof(chunk) - 65536);
}

TEST(ssh, waits_for_a_server_but_not_for_a_key)
{
	static const struct {
		const char *before, *said;
		bool waits;
	} cases[] = {
		{ "echo 'ssh: connect to host server port 22: Connection refused' >&2; exit 255",
		  "Connection refused", true },
		{ "echo 'u@server: Permission denied (publickey).' >&2; exit 255",
		  "Permission denied (publickey).", false },
		{ "echo 'Host key verification failed.' >&2; exit 255",
		  "Host key verification failed.", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_far_ struct far f;
		uint64_t start = clock_ms();

		CHECK_EQ(far_init(&f, cases[i].before), 0);
		f.target.wait_s = 2;
		CHECK_EQ(target_ssh_ops.wait(&f.target), -ECONNABORTED);
		CHECK(strstr(f.target.error, cases[i].said));
		CHECK_EQ(clock_ms() - start >= 2000, cases[i].waits);
		CHECK(!f.target.priv); /* nobody closes it */
	}
}

TEST(ssh, gives_up_a_lost_connection)
{
	_far_ struct far f;
	uint64_t bytes;
	char buf[256];

	CHECK_EQ(far_init(&f, "echo x >>\"$0.count\"; echo Timeout >&2; exit 255"), 0);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQ(target_ssh_ops.bytes(&f.target, "x", &bytes), -ECONNABORTED);
	CHECK(strstr(f.target.error, ": lost, Timeout"));
	strcpy(f.where.path, f.root);
	strcpy(f.target.dir_name, ".");
	CHECK_STR(far_read(&f, "client.count", buf), "x\nx\n");
}

TEST(ssh, takes_no_directory_from_what_is_no_shell)
{
	static const char *const says[] = { "/etc", "..", "a b", "", "a/../b", "x;y" };

	for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
		_far_ struct far f;
		char before[64];

		snprintf(before, sizeof(before), "echo '%s'; exit 0", says[i]);
		CHECK_EQ(far_init(&f, before), 0);
		CHECK_EQ(target_ssh_ops.make_dir(&f.target, WHEN), -EBADMSG);
		CHECK_STR(f.target.dir_name, "");
	}
}
