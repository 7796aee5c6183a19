/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A saved kernel log, for people. */
#ifndef CONTROL_DUMPS_LOG_FILE_H
#define CONTROL_DUMPS_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define LOG_FILE_LINES	   40u	       /* of the end */
#define LOG_FILE_MAX_BYTES (16u << 20) /* of which that is looked for */

/** log_file_end() - Where the end of a log begins that is worth a look.
 * @panic_line: where it is in the text, the first oops or panic is meant; may be NULL
 * Return: offset of the line with the first sign of trouble, else of the last LOG_FILE_LINES. */
size_t log_file_end(const char *text, size_t len, const char *panic_line);

/**
 * log_file_print() - Print all of it, or LOG_FILE_LINES from where its end begins and how many
 * more there are; so that nothing in it acts on a terminal.
 *
 * Return: 0 or -errno of reading it, not logged.
 */
int log_file_print(int fd, bool all, const char *panic_line, FILE *to);

#endif
