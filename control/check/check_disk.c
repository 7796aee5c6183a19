// SPDX-License-Identifier: GPL-2.0-or-later
/* check: targets on block devices. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "control/bounded.h"
#include "control/check/check.h"
#include "control/check/fs_type.h"
#include "control/check/look.h"
#include "control/mounts.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define TO_CONFIG "correct it in " CONFIG_PATH
#define RAW_KEPT  (17u << 20) /* docs/raw.md: log, manifest and directory, aligned */

/* struct disk - What a device says of itself. @busy: it is mounted, or part of something */
struct disk {
	char type[FS_TYPE_SIZE];
	uint64_t bytes;
	bool busy;
};

/* A disk that is dying may never answer. */
static int ask_here(const void *ctx, int to)
{
	const char *node = ctx;
	struct disk disk = { 0 };
	_close_ int fd = open(node, O_RDONLY | O_EXCL | O_CLOEXEC); /* open(2), EBUSY */
	int err;

	if (fd < 0 && errno == EBUSY) {
		disk.busy = true;
		fd = open(node, O_RDONLY | O_CLOEXEC);
	}
	err = fs_type_of(node, disk.type);
	if (err)
		return err;
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &disk.bytes))
		return -errno;
	return io_write_full(to, &disk, sizeof(disk));
}

/* Return: whether it answered; else it is told. */
static bool ask(struct check *c, const struct check_target *s, const char *node, struct disk *disk)
{
	const char *where = s->target->where;
	size_t len;
	int err = bounded_call(ask_here, node, LOOK_SECONDS, disk, sizeof(*disk), &len);

	if (err == -EUCLEAN)
		check_tell(c, s->bad, "target", "wipefs(8) shows and removes them",
			   "%s has the signatures of more than one file system", where);
	else if (err == -ETIMEDOUT)
		check_tell(c, s->bad, "target", "see dmesg", "%s does not answer", where);
	else if (err || len != sizeof(*disk))
		check_tell(c, s->bad, "target", "see dmesg", "%s cannot be read: %s", where,
			   strerror(err ? -err : EIO));
	return !err && len == sizeof(*disk);
}

void check_raw(struct check *c, struct check_target *s, const char *node)
{
	const struct config_target *t = s->target;
	struct disk disk;

	if (!ask(c, s, node, &disk))
		return;
	if (disk.busy)
		check_tell(c, s->bad, "target", TO_CONFIG ", or take it out of there",
			   "raw %s is mounted, or part of something else", t->where);
	else if (*disk.type)
		check_tell(c, s->bad, "target", TO_CONFIG ", or clear it by wipefs(8)",
			   "raw %s holds %s, over which no dump is written", t->where, disk.type);
	else if (disk.bytes <= RAW_KEPT)
		check_tell(c, s->bad, "target", TO_CONFIG, "raw %s is too small for a dump",
			   t->where);
	else
		check_tell(c, CHECK_OK, "target", "", "raw %s", t->where);
	s->has_room = disk.bytes > RAW_KEPT;
	s->free_bytes = s->has_room ? disk.bytes - RAW_KEPT : 0;
}

/* What the capture mounts, whatever the configuration calls it. */
static bool is_known(const char *type)
{
	static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "vfat" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i], type))
			return true;
	return false;
}

/* The kernel's ext4 is ext2's and ext3's driver as well. */
static bool is_meant(const char *configured, const char *found)
{
	return streq(configured, found) ||
	       (streq(configured, "ext4") && after_prefix(found, "ext"));
}

void check_fs(struct check *c, struct check_target *s, const char *node)
{
	const struct config_target *t = s->target;
	struct disk disk;

	if (!ask(c, s, node, &disk))
		return;
	if (!is_known(disk.type)) {
		check_tell(c, s->bad, "target", TO_CONFIG ", or make a file system on it",
			   "%s %s holds %s, which cannot be mounted", t->type, t->where,
			   *disk.type ? disk.type : "nothing that is known");
		return;
	}
	snprintf(s->fs, sizeof(s->fs), "%s", disk.type);
	if (is_meant(t->type, disk.type))
		check_tell(c, CHECK_OK, "target", "", "%s %s", t->type, t->where);
	else
		check_tell(c, CHECK_WARN, "target", TO_CONFIG, "%s %s holds %s", t->type, t->where,
			   disk.type);
	check_look(c, s, node, disk.type);
}
