/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files, as text alone. */
#ifndef INITRAMFS_PATH_H
#define INITRAMFS_PATH_H

#include <stdbool.h>

/** path_is_clean() - Whether a path below a folder is plain: printable, no empty component, none
 * that is "." or "..", no '/' at its end. Nothing leads out. */
bool path_is_clean(const char *path);

#endif
