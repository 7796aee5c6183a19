// SPDX-License-Identifier: GPL-2.0-or-later
/* vmcore-save as a shell runs it: command lines, files, exit codes. */
#include <elf.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/core/kdump_layout.h"
#include "capture/filter.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

#define PAGE	 4096u
#define START	 0x100000u
#define PAGES	 600u
#define WORDS	 16
#define TEXT_MAX 4096

/* A directory with "core" in it. @text: what the last command said. */
struct dir {
	char path[32];
	int home;
	char text[TEXT_MAX];
};

static int copy_core(int from)
{
	int to = open("core", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	static char buf[1 << 20];
	ssize_t n;

	lseek(from, 0, SEEK_SET);
	while (to >= 0 && (n = io_read_full(from, buf, sizeof(buf))) > 0)
		if (io_write_full(to, buf, (size_t)n))
			return -1;
	close(from);
	return to < 0 ? to : close(to);
}

static int dir_init(struct dir *d)
{
	struct core_builder b;

	strcpy(d->path, "/tmp/filter-XXXXXX");
	d->home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->home < 0 || !mkdtemp(d->path) || chdir(d->path))
		return -1;
	core_builder_init(&b);
	core_builder_ram(&b, START, PAGES * PAGE);
	for (uint64_t i = 0; i < PAGES; i++)
		core_builder_put64(&b, START + i * PAGE, i + 1);
	core_builder_vmcoreinfo(&b, "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nCRASHTIME=1700000000\n");
	return copy_core(core_builder_finish(&b));
}

static void dir_deinit(struct dir *d)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", d->path);
	if (fchdir(d->home) || system(command))
		abort();
	close(d->home);
}

/* What the tests before have left to this process. */
static rlim_t mapped_bytes(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return (rlim_t)pages * 4096;
}

/* How a command is run. @out: its standard output; -1 for none. @file_bytes, @memory: limits,
 * the latter beyond what is mapped already. */
struct run {
	int out;
	rlim_t file_bytes, memory;
	bool closed; /* no standard output and error */
};

static void run_child(char *line, const struct run *how, int err_fd)
{
	char *argv[WORDS + 1] = { "vmcore-save" }, *save = NULL;
	int argc = 1, out = how->out < 0 ? open("/dev/null", O_WRONLY) : how->out;

	for (char *w = strtok_r(line, " ", &save); w && argc < WORDS;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	if (how->file_bytes)
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ how->file_bytes, how->file_bytes });
	if (how->memory) {
		rlim_t most;

		malloc_trim(0); /* what earlier tests freed is mapped, and would do for more */
		most = how->memory + mapped_bytes();
		setrlimit(RLIMIT_AS, &(struct rlimit){ most, most });
	}
	if (dup2(open("/dev/null", O_RDONLY), STDIN_FILENO) || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(err_fd, STDERR_FILENO) < 0)
		_exit(99);
	for (int fd = STDOUT_FILENO; how->closed && fd <= STDERR_FILENO; fd++)
		close(fd);
	log_set_level(LOG_LVL_INFO);
	_exit(filter_main(argc, argv));
}

/* Run @words in a process of its own. Return: its exit code; 100 and more where a signal
 * ended it. What it says goes to d->text. */
