// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/retain.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define OWN "2026-11-24-10:30"

/* A target's path with captures in it, made from words such as "2026-01-01-00:00=complete". */
struct path {
	char name[64];
	int own_fd;
	int fd; /* of the path */
};

static void remove_path(struct path *p)
{
	char command[128];

	log_set_level(LOG_LVL_INFO);
	if (p->own_fd >= 0)
		close(p->own_fd);
	if (p->fd >= 0)
		close(p->fd);
	snprintf(command, sizeof(command), "rm -rf '%s'", p->name);
	if (system(command))
		test_fail(__FILE__, __LINE__, "%s failed", command);
}

#define _path_ __cleanup(remove_path)

static void put_file(const char *folder, const char *name, const char *text, size_t len)
{
	char path[256];
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(io_write_full(fd, text, len), 0);
}

static void put_capture(const struct path *p, const char *name, const char *verdict)
{
	static char dump[256 << 10];
	char folder[160], manifest[256];

	snprintf(folder, sizeof(folder), "%s/%s", p->name, name);
	CHECK_EQ(mkdir(folder, 0700), 0);
	snprintf(manifest, sizeof(manifest),
		 "{\n  \"schema\": 1,\n  \"program\": \"vmcore-save\",\n  \"version\": \"1\",\n"
		 "  \"verdict\": \"%s\"\n}\n",
		 verdict);
	put_file(folder, "vmcore-save.json", manifest, strlen(manifest));
	put_file(folder, "vmcore-dmesg.txt", dump, 64);
	put_file(folder, streq(verdict, "complete") ? "vmcore" : "vmcore-incomplete", dump,
		 sizeof(dump));
}

