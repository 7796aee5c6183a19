// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/bounded.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/util.h"
#include "tests/unit/test.h"

static int say(const void *ctx, int fd)
{
	const char *text = ctx;

	return write(fd, text, strlen(text)) < 0 ? -EIO : -ENODEV;
}

static int hang(const void *ctx, int fd)
{
	(void)ctx;
	signal(SIGTERM, SIG_IGN);
	if (write(fd, "begun", 5) < 0)
		return -EIO;
	for (;;)
		pause();
}

static int die(const void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	raise(SIGKILL);
	return 0;
}

TEST(control, bounded_calls_tell_how_they_ended)
{
	char out[4];
	size_t len;

	CHECK_EQ(bounded_call(say, "abcdefgh", 10, out, sizeof(out), &len), -ENODEV);
	CHECK_EQ(len, 4);
	CHECK(!memcmp(out, "abcd", 4));
	CHECK_EQ(bounded_call(die, NULL, 10, out, sizeof(out), NULL), -EIO);
}

TEST(control, bounded_calls_end)
{
	uint64_t start = clock_ms();
	char out[8];
	size_t len;

	CHECK_EQ(bounded_call(hang, NULL, 1, out, sizeof(out), &len), -ETIMEDOUT);
	CHECK_EQ(len, 5);
	CHECK(clock_ms() - start < 30000);
	CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1); /* nothing of it is left */
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(bounded_call(hang, NULL, 0, out, sizeof(out), &len), -ETIMEDOUT);
}

TEST(control, bounded_programs)
{
	static const struct {
		const char *script;
		int err;
		const char *words, *read;
	} cases[] = {
		{ "echo a; echo b >&2", 0, "a\nb\n", "a\n" },
		{ "echo a >&2; exit 3", -EIO, "a\n", "" },
		{ "exit 125", -EIO, "", "" },
		{ "kill -9 $$", -EIO, "", "" },
		{ "cat", 0, "", "" }, /* there is nothing to read */
		{ "(sleep 100 >/dev/null 2>&1) & echo a", 0, "a\n", "a\n" },
		{ "(sleep 100) & echo a", -ETIMEDOUT, "a\n", "a\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const argv[] = { "sh", "-c", cases[i].script, NULL };
		const unsigned seconds = cases[i].err == -ETIMEDOUT ? 1 : 20;
		char words[64];

		CHECK_EQ(bounded_run(argv, seconds, words, sizeof(words)), cases[i].err);
		CHECK_STR(words, cases[i].words);
		CHECK_EQ(bounded_read(argv, seconds, words, sizeof(words)), cases[i].err);
		CHECK_STR(words, cases[i].read);
	}
}

TEST(control, bounded_programs_that_are_not_there)
{
	const char *const argv[] = { "/no/such/program", NULL };
	char words[8];

	CHECK_EQ(bounded_run(argv, 20, words, sizeof(words)), -ENOENT);
	CHECK_STR(words, "");
}
