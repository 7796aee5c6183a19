/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All of <string.h> that there is before any C library. */
#ifndef ARCH_X86_PURGATORY_STRING_H
#define ARCH_X86_PURGATORY_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#endif
