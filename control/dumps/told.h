/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which dumps an administrator has been told of: a line for each, by its directory. No times are
 * compared, for the clock of a machine that crashes may be wrong.
 */
#ifndef CONTROL_DUMPS_TOLD_H
#define CONTROL_DUMPS_TOLD_H

#include <stdbool.h>
#include <stdio.h>

#include "control/dumps/records.h"

#define TOLD_MAX_BYTES (1u << 20)

/** told_knows() - Whether @text, the file's, has a line for a dump. */
bool told_knows(const char *text, const struct dump *dump);

/**
 * told_write() - What the file is to hold next: all dumps that are there, and of those it had
 * before the ones in places that were not looked into, such as a disk that is not mounted now.
 */
void told_write(FILE *to, const char *before, const struct dumps *dumps);

#endif
