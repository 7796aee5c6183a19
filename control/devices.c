// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/devices.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define MAX_LAYERS 8u  /* docs/stack.md has no more */
#define MAX_SLAVES 32u /* of a device; more are not described */

__attribute__((format(printf, 2, 3))) static void append(char *buf, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + len, DEVICES_TEXT_SIZE - len, fmt, ap);
	va_end(ap);
}

/* The first line of DIRECTORY/NAME, or "". */
static void attribute(const char *directory, const char *name, char *value, size_t size)
{
	_free_ char *path = NULL, *text = NULL;

	*value = '\0';
	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return;
	}
	if (io_read_file(path, 4096, &text, NULL))
		return;
	text[strcspn(text, "\n")] = '\0';
	snprintf(value, size, "%s", text);
}

/* The drivers of a device and of all that it hangs on. */
static void add_drivers(const char *root, const char *device, char *buf)
{
	_free_ char *path = strdup(device);
	size_t top = strlen(root) + strlen("/sys/devices");

	while (path && strlen(path) > top) {
		_free_ char *link = NULL, *driver = NULL;

		if (asprintf(&link, "%s/driver", path) < 0) {
			link = NULL;
			return;
		}
		driver = realpath(link, NULL);
		if (driver)
			append(buf, " %s", strrchr(driver, '/') + 1);
		*strrchr(path, '/') = '\0';
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *d)
{
	return *d->d_name != '.';
}

/* A disk that may have several controllers hangs on none of them in sysfs (kernel:
 * drivers/nvme/host/multipath.c); they stand beside it. Return: whether it is one. */
static bool add_controllers(const char *root, const char *device, char *buf)
{
	static const char place[] = "/virtual/nvme-subsystem/";
	const char *at = strstr(device, place), *end = at ? strchr(at + strlen(place), '/') : NULL;
	_free_ char *directory = end ? strndup(device, (size_t)(end - device)) : NULL;
	struct dirent **list = NULL;
	int nr = directory ? scandir(directory, &list, is_visible, by_name) : 0;

	for (int i = 0; i < nr; i++) {
		_free_ char *mark = NULL, *controller = NULL;

		if (i < (int)MAX_SLAVES &&
		    asprintf(&mark, "%s/%s/transport", directory, list[i]->d_name) >= 0 &&
		    !access(mark, F_OK)) {
			*strrchr(mark, '/') = '\0';
			controller = realpath(mark, NULL);
		}
		if (controller)
			add_drivers(root, controller, buf);
		free(list[i]);
	}
	free(list);
	return directory;
}

static void describe(const char *root, const char *device, unsigned layer, char *buf);

/* Return: how many devices this one is made of. */
static unsigned add_slaves(const char *root, const char *device, unsigned layer, char *buf)
{
	_free_ char *directory = NULL;
	struct dirent **list = NULL;
	int nr;

	if (asprintf(&directory, "%s/slaves", device) < 0) {
		directory = NULL;
		return 0;
	}
	nr = scandir(directory, &list, is_visible, by_name);
	for (int i = 0; i < nr; i++) {
		_free_ char *link = NULL, *slave = NULL;

		if (i < (int)MAX_SLAVES &&
		    asprintf(&link, "%s/%s", directory, list[i]->d_name) >= 0 &&
		    (slave = realpath(link, NULL)))
			describe(root, slave, layer + 1, buf);
		free(list[i]);
	}
	free(list);
	return nr > 0 ? (unsigned)nr : 0;
}

/* A partition has no layers of its own: those of the disk that it is on count. */
static char *whole_disk(const char *device)
{
	_free_ char *mark = NULL;

	if (asprintf(&mark, "%s/partition", device) < 0) {
		mark = NULL;
		return NULL;
	}
	return access(mark, F_OK) ? strdup(device) :
				    strndup(device, (size_t)(strrchr(device, '/') - device));
}

static void describe(const char *root, const char *part, unsigned layer, char *buf)
{
	_free_ char *device = layer < MAX_LAYERS ? whole_disk(part) : NULL;
	char name[128], uuid[160];

	if (!device)
		return;
	attribute(device, "dm/uuid", uuid, sizeof(uuid));
	attribute(device, "dm/name", name, sizeof(name));
	if (*name)
		append(buf, " dm(%s %s)", name, uuid);
	attribute(device, "md/uuid", uuid, sizeof(uuid));
	attribute(device, "md/level", name, sizeof(name));
	if (*name)
		append(buf, " md(%s %s)", name, uuid);
	if (!add_slaves(root, device, layer, buf) && !add_controllers(root, device, buf))
		add_drivers(root, device, buf);
}

static void describe_number(const struct invocation *in, dev_t dev, char *buf)
{
	_free_ char *link = NULL, *device = NULL;

	*buf = '\0';
	if (asprintf(&link, "%s/sys/dev/block/%u:%u", in->root, major(dev), minor(dev)) < 0) {
		link = NULL;
		return;
	}
	device = realpath(link, NULL);
	if (device)
		describe(in->root, device, 0, buf);
	if (!*buf)
		append(buf, "no block device");
}

/* @only: this interface; NULL for all that are hardware */
static void describe_cards(const struct invocation *in, const char *only, char *buf)
{
	_free_ char *directory = ctl_path(in, "/sys/class/net");
	struct dirent **list = NULL;
	int nr = directory ? scandir(directory, &list, is_visible, by_name) : 0;

	*buf = '\0';
	for (int i = 0; i < nr; i++) {
		_free_ char *link = NULL, *card = NULL;
		char address[64];

		if ((!only || streq(only, list[i]->d_name)) &&
		    asprintf(&link, "%s/%s", directory, list[i]->d_name) >= 0 &&
		    (card = realpath(link, NULL)) && !strstr(card, "/virtual/")) {
			attribute(card, "address", address, sizeof(address));
			append(buf, " %s %s", list[i]->d_name, address);
			add_drivers(in->root, card, buf);
		}
		free(list[i]);
	}
	free(list);
}

void devices_of_path(const struct invocation *in, const char *path, char *buf)
{
	_free_ char *full = ctl_path(in, path);
	struct stat sb;

	*buf = '\0';
	while (full && stat(full, &sb)) {
		char *slash = strrchr(full, '/');

		if (!slash || slash == full)
			break;
		*slash = '\0'; /* it is made at the first dump */
	}
	if (full && !stat(*full ? full : "/", &sb))
		describe_number(in, sb.st_dev, buf);
	else
		append(buf, "absent");
}

/* udev's link for UUID= and the like; what it does not take as it is it writes as \\xNN
 * (systemd: encode_devnode_name()). */
static void link_of(const char *spec, char *link, size_t size)
{
	static const char *const kinds[][2] = {
		{ "UUID=", "/dev/disk/by-uuid/" },
		{ "LABEL=", "/dev/disk/by-label/" },
		{ "PARTUUID=", "/dev/disk/by-partuuid/" },
		{ "PARTLABEL=", "/dev/disk/by-partlabel/" },
	};

	*link = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *value = after_prefix(spec, kinds[i][0]);
		size_t len;

		if (!value)
			continue;
		snprintf(link, size, "%s", kinds[i][1]);
		for (len = strlen(link); *value && len + 5 < size; value++) {
			unsigned char c = (unsigned char)*value;

			if (c >= 0x80 || isalnum(c) || strchr("#+-.:=@_", c))
				link[len++] = (char)c;
			else
				len += (size_t)snprintf(link + len, size - len, "\\x%02x", c);
			link[len] = '\0';
		}
		return;
	}
}

void devices_of_target(const struct invocation *in, const struct config_target *target, char *buf)
{
	char link[512];
	_free_ char *path = NULL;
	struct stat sb;

	*buf = '\0';
	if (streq(target->type, "virtiofs") || streq(target->type, "9p"))
		return;
	if (streq(target->type, "nfs") || streq(target->type, "nfs4") ||
	    streq(target->type, "ssh")) {
		describe_cards(in, NULL, buf);
		return;
	}
	if (*target->where == '/')
		snprintf(link, sizeof(link), "%s", target->where);
	else
		link_of(target->where, link, sizeof(link));
	path = *link ? ctl_path(in, link) : NULL;
	if (path && !stat(path, &sb) && S_ISBLK(sb.st_mode))
		describe_number(in, sb.st_rdev, buf);
	else
		append(buf, "absent");
}

void devices_of_card(const struct invocation *in, const char *name, char *buf)
{
	describe_cards(in, name, buf);
}
