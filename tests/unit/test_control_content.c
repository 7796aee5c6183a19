// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/content.h"

#include "lib/util.h"
#include "tests/unit/test.h"

TEST(control, names_of_modules)
{
	static const struct {
		const char *path, *name;
	} rows[] = {
		{ "kernel/fs/ext4/ext4.ko", "ext4" },
		{ "/lib/modules/x/virtio-pci.ko.xz", "virtio_pci" },
		{ "dm-mod.ko.zst", "dm_mod" },
		{ "a.b/sd_mod.ko.gz", "sd_mod" },
		{ "lib/x.korn", NULL },
		{ "lib/.ko", NULL },
		{ "etc/fstab", NULL },
		{ "", NULL },
		{ "a23456789012345678901234567890123456789012345678901234567890.ko", NULL },
	};
	char name[CONTENT_MODULE_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_EQ(content_module_name(rows[i].path, strlen(rows[i].path), name),
			 rows[i].name != NULL);
		if (rows[i].name)
			CHECK_STR(name, rows[i].name);
	}
	/* No byte behind the length counts. */
	CHECK(!content_module_name("ext4.ko", 6, name));
}
