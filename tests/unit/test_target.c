// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/target/dir.h"
#include "capture/target/find.h"
#include "capture/target/target.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/udev_link.h"
#include "lib/util.h"
#include "tests/unit/lvm_sample.h"
#include "tests/unit/test.h"

/* A directory that goes away with the test. */
struct place {
	char path[64];
	int fd;
};

static int remove_entry(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void cleanup_place(struct place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	nftw(p->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#define _place_ __cleanup(cleanup_place)

static struct place make_place(void)
{
	struct place p = { .fd = -1 };
	const char *tmp = getenv("TMPDIR");

	snprintf(p.path, sizeof(p.path), "%.40s/vmcore-test-XXXXXX", tmp ? tmp : "/tmp");
	if (mkdtemp(p.path))
		p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p;
}

static bool holds(int dir_fd, const char *name, const char *want)
{
	_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	char buf[256];
	ssize_t n = fd < 0 ? -1 : io_read_full(fd, buf, sizeof(buf) - 1);

	if (n < 0)
		return false;
	buf[n] = '\0';
	return streq(buf, want);
}

static int mode_of(int dir_fd, const char *name)
{
	struct stat sb;

	return fstatat(dir_fd, name, &sb, AT_SYMLINK_NOFOLLOW) ? -errno : (int)(sb.st_mode & 0777);
}

TEST(target, directory_names)
{
	static const struct {
		time_t when;
		char sep;
		unsigned suffix;
		const char *want;
	} cases[] = {
		{ 0, ':', 0, "1970-01-01-00:00" },
		{ 1795471859, ':', 0, "2026-11-23-22:10" },
		{ 1795471859, ':', 1, "2026-11-23-22:10-1" },
		{ 1795471859, '-', 99, "2026-11-23-22-10-99" },
	};
	char name[DIR_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		dir_format_name(name, cases[i].when, cases[i].sep, cases[i].suffix);
		CHECK_STR(name, cases[i].want);
	}
	dir_format_name(name, INT64_MAX, ':', 99); /* must fit, whatever it says */
	CHECK(strlen(name) < DIR_NAME_SIZE);
}

TEST(target, stamped_directories_take_the_next_suffix)
{
	_place_ struct place p = make_place();
	char name[DIR_NAME_SIZE] = "";
	int fd = -1;

	CHECK(p.fd >= 0);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(dir_create_stamped(p.fd, 60, name, &fd), 0);
		close(fd);
		if (i == 0)
			CHECK_STR(name, "1970-01-01-00:01");
		if (i == 2)
			CHECK_STR(name, "1970-01-01-00:01-2");
	}
	CHECK_STR(name, "1970-01-01-00:01-99");
	CHECK_EQ(dir_create_stamped(p.fd, 60, name, &fd), -EEXIST);
	CHECK_EQ(mode_of(p.fd, name), 0700);
}

TEST(target, a_name_that_cannot_be_made_durable_is_not_given)
{
	_place_ struct place p = make_place();
	/* What fsync(2) fails for, and all else does not. */
	_close_ int dir = open(p.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int fd = dir_open_file(dir, "new");

	CHECK(p.fd >= 0 && fd >= 0);
	CHECK_EQ(dir_commit_file(dir, fd, "new", "final"), -EBADF);
	CHECK(holds(p.fd, "new", ""));
	CHECK(!holds(p.fd, "final", ""));
	CHECK_EQ(dir_commit_file(p.fd, fd, "new", "final"), 0);
	CHECK(holds(p.fd, "final", ""));
	/* Of a manifest the old or the new one is there. */
	CHECK_EQ(dir_replace_file(p.fd, "m", "m.new", "old", 3), 0);
	CHECK_EQ(dir_replace_file(dir, "m", "m.new", "new", 3), -EBADF);
	CHECK(holds(p.fd, "m", "new"));
	CHECK_EQ(mode_of(p.fd, "m.new"), -ENOENT);
}

TEST(target, open_path_makes_what_is_missing)
{
	_place_ struct place p = make_place();
	_close_ int fd = -1, same = -1;
	struct stat a, b;

	CHECK(p.fd >= 0);
	CHECK_EQ(mkdirat(p.fd, "var", 0711), 0);
	CHECK_EQ(dir_open_path(p.fd, "/var//lib/crash/", &fd), 0);
	CHECK_EQ(mode_of(p.fd, "var"), 0711);
	CHECK_EQ(mode_of(p.fd, "var/lib/crash") & 0700, 0700);
	CHECK_EQ(dir_open_path(p.fd, "/var/lib/crash", &same), 0);
	CHECK_EQ(fstat(fd, &a), 0);
	CHECK_EQ(fstat(same, &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	close(take_fd(&fd));
	CHECK_EQ(dir_open_path(p.fd, "/", &fd), 0);
}

TEST(target, open_path_stays_within_the_root)
{
	_place_ struct place p = make_place();
	_close_ int fd = -1, file = -1;

	CHECK(p.fd >= 0);
	/* On the crashed machine /var/crash may well be an absolute link. */
	CHECK_EQ(mkdirat(p.fd, "var", 0755), 0);
	CHECK_EQ(mkdirat(p.fd, "data", 0755), 0);
	CHECK_EQ(symlinkat("/data", p.fd, "var/crash"), 0);
	CHECK_EQ(symlinkat("../../../../../../tmp", p.fd, "var/up"), 0);
	CHECK_EQ(symlinkat("loop", p.fd, "loop"), 0);
	CHECK_EQ(dir_open_path(p.fd, "/var/crash/here", &fd), 0);
	CHECK_EQ(mode_of(p.fd, "data/here") & 0700, 0700);
	CHECK_EQ(dir_open_path(p.fd, "/loop", &file), -ELOOP);
	CHECK(dir_open_path(p.fd, "/var/up", &file) < 0);
	file = dir_open_file(p.fd, "file");
	CHECK(file >= 0);
	close(take_fd(&file));
	CHECK_EQ(dir_open_path(p.fd, "/file/x", &file), -ENOTDIR);
}

TEST(target, a_file_gets_its_name_when_committed)
{
	_place_ struct place p = make_place();
	_close_ int fd = -1;

	CHECK(p.fd >= 0);
	fd = dir_open_file(p.fd, "vmcore-incomplete");
	CHECK(fd >= 0);
	CHECK_EQ(mode_of(p.fd, "vmcore-incomplete"), 0600);
	CHECK_EQ(dir_open_file(p.fd, "vmcore-incomplete"), -EEXIST);
	CHECK_EQ(io_write_full(fd, "dump", 4), 0);
	CHECK_EQ(mode_of(p.fd, "vmcore"), -ENOENT);
	CHECK_EQ(dir_commit_file(p.fd, fd, "vmcore-incomplete", "vmcore"), 0);
	CHECK_EQ(mode_of(p.fd, "vmcore-incomplete"), -ENOENT);
	CHECK(holds(p.fd, "vmcore", "dump"));
	/* A file that cannot be synced keeps its name. */
	CHECK_EQ(dir_commit_file(p.fd, -1, "vmcore", "other"), -EBADF);
	CHECK(holds(p.fd, "vmcore", "dump"));
}

TEST(target, replace_file)
{
	_place_ struct place p = make_place();
	_close_ int fd = -1;

	CHECK(p.fd >= 0);
	CHECK_EQ(dir_replace_file(p.fd, "m", "m.new", "first, longer", 13), 0);
	CHECK(holds(p.fd, "m", "first, longer"));
	CHECK_EQ(mode_of(p.fd, "m"), 0600);
	fd = openat(p.fd, "m", O_WRONLY | O_CLOEXEC);
	dir_reserve_file(fd, 65536);
	CHECK(holds(p.fd, "m", "first, longer"));
	/* What an earlier attempt left behind is no obstacle. */
	close(take_fd(&fd));
	fd = dir_open_file(p.fd, "m.new");
	CHECK(fd >= 0);
	CHECK_EQ(dir_replace_file(p.fd, "m", "m.new", "second", 6), 0);
	CHECK(holds(p.fd, "m", "second"));
	CHECK_EQ(mode_of(p.fd, "m.new"), -ENOENT);
}

/* In a child of its own: a file system of five pages, full but for what a file reserved. */
static int replace_on_full_disk(const char *path)
{
	static const char fill[4096] = { 'x' };
	char text[9000];
	_close_ int dir = -1, big = -1, fd = -1;

	memset(text, 'a', sizeof(text));
	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", path, "tmpfs", 0, "size=20k"))
		return -EPERM;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_replace_file(dir, "m", "m.new", "early", 5))
		return -EIO;
	fd = openat(dir, "m", O_WRONLY | O_CLOEXEC);
	dir_reserve_file(fd, 3 * 4096);
	big = dir_open_file(dir, "vmcore-incomplete");
	while (io_write_full(big, fill, sizeof(fill)) == 0)
		;
	if (dir_replace_file(dir, "m", "m.new", text, sizeof(text) - 1))
		return -ENOSPC;
	text[sizeof(text) - 1] = '\0';
	if (lseek(fd, 0, SEEK_END) != sizeof(text) - 1 || mode_of(dir, "m.new") != -ENOENT)
		return -EBADMSG;
	if (dir_replace_file(dir, "m", "m.new", "short", 5) || !holds(dir, "m", "short"))
		return -EBADMSG;
	return 0;
}

TEST(target, replace_file_on_a_full_disk)
{
	_place_ struct place p = make_place();
	int status = 0;
	pid_t pid;

	CHECK(p.fd >= 0);
	pid = fork();
	if (pid == 0)
		_exit(-replace_on_full_disk(p.path));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == EPERM) {
		printf("# no right to mount a tmpfs: not tested\n");
		return;
	}
	CHECK_EQ(WEXITSTATUS(status), 0);
}

/* An ext2 superblock as libblkid wants to see it (kernel: fs/ext2/ext2.h). */
static int make_ext2(int dir_fd, const char *name, uint8_t id, const char *label)
{
	_close_ int fd = dir_open_file(dir_fd, name);
	uint8_t sb[1024] = { 0 };

	if (fd < 0 ||
	    ftruncate(fd, 4 << 20)) /* of a floppy libblkid takes the first that it sees */
		return -errno;
	put_le32(sb + 0, 128);	 /* s_inodes_count */
	put_le32(sb + 4, 1024);	 /* s_blocks_count */
	put_le32(sb + 20, 1);	 /* s_first_data_block */
	put_le32(sb + 32, 8192); /* s_blocks_per_group */
	put_le32(sb + 40, 128);	 /* s_inodes_per_group */
	put_le16(sb + 56, 0xef53);
	put_le32(sb + 76, 1); /* s_rev_level */
	memset(sb + 104, id, 16);
	memcpy(sb + 120, label, MIN(strlen(label), (size_t)16));
	return io_pwrite_full(fd, sb, sizeof(sb), 1024);
}

/* As /sys/class/block shows a device with something on it. */
static int make_sys_entry(int dir_fd, const char *name, const char *sectors)
{
	char path[64];
	_close_ int fd = -1;

	mkdirat(dir_fd, "sys", 0755);
	snprintf(path, sizeof(path), "sys/%s", name);
	if (mkdirat(dir_fd, path, 0755))
		return -errno;
	snprintf(path, sizeof(path), "sys/%s/size", name);
	fd = dir_open_file(dir_fd, path);
	return fd < 0 ? fd : io_write_full(fd, sectors, strlen(sectors));
}

TEST(target, finds_a_device_by_what_is_on_it)
{
	static const char uuid2[] = "UUID=CDCDCDCD-cdcd-cdcd-cdcd-cdcdcdcdcdcd";
	_place_ struct place p = make_place();
	struct find_seen seen = { .nr = 0 };
	struct find_device dev;
	char sys[96], want[96];
	struct find_places places = { sys, p.path };

	CHECK(p.fd >= 0);
	snprintf(sys, sizeof(sys), "%s/sys", p.path);
	CHECK_EQ(find_device(&places, uuid2, &seen, &dev), -ENOENT);
	CHECK_EQ(make_ext2(p.fd, "vda", 0xab, "root"), 0);
	CHECK_EQ(make_ext2(p.fd, "vdb", 0xcd, "my crash"), 0);
	CHECK_EQ(make_ext2(p.fd, "ram0", 0xee, "inram"), 0);
	CHECK_EQ(make_ext2(p.fd, "vdc", 0xef, "empty"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "vda", "2048\n"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "vdb", "2048\n"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "ram0", "2048\n"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "vdc", "0\n"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "vdx", "2048\n"), 0); /* no node yet */

	CHECK_EQ(find_device(&places, uuid2, NULL, &dev), 0);
	snprintf(want, sizeof(want), "%s/vdb", p.path);
	CHECK_STR(dev.node, want);
	CHECK_STR(dev.type, "ext2");
	CHECK_STR(dev.uuid, "cdcdcdcd-cdcd-cdcd-cdcd-cdcdcdcdcdcd");
	CHECK_EQ(find_device(&places, "LABEL=my crash", NULL, &dev), 0);
	CHECK_STR(dev.node, want);
	CHECK_EQ(find_device(&places, "LABEL=My Crash", NULL, &dev), -ENOENT);
	CHECK_EQ(find_device(&places, "LABEL=inram", NULL, &dev), -ENOENT);
	CHECK_EQ(find_device(&places, "LABEL=empty", NULL, &dev), -ENOENT);
	CHECK_EQ(find_device(&places, "PARTUUID=1", NULL, &dev), -ENOENT);

	/* Seen devices rest until the list is emptied; one whose node was missing does not. */
	CHECK_EQ(find_device(&places, "LABEL=late", &seen, &dev), -ENOENT);
	CHECK_EQ(seen.nr, 2);
	CHECK_EQ(find_device(&places, "LABEL=root", &seen, &dev), -ENOENT);
	CHECK_EQ(make_ext2(p.fd, "vdx", 0x11, "late"), 0);
	CHECK_EQ(find_device(&places, "LABEL=late", &seen, &dev), 0);
	seen.nr = 0;
	CHECK_EQ(find_device(&places, "LABEL=root", &seen, &dev), 0);
}

/* Swap's mark behind the superblock of ext2, in which its version is the number of inodes
 * (kernel: include/linux/swap.h). */
static int add_swap(int dir_fd, const char *name)
{
	_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : io_pwrite_full(fd, "\1\0\0", 4, 1024);

	return err ? err : io_pwrite_full(fd, "SWAPSPACE2", 10, 4086);
}

TEST(target, what_is_more_than_one_thing_is_none_of_them)
{
	_place_ struct place p = make_place();
	struct find_device dev;
	char path[96];

	CHECK(p.fd >= 0);
	CHECK_EQ(make_ext2(p.fd, "vda", 0xab, "root"), 0);
	snprintf(path, sizeof(path), "%s/vda", p.path);
	CHECK_EQ(find_probe(path, &dev), 0);
	CHECK_STR(dev.type, "ext2");
	CHECK_EQ(add_swap(p.fd, "vda"), 0);
	CHECK_EQ(find_probe(path, &dev), 0);
	CHECK_STR(dev.type, "more than one signature");
	CHECK_STR(dev.uuid, "");
	CHECK_STR(dev.label, "");
}

TEST(target, links_of_udev)
{
	static const struct {
		const char *path, *want;
		int err;
	} cases[] = {
		{ "/dev/disk/by-uuid/12-AB", "UUID=12-AB", 0 },
		{ "/dev/disk/by-label/my\\x20crash\\x2f", "LABEL=my crash/", 0 },
		{ "/dev/disk/by-label/\\x", "LABEL=\\x", 0 },
		{ "/dev/disk/by-partuuid/5e-01", "PARTUUID=5e-01", 0 },
		{ "/dev/disk/by-partlabel/a", "PARTLABEL=a", 0 },
		{ "/dev/disk/by-uuid/", NULL, -EOPNOTSUPP },
		{ "/dev/disk/by-uuid/a/b", NULL, -EOPNOTSUPP },
		{ "/dev/disk/by-id/ata-x", NULL, -EOPNOTSUPP },
		{ "/dev/disk/by-path/pci-x", NULL, -EOPNOTSUPP },
		{ "/dev/sda1", NULL, -ENOENT },
		{ "UUID=12-AB", NULL, -ENOENT },
	};
	char spec[UDEV_SPEC_SIZE], longest[600];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(udev_link_spec(cases[i].path, spec), cases[i].err);
		if (cases[i].want)
			CHECK_STR(spec, cases[i].want);
	}
	snprintf(longest, sizeof(longest), "/dev/disk/by-label/%0500d", 0);
	CHECK_EQ(udev_link_spec(longest, spec), 0);
	CHECK_EQ(strlen(spec), UDEV_SPEC_SIZE - 1);
}

TEST(target, finds_what_a_link_of_udev_would_be)
{
	_place_ struct place p = make_place();
	struct find_device dev;
	char sys[96], want[96];
	struct find_places places = { sys, p.path };

	CHECK(p.fd >= 0);
	snprintf(sys, sizeof(sys), "%s/sys", p.path);
	snprintf(want, sizeof(want), "%s/vdb", p.path);
	CHECK_EQ(make_ext2(p.fd, "vdb", 0xcd, "unit test"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "vdb", "2048\n"), 0);
	CHECK_EQ(find_device(&places, "/dev/disk/by-label/unit\\x20test", NULL, &dev), 0);
	CHECK_STR(dev.node, want);
	CHECK_EQ(find_device(&places, "/dev/disk/by-label/unit", NULL, &dev), -ENOENT);
	CHECK_EQ(find_device(&places, "/dev/disk/by-id/unit", NULL, &dev), -ENOENT);
}

/* A physical volume of LVM's, as far as libblkid looks, and too large for a floppy. */
static int make_pv(int dir_fd, const char *name)
{
	_close_ int fd = dir_open_file(dir_fd, name);
	uint8_t sector[512] = { 0 };

	if (fd < 0 || ftruncate(fd, 2 << 20))
		return -errno;
	lvm_sample_bytes(LVM_SAMPLE_LABEL, sector);
	return io_pwrite_full(fd, sector, sizeof(sector), 512);
}

static int make_holder(int dir_fd, const char *name, const char *uuid)
{
	static const char *const dirs[] = { "holders", "holders/dm-0", "holders/dm-0/dm" };
	char path[96];
	_close_ int fd = -1;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "sys/%s/%s", name, dirs[i]);
		if (mkdirat(dir_fd, path, 0755))
			return -errno;
	}
	snprintf(path, sizeof(path), "sys/%s/holders/dm-0/dm/uuid", name);
	fd = dir_open_file(dir_fd, path);
	return fd < 0 ? fd : io_write_full(fd, uuid, strlen(uuid));
}

