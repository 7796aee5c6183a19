/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs, without a shell in between and with nothing on stdin. */
#ifndef CONTROL_RUN_H
#define CONTROL_RUN_H

#include <stddef.h>
#include <sys/types.h>

/**
 * run() - Run a program and wait for its end; its output goes to ours, both to stderr.
 * @argv: the program, looked up in PATH, and its arguments; ends with NULL
 *
 * Return: 0; -ENOENT where there is no such program, another -errno where it cannot be started,
 * -EIO where it ends with another status than 0 or by a signal. All but -ENOENT are logged.
 */
int run(const char *const argv[]);

/** run_start() - The same without waiting; what it prints on stdout goes to @out. Return: as of
 * run(), never -EIO; the caller has to wait for *@pid_ret. */
int run_start(const char *const argv[], int out, pid_t *pid_ret);

/**
 * run_read() - The same, with what it prints on stdout.
 * @max: -EFBIG where it prints more bytes
 * @text_ret: NUL-terminated, owned by the caller; set on success only
 * @len_ret: length without the NUL; may be NULL
 */
int run_read(const char *const argv[], size_t max, char **text_ret, size_t *len_ret);

#endif
