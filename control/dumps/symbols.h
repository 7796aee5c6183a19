/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file with the symbols of a kernel, which a reader of a dump needs. */
#ifndef CONTROL_DUMPS_SYMBOLS_H
#define CONTROL_DUMPS_SYMBOLS_H

#include "control/command.h"

/** symbols_is_release() - Whether @release is a name that a kernel can have: letters, digits and
 * . _ + ~ - alone, so that it can stand in a path and in a command. */
bool symbols_is_release(const char *release);

/** symbols_find() - The vmlinux of @release, with in->root; NULL where there is none.
 * Return: owned by the caller. */
char *symbols_find(const struct invocation *in, const char *release);

/** symbols_hint() - What installs it, as this distribution has it; a command, or a sentence. */
void symbols_hint(const struct invocation *in, const char *release, char *buf, size_t size);

#endif
