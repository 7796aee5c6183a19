// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/find.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/udev_link.h"
#include "lib/util.h"

#define MAX_LOGGED 32

const struct find_places find_system_places = { "/sys/class/block", "/dev" };

static void free_probe(blkid_probe *pr)
{
	if (*pr)
		blkid_free_probe(*pr);
}

static void take_value(blkid_probe pr, const char *name, char *out, size_t size)
{
	const char *value = NULL;

	if (blkid_probe_lookup_value(pr, name, &value, NULL) == 0 && value)
		snprintf(out, size, "%s", value);
}

static int open_probe(const char *node, blkid_probe *pr_ret)
{
	errno = 0;
	*pr_ret = blkid_new_probe_from_filename(node);
	if (!*pr_ret)
		return errno ? -errno : -EIO;
	blkid_probe_enable_partitions(*pr_ret, 1);
	blkid_probe_set_partitions_flags(*pr_ret, BLKID_PARTS_ENTRY_DETAILS);
	return 0;
}

/* The partition table's names for the device, whatever is on it: where libblkid cannot decide what
 * that is, or cannot read it, it does not come as far as the table. */
static int probe_entry(const char *node, struct find_device *dev)
{
	__cleanup(free_probe) blkid_probe pr = NULL;
	int err = open_probe(node, &pr);

	if (err)
		return err;
	blkid_probe_enable_superblocks(pr, 0);
	if (blkid_do_fullprobe(pr) < 0)
		return errno ? -errno : -EIO;
	take_value(pr, "PART_ENTRY_UUID", dev->partuuid, sizeof(dev->partuuid));
	take_value(pr, "PART_ENTRY_NAME", dev->partlabel, sizeof(dev->partlabel));
	return 0;
}

int find_probe(const char *node, struct find_device *device_ret)
{
	__cleanup(free_probe) blkid_probe pr = NULL;
	struct find_device dev = { .type = "" };
	int err = open_probe(node, &pr), found;

	if (err)
		return err;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID |
						      BLKID_SUBLKS_TYPE);
	found = blkid_do_safeprobe(pr);
	err = found == -1 ? (errno ? -errno : -EIO) : 0;

	snprintf(dev.node, sizeof(dev.node), "%s", node);
	if (found < 0) {
		/* What cannot be read whole may still be the one that is meant. */
		if (probe_entry(node, &dev) || (err && !*dev.partuuid))
			return err;
		snprintf(dev.type, sizeof(dev.type), "%s",
			 err ? "unreadable" : "more than one signature");
	} else {
		take_value(pr, "TYPE", dev.type, sizeof(dev.type));
		take_value(pr, "UUID", dev.uuid, sizeof(dev.uuid));
		take_value(pr, "LABEL", dev.label, sizeof(dev.label));
		take_value(pr, "PART_ENTRY_UUID", dev.partuuid, sizeof(dev.partuuid));
		take_value(pr, "PART_ENTRY_NAME", dev.partlabel, sizeof(dev.partlabel));
	}
	*device_ret = dev;
	return 0;
}

bool find_matches(const struct find_device *device, const char *spec)
{
	const char *value;

	/* People copy UUIDs in either case. */
	value = after_prefix(spec, "UUID=");
	if (value)
		return *value && strcasecmp(device->uuid, value) == 0;
	value = after_prefix(spec, "PARTUUID=");
	if (value)
		return *value && strcasecmp(device->partuuid, value) == 0;
	value = after_prefix(spec, "LABEL=");
	if (value)
		return *value && streq(device->label, value);
	value = after_prefix(spec, "PARTLABEL=");
	if (value)
		return *value && streq(device->partlabel, value);
	value = after_prefix(spec, "TYPE=");
	if (value)
		return *value && streq(device->type, value);
	return false;
}

/* Devices that are empty, in memory, or slow to say that they hold nothing. */
static bool worth_a_look(const struct find_places *places, const char *name)
{
	static const char *const never[] = { ".", "ram", "zram", "fd", "sr" };
	char path[512];
	unsigned long long sectors = 0;
	_fclose_ FILE *f = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (after_prefix(name, never[i]))
			return false;
	snprintf(path, sizeof(path), "%s/%s/size", places->sys_block, name);
	f = fopen(path, "re");
	return f && fscanf(f, "%llu", &sectors) == 1 && sectors > 0;
}

static bool is_lvm(const struct find_places *places, const char *name, const char *holder)
{
	_free_ char *uuid = NULL;
	char path[640];

	snprintf(path, sizeof(path), "%s/%s/holders/%s/dm/uuid", places->sys_block, name, holder);
	return !io_read_file(path, 4096, &uuid, NULL) && after_prefix(uuid, "LVM-");
}

