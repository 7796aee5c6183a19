// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/retain.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/dump_dir.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

/* A removal begins with this new name of the manifest, so that what a reset in the middle
 * leaves is neither taken for a dump nor for somebody else's. */
#define REMOVED_NAME RECORD_NAME ".removed"
#define NAMES_SIZE   (8u << 10)

/* 'd' a digit, ':' that or the '-' of file systems that take no ':'; see dir_format_name(). */
static const char stamp_pattern[] = "dddd-dd-dd-dd:dd";

struct dump {
	char name[DIR_NAME_SIZE];
	bool complete;
	uint64_t bytes;
};

/* The oldest ones, sorted; of the others only the sums. */
struct dumps {
	struct dump list[RETAIN_MAX];
	unsigned nr;
	unsigned complete; /* of all but the one being written */
	uint64_t bytes;	   /* of all */
};

struct retain {
	int parent_fd;
	const char *own;
	void (*alive)(void *ctx);
	void *alive_ctx;
	const struct retain_prune *prune; /* NULL in a capture */
};

static bool is_stamp(const char *s)
{
	const char *p = stamp_pattern;

	for (; *p; p++, s++)
		if (*p == 'd' ? !isdigit((unsigned char)*s) :
				!(*s == *p || (*p == ':' && *s == '-')))
			return false;
	if (*s == '-' && isdigit((unsigned char)s[1]))
		for (s++; isdigit((unsigned char)*s); s++)
			;
	return !*s;
}

/* Of "10.0.0.7-2026-11-24-10:30" the part with the time; names without a host begin with it. */
static const char *find_stamp(const char *name)
{
	if (is_stamp(name))
		return name;
	for (const char *s = name; (s = strchr(s, '-'));)
		if (is_stamp(++s))
			return s;
	return NULL;
}

bool retain_is_capture(const char *name, const char *own, const char **stamp_ret)
{
	const char *stamp = find_stamp(name), *own_stamp = find_stamp(own);

	if (!stamp || !own_stamp || strlen(name) >= DIR_NAME_SIZE ||
	    stamp - name != own_stamp - own || memcmp(name, own, stamp - name))
		return false;
	*stamp_ret = stamp;
	return true;
}

/* By the time, then by the suffix's number. */
static int compare(const char *a, const char *b)
{
	size_t len = sizeof(stamp_pattern) - 1;
	const char *at = find_stamp(a), *bt = find_stamp(b);
	int diff = strncmp(at, bt, len);

	return diff ? diff : (int)(strtol(bt + len, NULL, 10) - strtol(at + len, NULL, 10));
}

/* A manifest is what record_build() writes: its own words come before all else in it. */
static bool read_manifest(int fd, bool *complete_ret)
{
	char buf[512], *verdict;
	ssize_t n = io_read_full(fd, buf, sizeof(buf) - 1);

	if (n <= 0)
		return false;
	buf[n] = '\0';
	verdict = strstr(buf, "\"verdict\": \"");
	if (!strstr(buf, "\"program\": \"vmcore-save\"") || !verdict)
		return false;
	*complete_ret = after_prefix(verdict, "\"verdict\": \"complete\"") != NULL;
	return true;
}

