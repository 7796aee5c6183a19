// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/md.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define NEW_ARRAY "/sys/module/md_mod/parameters/new_array"
#define START_RO  "/sys/module/md_mod/parameters/start_ro"

static int open_node(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/dev/%.128s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool md_running(const char *name)
{
	char path[256];
	_free_ char *state = NULL;

	snprintf(path, sizeof(path), "/sys/block/%.128s/md/array_state", name);
	if (io_read_file(path, 4096, &state, NULL))
		return false;
	return !after_prefix(state, "clear") && !after_prefix(state, "inactive");
}

/* Takes the members' word for what the array is: with raid_disks 0 the call only says which
 * kind of superblock to read, as md_ioctl() has it. */
static int gather(int fd, unsigned major, unsigned minor, const dev_t *members, size_t nr)
{
	mdu_array_info_t array = { .major_version = (int)major, .minor_version = (int)minor };
	int err = -ENODEV;

	if (ioctl(fd, SET_ARRAY_INFO, &array))
		return -errno;
	for (size_t i = 0; i < nr; i++) {
		mdu_disk_info_t disk = { .major = (int)major(members[i]),
					 .minor = (int)minor(members[i]) };

		/* One that is refused is one less. */
		if (ioctl(fd, ADD_NEW_DISK, &disk) == 0)
			err = 0;
		else if (err)
			err = -errno;
	}
	return err;
}

int md_start(const char *name, unsigned major, unsigned minor, const dev_t *members, size_t nr)
{
	_close_ int fd = open_node(name);
	char path[256];
	int err;

	if (fd < 0) {
		err = io_write_file(NEW_ARRAY, name);
		if (err)
			return err;
		fd = open_node(name);
		if (fd < 0)
			return fd;
	}
	/* Else the resync that a crash makes necessary starts at once and takes the disks. */
	io_write_file(START_RO, "1");
	err = gather(fd, major, minor, members, nr);
	if (!err && ioctl(fd, RUN_ARRAY, NULL))
		err = -errno;
	if (err) {
		ioctl(fd, STOP_ARRAY, NULL);
		return err;
	}
	snprintf(path, sizeof(path), "/sys/block/%.128s/md/sync_action", name);
	io_write_file(path, "frozen");
	return 0;
}

int md_stop(const char *name)
{
	_close_ int fd = open_node(name);

	if (fd < 0)
		return fd;
	return ioctl(fd, STOP_ARRAY, NULL) ? -errno : 0;
}
