/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a terminal gets to see of strings that a crashed machine, or anybody, has written. */
#ifndef CONTROL_TEXT_H
#define CONTROL_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_SIZE_SIZE 16
#define TEXT_TIME_SIZE 32

/**
 * text_put() - Print @len bytes of @s so that nothing in them acts on a terminal.
 *
 * Valid UTF-8 stays, but for control characters, C1's included, and those that change the
 * direction of text (Unicode's Bidi_Control), which can make a line read as another one. These
 * and all other bytes come as \xNN, byte by byte.
 */
void text_put(FILE *to, const char *s, size_t len);

/** text_clean() - The same of a string, into memory. Return: owned by the caller; NULL without
 * memory. */
char *text_clean(const char *s);

/** text_size() - "15.9 MiB". */
const char *text_size(uint64_t bytes, char buf[TEXT_SIZE_SIZE]);

/** text_time() - "2026-11-25 00:14:04", UTC. @when: seconds since 1970, up to the year 9999 */
const char *text_time(int64_t when, char buf[TEXT_TIME_SIZE]);

#endif