TEST(target, what_is_held_is_left_to_its_holder)
{
	static const char pv[] = "TYPE=LVM2_member";
	_place_ struct place p = make_place();
	struct find_device dev;
	char sys[96];
	struct find_places places = { sys, p.path };

	CHECK(p.fd >= 0);
	snprintf(sys, sizeof(sys), "%s/sys", p.path);
	CHECK_EQ(make_ext2(p.fd, "dm-1", 0xab, "a leg"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "dm-1", "2048\n"), 0);
	CHECK_EQ(find_device(&places, "LABEL=a leg", NULL, &dev), 0);
	CHECK_EQ(make_holder(p.fd, "dm-1", "LVM-mirror\n"), 0);
	CHECK_EQ(find_device(&places, "LABEL=a leg", NULL, &dev), -ENOENT);

	CHECK_EQ(make_pv(p.fd, "vda"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "vda", "2048\n"), 0);
	CHECK_EQ(make_holder(p.fd, "vda", "mpath-x\n"), 0);
	CHECK_EQ(find_device(&places, pv, NULL, &dev), -ENOENT);
	CHECK_EQ(make_pv(p.fd, "vdb"), 0);
	CHECK_EQ(make_sys_entry(p.fd, "vdb", "2048\n"), 0);
	CHECK_EQ(make_holder(p.fd, "vdb", "LVM-a-volume\n"), 0);
	CHECK_EQ(find_device(&places, pv, NULL, &dev), 0); /* where another volume may be */
	CHECK_EQ(find_device(&places, "TYPE=", NULL, &dev), -ENOENT);
}

