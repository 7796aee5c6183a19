/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The purgatory as the loader handles it: bytes with a parameter block in front. */
#ifndef ARCH_X86_PURGATORY_H
#define ARCH_X86_PURGATORY_H

#include <stddef.h>
#include <stdint.h>

#include "arch/x86/purgatory/params.h"

/** struct purgatory_blob - Code to copy; @len is 0 where the build had no x86 compiler. */
struct purgatory_blob {
	const uint8_t *data;
	size_t len;
};

/** purgatory_find() - The one that a kernel of @bits, 64 or 32, jumps into. */
struct purgatory_blob purgatory_find(unsigned bits);

/**
 * purgatory_memory_size() - Bytes that it takes in memory.
 *
 * Return: 0 and *@size_ret, *@entry_ret (an offset); -EOPNOTSUPP where @blob is empty;
 * -EBADMSG where it is none.
 */
int purgatory_memory_size(struct purgatory_blob blob, size_t *size_ret, uint32_t *entry_ret);

/**
 * purgatory_fill() - Write the parameters; what the build has put there is left alone.
 * @data: a copy of the blob
 */
void purgatory_fill(uint8_t *data, const struct purgatory_params *params);

#endif
