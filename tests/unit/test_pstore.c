// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/init/pstore.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* A log of so many numbered lines of ten bytes. */
static int write_lines(void *ctx, int fd)
{
	char line[24];

	for (unsigned i = 0; i < *(unsigned *)ctx; i++) {
		snprintf(line, sizeof(line), "line %04u\n", i);
		if (io_write_full(fd, line, 10))
			return -EIO;
	}
	return 0;
}

static int fail_at_once(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return -EIO;
}

TEST(pstore, keeps_the_end)
{
	static const struct {
		unsigned lines;
		size_t bytes;
		const char *first; /* line of the log */
	} cases[] = {
		{ 3, 4096, "line 0000" }, { 300, 400, NULL },	 /* the window turns many times */
		{ 1000, 1024, NULL },	  { 7000, 65536, NULL }, /* more than a pipe holds */
		{ 1, 4096, "line 0000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned lines = cases[i].lines, first;
		_free_ char *text = NULL;
		char path[64], last[24], *log;
		size_t len, saved = 0;
		_close_ int fd = -1;

		snprintf(path, sizeof(path), "/tmp/vmcore-test-XXXXXX");
		fd = mkstemp(path);
		CHECK(fd >= 0);
		CHECK_EQ(pstore_save(path, write_lines, &lines, cases[i].bytes, &saved), 0);
		CHECK_EQ(io_read_file(path, 1 << 20, &text, &len), 0);
		unlink(path);
		CHECK(len <= cases[i].bytes);
		CHECK(after_prefix(text, "vmcore-save "));
		log = strchr(text, '\n') + 1;
		CHECK_EQ(saved, strlen(log));
		CHECK(!cases[i].first || after_prefix(log, cases[i].first));
		/* Whole lines, one after the other, to the last one. */
		CHECK_EQ(sscanf(log, "line %u", &first), 1);
		CHECK_EQ(strlen(log), (lines - first) * 10);
		for (unsigned n = first; n < lines; n++) {
			snprintf(last, sizeof(last), "line %04u\n", n);
			CHECK(after_prefix(log + (n - first) * 10, last));
		}
		CHECK(cases[i].first || len > cases[i].bytes - 16);
	}
}

TEST(pstore, nothing_to_write_or_nowhere)
{
	unsigned lines = 3;
	size_t saved;

	CHECK_EQ(pstore_save("/nonexistent/pmsg0", write_lines, &lines, 4096, &saved), -ENOENT);
	CHECK_EQ(pstore_save("/dev/null", write_lines, &lines, 10, &saved), -ENOSPC);
	CHECK_EQ(pstore_save("/dev/null", fail_at_once, NULL, 4096, &saved), -ENODATA);
	CHECK_EQ(pstore_save("/dev/full", write_lines, &lines, 4096, &saved), -ENOSPC);
}

static void put_parameter(const char *root, const char *module, const char *name, const char *text)
{
	static const char *const folders[] = { "sys", "module", NULL, "parameters" };
	_close_ int fd = -1;
	char path[256];
	int at = snprintf(path, sizeof(path), "%s", root);

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		at += snprintf(path + at, sizeof(path) - at, "/%s",
			       folders[i] ? folders[i] : module);
		mkdir(path, 0755);
	}
	snprintf(path + at, sizeof(path) - at, "/%s", name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(io_write_full(fd, text, strlen(text)), 0);
}

TEST(pstore, the_log_is_kept_by_erst_alone)
{
	static const struct {
		const char *backend;
		int err;
		const char *always;
	} cases[] = {
		{ "erst\n", 0, "Y" },
		{ "efi_pstore\n", -ENODEV, "N" },
		{ "ramoops\n", -ENODEV, "N" },
		{ "(null)\n", -ENODEV, "N" },
	};
	char root[] = "/tmp/vmcore-test-XXXXXX", path[256], command[64];

	CHECK(mkdtemp(root));
	CHECK_EQ(pstore_keep_log(root), -ENODEV); /* a kernel without */
	snprintf(path, sizeof(path), "%s/sys/module/printk/parameters/always_kmsg_dump", root);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *always = NULL;

		put_parameter(root, "pstore", "backend", cases[i].backend);
		put_parameter(root, "printk", "always_kmsg_dump", "N");
		CHECK_EQ(pstore_keep_log(root), cases[i].err);
		CHECK_EQ(io_read_file(path, 16, &always, NULL), 0);
		CHECK_STR(always, cases[i].always);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	CHECK_EQ(system(command), 0);
}