TEST(target, a_path_must_be_a_block_device)
{
	struct find_device dev;

	CHECK_EQ(find_device(&find_system_places, "/dev/null", NULL, &dev), -ENOTBLK);
	CHECK_EQ(find_device(&find_system_places, "/dev/null/x", NULL, &dev), -ENOENT);
	CHECK_EQ(find_device(&find_system_places, "/dev/no-such-disk", NULL, &dev), -ENOENT);
}

TEST(target, empty_tags_match_nothing)
{
	struct find_device dev = { .node = "/dev/x" };

	CHECK(!find_matches(&dev, "UUID="));
	CHECK(!find_matches(&dev, "LABEL="));
	CHECK(!find_matches(&dev, "PARTUUID="));
	CHECK(!find_matches(&dev, "PARTLABEL="));
	strcpy(dev.partuuid, "ab-01");
	strcpy(dev.partlabel, "crash");
	CHECK(find_matches(&dev, "PARTUUID=AB-01"));
	CHECK(find_matches(&dev, "PARTLABEL=crash"));
	CHECK(!find_matches(&dev, "PARTLABEL=CRASH"));
}

TEST(target, mount_options)
{
	static const struct {
		const char *data, *options, *want;
	} cases[] = {
		{ "", "", "" },
		{ "", "defaults", "" },
		{ "umask=077", "rw,noatime", "umask=077" },
		{ "", "compress=zstd,,subvol=@crash", "compress=zstd,subvol=@crash" },
		{ "umask=077", "umask=027", "umask=077,umask=027" },
		/* as fstab(5) has them */
		{ "", "nodiratime,lazytime,sync,discard", "discard" },
		{ "", "nouser,x-systemd.device-timeout=5,comment=x,nobarrier", "nobarrier" },
		{ "", "async,users,nofail,no,_netdev,noauto", "no" },
	};
	char text[40];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(target_mount_data(text, sizeof(text), cases[i].data, cases[i].options), 0);
		CHECK_STR(text, cases[i].want);
	}
	CHECK_EQ(target_mount_data(text, 12, "", "subvol=@crash"), -E2BIG);
}

