/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where what no option names is found: beside this program, and in the appliance's root. */
#ifndef INITRAMFS_DEFAULTS_H
#define INITRAMFS_DEFAULTS_H

#include "initramfs/manifest.h"

/**
 * defaults_manifest() - The manifest that is installed with this program, or in its source tree.
 * @path_ret: owned by the caller
 * Return: 0; -ENOENT, -ENOMEM; logged.
 */
int defaults_manifest(char **path_ret);

/**
 * defaults_conf() - The configuration of a root file system.
 * @path_ret: owned by the caller
 * Return: 0; -ENOENT or another -errno; logged.
 */
int defaults_conf(const char *root, char **path_ret);

/**
 * defaults_programs() - Set VMCORE_SAVE and BUSYBOX, as far as they are not set, to the programs of
 * a root file system; BUSYBOX to nothing where that has no static one.
 * @vars: borrows strings that live as long as the program
 * Return: 0; -ENOENT where there is no vmcore-save; -ENOSPC, -ENOMEM; logged.
 */
int defaults_programs(const char *root, struct manifest_vars *vars);

#endif