static void make_path(struct path *p, const char *captures)
{
	const char *tmp = getenv("TMPDIR");
	_free_ char *words = strdup(captures);
	char own[128], *rest = words, *word;

	p->own_fd = p->fd = -1;
	log_set_level(LOG_LVL_NONE);
	snprintf(p->name, sizeof(p->name), "%.40s/vmcore-test-XXXXXX", tmp ? tmp : "/tmp");
	CHECK(mkdtemp(p->name));
	while ((word = strsep(&rest, " "))) {
		char *verdict = strchr(word, '=');

		*verdict++ = '\0';
		put_capture(p, word, verdict);
	}
	put_capture(p, OWN, "complete");
	snprintf(own, sizeof(own), "%s/%s", p->name, OWN);
	p->own_fd = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->fd = open(p->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(p->own_fd >= 0 && p->fd >= 0);
}

static bool is_there(const struct path *p, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", p->name, name);
	return access(path, F_OK) == 0;
}

static void ignore(void *ctx)
{
	(void)ctx;
}

static int apply(const struct path *p, unsigned keep_dumps, uint64_t keep_bytes,
		 struct retain_count *count)
{
	struct config config;

	config_init(&config);
	config.keep_dumps = keep_dumps;
	config.keep_bytes = keep_bytes;
	return retain_apply(p->own_fd, OWN, &config, ignore, NULL, count);
}

TEST(retain, names_of_captures)
{
	static const struct {
		const char *name, *own;
		bool is;
	} cases[] = {
		{ "2026-01-02-03:04", OWN, true },
		{ "2026-01-02-03-04", OWN, true }, /* of vfat */
		{ "2026-01-02-03:04-17", OWN, true },
		{ "2026-01-02-03:04", "10.0.0.7-" OWN, false }, /* of another host */
		{ "10.0.0.8-2026-01-02-03:04", "10.0.0.7-" OWN, false },
		{ "10.0.0.7-2026-01-02-03:04", "10.0.0.7-" OWN, true },
		{ "host-a-2026-01-02-03:04-2", "host-a-" OWN, true },
		{ "host-a-2026-01-02-03:04", "host-b-" OWN, false },
		{ "host-2026-01-02-03:04", OWN, false },
		{ "2026-01-02-03:04-", OWN, false },
		{ "2026-01-02-03:04-x", OWN, false },
		{ "2026-01-02-03:04.old", OWN, false },
		{ "2026-01-02", OWN, false },
		{ "202601020304", OWN, false },			 /* Debian's kdump-tools */
		{ "127.0.0.1-2026-01-02-03:04:05", OWN, false }, /* kdump-utils */
		{ "..", OWN, false },
		{ "", OWN, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *stamp;

		CHECK_EQ(retain_is_capture(cases[i].name, cases[i].own, &stamp), cases[i].is);
	}
}

TEST(retain, keeps_the_youngest)
{
	static const struct {
		const char *captures;
		unsigned keep_dumps;
		uint64_t keep_bytes;
		const char *gone, *stay;
	} cases[] = {
		{ "2026-01-01-00:00=complete 2026-02-01-00:00=complete", 2, 0, "2026-01-01-00:00",
		  "2026-02-01-00:00" },
		{ "2026-01-01-00:00=complete 2026-02-01-00:00=complete", 1, 0,
		  "2026-01-01-00:00 2026-02-01-00:00", "" },
		{ "2026-01-01-00:00=complete 2026-02-01-00:00=complete", 3, 0, "",
		  "2026-01-01-00:00 2026-02-01-00:00" },
		/* suffixes count as numbers */
		{ "2026-01-01-00:00-2=complete 2026-01-01-00:00-10=complete "
		  "2026-01-01-00:00=complete",
		  2, 0, "2026-01-01-00:00 2026-01-01-00:00-2", "2026-01-01-00:00-10" },
		/* what is not complete counts for nothing, and goes with its elders */
		{ "2026-01-01-00:00=incomplete 2026-01-02-00:00=complete "
		  "2026-01-03-00:00=log-only 2026-01-04-00:00=complete",
		  2, 0, "2026-01-01-00:00 2026-01-02-00:00", "2026-01-03-00:00 2026-01-04-00:00" },
		{ "2026-01-01-00:00=incomplete", 1, 0, "", "2026-01-01-00:00" },
		/* each takes up a little more than 256 KiB */
		{ "2026-01-01-00:00=incomplete 2026-01-02-00:00=complete "
		  "2026-01-03-00:00=complete",
		  0, 600 << 10, "2026-01-01-00:00 2026-01-02-00:00", "2026-01-03-00:00" },
		{ "2026-01-01-00:00=complete", 0, 1, "2026-01-01-00:00", OWN },
		/* both */
		{ "2026-01-01-00:00=complete 2026-01-02-00:00=complete "
		  "2026-01-03-00:00=complete",
		  3, 600 << 10, "2026-01-01-00:00 2026-01-02-00:00", "2026-01-03-00:00" },
		{ "2026-01-01-00:00=complete", 0, 0, "", "2026-01-01-00:00" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *gone = strdup(cases[i].gone), *stay = strdup(cases[i].stay);
		struct path p _path_;
		struct retain_count count;
		char *word, *rest;

		make_path(&p, cases[i].captures);
		CHECK_EQ(apply(&p, cases[i].keep_dumps, cases[i].keep_bytes, &count), 0);
		for (rest = gone; (word = strsep(&rest, " "));)
			CHECK(!*word || !is_there(&p, word));
		for (rest = stay; (word = strsep(&rest, " "));)
			CHECK(!*word || is_there(&p, word));
		CHECK(is_there(&p, OWN "/vmcore"));
		CHECK(count.dumps == 0 || count.bytes >= count.dumps * (256u << 10));
	}
}

/* Nothing goes that may be somebody else's, be it named as ours. */
TEST(retain, leaves_what_is_not_ours)
{
	static const char *const commands[] = {
		"rm vmcore-save.json",
		"echo '{ \"program\": \"other\", \"verdict\": \"complete\" }' >vmcore-save.json",
		"mv vmcore-save.json x; ln -s x vmcore-save.json",
		"rm vmcore-save.json; mkfifo vmcore-save.json",
		"mkdir folder",
		"ln -s /etc/passwd link",
		"i=0; while [ $i -lt 70 ]; do : >$i; i=$((i + 1)); done",
		"cd ..; mv 2026-01-01-00:00 elsewhere; ln -s elsewhere 2026-01-01-00:00",
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		struct path p _path_;
		struct retain_count count;
		char command[256];

		make_path(&p, "2026-01-01-00:00=complete");
		snprintf(command, sizeof(command), "cd '%s/2026-01-01-00:00' && { %s; }", p.name,
			 commands[i]);
		CHECK_EQ(system(command), 0);
		CHECK_EQ(apply(&p, 1, 1, &count), 0);
		CHECK_EQ(count.dumps, 0);
		CHECK(is_there(&p, "2026-01-01-00:00/vmcore"));
		CHECK_EQ(retain_remove_oldest(p.fd, OWN, ignore, NULL), -ENODATA);
		CHECK(is_there(&p, "2026-01-01-00:00/vmcore"));
	}
}

/* A reset in the middle of a removal: the rest is nobody's dump, and the next one takes it. */
TEST(retain, takes_up_a_removal_that_was_cut_off)
{
	struct path p _path_;
	struct retain_count count;
	char command[256];

	make_path(&p, "2026-01-01-00:00=complete 2026-01-02-00:00=complete");
	snprintf(command, sizeof(command),
		 "cd '%s/2026-01-01-00:00' && mv vmcore-save.json vmcore-save.json.removed",
		 p.name);
	CHECK_EQ(system(command), 0);
	CHECK_EQ(apply(&p, 1, 0, &count), 0);
	CHECK(!is_there(&p, "2026-01-01-00:00"));
	CHECK(!is_there(&p, "2026-01-02-00:00"));
}

TEST(retain, room_takes_one_after_the_other)
{
	struct path p _path_;

	make_path(&p, "2026-01-02-00:00=complete 2026-01-01-00:00=incomplete");
	CHECK_EQ(retain_remove_oldest(p.fd, OWN, ignore, NULL), 0);
	CHECK(!is_there(&p, "2026-01-01-00:00"));
	CHECK(is_there(&p, "2026-01-02-00:00"));
	CHECK_EQ(retain_remove_oldest(p.fd, OWN, ignore, NULL), 0);
	CHECK_EQ(retain_remove_oldest(p.fd, OWN, ignore, NULL), -ENODATA);
	CHECK(is_there(&p, OWN "/vmcore"));
}

/* More than the list holds: the oldest are in it, wherever the directory has them. */
TEST(retain, oldest_of_many)
{
	struct path p _path_;
	struct retain_count count;
	char captures[(RETAIN_MAX + 20) * 32] = "", *at = captures;

	for (unsigned i = 0; i < RETAIN_MAX + 20; i++)
		at += sprintf(at, "%s2026-01-%02u-%02u:00=complete", i ? " " : "", 1 + i % 28,
			      i / 28);
	make_path(&p, captures);
	CHECK_EQ(apply(&p, RETAIN_MAX + 19, 0, &count), 0);
	CHECK_EQ(count.dumps, 2);
	CHECK(!is_there(&p, "2026-01-01-00:00"));
	CHECK(!is_there(&p, "2026-01-01-01:00"));
	CHECK(is_there(&p, "2026-01-01-02:00"));
	CHECK_EQ(apply(&p, 1, 0, &count), 0);
	CHECK_EQ(count.dumps, RETAIN_MAX);
	CHECK(is_there(&p, "2026-01-28-02:00"));
}

static void collect(void *ctx, const char *name, uint64_t bytes, int err)
{
	char *all = ctx;

	if (bytes && !err)
		strcat(strcat(all, *all ? " " : ""), name);
}

/* Without a new dump: what is younger than the last complete one stays as well. */
TEST(retain, prunes)
{
	static const struct {
		const char *captures, *own;
		unsigned keep_dumps;
		uint64_t keep_bytes;
		const char *gone;
	} cases[] = {
		{ "2026-01-01-00:00=complete 2026-01-02-00:00=incomplete", OWN, 1, 0,
		  "2026-01-01-00:00" },
		{ "2026-01-01-00:00=complete 2026-01-02-00:00=incomplete", OWN, 0, 1,
		  "2026-01-01-00:00 2026-01-02-00:00" },
		{ "2026-01-01-00:00=incomplete 2026-01-02-00:00=complete "
		  "2026-01-03-00:00=incomplete",
		  "2026-01-02-00:00", 0, 1, "2026-01-01-00:00" },
		{ "2026-01-01-00:00=incomplete", "2026-01-01-00:00", 0, 1, "" },
		{ "2026-01-01-00:00=complete", OWN, 2, 0, "" },
		{ "2026-01-01-00:00=complete", OWN, 0, 0, "" },
		{ "10.0.0.7-2026-01-01-00:00=complete", OWN, 1, 1, "" },
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct path p _path_;
		struct retain_count count;
		char told[256] = "";
		const struct retain_prune prune = { .own = cases[i / 2].own,
						    .keep_dumps = cases[i / 2].keep_dumps,
						    .keep_bytes = cases[i / 2].keep_bytes,
						    .dry_run = i % 2,
						    .told = collect,
						    .ctx = told };

		make_path(&p, cases[i / 2].captures);
		CHECK_EQ(retain_prune(p.fd, &prune, &count), 0);
		CHECK_STR(told, cases[i / 2].gone);
		CHECK_EQ(count.dumps, *told ? 1 + (strchr(told, ' ') != NULL) : 0);
		told[strcspn(told, " ")] = '\0';
		CHECK(!*told || is_there(&p, told) == prune.dry_run);
	}
}