/* In a child of its own, as two workers do it. Returns how often it is mounted, or -errno. */
static int mount_twice(const char *path)
{
	const struct config_target where = { .options = "" };
	struct target target = { .where = &where, .mount_point = path };
	_free_ char *text = NULL;
	int nr = 0;

	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -EPERM;
	if (target_mount(&target, "none", "tmpfs", "") ||
	    target_mount(&target, "none", "tmpfs", "") ||
	    io_read_file("/proc/self/mounts", 1 << 20, &text, NULL))
		return -EIO;
	for (const char *s = text; (s = strstr(s, path)); s++)
		nr++;
	return nr;
}

TEST(target, what_is_mounted_is_not_mounted_again)
{
	_place_ struct place p = make_place();
	int status = 0;
	pid_t pid;

	CHECK(p.fd >= 0);
	pid = fork();
	if (pid == 0)
		_exit(64 + mount_twice(p.path));
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == 64 - EPERM) {
		printf("# no right to mount a tmpfs: not tested\n");
		return;
	}
	CHECK_EQ(WEXITSTATUS(status), 64 + 1);
}

/* Runs a shell's command line. */
static bool tool(const char *fmt, const char *a, const char *b)
{
	char line[512];

	snprintf(line, sizeof(line), fmt, a, b);
	return system(line) == 0;
}

