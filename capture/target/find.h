/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the block device that a configuration means, by libblkid's low-level
 * probes alone: no cache file, no udev.
 */
#ifndef CAPTURE_TARGET_FIND_H
#define CAPTURE_TARGET_FIND_H

#include <stdbool.h>
#include <stddef.h>

/** struct find_device - A block device; a string is empty where there is no such thing. */
struct find_device {
	char node[288]; /* "/dev/vda1" */
	char type[32];	/* "ext4", "crypto_LUKS" … */
	char uuid[64];
	char label[128];
	char partuuid[64];
	char partlabel[128];
};

/** struct find_places - Where to look; find_system_places but in tests. */
struct find_places {
	const char *sys_block; /* a directory with an entry for each block device */
	const char *dev;       /* a directory with their nodes */
};

extern const struct find_places find_system_places;

/**
 * find_probe() - Fill *@device_ret from what @node holds. What the partition table calls it is
 * there even where its contents are more than one thing or cannot be read; then there is nothing
 * else of them. Return: 0 or -errno; not logged.
 */
int find_probe(const char *node, struct find_device *device_ret);

/** find_matches() - Whether @spec (UUID=, LABEL=, PARTUUID=, PARTLABEL=; TYPE= as libblkid names
 * it) means @device. */
bool find_matches(const struct find_device *device, const char *spec);

/**
 * struct find_seen - Devices that were looked at before and need no second look at once.
 * Beyond its room devices are merely looked at every time.
 */
struct find_seen {
	unsigned nr;
	char names[512][32];
};

/**
 * find_device() - Look once for @spec, which may also be a path, there or as of udev_link_spec().
 * @seen: devices to leave out; those looked at are added; NULL looks at all
 *
 * Return: 0 with *@device_ret filled; -ENOENT not there now; -errno. Not logged.
 */
int find_device(const struct find_places *places, const char *spec, struct find_seen *seen,
		struct find_device *device_ret);

/** find_log_devices() - Log a line for each block device there is, up to 32 of them. */
void find_log_devices(const struct find_places *places);

#endif
