// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/util.h"
#include "loader/image.h"

/* kexec-tools enters "bzImage" in 32-bit mode; here --entry-32bit alone says that. */
static const struct {
	const char *name;
	enum image_kind kind;
	uint8_t bits; /* 0: any */
} types[] = {
	{ "bzImage64", IMAGE_BZIMAGE, 64 }, { "bzImage", IMAGE_BZIMAGE, 0 },
	{ "elf-x86_64", IMAGE_ELF, 64 },    { "elf-x86", IMAGE_ELF, 32 },
	{ "vmlinux", IMAGE_ELF, 0 },	    { "uki", IMAGE_UKI, 0 },
	{ "Image", IMAGE_ARM64, 0 },	    { "Image", IMAGE_RISCV, 0 },
};

static const struct {
	const char *name, *why;
} refused[] = {
	{ "multiboot-x86", "only Linux kernels are loaded, not Xen's hypervisor and the like" },
	{ "multiboot2-x86", "only Linux kernels are loaded, not Xen's hypervisor and the like" },
	{ "beoboot-x86", "nothing makes images of that type any more" },
	{ "nbi-x86", "images for booting from a network card are not loaded" },
};

bool image_type_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].name, name))
			return true;
	return false;
}

const char *image_type_refusal(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (streq(refused[i].name, name))
			return refused[i].why;
	return NULL;
}

bool image_type_fits(const char *name, enum image_kind kind, const struct image *image)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].name, name) &&
		    (types[i].kind == kind || types[i].kind == image->kind) &&
		    (!types[i].bits || types[i].bits == image->bits))
			return true;
	return false;
}
