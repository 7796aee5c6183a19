/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a dump of the running kernel would hold: counted by vmcore-save, never written. */
#ifndef CONTROL_CHECK_KEPT_H
#define CONTROL_CHECK_KEPT_H

#include <stdint.h>

#include "control/command.h"

#define KEPT_SECONDS	60u
#define KEPT_ALL_LEVELS 31u

/** kept_level() - The dump level of a core_collector; the first where it lists several, and
 * vmcore-save's default where it says none. */
unsigned kept_level(const char *core_collector);

/**
 * kept_parse() - The pages of a dump by what "vmcore-save --mem-usage --json" prints.
 * @level: that of the dump
 * @pages_ret: without those of zeros
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int kept_parse(const char *json, unsigned level, uint64_t *pages_ret);

/**
 * kept_count() - Have it counted, from /proc/kcore.
 * @bytes_ret: in memory, without pages of zeros
 *
 * Return: 0; -ENOENT there is no vmcore-save or no /proc/kcore; -ETIMEDOUT; -EIO it cannot tell, as
 * where the kernel is locked down; -EBADMSG. Not logged.
 */
int kept_count(const struct invocation *in, unsigned level, uint64_t *bytes_ret);

#endif