/* Bytes that can be written to a file after @bytes were; -errno where those could not be. */
static int64_t fill(int dir_fd, uint64_t bytes)
{
	static const char chunk[1 << 20] = { 'x' };
	_close_ int fd = dir_open_file(dir_fd, "vmcore-incomplete");
	int64_t more = 0;
	ssize_t n;
	int err;

	for (uint64_t left = bytes; left; left -= n) {
		n = MIN(left, (uint64_t)sizeof(chunk));
		err = io_write_full(fd, chunk, n);
		if (err)
			return err;
	}
	if (fsync(fd))
		return -errno;
	while ((n = write(fd, chunk, sizeof(chunk))) > 0 && fsync(fd) == 0)
		more += n;
	return more;
}

/* In a child of its own. Returns an exit status: 2 for no right to mount. */
static int fill_file_system(const char *path, const char *fstype, const char *options)
{
	const struct config_target where = { .where = "loop" };
	struct target target = { .where = &where };
	uint64_t space;
	int64_t more;

	snprintf(target.fstype, sizeof(target.fstype), "%s", fstype);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    !tool("mkfs.%s -q %s 2>/dev/null", fstype, options) ||
	    !tool("mount -o loop %s %s 2>/dev/null", path, "/mnt"))
		return 2;
	target.dir_fd = open("/mnt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target_fs_ops.space(&target, &space))
		return 3;
	more = fill(target.dir_fd, space);
	printf("# %s: %" PRIu64 " bytes free, %" PRId64 " more\n", options, space, more);
	fflush(stdout);
	return more < 0 ? 4 : (uint64_t)more > space / 32 ? 5 : 0;
}

