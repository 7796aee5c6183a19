// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/arch.h"

#include <fnmatch.h>

#include "lib/util.h"

static const struct arch_ops *const arches[] = {
	&arch_i386,
	&arch_x86_64,
};

const struct arch_ops *arch_find(uint16_t elf_machine, uint8_t elf_class)
{
	const struct arch_ops *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		if (arches[i]->elf_machine != elf_machine)
			continue;
		if (arches[i]->elf_class == elf_class)
			return arches[i];
		found = arches[i];
	}
	return found;
}

const struct arch_ops *arch_find_uname(const char *machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if (!fnmatch(arches[i]->uname, machine, 0))
			return arches[i];
	return NULL;
}
