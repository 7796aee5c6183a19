/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns a manifest into an archive. */
#ifndef INITRAMFS_IMAGE_H
#define INITRAMFS_IMAGE_H

#include "initramfs/hardware.h"
#include "initramfs/manifest.h"
#include "lib/cpio.h"

/**
 * struct image_source - What an image is made from. All borrowed.
 * @name: of the manifest, for messages
 * @moddir: the kernel's module folder, /lib/modules/VERSION; NULL where there is none
 * @root: the root file system that files are taken from, where their names begin with it; or NULL
 * @firmware: the folder of firmware within @firmware_root, "" for that itself; NULL for none
 * @hardware: the machine's description; or NULL
 */
struct image_source {
	const struct manifest *manifest;
	const char *name;
	const char *moddir;
	const char *root;
	const char *firmware_root, *firmware;
	const struct hardware *hardware;
};

/**
 * image_write() - Write the whole archive, trailer included.
 * Return: 0 or -errno; logged, with the manifest's line where one is at fault.
 */
int image_write(const struct image_source *source, struct cpio *cpio);

#endif
