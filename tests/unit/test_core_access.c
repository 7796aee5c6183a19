// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/core/core.h"
#include "capture/core/mapping.h"
#include "lib/bytes.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

#define NR_PAGES 3000u /* more than two windows of 4 MiB */

/* A core whose every page starts with its pfn; *@fd_ret is another descriptor of its file. */
static struct core *open_numbered(int *fd_ret, uint64_t *offset_ret)
{
	struct core_builder b;
	struct core *core;
	int fd;

	core_builder_init(&b);
	core_builder_ram(&b, 0x1000, (uint64_t)NR_PAGES * 4096);
	core_builder_vmcoreinfo(&b, "PAGESIZE=4096\n");
	for (uint64_t pfn = 1; pfn <= NR_PAGES; pfn++)
		core_builder_put64(&b, pfn * 4096, pfn);
	*offset_ret = b.loads[0].p_offset;
	fd = core_builder_finish(&b);
	*fd_ret = dup(fd);
	return core_open_fd(fd, "test", &core) ? NULL : core;
}

static bool reads_pfn(struct core_reader *reader, uint64_t pfn)
{
	uint8_t page[4096];

	return !core_reader_read_pages(reader, pfn * 4096, page, sizeof(page)) &&
	       get_le64(page) == pfn;
}

static const enum core_access ways[] = { CORE_ACCESS_READ, CORE_ACCESS_MMAP };

TEST(core_access, reads_alike_either_way)
{
	uint8_t *buf = malloc(300 * 4096);

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct core_reader *reader;
		uint64_t offset;
		int fd;
		struct core *core = open_numbered(&fd, &offset);

		CHECK(core);
		core_set_access(core, ways[i]);
		CHECK_EQ(core_reader_create(core, &reader), 0);
		for (uint64_t pfn = 1; pfn <= NR_PAGES; pfn += 7)
			CHECK(reads_pfn(reader, pfn));
		for (uint64_t pfn = NR_PAGES; pfn; pfn = pfn > 500 ? pfn - 500 : 0)
			CHECK(reads_pfn(reader, pfn));
		/* across the end of a window */
		CHECK_EQ(core_reader_read_pages(reader, 900 * 4096, buf, 300 * 4096), 0);
		for (uint64_t k = 0; k < 300; k++)
			CHECK_EQ(get_le64(buf + k * 4096), 900 + k);
		core_reader_destroy(reader);
		core_close(core);
		close(fd);
	}
	free(buf);
}

TEST(core_access, a_file_that_shrinks_is_an_error_of_its_pages)
{
	uint8_t page[2 * 4096];

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct core_reader *reader;
		uint64_t offset;
		int fd;
		struct core *core = open_numbered(&fd, &offset);

		CHECK(core);
		core_set_access(core, ways[i]);
		CHECK_EQ(core_reader_create(core, &reader), 0);
		CHECK(reads_pfn(reader, 150)); /* the window is there */
		/* Pages 1 to 100 stay, and the half of page 101. */
		CHECK_EQ(ftruncate(fd, (off_t)offset + 100 * 4096), 0);
		CHECK(reads_pfn(reader, 100));
		CHECK_EQ(core_reader_read_pages(reader, 101 * 4096, page, 4096), -EIO);
		CHECK_EQ(core_reader_read_pages(reader, 150 * 4096, page, 4096), -EIO);
		CHECK_EQ(core_reader_read_pages(reader, 2900 * 4096, page, 4096), -EIO);
		CHECK_EQ(core_reader_read_pages(reader, 100 * 4096, page, 8192), -EIO);
		CHECK(reads_pfn(reader, 1)); /* and again after the errors */
		CHECK(reads_pfn(reader, 99));
		core_reader_destroy(reader);
		core_close(core);
		close(fd);
	}
}

/* Behind the end a mapped page reads as zero; a new window must not take that for memory. */
TEST(core_access, a_new_window_asks_for_the_size)
{
	struct core_reader *reader;
	uint8_t page[4096];
	uint64_t offset;
	int fd;
	struct core *core = open_numbered(&fd, &offset);

	CHECK(core);
	core_set_access(core, CORE_ACCESS_MMAP);
	CHECK_EQ(core_reader_create(core, &reader), 0);
	CHECK_EQ(ftruncate(fd, (off_t)offset + 100 * 4096 + 2048), 0);
	CHECK(reads_pfn(reader, 100));
	CHECK_EQ(core_reader_read_pages(reader, 101 * 4096, page, 4096), -EIO);
	core_reader_destroy(reader);
	core_close(core);
	close(fd);
}

