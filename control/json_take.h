/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of the JSON files that vmcorectl itself has written. */
#ifndef CONTROL_JSON_TAKE_H
#define CONTROL_JSON_TAKE_H

#include <stddef.h>

struct json_object;

/** json_take_text() - Copy the string @key of @from, NUL included. Return: 0; -EBADMSG it is not
 * there, no string, has a NUL in it or does not fit. */
int json_take_text(struct json_object *from, const char *key, char *to, size_t size);

#endif
