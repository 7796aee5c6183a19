// SPDX-License-Identifier: GPL-2.0-or-later
/* The scratch disk: of a kind that the image has a driver for, with what stands for the target. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/rehearsal/rehearsal.h"
#include "control/run.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define DISK_BYTES    (512ull << 20) /* sparse; mkfs.xfs wants 300 MiB and more */
#define SECTOR	      512u
#define RAW_SECTOR    2048u /* where the one partition begins */
#define MBR_SIGNATURE 0x766d6372u
#define SCRATCH_UUID  "76c0a5e0-7e57-4d15-8c0f-7265686561a5"
#define SCRATCH_VFAT  "7e57d15c"

static const struct rehearsal_disk disks[] = {
	{ "virtio_blk",
	  "virtio_pci virtio_blk",
	  "virtio-blk-pci",
	  { "virtio-blk-pci,drive=scratch" } },
	{ "nvme", "nvme", "nvme", { "nvme,serial=scratch,drive=scratch" } },
	{ "ahci",
	  "ahci sd_mod",
	  "ich9-ahci",
	  { "ich9-ahci,id=bus", "ide-hd,bus=bus.0,drive=scratch" } },
	{ "virtio_scsi",
	  "virtio_pci virtio_scsi sd_mod",
	  "virtio-scsi-pci",
	  { "virtio-scsi-pci,id=bus", "scsi-hd,bus=bus.0,drive=scratch" } },
	{ "megaraid_sas",
	  "megaraid_sas sd_mod",
	  "megasas",
	  { "megasas,id=bus", "scsi-hd,bus=bus.0,drive=scratch" } },
	{ "mptsas",
	  "mptsas sd_mod",
	  "mptsas1068",
	  { "mptsas1068,id=bus", "scsi-hd,bus=bus.0,drive=scratch" } },
	{ "vmw_pvscsi",
	  "vmw_pvscsi sd_mod",
	  "pvscsi",
	  { "pvscsi,id=bus", "scsi-hd,bus=bus.0,drive=scratch" } },
	{ "sym53c8xx",
	  "sym53c8xx sd_mod",
	  "lsi53c895a",
	  { "lsi53c895a,id=bus", "scsi-hd,bus=bus.0,drive=scratch" } },
	{ "ata_piix",
	  "ata_piix sd_mod",
	  "piix3-ide",
	  { "piix3-ide,id=bus", "ide-hd,bus=bus.0,drive=scratch" } },
	{ "usb-storage",
	  "xhci_pci usb_storage sd_mod",
	  "usb-storage",
	  { "qemu-xhci,id=bus", "usb-storage,bus=bus.0,drive=scratch" } },
};

static const struct {
	const char *type, *program, *package;
	const char *uuid_option, *uuid;
	const char *options[3];
} file_systems[] = {
	{ "ext2", "mkfs.ext2", "e2fsprogs", "-U", SCRATCH_UUID, { "-q", "-F" } },
	{ "ext3", "mkfs.ext3", "e2fsprogs", "-U", SCRATCH_UUID, { "-q", "-F" } },
	{ "ext4", "mkfs.ext4", "e2fsprogs", "-U", SCRATCH_UUID, { "-q", "-F" } },
	{ "xfs", "mkfs.xfs", "xfsprogs", "-m", "uuid=" SCRATCH_UUID, { "-q", "-f" } },
	{ "btrfs", "mkfs.btrfs", "btrfs-progs", "-U", SCRATCH_UUID, { "-q", "-f" } },
	{ "vfat", "mkfs.vfat", "dosfstools", "-i", SCRATCH_VFAT, { "-F", "32" } },
};

/* Whether @word stands in @text between blanks. */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at++) {
		if ((at == text || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	}
	return false;
}

static bool offered(const char *devices_help, const struct rehearsal_disk *disk)
{
	char line[64];

	snprintf(line, sizeof(line), "name \"%s\"", disk->device);
	return strstr(devices_help, line);
}

/* Whether the image, or the kernel itself, has all drivers of a disk. */
static bool can_drive(const struct rehearsal *r, const struct rehearsal_disk *disk)
{
	char words[128], *save, *word;

	snprintf(words, sizeof(words), "%s", disk->modules);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!content_has(&r->content, word) && kmod_state(&r->kmod, word) != KMOD_BUILT_IN)
			return false;
	}
	return true;
}

static bool is_local(const struct config_target *target)
{
	static const char *const others[] = { "nfs", "nfs4", "ssh", "virtiofs", "9p" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (streq(target->type, others[i]))
			return false;
	}
	return true;
}

/* This machine's own where QEMU has it, also if the image has no driver for that: to find out is
 * what this is for. Else one that the image can drive, else a driver is lent. */