struct job {
	struct core *core;
	bool right;
	unsigned errors;
};

static void *read_all(void *arg)
{
	struct job *job = arg;
	struct core_reader *reader;
	uint8_t page[4096];

	if (core_reader_create(job->core, &reader))
		return NULL;
	job->right = true;
	for (unsigned round = 0; round < 20; round++) {
		for (uint64_t pfn = 1; pfn <= NR_PAGES; pfn += 50) {
			int err = core_reader_read_pages(reader, pfn * 4096, page, 4096);

			if (err == -EIO && pfn > 1500)
				job->errors++;
			else if (err || get_le64(page) != pfn || pfn > 1500)
				job->right = false;
		}
	}
	core_reader_destroy(reader);
	return NULL;
}

TEST(core_access, each_thread_has_a_reader)
{
	struct job jobs[4] = { 0 };
	pthread_t threads[4];
	uint64_t offset;
	int fd;
	struct core *core = open_numbered(&fd, &offset);

	CHECK(core);
	core_set_access(core, CORE_ACCESS_MMAP);
	CHECK_EQ(ftruncate(fd, (off_t)offset + 1500 * 4096), 0);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		jobs[i].core = core;
		CHECK_EQ(pthread_create(&threads[i], NULL, read_all, &jobs[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
		CHECK_EQ(pthread_join(threads[i], NULL), 0);
		CHECK(jobs[i].right);
		CHECK_EQ(jobs[i].errors, 20 * 30);
	}
	core_close(core);
	close(fd);
}

/* A page of a mapping that has nothing behind it. */
static const char *lost_page(void)
{
	int fd = memfd_create("lost", MFD_CLOEXEC);
	char *map;

	if (fd < 0 || ftruncate(fd, 4096))
		abort();
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || ftruncate(fd, 0))
		abort();
	close(fd);
	return map;
}

static volatile sig_atomic_t seen;
static sigjmp_buf out;

static void on_other_fault(int sig)
{
	(void)sig;
	seen++;
	siglongjmp(out, 1);
}

/* Exit code 0: all as it should be. */
static int other_faults(bool handler)
{
	const char *lost = lost_page();
	char byte;

	signal(SIGBUS, handler ? on_other_fault : SIG_DFL); /* away with a sanitizer's */
	if (mapping_prepare() || mapping_copy(&byte, lost, 1) != -EIO)
		return 1;
	if (mapping_copy(&byte, "x", 1) || byte != 'x')
		return 2;
	if (!sigsetjmp(out, 1))
		byte = *(const volatile char *)lost;
	return seen == 1 && mapping_copy(&byte, lost, 1) == -EIO ? 0 : 3;
}

#define CHILD_ENV "CORE_ACCESS_CHILD"

/* Only in a process of its own, where nothing has been mapped before. */
TEST(core_access_child, faults)
{
	const char *what = getenv(CHILD_ENV);

	if (what)
		_exit(other_faults(streq(what, "handler")));
}

TEST(core_access, other_faults_go_where_they_went_before)
{
	static const char *const children[] = { "default", "handler" };

	for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
		int status;
		pid_t child = fork();

		if (!child) {
			setenv(CHILD_ENV, children[i], 1);
			execl("/proc/self/exe", "unit-tests", "core_access_child/", NULL);
			_exit(127);
		}
		CHECK_EQ(waitpid(child, &status, 0), child);
		if (i) {
			CHECK(WIFEXITED(status));
			CHECK_EQ(WEXITSTATUS(status), 0);
		} else {
			CHECK(WIFSIGNALED(status));
			CHECK_EQ(WTERMSIG(status), SIGBUS);
		}
	}
}

TEST(core_access, what_cannot_be_mapped_is_read)
{
	struct rlimit before, little;
	struct core_reader *reader;
	uint64_t offset;
	bool right = true;
	int fd;
	struct core *core = open_numbered(&fd, &offset);

	CHECK(core);
	core_set_access(core, CORE_ACCESS_MMAP);
	CHECK_EQ(core_reader_create(core, &reader), 0);
	CHECK_EQ(getrlimit(RLIMIT_AS, &before), 0);
	little = (struct rlimit){ 4096, before.rlim_max };
	CHECK_EQ(setrlimit(RLIMIT_AS, &little), 0);
	for (uint64_t pfn = 1; pfn <= NR_PAGES; pfn += 100)
		right &= reads_pfn(reader, pfn);
	CHECK_EQ(setrlimit(RLIMIT_AS, &before), 0);
	CHECK(right);
	core_reader_destroy(reader);
	core_close(core);
	close(fd);
}