enum holders {
	HELD_BY_NONE,
	HELD_BY_LVM,
	HELD_BY_OTHERS
};

static enum holders holders_of(const struct find_places *places, const char *name)
{
	enum holders holders = HELD_BY_NONE;
	_closedir_ DIR *dir = NULL;
	struct dirent *entry;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/holders", places->sys_block, name);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		if (!is_lvm(places, name, entry->d_name))
			return HELD_BY_OTHERS;
		holders = HELD_BY_LVM;
	}
	return holders;
}

/* A path of multipath, a member of an array, a leg of LVM's own mirrors show what their holder
 * is to be asked for. But volumes hold only their parts of what LVM divides. */
static bool is_taken(enum holders holders, const struct find_device *dev)
{
	return holders == HELD_BY_OTHERS ||
	       (holders == HELD_BY_LVM && !streq(dev->type, "LVM2_member"));
}

static bool was_seen(const struct find_seen *seen, const char *name)
{
	for (unsigned i = 0; i < seen->nr; i++)
		if (streq(seen->names[i], name))
			return true;
	return false;
}

static void add_seen(struct find_seen *seen, const char *name)
{
	if (seen->nr == ARRAY_SIZE(seen->names) || strlen(name) >= sizeof(seen->names[0]))
		return;
	strcpy(seen->names[seen->nr++], name);
}

/* Sysfs writes '/' in a device's name as '!' (cciss!c0d0). */
static void node_path(const struct find_places *places, const char *name, char *out, size_t size)
{
	size_t len = snprintf(out, size, "%s/", places->dev);

	for (; *name && len < size - 1; name++)
		out[len++] = *name == '!' ? '/' : *name;
	out[MIN(len, size - 1)] = '\0';
}

static int find_path(const char *path, struct find_device *device_ret)
{
	struct stat st;
	int err;

	if (stat(path, &st))
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	err = find_probe(path, device_ret);
	if (err == -ENXIO || err == -ENOMEDIUM)
		return -ENOENT;
	return err;
}

int find_device(const struct find_places *places, const char *spec, struct find_seen *seen,
		struct find_device *device_ret)
{
	_closedir_ DIR *dir = NULL;
	char linked[UDEV_SPEC_SIZE];
	struct dirent *entry;
	int err;

	if (*spec == '/') {
		err = find_path(spec, device_ret);
		if (err != -ENOENT || udev_link_spec(spec, linked))
			return err;
		spec = linked;
	}
	dir = opendir(places->sys_block);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct find_device dev;
		enum holders holders;
		char node[288];

		if (seen && was_seen(seen, entry->d_name))
			continue;
		holders = holders_of(places, entry->d_name);
		if (!worth_a_look(places, entry->d_name) || holders == HELD_BY_OTHERS)
			continue;
		node_path(places, entry->d_name, node, sizeof(node));
		if (find_probe(node, &dev))
			continue; /* its node may come a moment later */
		if (seen)
			add_seen(seen, entry->d_name);
		if (!is_taken(holders, &dev) && find_matches(&dev, spec)) {
			*device_ret = dev;
			return 0;
		}
	}
	return -ENOENT;
}

static void log_value(char *line, size_t size, const char *name, const char *value)
{
	size_t len = strlen(line);

	if (*value)
		snprintf(line + len, size - len, " %s=%s", name, value);
}

static void log_device(const char *node)
{
	struct find_device dev;
	char line[512];
	int err = find_probe(node, &dev);

	if (err) {
		log_error("there is %s: %s", node, strerror(-err));
		return;
	}
	snprintf(line, sizeof(line), "%s", *dev.type ? dev.type : "no file system known");
	log_value(line, sizeof(line), "UUID", dev.uuid);
	log_value(line, sizeof(line), "LABEL", dev.label);
	log_value(line, sizeof(line), "PARTUUID", dev.partuuid);
	log_value(line, sizeof(line), "PARTLABEL", dev.partlabel);
	log_error("there is %s: %s", node, line);
}

void find_log_devices(const struct find_places *places)
{
	_closedir_ DIR *dir = opendir(places->sys_block);
	struct dirent *entry;
	unsigned nr = 0;

	while (dir && (entry = readdir(dir))) {
		char node[288];

		if (!worth_a_look(places, entry->d_name) || nr++ >= MAX_LOGGED)
			continue;
		node_path(places, entry->d_name, node, sizeof(node));
		log_device(node);
	}
	if (nr > MAX_LOGGED)
		log_error("and %u more block devices", nr - MAX_LOGGED);
	if (!nr)
		log_error("there is no block device at all: is the disk's driver in the image?");
}