TEST(target, what_is_free_can_be_written)
{
	static const char *const cases[][2] = {
		{ "ext2", "-b 1024" }, { "ext2", "-b 4096" },	   { "ext3", "-b 1024" },
		{ "ext4", "-b 4096" }, { "ext4", "-b 1024 -m 0" },
	};
	_place_ struct place p = make_place();
	char image[96], options[160];
	_close_ int fd = -1;

	CHECK(p.fd >= 0);
	if (geteuid()) {
		printf("# no right to mount: not tested\n");
		return;
	}
	snprintf(image, sizeof(image), "%s/image", p.path);
	fd = dir_open_file(p.fd, "image");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = 0;
		pid_t pid;

		CHECK_EQ(ftruncate(fd, 0), 0);
		CHECK_EQ(ftruncate(fd, 96 << 20), 0);
		snprintf(options, sizeof(options), "-F %s %s", cases[i][1], image);
		pid = fork();
		if (pid == 0)
			_exit(fill_file_system(image, cases[i][0], options));
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFEXITED(status));
		if (WEXITSTATUS(status) == 2)
			printf("# no %s on a loop device: not tested\n", cases[i][0]);
		else if (WEXITSTATUS(status))
			test_fail(__FILE__, __LINE__, "%s %s: %d", cases[i][0], cases[i][1],
				  WEXITSTATUS(status));
	}
}

TEST(target, rows)
{
	struct config config;
	struct target target = { .ops = NULL };

	config_init(&config);
	strcpy(config.targets[0].type, "nonsense");
	CHECK_EQ(target_init(&target, &config, &config.targets[0], "/"), -EOPNOTSUPP);
	CHECK(strstr(target.error, "nonsense") != NULL);
	strcpy(config.targets[0].type, "ext4");
	CHECK_EQ(target_init(&target, &config, &config.targets[0], "/"), 0);
	CHECK(target.ops == &target_fs_ops);
	CHECK_EQ(target.wait_s, config.device_timeout);
	CHECK_STR(target_mount_problem(-EROFS, ""), "the device is read-only");
}