static int run_as(struct dir *d, const char *words, const struct run *how)
{
	int pipe_fd[2], status;
	char line[256];
	ssize_t n;
	pid_t pid;

	snprintf(line, sizeof(line), "%s", words);
	if (pipe2(pipe_fd, O_CLOEXEC))
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run_child(line, how, pipe_fd[1]);
	close(pipe_fd[1]);
	n = io_read_full(pipe_fd[0], d->text, sizeof(d->text) - 1);
	d->text[n > 0 ? n : 0] = '\0';
	close(pipe_fd[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static int run(struct dir *d, const char *words)
{
	return run_as(d, words, &(struct run){ .out = -1 });
}

static int64_t size_of(const char *name)
{
	struct stat st;

	return stat(name, &st) ? -1 : st.st_size;
}

static bool marked_incomplete(const char *name)
{
	struct kdump_header h = { .status = 0 };
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && io_pread_full(fd, &h, sizeof(h), 0) < 0)
		h.status = 0;
	close(fd);
	return h.status & htole32(DUMP_DH_COMPRESSED_INCOMPLETE);
}

/* Set or clear the mark in a dump's header. */
static void mark(const char *name, bool incomplete)
{
	struct kdump_header h;
	const uint32_t bit = htole32(DUMP_DH_COMPRESSED_INCOMPLETE);
	int fd = open(name, O_RDWR | O_CLOEXEC);

	if (fd < 0 || io_pread_full(fd, &h, sizeof(h), 0) != sizeof(h))
		abort();
	h.status = incomplete ? h.status | bit : h.status & ~bit;
	if (io_pwrite_full(fd, &h, sizeof(h), 0))
		abort();
	close(fd);
}

static void mark_elf(const char *name)
{
	Elf64_Ehdr e;
	int fd = open(name, O_RDWR | O_CLOEXEC);

	if (fd < 0 || io_pread_full(fd, &e, sizeof(e), 0) != sizeof(e))
		abort();
	e.e_flags = DUMP_ELF_INCOMPLETE;
	if (io_pwrite_full(fd, &e, sizeof(e), 0))
		abort();
	close(fd);
}

TEST(filter, commands)
{
	static const struct {
		const char *words;
		int exit;
	} rows[] = {
		{ "core out", 0 },	   { "core out", 1 }, /* it exists */
		{ "-f core out", 0 },	   { "-d 31 -E core elf", 0 },
		{ "--split core a b", 0 }, { "--reassemble b a ab", 0 },
		{ "--dry-run core", 0 },   { "--dry-run core never-made", 0 },
		{ "-f core core", 1 },	   { "core", 1 },
		{ "-F core extra", 1 },	   { "nothing out2", 1 },
		{ "--help", 0 },	   { "--version", 0 },
	};
	struct dir d;

	CHECK_EQ(dir_init(&d), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int got = run(&d, rows[i].words);

		if (got != rows[i].exit)
			test_fail(__FILE__, __LINE__, "%s: exit %d, want %d: %s", rows[i].words,
				  got, rows[i].exit, d.text);
	}
	CHECK_EQ(size_of("never-made"), -1);
	CHECK(size_of("core") > PAGES * PAGE);
	dir_deinit(&d);
}

/* -f empties a file that is to be written, never one that is to be read, and none twice. */
TEST(filter, no_file_has_two_parts_to_play)
{
	static const char *const lines[] = {
		"--reassemble -f a b b", "--reassemble -f a b a",    "--reassemble -f a b link",
		"--split -f core x x",	 "--split -f core x y core", "--split -f core x y ./x",
	};
	struct dir d;

	CHECK_EQ(dir_init(&d), 0);
	CHECK_EQ(run(&d, "--split core a b"), 0);
	CHECK_EQ(run(&d, "--split core x y"), 0);
	CHECK_EQ(link("b", "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		int64_t a = size_of("a"), b = size_of("b"), x = size_of("x"),
			core = size_of("core");

		if (run(&d, lines[i]) != FILTER_FAILED)
			test_fail(__FILE__, __LINE__, "%s: taken", lines[i]);
		if (size_of("a") != a || size_of("b") != b || size_of("x") != x ||
		    size_of("core") != core)
			test_fail(__FILE__, __LINE__, "%s: a file was emptied", lines[i]);
	}
	CHECK_EQ(run(&d, "--reassemble a b whole"), 0);
	dir_deinit(&d);
}

/* Messages to a standard error that is closed do not go into the file that took its number. */
TEST(filter, without_standard_files)
{
	struct dir d;

	CHECK_EQ(dir_init(&d), 0);
	CHECK_EQ(run_as(&d, "core out", &(struct run){ .out = -1, .closed = true }), 0);
	CHECK_EQ(run(&d, "core want"), 0);
	CHECK_EQ(system("cmp -s out want"), 0);
	CHECK_EQ(run_as(&d, "-F core", &(struct run){ .out = -1, .closed = true }), FILTER_FAILED);
	dir_deinit(&d);
}

/* Not before there is something to put into it. */
TEST(filter, nothing_emptied_for_nothing)
{
	static const char *const lines[] = {
		"-R -f x", /* standard input is empty */
		"--reassemble -f core core2 x",
		"--reassemble -f whole whole2 x",
		"-f nothing x",
		"-f -E -c core x",
	};
	struct dir d;
	int64_t size;

	CHECK_EQ(dir_init(&d), 0);
	CHECK_EQ(run(&d, "core x"), 0);
	CHECK_EQ(run(&d, "core whole"), 0);
	CHECK_EQ(link("whole", "whole2") || link("core", "core2"), 0);
	size = size_of("x");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (run(&d, lines[i]) != FILTER_FAILED)
			test_fail(__FILE__, __LINE__, "%s: taken", lines[i]);
		if (size_of("x") != size)
			test_fail(__FILE__, __LINE__, "%s: x was emptied", lines[i]);
	}
	CHECK_EQ(run(&d, "-R new"), FILTER_FAILED);
	CHECK_EQ(size_of("new"), -1);
	CHECK_EQ(run(&d, "--dump-dmesg core log"), FILTER_FAILED); /* it has none */
	CHECK_EQ(size_of("log"), -1);
	dir_deinit(&d);
}

/* No signal ends the filter without a word. */
TEST(filter, broken_pipe_and_file_size_limit)
{
	struct run to_pipe = { .out = -1 }, limited = { .out = -1, .file_bytes = 1 << 20 };
	struct dir d;
	int fds[2];

	CHECK_EQ(dir_init(&d), 0);
	CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	to_pipe.out = fds[1];
	CHECK_EQ(run_as(&d, "-F core", &to_pipe), FILTER_FAILED);
	CHECK(strstr(d.text, "Broken pipe"));
	CHECK_EQ(run_as(&d, "--json --dry-run core", &to_pipe), FILTER_FAILED);
	CHECK_EQ(run_as(&d, "--help", &to_pipe), FILTER_FAILED);
	close(fds[1]);

	CHECK_EQ(run_as(&d, "--codec none core limited", &limited), FILTER_FAILED);
	CHECK(marked_incomplete("limited"));
	CHECK(strstr(d.text, "marked so"));
	dir_deinit(&d);
}

/* What is said of a dump that did not get as far as its header. */
TEST(filter, nothing_written_is_not_called_marked)
{
	struct dir d;

	CHECK_EQ(dir_init(&d), 0);
	CHECK_EQ(run(&d, "-L 100 core out"), FILTER_FAILED);
	CHECK(!strstr(d.text, "marked so"));
	CHECK(strstr(d.text, "nothing of out"));
	CHECK_EQ(size_of("out"), -1);
	CHECK_EQ(run(&d, "--split core p nowhere/q"), FILTER_FAILED);
	CHECK_EQ(size_of("p"), -1);
	dir_deinit(&d);
}

/* What comes of a dump that is marked incomplete is not called complete. */
TEST(filter, incomplete_input)
{
	struct dir d;

	CHECK_EQ(dir_init(&d), 0);
	CHECK_EQ(run(&d, "--split core a b"), 0);
	mark("b", true);
	CHECK_EQ(run(&d, "--reassemble a b whole"), FILTER_FAILED);
	CHECK(marked_incomplete("whole"));
	CHECK_EQ(run(&d, "core dump"), 0);
	CHECK_EQ(run(&d, "dump again"), 0);
	mark("dump", true);
	CHECK_EQ(run(&d, "dump lacking"), FILTER_PARTIAL);
	CHECK(strstr(d.text, "lacking"));
	CHECK_EQ(run(&d, "-E core elf"), 0);
	CHECK_EQ(run(&d, "elf elf2"), 0);
	mark_elf("elf");
	CHECK_EQ(run(&d, "elf elf3"), FILTER_PARTIAL);
	dir_deinit(&d);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* as gcc says it */
#endif
#endif

#ifndef __SANITIZE_ADDRESS__ /* which has terabytes of address space already */
/* Where there is no memory for as many threads as were asked for, fewer do it. */
TEST(filter, memory_for_some_threads)
{
	struct run how = { .out = -1, .memory = 12 << 20 };
	struct dir d;

	CHECK_EQ(dir_init(&d), 0);
	CHECK_EQ(run(&d, "--num-threads 1 core one"), 0);
	CHECK_EQ(run_as(&d, "--num-threads 64 core many", &how), 0);
	CHECK(strstr(d.text, "of 64 threads"));
	CHECK_EQ(size_of("many"), size_of("one"));
	CHECK_EQ(run(&d, "--num-threads 500 core more"), 0);
	dir_deinit(&d);
}
#endif
