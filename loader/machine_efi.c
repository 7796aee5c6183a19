// SPDX-License-Identifier: GPL-2.0-or-later
/* What is left of the firmware: Documentation/ABI/testing/sysfs-firmware-efi{,-runtime-map}. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/util.h"
#include "loader/machine.h"

#define EFI_DIR	    "/sys/firmware/efi"
#define EFI_MAP_MAX 4096
#define TEXT_MAX    65536

static int read_member(const char *root, size_t i, const char *name, uint64_t *value_ret)
{
	char path[128];

	snprintf(path, sizeof(path), EFI_DIR "/runtime-map/%zu/%s", i, name);
	return machine_hex(root, path, value_ret);
}

static int read_range(const char *root, size_t i, struct boot_efi_range *ret)
{
	uint64_t type;
	int err = read_member(root, i, "type", &type);

	if (!err)
		err = read_member(root, i, "phys_addr", &ret->phys);
	if (!err)
		err = read_member(root, i, "virt_addr", &ret->virt);
	if (!err)
		err = read_member(root, i, "num_pages", &ret->pages);
	if (!err)
		err = read_member(root, i, "attribute", &ret->attribute);
	ret->type = type;
	return err;
}

static int read_map(const char *root, struct boot_efi *efi)
{
	struct boot_efi_range range;

	while (efi->nr_map < EFI_MAP_MAX && !read_range(root, efi->nr_map, &range)) {
		struct boot_efi_range *more =
			realloc(efi->map, (efi->nr_map + 1) * sizeof(*efi->map));

		if (!more)
			return -ENOMEM;
		efi->map = more;
		efi->map[efi->nr_map++] = range;
	}
	return 0;
}

/* A line "KEY=0x..." of the list of the firmware's tables. Return: 0 where it is not there. */
static uint64_t table(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len) && line[len] == '=')
			return strtoull(line + len + 1, NULL, 0);
	}
	return 0;
}

int machine_efi(const char *root, struct machine *m)
{
	_free_ char *systab = NULL;

	if (!machine_text(root, EFI_DIR "/systab", TEXT_MAX, &systab)) {
		m->efi.smbios = table(systab, "SMBIOS");
		if (!m->rsdp)
			m->rsdp = table(systab, "ACPI20");
		if (!m->rsdp)
			m->rsdp = table(systab, "ACPI");
	}
	if (machine_hex(root, EFI_DIR "/fw_vendor", &m->efi.fw_vendor) ||
	    machine_hex(root, EFI_DIR "/config_table", &m->efi.config_table))
		return 0;
	return read_map(root, &m->efi);
}