static bool is_ours(int dir_fd, bool *complete_ret)
{
	_close_ int fd =
		openat(dir_fd, RECORD_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat sb;

	*complete_ret = false;
	if (fd < 0)
		return fstatat(dir_fd, REMOVED_NAME, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
		       S_ISREG(sb.st_mode);
	return fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) && read_manifest(fd, complete_ret);
}

static DIR *open_again(int dir_fd)
{
	_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		take_fd(&fd); /* it is the stream's now */
	return dir;
}

/* The names in a directory, one after the other; -EPERM where a plain file is not all that
 * there is, or there is too much of it. */
static int list_files(int dir_fd, char *names, size_t size, uint64_t *bytes_ret)
{
	_closedir_ DIR *dir = open_again(dir_fd);
	struct dirent *entry;
	uint64_t bytes = 0;
	unsigned nr = 0;
	size_t used = 0;

	if (!dir)
		return -errno;
	while ((errno = 0, entry = readdir(dir))) {
		size_t len = strlen(entry->d_name) + 1;
		struct stat sb;

		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		if (fstatat(dir_fd, entry->d_name, &sb, AT_SYMLINK_NOFOLLOW))
			return -errno;
		if (!S_ISREG(sb.st_mode) || ++nr > RETAIN_MAX_FILES || len + 1 > size - used)
			return -EPERM;
		memcpy(names + used, entry->d_name, len);
		used += len;
		bytes += (uint64_t)sb.st_blocks * 512;
	}
	names[used] = '\0';
	*bytes_ret = bytes;
	return -errno; /* readdir()'s, 0 at the end */
}

static int open_dump(const struct retain *r, const char *name)
{
	int fd = openat(r->parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* False where it is not ours, or not whole enough to tell. */
static bool look_at(const struct retain *r, const char *name, struct dump *dump_ret)
{
	_close_ int fd = open_dump(r, name);
	struct dump dump = { .complete = false };
	char names[NAMES_SIZE];

	if (fd < 0 || !is_ours(fd, &dump.complete) ||
	    list_files(fd, names, sizeof(names), &dump.bytes))
		return false;
	strcpy(dump.name, name);
	*dump_ret = dump;
	return true;
}

/* At its place among the oldest; the youngest of them gives way. */
static void insert(struct dumps *dumps, const struct dump *dump)
{
	unsigned at = dumps->nr;

	while (at && compare(dumps->list[at - 1].name, dump->name) > 0)
		at--;
	if (at == RETAIN_MAX)
		return;
	if (dumps->nr == RETAIN_MAX)
		dumps->nr--;
	memmove(&dumps->list[at + 1], &dumps->list[at], (dumps->nr - at) * sizeof(*dump));
	dumps->list[at] = *dump;
	dumps->nr++;
}

static int find_dumps(const struct retain *r, struct dumps *dumps_ret)
{
	_closedir_ DIR *dir = open_again(r->parent_fd);
	struct dirent *entry;

	if (!dir)
		return -errno;
	memset(dumps_ret, 0, sizeof(*dumps_ret));
	while ((errno = 0, entry = readdir(dir))) {
		const char *stamp;
		struct dump dump;

		if (!retain_is_capture(entry->d_name, r->own, &stamp))
			continue;
		r->alive(r->alive_ctx);
		if (!look_at(r, entry->d_name, &dump))
			continue;
		dumps_ret->bytes += dump.bytes;
		if (streq(entry->d_name, r->own))
			continue;
		dumps_ret->complete += dump.complete;
		insert(dumps_ret, &dump);
	}
	return -errno;
}

static int remove_files(const struct retain *r, int fd)
{
	char names[NAMES_SIZE];
	uint64_t bytes;
	int err = list_files(fd, names, sizeof(names), &bytes);

	if (err)
		return err;
	if (renameat(fd, RECORD_NAME, fd, REMOVED_NAME) && errno != ENOENT)
		return -errno;
	if (fsync(fd))
		return -errno;
	for (const char *name = names; *name; name += strlen(name) + 1) {
		if (streq(name, RECORD_NAME) || streq(name, REMOVED_NAME))
			continue;
		r->alive(r->alive_ctx);
		if (unlinkat(fd, name, 0))
			return -errno;
	}
	return unlinkat(fd, REMOVED_NAME, 0) ? -errno : 0;
}

static int remove_directory(const struct retain *r, const char *name)
{
	_close_ int fd = open_dump(r, name);
	int err = fd < 0 ? fd : remove_files(r, fd);

	if (!err && unlinkat(r->parent_fd, name, AT_REMOVEDIR))
		err = -errno;
	return !err && fsync(r->parent_fd) ? -errno : err;
}

static int remove_dump(const struct retain *r, const struct dump *dump)
{
	int err = r->prune && r->prune->dry_run ? 0 : remove_directory(r, dump->name);

	if (r->prune)
		r->prune->told(r->prune->ctx, dump->name, dump->bytes, err);
	else if (err)
		log_error("cannot remove the earlier capture %s: %s", dump->name, strerror(-err));
	else
		log_info("removed the earlier capture %s (%" PRIu64 " MiB)", dump->name,
			 dump->bytes >> 20);
	return err;
}

static int fail_list(int err)
{
	log_error("cannot list the earlier captures: %s", strerror(-err));
	return err;
}

/* On success *@dumps_ret are the caller's. */
static int list_dumps(const struct retain *r, struct dumps **dumps_ret)
{
	struct dumps *dumps = malloc(sizeof(*dumps));
	int err = dumps ? find_dumps(r, dumps) : -ENOMEM;

	if (err) {
		free(dumps);
		return fail_list(err);
	}
	*dumps_ret = dumps;
	return 0;
}

/* The dump that has just been saved is one of those that stay. */
static bool has_to_go(const struct dumps *dumps, unsigned keep_dumps, uint64_t keep_bytes)
{
	return (keep_dumps && dumps->complete + 1 > keep_dumps) ||
	       (keep_bytes && dumps->bytes > keep_bytes);
}

static int apply(const struct retain *r, unsigned keep_dumps, uint64_t keep_bytes,
		 struct retain_count *count_ret)
{
	struct retain_count count = { .dumps = 0 };
	_free_ struct dumps *dumps = NULL;
	int err = list_dumps(r, &dumps);

	if (err)
		return err;
	for (unsigned i = 0; i < dumps->nr && has_to_go(dumps, keep_dumps, keep_bytes); i++) {
		const struct dump *dump = &dumps->list[i];

		if (r->prune && compare(dump->name, r->own) > 0)
			break;
		/* Counted as gone in any case: one that stays must not cost a younger one. */
		dumps->complete -= dump->complete;
		dumps->bytes -= dump->bytes;
		if (remove_dump(r, dump)) {
			count.failed++;
			continue;
		}
		count.dumps++;
		count.bytes += dump->bytes;
	}
	*count_ret = count;
	return count.failed ? -EIO : 0;
}

int retain_apply(int dir_fd, const char *dir_name, const struct config *config,
		 void (*alive)(void *ctx), void *alive_ctx, struct retain_count *count_ret)
{
	_close_ int parent = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct retain r = {
		.parent_fd = parent, .own = dir_name, .alive = alive, .alive_ctx = alive_ctx
	};

	if (parent < 0)
		return fail_list(-errno);
	return apply(&r, config->keep_dumps, config->keep_bytes, count_ret);
}

static void ignore(void *ctx)
{
	(void)ctx;
}

int retain_prune(int parent_fd, const struct retain_prune *prune, struct retain_count *count_ret)
{
	const struct retain r = {
		.parent_fd = parent_fd, .own = prune->own, .alive = ignore, .prune = prune
	};

	return apply(&r, prune->keep_dumps, prune->keep_bytes, count_ret);
}

int retain_remove_oldest(int parent_fd, const char *own, void (*alive)(void *ctx), void *alive_ctx)
{
	const struct retain r = {
		.parent_fd = parent_fd, .own = own, .alive = alive, .alive_ctx = alive_ctx
	};
	_free_ struct dumps *dumps = NULL;
	int err = list_dumps(&r, &dumps);

	if (err)
		return err;
	for (unsigned i = 0; i < dumps->nr; i++)
		if (remove_dump(&r, &dumps->list[i]) == 0)
			return 0;
	return -ENODATA;
}