static int choose_device(struct rehearsal *r, const char *devices_help)
{
	const bool local = is_local(&r->target);

	for (size_t i = 0; local && i < ARRAY_SIZE(disks); i++) {
		if (!has_word(r->devices, disks[i].driver) || !offered(devices_help, &disks[i]))
			continue;
		r->disk = &disks[i];
		r->own = true;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(disks); i++) {
		if (!can_drive(r, &disks[i]) || !offered(devices_help, &disks[i]))
			continue;
		r->disk = &disks[i];
		return 0;
	}
	r->disk = &disks[0];
	r->lent = true;
	if (offered(devices_help, r->disk))
		return 0;
	log_error(REHEARSAL_QEMU " has no disk that could be used");
	return -EOPNOTSUPP;
}

static void choose_stand_in(struct rehearsal *r)
{
	struct config_target *t = &r->stand_in;

	strcpy(t->path, r->target.path);
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++) {
		if (!streq(r->target.type, file_systems[i].type))
			continue;
		strcpy(t->type, r->target.type);
		strcpy(t->where, streq(t->type, "vfat") ? "UUID=7E57-D15C" : "UUID=" SCRATCH_UUID);
		if (!streq(t->type, "btrfs")) /* a subvolume is not there */
			strcpy(t->options, r->target.options);
		return;
	}
	strcpy(t->type, "raw");
	snprintf(t->where, sizeof(t->where), "PARTUUID=%08x-01", MBR_SIGNATURE);
}

/* As sysfs tells them; "" for what is not there. */
static const char *drivers_here(const struct rehearsal *r)
{
	return *r->devices == ' ' ? r->devices + 1 : "";
}

static void hide(struct rehearsal *r)
{
	const char *here = drivers_here(r);

	rehearsal_hide(r,
		       "this machine: its firmware, its devices and how a crash leaves them, and "
		       "the jump out of a crashed kernel");
	rehearsal_hide(r, "%s %s itself: a scratch disk stood for it", r->target.type,
		       r->target.where);
	if (!is_local(&r->target))
		rehearsal_hide(r, "the way to %s: it was not tried", r->target.where);
	else if (!r->own)
		rehearsal_hide(r, "the driver of its disk%s%s: %s; %s was used", *here ? ", " : "",
			       here, *here ? "QEMU has no such one" : "there is none here now",
			       r->disk->driver);
	if (strstr(here, "dm(") || strstr(here, "md("))
		rehearsal_hide(r, "the layers below its file system: %.160s", here);
	if (r->lent)
		rehearsal_hide(r,
			       "whether the image has a driver for a disk: %s was lent to it, in "
			       "an archive behind the image",
			       r->disk->modules);
}

int rehearsal_disk_choose(struct rehearsal *r, const char *devices_help)
{
	int err = choose_device(r, devices_help);

	if (err)
		return err;
	choose_stand_in(r);
	hide(r);
	if (r->own && !can_drive(r, r->disk))
		rehearsal_tell(
			r, REHEARSAL_WARN, "driver",
			"the image lacks one of %s, which this machine's disk takes: \"" CTL_PROGRAM
			" rebuild --force\"",
			r->disk->modules);
	return 0;
}

/* A partition table as DOS had it, whose 32 bits make the PARTUUID (kernel:
 * block/partitions/msdos.c). */
static int make_raw(int fd)
{
	uint8_t sector[SECTOR] = { 0 };

	put_le32(sector + 440, MBR_SIGNATURE);
	sector[446 + 4] = 0x83;
	put_le32(sector + 446 + 8, RAW_SECTOR);
	put_le32(sector + 446 + 12, (uint32_t)(DISK_BYTES / SECTOR - RAW_SECTOR));
	sector[510] = 0x55;
	sector[511] = 0xaa;
	return io_pwrite_full(fd, sector, sizeof(sector), 0);
}

static int make_file_system(const char *type, const char *path)
{
	const char *argv[8];
	size_t n = 0, i = 0;
	int err;

	while (!streq(file_systems[i].type, type))
		i++;
	argv[n++] = file_systems[i].program;
	for (const char *const *o = file_systems[i].options; *o; o++)
		argv[n++] = *o;
	argv[n++] = file_systems[i].uuid_option;
	argv[n++] = file_systems[i].uuid;
	argv[n++] = path;
	argv[n] = NULL;
	err = run(argv);
	if (err == -ENOENT)
		log_error("%s is not in PATH: install %s, for a scratch disk as the target is one",
			  file_systems[i].program, file_systems[i].package);
	return err;
}

int rehearsal_disk_make(const struct rehearsal *r)
{
	_close_ int fd = -1;
	char path[160];
	int err = 0;

	rehearsal_path(r, "disk", path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)DISK_BYTES))
		err = -errno;
	if (!err && streq(r->stand_in.type, "raw"))
		err = make_raw(fd);
	else if (!err)
		return make_file_system(r->stand_in.type, path);
	if (err)
		log_error("%s: %s", path, strerror(-err));
	return err;
}
