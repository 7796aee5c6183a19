// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/arch.h"

#include "lib/util.h"

static const struct arch_ops *const arches[] = {
	&arch_x86_64,
};

const struct arch_ops *arch_find(uint16_t elf_machine, uint8_t elf_class)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if (arches[i]->elf_machine == elf_machine && arches[i]->elf_class == elf_class)
			return arches[i];
	return NULL;
}
